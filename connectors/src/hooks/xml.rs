//! Small XML documents from strangers, read into a tree. Refuses document types and with them every entity of the
//! sender's own, so that nothing expands and nothing is fetched; refuses what is deep, wide or not well-formed.

use quick_xml::{Reader, escape::resolve_predefined_entity, events::Event};

/// Deepest nesting.
const MOST_DEPTH: usize = 32;
/// Most elements of one document.
const MOST_ELEMENTS: usize = 10_000;

/// One element; names are local, prefixes are dropped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    /// Text and CDATA directly inside, joined, as it stands.
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

/// Why a document was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum XmlError {
    #[error("the XML is not UTF-8")]
    NotUtf8,
    #[error("a document type is not accepted")]
    DocumentType,
    #[error("an entity that XML itself does not define")]
    UnknownEntity,
    #[error("nested deeper than {MOST_DEPTH}")]
    TooDeep,
    #[error("more than {MOST_ELEMENTS} elements")]
    TooMany,
    #[error("not well-formed XML")]
    Malformed,
}

impl Element {
    /// The first child of this name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Children of this name, in order.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Trimmed text of the first child of this name; `None` when absent or empty.
    pub(crate) fn word(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim()).filter(|text| !text.is_empty())
    }

    /// An attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The root element of a document.
pub(crate) fn read(bytes: &[u8]) -> Result<Element, XmlError> {
    let text = simdutf8::basic::from_utf8(bytes).map_err(|_| XmlError::NotUtf8)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut count = 0;
    loop {
        match reader.read_event().map_err(|_| XmlError::Malformed)? {
            Event::Start(tag) => {
                count += 1;
                if open.len() == MOST_DEPTH {
                    return Err(XmlError::TooDeep);
                }
                if count > MOST_ELEMENTS {
                    return Err(XmlError::TooMany);
                }
                open.push(begun(&tag)?);
            }
            Event::Empty(tag) => {
                count += 1;
                if count > MOST_ELEMENTS {
                    return Err(XmlError::TooMany);
                }
                close(begun(&tag)?, &mut open, &mut root)?;
            }
            Event::End(_) => {
                let element = open.pop().ok_or(XmlError::Malformed)?;
                close(element, &mut open, &mut root)?;
            }
            Event::Text(text) => say(&mut open, &text.xml10_content())?,
            Event::CData(text) => say(&mut open, &text.xml10_content())?,
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(letter)) => say(&mut open, letter.encode_utf8(&mut [0; 4]))?,
                Ok(None) => {
                    let meant = resolve_predefined_entity(&reference.xml10_content());
                    say(&mut open, meant.ok_or(XmlError::UnknownEntity)?)?;
                }
                Err(_) => return Err(XmlError::Malformed),
            },
            Event::DocType(_) => return Err(XmlError::DocumentType),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    root.filter(|_| open.is_empty()).ok_or(XmlError::Malformed)
}

fn begun(tag: &quick_xml::events::BytesStart<'_>) -> Result<Element, XmlError> {
    let mut attributes = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|_| XmlError::Malformed)?;
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Implicit1_0)
            .map_err(|_| XmlError::UnknownEntity)?;
        attributes.push((name_of(attribute.key.local_name()), value.into_owned()));
    }
    Ok(Element { name: name_of(tag.local_name()), attributes, ..Element::default() })
}

fn name_of(name: impl AsRef<str>) -> String {
    name.as_ref().to_owned()
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) -> Result<(), XmlError> {
    match (open.last_mut(), root.is_some()) {
        (Some(parent), _) => parent.children.push(element),
        (None, false) => *root = Some(element),
        (None, true) => return Err(XmlError::Malformed),
    }
    Ok(())
}

/// Text belongs to the innermost open element; outside the root only white space may stand.
fn say(open: &mut [Element], text: &str) -> Result<(), XmlError> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(XmlError::Malformed),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_text_cdata_references_and_attributes() {
        let root = read(
            "\u{feff}<?xml version='1.0'?><!-- c --><a:x xmlns:a='u'><a:y k='1 &amp; 2'>a &lt;b&gt; &#x4E2D;<![CDATA[<&amp;>]]></a:y>\
             <y/><z> w </z></a:x>\n"
                .as_bytes(),
        )
        .expect("well-formed");
        assert_eq!(root.name, "x");
        assert_eq!(root.child("y").map(|y| y.text.as_str()), Some("a <b> 中<&amp;>"));
        assert_eq!(root.child("y").and_then(|y| y.attribute("k")), Some("1 & 2"));
        assert_eq!((root.word("z"), root.word("nothing"), root.all("y").count()), (Some("w"), None, 2));
    }

    #[test]
    fn refuses_what_could_expand_fetch_or_exhaust() {
        let deep = format!("{}{}", "<a>".repeat(MOST_DEPTH + 1), "</a>".repeat(MOST_DEPTH + 1));
        let wide = format!("<a>{}</a>", "<b/>".repeat(MOST_ELEMENTS));
        for (document, expected) in [
            ("<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", XmlError::DocumentType),
            ("<!DOCTYPE x SYSTEM 'file:///etc/passwd'><x/>", XmlError::DocumentType),
            ("<x>&a;</x>", XmlError::UnknownEntity),
            ("<x k='&a;'/>", XmlError::UnknownEntity),
            ("<x>&#xD800;</x>", XmlError::Malformed),
            ("<x>", XmlError::Malformed),
            ("<x></y>", XmlError::Malformed),
            ("<x/><y/>", XmlError::Malformed),
            ("text<x/>", XmlError::Malformed),
            ("", XmlError::Malformed),
            (&deep, XmlError::TooDeep),
            (&wide, XmlError::TooMany),
        ] {
            assert_eq!(read(document.as_bytes()), Err(expected), "{}", &document[..document.len().min(60)]);
        }
        assert_eq!(read(b"<x>\xff</x>"), Err(XmlError::NotUtf8));
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes: Vec<u8>, text in "[<>&;a-c!\\[\\]/= '\"]{0,40}") {
            let _ = read(&bytes);
            let _ = read(text.as_bytes());
        }
    }
}
