//! Character references (`&amp;`, `&#39;`, `&#x1F4A5;`) in text taken from web pages, decoded once. Refuses nothing:
//! what is not a reference stays as it is.

use std::borrow::Cow;

const NAMED: &[(&str, &str)] = &[
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", "\u{a0}"),
    ("hellip", "…"),
    ("mdash", "—"),
    ("ndash", "–"),
    ("middot", "·"),
    ("ldquo", "“"),
    ("rdquo", "”"),
    ("lsquo", "‘"),
    ("rsquo", "’"),
    ("yen", "¥"),
    ("copy", "©"),
    ("reg", "®"),
    ("trade", "™"),
    ("times", "×"),
];

/// Longest reference between `&` and `;`.
const LONGEST: usize = 10;

/// The text with its references decoded.
pub fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(LONGEST + 2).position(|b| b == b';');
        match end.and_then(|end| Some((end, one(&rest[1..end])?))) {
            Some((end, decoded)) => {
                out.push_str(&decoded);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn one(name: &str) -> Option<Cow<'static, str>> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => number.parse().ok()?,
        };
        let letter = char::from_u32(code).filter(|c| *c != '\0')?;
        return Some(Cow::Owned(letter.to_string()));
    }
    NAMED.iter().find(|(known, _)| *known == name).map(|(_, text)| Cow::Borrowed(*text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_once_and_leaves_the_rest() {
        for (text, decoded) in [
            ("无", "无"),
            ("A&amp;B &lt;3 &quot;x&quot; &#39;y&#39; &#x1F4A5;", "A&B <3 \"x\" 'y' 💥"),
            ("&amp;lt;", "&lt;"),
            ("AT&T; R&D &unknown; &#xD800; &#0; &", "AT&T; R&D &unknown; &#xD800; &#0; &"),
            ("&中;&;&#;", "&中;&;&#;"),
        ] {
            assert_eq!(decode(text), decoded, "{text}");
        }
    }
}
