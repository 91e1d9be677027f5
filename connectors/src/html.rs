//! HTML to plain text: tags go, block ends become line breaks, character references are decoded once, after the tags
//! are gone. One pass, however broken the input. Refuses nothing, and never renders: what it returns is text, not markup.

use crate::entity;

/// Tags whose start or end breaks the line.
const BREAKS: &[&str] = &[
    "p",
    "br",
    "div",
    "li",
    "ul",
    "ol",
    "tr",
    "table",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "pre",
    "section",
    "article",
    "header",
    "footer",
    "hr",
    "dd",
    "dt",
];

/// Elements whose content nobody reads.
const UNSEEN: &[&str] = &["script", "style", "template", "noscript"];

/// The readable text.
pub(crate) fn to_text(html: &str) -> String {
    if !html.contains(['<', '&']) {
        return html.trim().to_owned();
    }
    let mut bare = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        bare.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some(tag) = Tag::first(rest) else {
            bare.push('<');
            rest = &rest[1..];
            continue;
        };
        let Some(length) = tag.length else {
            // Nothing further closes a tag: the rest is a tag cut off.
            rest = "";
            break;
        };
        rest = &rest[length..];
        if BREAKS.contains(&tag.name.as_str()) && !bare.is_empty() && !bare.ends_with('\n') {
            bare.push('\n');
        }
        if !tag.closing && UNSEEN.contains(&tag.name.as_str()) {
            rest =
                rest.split_once("</").map_or("", |(_, after)| after.split_once('>').map_or("", |(_, r)| r));
        }
    }
    bare.push_str(rest);
    // References are decoded last: `&lt;b&gt;` is text about a tag, not a tag.
    let decoded = entity::decode(&bare);
    let mut text = String::with_capacity(decoded.len());
    for line in decoded.lines().map(str::trim) {
        if !line.is_empty() {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(line);
        }
    }
    text
}

/// What a `<` opens.
struct Tag {
    name: String,
    closing: bool,
    /// Bytes up to and with its end; `None` when it never ends.
    length: Option<usize>,
}

impl Tag {
    /// The tag at the start of `text`, which begins with `<`; `None` when that is a less-than sign.
    fn first(text: &str) -> Option<Self> {
        let inner = &text[1..];
        if let Some(comment) = inner.strip_prefix("!--") {
            let length = comment.find("-->").map(|end| 4 + end + 3);
            return Some(Self { name: String::new(), closing: false, length });
        }
        let (closing, inner) = match inner.strip_prefix('/') {
            Some(inner) => (true, inner),
            None => (false, inner),
        };
        if !inner.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!' || c == '?') {
            return None;
        }
        let name: String = inner
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .take(16)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        Some(Self { name, closing, length: text.find('>').map(|end| end + 1) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_a_person_would() {
        for (html, text) in [
            ("plain", "plain"),
            ("<p>Acme leaked my address</p>", "Acme leaked my address"),
            ("<p>one</p><p>two<br>three<br/>four</p>", "one\ntwo\nthree\nfour"),
            (
                "Their SDK broke <i>everyone</i>&#x27;s login<p>and more",
                "Their SDK broke everyone's login\nand more",
            ),
            ("a &lt;b&gt; c &amp;amp; d", "a <b> c &amp; d"),
            ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
            ("x<!-- hidden --> y", "x y"),
            ("x<script>alert('1')</script>y<style>p{}</style>z", "xyz"),
            (
                "<a href=\"https://e.example/x\"><span class=\"invisible\">https://</span>e.example/x</a>",
                "https://e.example/x",
            ),
            ("cut <a href=\"x", "cut"),
            ("<", "<"),
            ("</", "</"),
            ("中文<br />换行&nbsp;", "中文\n换行"),
            ("", ""),
        ] {
            assert_eq!(to_text(html), text, "{html}");
        }
    }

    #[test]
    fn hostile_markup_is_read_in_one_pass() {
        for unit in ["<", "</", "<p", "<p>", "<!--", "<script>", "&", "&amp;", "<a b=\""] {
            let text = to_text(&unit.repeat(1_000_000 / unit.len()));
            assert!(text.len() <= 1_000_000);
        }
    }
}
