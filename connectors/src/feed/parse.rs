//! From the bytes of a feed to entries: RSS in all its versions, Atom, JSON Feed. Pure. An entry without words is one all
//! the same: whether it was refused before is the memory's to know. A document that is no feed is one refusal as a whole.

use std::{borrow::Cow, panic::AssertUnwindSafe, time::Duration};

use feed_rs::{
    model::{self, Text},
    parser::{Builder, ParseErrorKind, ParseFeedError},
};
use jiff::{Timestamp, tz::TimeZone};
use tocsin_rules::{Rejection, RejectionReason, mention::MAX_TEXT};
use url::Url;

use super::{addresses, date, text};
use crate::{html, item::refuse, privacy};

/// Most entries read of one document.
const MOST_ENTRIES: usize = 1_000;

/// A feed, read.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) title: Option<String>,
    /// How long it asks to be left alone.
    pub(crate) ttl: Option<Duration>,
    /// In document order.
    pub(crate) entries: Vec<Entry>,
    /// Entries beyond [`MOST_ENTRIES`].
    pub(crate) left_out: usize,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// As the feed names it; absent where it does not.
    pub(crate) guid: Option<String>,
    /// Absolute, without what grants access.
    pub(crate) link: Option<String>,
    pub(crate) title: Option<String>,
    /// Plain text; empty when it only repeats the title.
    pub(crate) text: String,
    /// When it says it was published, else updated.
    pub(crate) published: Option<Timestamp>,
    pub(crate) author: Option<String>,
    pub(crate) language: Option<String>,
}

/// Reads a document. `zone`: of dates that name none.
pub(crate) fn read(
    body: &[u8],
    content_type: Option<&str>,
    url: &Url,
    zone: &TimeZone,
) -> Result<Parsed, Rejection> {
    let text = addresses::set_apart(clean(text::decode(body, content_type)));
    let zone = zone.clone();
    let parser = Builder::new()
        .base_uri(Some(url.as_str()))
        // An entry without a name is told apart by link and title, not by a name made up at each reading.
        .id_generator(|_, _, _| String::new())
        .timestamp_parser(move |text| {
            let at = date::parse(text, &zone)?;
            chrono::DateTime::from_timestamp(at.as_second(), at.subsec_nanosecond().unsigned_abs())
        })
        .build();
    // What a stranger's document can make the parser do must not end the source.
    let parsed = std::panic::catch_unwind(AssertUnwindSafe(|| parser.parse(text.as_bytes())));
    let feed = parsed
        .map_err(|_| refuse(RejectionReason::InvalidField, "feed", "the parser gave up on it"))?
        .map_err(|fault| refuse_feed(&fault))?;
    let title = feed.title.as_ref().and_then(plain);
    let left_out = feed.entries.len().saturating_sub(MOST_ENTRIES);
    let language = feed.language.as_deref().and_then(language);
    let entries = feed.entries.iter().take(MOST_ENTRIES).map(|entry| entry_of(entry, language.as_deref()));
    Ok(Parsed {
        title,
        ttl: feed.ttl.filter(|ttl| *ttl > 0).map(|ttl| Duration::from_secs(u64::from(ttl) * 60)),
        entries: entries.collect(),
        left_out,
    })
}

/// Without its XML declaration (it is UTF-8 now, whatever that says), and without characters XML knows none of.
fn clean(text: Cow<'_, str>) -> String {
    let mut text = text.into_owned();
    text.retain(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r'));
    let start = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let skipped = text.len() - start.len();
    let declaration = if start.starts_with("<?xml ") { start.find("?>").map_or(0, |at| at + 2) } else { 0 };
    text.drain(..skipped + declaration);
    name_version(&mut text);
    text
}

/// RSS that does not say which version it is, or one nobody implements (0.93, 2.1), is read as 2.0: all later ones are
/// alike in what is read here.
fn name_version(text: &mut String) {
    let Some(start) = text.find("<rss").filter(|at| text[at + 4..].starts_with([' ', '\t', '\r', '\n', '>']))
    else {
        return;
    };
    let Some(length) = text[start..].find('>') else { return };
    let tag = &text[start + 4..start + length];
    let value = tag.split_once("version").and_then(|(before, after)| {
        let quoted = after.trim_start().strip_prefix('=')?.trim_start();
        let quote = quoted.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, rest) = quoted[1..].split_once(quote)?;
        Some((before, value, rest))
    });
    let fresh = match value {
        Some((_, "2.0" | "0.91" | "0.92", _)) => return,
        Some((before, _, rest)) => format!("<rss version=\"2.0\"{before}{rest}"),
        None => format!("<rss version=\"2.0\"{tag}"),
    };
    text.replace_range(start..start + length, &fresh);
}

