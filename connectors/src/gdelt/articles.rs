//! One `artlist` answer: headlines with the time GDELT saw them. Errors come as plain text inside a 200. Refuses to
//! pass a headline off as a whole article: the text stays empty.

use jiff::{Timestamp, civil::DateTime, fmt::strtime, tz::TimeZone};
use serde_json::Value;
use tocsin_rules::{Kind, Mention, Platform, Rejection, RejectionReason};

use crate::{
    decode::{self, checked},
    html,
    item::refuse,
    outlet,
    record::{Parsed, Record, Skip, blank, missing},
};

/// Source word.
pub const SOURCE: &str = "gdelt";

/// Most articles an answer holds.
pub const CAP: u32 = 250;

/// One answer.
#[derive(Debug, PartialEq)]
pub struct Answer {
    /// Its articles.
    pub parsed: Parsed,
    /// How many there were: at [`CAP`] there are more.
    pub count: usize,
    /// When GDELT saw the newest and the oldest.
    pub newest: Option<Timestamp>,
    /// See `newest`.
    pub oldest: Option<Timestamp>,
}

/// What the service says instead of articles, as plain text with status 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complaint {
    /// Asked too often; it wants five seconds between two calls.
    TooOften,
    /// The query is too short, too long or malformed: asking again changes nothing.
    Query,
    /// Something else.
    Other,
}

/// Reads an answer.
///
/// # Errors
/// What the service complained of, or how the answer is broken.
pub fn answer(bytes: &[u8], seen_at: Timestamp) -> Result<Answer, Result<Complaint, Rejection>> {
    let value = match decode::object(bytes) {
        Ok(fields) => Value::Object(fields),
        Err(rejection) => return Err(complaint(bytes).ok_or(rejection)),
    };
    // No article at all is an empty object.
    let list = match value.get("articles") {
        None if value.as_object().is_some_and(serde_json::Map::is_empty) => &[][..],
        Some(Value::Array(list)) => list,
        _ => return Err(Err(missing("/articles"))),
    };
    let times = || list.iter().filter_map(|article| seen(Record(article)).ok());
    Ok(Answer {
        parsed: Parsed::of_list(SOURCE, list, |article| read(article, seen_at)),
        count: list.len(),
        newest: times().max(),
        oldest: times().min(),
    })
}

fn complaint(bytes: &[u8]) -> Option<Complaint> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    if text.is_empty() || text.starts_with(['{', '[', '<']) {
        return None;
    }
    let text = text.to_lowercase();
    Some(
        if text.contains("limit requests") || text.contains("every 5 seconds") || text.contains("too many") {
            Complaint::TooOften
        } else if text.contains("query")
            || text.contains("keyword")
            || text.contains("phrase")
            || text.contains("invalid")
        {
            Complaint::Query
        } else {
            Complaint::Other
        },
    )
}

/// `YYYYMMDDTHHMMSSZ`.
fn seen(article: Record<'_>) -> Result<Timestamp, Rejection> {
    let text = article.text("/seendate").ok_or_else(|| missing("/seendate"))?;
    let civil: Option<DateTime> =
        strtime::parse("%Y%m%dT%H%M%SZ", text).ok().and_then(|parts| parts.to_datetime().ok());
    let at = civil.and_then(|civil| TimeZone::UTC.to_timestamp(civil).ok());
    at.filter(|at| (1990..2101).contains(&TimeZone::UTC.to_datetime(*at).year()))
        .ok_or_else(|| refuse(RejectionReason::InvalidField, "seendate", "expected YYYYMMDDTHHMMSSZ"))
}

fn read(article: Record<'_>, seen_at: Timestamp) -> Result<Result<Mention, Skip>, Rejection> {
    let link = article.text("/url").ok_or_else(|| missing("/url"))?;
    let id = outlet::id_of_link(Platform::News, link)
        .ok_or_else(|| refuse(RejectionReason::InvalidField, "url", "not a web link"))?;
    checked(Mention {
        title: article.text("/title").map(html::to_text),
        lang: article.text("/language").and_then(language).map(str::to_owned),
        url: article.link("/url"),
        region: article.word("/sourcecountry"),
        sample_cap: Some(CAP),
        ..blank(Platform::News, Kind::Article, &id, seen(article)?.min(seen_at), seen_at, SOURCE)
    })
    .map(Ok)
}

