//! Makes social text harmless before it is shown to a person in a hurry. It is written by strangers, some of whom
//! would like to call everybody, to forge a line, or to be clicked. Refuses to change what it says.

use tocsin_rules::Language;

/// In what a channel counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Unicode scalar values.
    Chars,
    /// Bytes of UTF-8.
    Bytes,
}

impl Unit {
    /// Length of `text` in this unit.
    pub fn len(self, text: &str) -> usize {
        match self {
            Self::Chars => text.chars().count(),
            Self::Bytes => text.len(),
        }
    }
}

/// One line without control, bidirectional and invisible characters; runs of white space become one blank.
pub fn clean(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
        } else if !is_invisible(c) {
            line.push(c);
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Direction overrides, zero-width characters, tag characters, fillers: they hide or reorder what is read. A joined
/// emoji falls apart into its members here, which loses no meaning.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2028}' | '\u{2029}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Social text for any plain dialect: cleaned, no mention can fire, no link can be clicked.
pub fn defang(text: &str) -> String {
    let text = clean(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        let lower: String = rest.chars().take(8).map(|c| c.to_ascii_lowercase()).collect();
        let (shown, taken) = if lower.starts_with("http://") {
            ("hxxp://", 7)
        } else if lower.starts_with("https://") {
            ("hxxps://", 8)
        } else if lower.starts_with("www.") {
            ("www[.]", 4)
        } else if c == '@' {
            // Full width: reads the same, calls nobody (@all, @所有人, @everyone, @here).
            ("＠", 1)
        } else if lower.starts_with("<!")
            || lower.starts_with("<@")
            || lower.starts_with("<#")
            || lower.starts_with("<at ")
            || lower.starts_with("</at")
        {
            ("‹", 1)
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        out.push_str(shown);
        rest = &rest[taken..];
    }
    out
}

/// Escapes for HTML text and quoted attributes.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Cuts to at most `limit` in `unit`, on a character boundary, saying how many characters went. A limit too small for
/// that remark gets the bare beginning.
pub fn cut(text: &str, limit: usize, unit: Unit, language: Language) -> String {
    if unit.len(text) <= limit {
        return text.to_owned();
    }
    let total = text.chars().count();
    // The remark is longest when everything goes; its own room is taken first.
    let room = limit.saturating_sub(unit.len(&remark(total, language)));
    let kept = beginning(text, if room == 0 { limit } else { room }, unit);
    if room == 0 {
        return kept.to_owned();
    }
    format!("{kept}{}", remark(total - kept.chars().count(), language))
}

fn beginning(text: &str, limit: usize, unit: Unit) -> &str {
    let end = match unit {
        Unit::Chars => text.char_indices().nth(limit).map_or(text.len(), |(at, _)| at),
        Unit::Bytes => (0..=limit.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0),
    };
    text.get(..end).unwrap_or(text)
}

pub(super) fn remark(dropped: usize, language: Language) -> String {
    match language {
        Language::Zh => format!("…（略去 {dropped} 字）"),
        Language::En => format!("… ({dropped} characters dropped)"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn strangers_cannot_call_everybody_or_be_clicked() {
        let table = [
            ("@all 快看", "＠all 快看"),
            ("@所有人", "＠所有人"),
            ("a\u{200b}@\u{202e}everyone", "a＠everyone"),
            ("<!channel> <@U123> <#C1>", "‹!channel> ‹＠U123> ‹#C1>"),
            ("<AT user_id=\"all\">x</at>", "‹AT user_id=\"all\">x‹/at>"),
            (
                "see HTTPS://evil.example/x http://b www.c.com",
                "see hxxps://evil.example/x hxxp://b www[.]c.com",
            ),
            ("line\r\nFake: header\u{0}\u{2028}x", "line Fake: header x"),
            ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
            ("", ""),
        ];
        for (text, shown) in table {
            assert_eq!(defang(text), shown, "{text:?}");
        }
    }

    #[test]
    fn html_is_escaped_whole() {
        assert_eq!(
            html("<img src=x onerror='a(\"&\")'>"),
            "&lt;img src=x onerror=&#39;a(&quot;&amp;&quot;)&#39;&gt;"
        );
    }

    #[test]
    fn cutting_says_how_much_went() {
        let text = "危".repeat(100);
        let short = cut(&text, 40, Unit::Chars, Language::Zh);
        assert_eq!(short, format!("{}…（略去 71 字）", "危".repeat(29)));
        assert!(cut(&text, 120, Unit::Bytes, Language::En).len() <= 120);
        assert_eq!(cut(&text, 2, Unit::Chars, Language::En), "危危");
        assert_eq!(cut("ab", 2, Unit::Bytes, Language::En), "ab");
    }

    proptest! {
        #[test]
        fn never_over_the_limit(text in "\\PC{0,200}", limit in 0usize..150, bytes: bool) {
            let unit = if bytes { Unit::Bytes } else { Unit::Chars };
            prop_assert!(unit.len(&cut(&text, limit, unit, Language::Zh)) <= limit);
        }

        #[test]
        fn harmless_whatever_comes(text in any::<String>()) {
            let shown = defang(&text);
            let hidden = shown.contains(['@', '\n', '\r', '\0', '\u{202e}', '\u{200b}']);
            prop_assert!(!hidden);
            let links = ["http://", "https://"].iter().any(|scheme| shown.to_lowercase().contains(scheme));
            prop_assert!(!links);
        }
    }
}