/// What is wrong with a document, without its words.
fn refuse_feed(fault: &ParseFeedError) -> Rejection {
    let detail = match fault {
        ParseFeedError::ParseError(kind) => match kind {
            ParseErrorKind::NoFeedRoot => "neither RSS, Atom nor JSON Feed".to_owned(),
            ParseErrorKind::UnknownMimeType { position, .. } => {
                format!("an unknown content type at {position}")
            }
            ParseErrorKind::MissingContent { position, reference } => format!("no {reference} at {position}"),
            ParseErrorKind::UnknownEnumVariant { position, .. } => format!("an unknown word at {position}"),
            ParseErrorKind::IllegalState { position, .. } => format!("elements out of place at {position}"),
        },
        ParseFeedError::IoError(_) => "cannot be read".to_owned(),
        ParseFeedError::JsonSerde(fault) => {
            format!("no JSON Feed: line {}, column {}", fault.line(), fault.column())
        }
        ParseFeedError::JsonUnsupportedVersion(_) => "a version of JSON Feed that is not known".to_owned(),
        ParseFeedError::XmlReader(_) => "XML that is broken off or malformed".to_owned(),
    };
    refuse(RejectionReason::InvalidField, "feed", detail)
}

impl Entry {
    /// It says nothing at all.
    pub(crate) fn is_mute(&self) -> bool {
        self.title.is_none() && self.text.is_empty()
    }
}

fn entry_of(entry: &model::Entry, feed_language: Option<&str>) -> Entry {
    let title = entry.title.as_ref().and_then(plain);
    let body = entry.content.as_ref().and_then(|content| content.body.as_deref());
    let body = body.filter(|body| !body.trim().is_empty()).map(html::to_text);
    let summary = || entry.summary.as_ref().and_then(plain);
    let media = || entry.media.iter().find_map(|media| media.description.as_ref().and_then(plain));
    let mut text = body.filter(|text| !text.is_empty()).or_else(summary).or_else(media).unwrap_or_default();
    if title.as_deref() == Some(text.as_str()) {
        text.clear();
    }
    if let Some((end, _)) = text.char_indices().nth(MAX_TEXT) {
        text.truncate(end);
    }
    let web = |link: &&model::Link| matches!(link.rel.as_deref(), None | Some("alternate"));
    let link = entry.links.iter().find(web).or(entry.links.first());
    let date = entry.published.or(entry.updated);
    Entry {
        guid: Some(entry.id.trim()).filter(|id| !id.is_empty()).map(str::to_owned),
        link: link.and_then(|link| privacy::public_url(&link.href)),
        title,
        text,
        published: date.and_then(|date| Timestamp::from_millisecond(date.timestamp_millis()).ok()),
        author: entry
            .authors
            .iter()
            .find_map(|author| author.name.clone())
            .filter(|name| !name.trim().is_empty()),
        language: entry.language.as_deref().and_then(language).or_else(|| feed_language.map(str::to_owned)),
    }
}

/// Readable text of a title or summary, if it says anything. A plain-text construct may hold markup all the same.
fn plain(text: &Text) -> Option<String> {
    let text = html::to_text(&text.content);
    (!text.is_empty()).then_some(text)
}

/// The ISO 639-1 part of a language tag.
fn language(tag: &str) -> Option<String> {
    let word = tag.trim().split(['-', '_']).next()?.to_ascii_lowercase();
    (word.len() == 2 && word.bytes().all(|b| b.is_ascii_lowercase())).then_some(word)
}

#[cfg(test)]
mod tests;