/// ISO 639-1 of an English name of a language.
fn language(name: &str) -> Option<&'static str> {
    const LANGUAGES: &[(&str, &str)] = &[
        ("afrikaans", "af"),
        ("albanian", "sq"),
        ("arabic", "ar"),
        ("armenian", "hy"),
        ("azerbaijani", "az"),
        ("bengali", "bn"),
        ("bosnian", "bs"),
        ("bulgarian", "bg"),
        ("catalan", "ca"),
        ("chinese", "zh"),
        ("croatian", "hr"),
        ("czech", "cs"),
        ("danish", "da"),
        ("dutch", "nl"),
        ("english", "en"),
        ("estonian", "et"),
        ("finnish", "fi"),
        ("french", "fr"),
        ("galician", "gl"),
        ("georgian", "ka"),
        ("german", "de"),
        ("greek", "el"),
        ("gujarati", "gu"),
        ("hebrew", "he"),
        ("hindi", "hi"),
        ("hungarian", "hu"),
        ("icelandic", "is"),
        ("indonesian", "id"),
        ("italian", "it"),
        ("japanese", "ja"),
        ("kannada", "kn"),
        ("kazakh", "kk"),
        ("korean", "ko"),
        ("latvian", "lv"),
        ("lithuanian", "lt"),
        ("macedonian", "mk"),
        ("malay", "ms"),
        ("malayalam", "ml"),
        ("marathi", "mr"),
        ("mongolian", "mn"),
        ("nepali", "ne"),
        ("norwegian", "no"),
        ("persian", "fa"),
        ("polish", "pl"),
        ("portuguese", "pt"),
        ("punjabi", "pa"),
        ("romanian", "ro"),
        ("russian", "ru"),
        ("serbian", "sr"),
        ("sinhalese", "si"),
        ("slovak", "sk"),
        ("slovenian", "sl"),
        ("somali", "so"),
        ("spanish", "es"),
        ("swahili", "sw"),
        ("swedish", "sv"),
        ("tamil", "ta"),
        ("telugu", "te"),
        ("thai", "th"),
        ("turkish", "tr"),
        ("ukrainian", "uk"),
        ("urdu", "ur"),
        ("vietnamese", "vi"),
    ];
    let name = name.to_lowercase();
    LANGUAGES.iter().find(|(known, _)| *known == name).map(|(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-09-10T04:00:00Z".parse().expect("a time")
    }

    #[test]
    fn headlines_are_articles_without_text() {
        let json = br#"{"articles":[
            {"url":"https://news.example/a/1","title":"Acme plant fire &amp; smoke","seendate":"20260910T034500Z","domain":"news.example","language":"English","sourcecountry":"United States"},
            {"url":"ftp://x","title":"t","seendate":"20260910T034500Z"},
            {"url":"https://news.example/a/2","title":"t","seendate":"2026-09-10"},
            {"url":"https://news.example/a/3","title":"","seendate":"20260910T024500Z"}]}"#;
        let answer = answer(json, now()).expect("an answer");
        assert_eq!((answer.count, answer.parsed.items.len()), (4, 4));
        assert_eq!(answer.newest.map(|at| at.to_string()).as_deref(), Some("2026-09-10T03:45:00Z"));
        assert_eq!(answer.oldest.map(|at| at.to_string()).as_deref(), Some("2026-09-10T02:45:00Z"));
        let first = answer.parsed.items[0].clone().mention().expect("a mention");
        assert_eq!((first.id.as_str(), first.text.as_str()), ("news:https://news.example/a/1", ""));
        assert_eq!(first.title.as_deref(), Some("Acme plant fire & smoke"));
        assert_eq!((first.lang.as_deref(), first.region.as_deref()), (Some("en"), Some("United States")));
        let fields: Vec<_> =
            answer.parsed.items.iter().filter_map(|i| i.rejected()).map(|r| r.field.as_str()).collect();
        assert_eq!(fields, ["url", "seendate", "text"]);
    }

    #[test]
    fn complaints_inside_a_200_are_told_apart() {
        for (text, expected) in [
            ("Please limit requests to one every 5 seconds or contact us", Ok(Complaint::TooOften)),
            ("Your query was too short or too long.", Ok(Complaint::Query)),
            ("The specified phrase is too short.", Ok(Complaint::Query)),
            ("Something broke", Ok(Complaint::Other)),
        ] {
            assert_eq!(answer(text.as_bytes(), now()), Err(expected), "{text}");
        }
        for broken in [&b"<html>"[..], b"", b"{\"articles\":", b"{\"articles\":7}", b"\xff"] {
            assert!(matches!(answer(broken, now()), Err(Err(_))));
        }
        assert_eq!(answer(b"{}", now()).expect("an answer").count, 0);
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = answer(&bytes, now());
        }

        #[test]
        fn any_text_in_any_field_never_panics(text in any::<String>()) {
            let json = serde_json::json!({"articles": [{"url": text, "title": text, "seendate": text, "language": text},
                {"url": "https://a.example", "title": text, "seendate": "20260910T034500Z", "sourcecountry": text}]});
            prop_assert_eq!(answer(json.to_string().as_bytes(), now()).expect("an answer").parsed.items.len(), 2);
        }
    }
}
