//! Sets e-mail addresses apart from characters of several bytes: feed-rs 3.0.0 takes the name beside an address by cutting
//! one byte behind or before it, which panics in the middle of one (`editor@news.example（张三）`, as Chinese feeds write).
//! Refuses to touch anything else.

/// The text with a space between an address and a wide character that touches it.
pub(super) fn set_apart(text: String) -> String {
    if !text.contains('@') {
        return text;
    }
    let mut gaps = Vec::new();
    for (at, _) in text.match_indices('@') {
        let start = text[..at].trim_end_matches(|c| is_of_address(c) || c == ':').len();
        let end = at + 1 + text[at + 1..].find(|c| !is_of_address(c)).unwrap_or(text.len() - at - 1);
        if text[..start].ends_with(|c: char| !c.is_ascii()) {
            gaps.push(start);
        }
        if text[end..].starts_with(|c: char| !c.is_ascii()) {
            gaps.push(end);
        }
    }
    gaps.sort_unstable();
    gaps.dedup();
    let (mut apart, mut from) = (String::with_capacity(text.len() + gaps.len()), 0);
    for gap in gaps {
        apart.push_str(&text[from..gap]);
        apart.push(' ');
        from = gap;
    }
    apart.push_str(&text[from..]);
    apart
}

fn is_of_address(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_touches_an_address_is_moved() {
        for (text, apart) in [
            ("漏水", "漏水"),
            ("a@b.example (A)", "a@b.example (A)"),
            ("a@b.example（张三）", "a@b.example （张三）"),
            ("（张三）a@b.example", "（张三） a@b.example"),
            ("张mailto:a@b.example，<x@y.example>", "张 mailto:a@b.example ，<x@y.example>"),
            ("某@某", "某 @ 某"),
            ("@", "@"),
            ("@@🌀", "@@ 🌀"),
        ] {
            assert_eq!(set_apart(text.to_owned()), apart, "{text}");
        }
    }
}
