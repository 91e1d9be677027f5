//! From bytes to text: which encoding a feed or page is in, whatever its server claims. Refuses what no known encoding
//! explains without loss only when asked nothing else: the last resort is GB18030, then Windows-1252.

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Bytes looked at for a declaration.
const HEAD: usize = 1024;

/// The text of a document. `content_type`: header of the answer, if any.
pub(crate) fn decode<'a>(body: &'a [u8], content_type: Option<&str>) -> Cow<'a, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(body) {
        return encoding.decode_without_bom_handling(&body[mark..]).0;
    }
    match body {
        [0, b'<', ..] => return UTF_16BE.decode_without_bom_handling(body).0,
        [b'<', 0, ..] => return UTF_16LE.decode_without_bom_handling(body).0,
        _ => {}
    }
    let utf8 = simdutf8::basic::from_utf8(body);
    let header = content_type.and_then(parameter).and_then(|label| Encoding::for_label(label.as_bytes()));
    let declared = declaration(body).and_then(Encoding::for_label);
    // What is UTF-8 and somewhere said to be, is; nothing else reads as UTF-8 by chance but plain ASCII.
    if let Ok(text) = utf8
        && (header == Some(UTF_8) || declared == Some(UTF_8) || (header.is_none() && declared.is_none()))
    {
        return Cow::Borrowed(text);
    }
    // ISO 8859-1 is what servers say that were never told.
    let header = header.filter(|encoding| *encoding != WINDOWS_1252 || declared.is_none());
    for encoding in [header, declared].into_iter().flatten() {
        if let Some(text) = whole(encoding, body) {
            return text;
        }
    }
    if let Ok(text) = utf8 {
        return Cow::Borrowed(text);
    }
    for encoding in [GB18030, WINDOWS_1252] {
        if let Some(text) = whole(encoding, body) {
            return text;
        }
    }
    let best = declared.or(header).unwrap_or(UTF_8);
    best.decode_without_bom_handling(body).0
}

/// The text if every byte of it makes sense.
fn whole<'a>(encoding: &'static Encoding, body: &'a [u8]) -> Option<Cow<'a, str>> {
    let (text, faults) = encoding.decode_without_bom_handling(body);
    (!faults).then_some(text)
}

/// `charset=` of a content type.
fn parameter(content_type: &str) -> Option<&str> {
    let lower = content_type.to_ascii_lowercase();
    let at = lower.find("charset=")? + "charset=".len();
    let value = content_type.get(at..)?.split(';').next()?;
    Some(value.trim().trim_matches(['"', '\'']))
}

/// `encoding=` of an XML declaration or `charset=` of an HTML head.
fn declaration(body: &[u8]) -> Option<&[u8]> {
    let head = &body[..body.len().min(HEAD)];
    let xml = head.trim_ascii_start().starts_with(b"<?xml");
    let word: &[u8] = if xml { b"encoding" } else { b"charset" };
    let end = if xml { position(head, b"?>")? } else { head.len() };
    let at = position(&head[..end], word)? + word.len();
    let rest = head[at..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let rest = rest.strip_prefix(b"\"").or(rest.strip_prefix(b"'")).unwrap_or(rest);
    let length =
        rest.iter().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':' | b'.')))?;
    (length > 0).then(|| &rest[..length])
}

fn position(bytes: &[u8], word: &[u8]) -> Option<usize> {
    bytes.windows(word.len()).position(|window| window.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn finds_the_encoding_servers_do_not_tell() {
        let gbk = |text: &str| GB18030.encode(text).0.into_owned();
        let declared = |encoding: &str| {
            gbk(&format!("<?xml version='1.0' encoding='{encoding}'?><a>某市通报燃气事故</a>"))
        };
        for (body, content_type) in [
            (declared("GBK"), None),
            (declared("gb2312"), Some("text/xml")),
            (declared("gb18030"), Some("text/xml; charset=ISO-8859-1")),
            (declared("utf-8"), Some("text/xml; charset=gbk")),
            (declared("utf-8"), None),
            (gbk("<a>某市通报燃气事故</a>"), None),
            (gbk("<a>某市通报燃气事故</a>"), Some("text/xml; charset=\"GB2312\"")),
            (gbk("<html><head><meta charset=gbk></head>某市通报燃气事故"), Some("text/html")),
            (
                "<?xml version='1.0' encoding='gbk'?><a>某市通报燃气事故</a>".as_bytes().to_vec(),
                Some("text/xml; charset=utf-8"),
            ),
            ("\u{feff}<a>某市通报燃气事故</a>".as_bytes().to_vec(), Some("text/xml; charset=gbk")),
            ("\u{feff}<a>某市通报燃气事故".encode_utf16().flat_map(u16::to_le_bytes).collect(), None),
        ] {
            let text = decode(&body, content_type);
            assert!(text.contains("某市通报燃气事故"), "{content_type:?}: {text}");
        }
        assert_eq!(decode(b"caf\xe9", Some("text/plain; charset=iso-8859-1")), "café");
    }

    proptest! {
        #[test]
        fn never_panics(body in proptest::collection::vec(any::<u8>(), 0..300), kind in proptest::option::of(".{0,40}")) {
            decode(&body, kind.as_deref());
        }
    }
}
