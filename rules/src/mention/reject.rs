//! Says what was wrong with a payload that did not parse: reads it again, as loose JSON, and walks the known fields.
//! Refuses to accept anything: it is called only after a failure.

use jiff::{Timestamp, civil};
use serde_json::{Map, Value};

use super::{Kind, Op, Platform, Rejection, RejectionReason, Verified};
use crate::spelling;

impl Rejection {
    /// A rejection of a field, `""` for the whole.
    pub fn new(reason: RejectionReason, field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { reason, field: field.into(), detail: detail.into() }
    }
}

/// Why `json` is no mention; `error` is what the parser said.
pub(super) fn explain(json: &str, error: &serde_json::Error) -> Rejection {
    let value: Value = match serde_json::from_str(json) {
        Ok(value) => value,
        Err(error) => {
            let place = format!("at line {} column {}", error.line(), error.column());
            // The parser has no kind for this one.
            let said = error.to_string();
            if said.starts_with("recursion limit") {
                return Rejection::new(RejectionReason::TooDeep, "", format!("nested too deep {place}"));
            }
            return Rejection::new(RejectionReason::InvalidJson, "", said);
        }
    };
    let Value::Object(fields) = value else {
        let detail = format!("a mention is a JSON object, this is {}", kind_of(&value));
        return Rejection::new(RejectionReason::InvalidJson, "", detail);
    };
    walk(&fields).unwrap_or_else(|| {
        // A repeated field: seen by the parser, not in the loose value.
        Rejection::new(RejectionReason::InvalidJson, "", error.to_string())
    })
}

/// The first wrong field, in the order of the schema.
fn walk(fields: &Map<String, Value>) -> Option<Rejection> {
    text(fields, "", "id")
        .or_else(|| platform(fields))
        .or_else(|| word(fields, "", "kind", &Kind::ALL.iter().map(|k| k.as_str()).collect::<Vec<_>>()))
        .or_else(|| word(fields, "", "op", &Op::ALL.iter().map(|o| o.as_str()).collect::<Vec<_>>()))
        .or_else(|| text(fields, "", "text"))
        .or_else(|| text(fields, "", "title"))
        .or_else(|| date(fields, "published_at"))
        .or_else(|| date(fields, "observed_at"))
        .or_else(|| {
            let texts = ["lang", "url", "thread", "parent", "repost_of", "region", "source"];
            texts.into_iter().find_map(|name| text(fields, "", name))
        })
        .or_else(|| author(fields))
        .or_else(|| match fields.get("metrics") {
            None | Some(Value::Null) => None,
            Some(Value::Object(metrics)) => ["likes", "comments", "reposts", "views", "favorites"]
                .into_iter()
                .find_map(|name| count(metrics, "metrics.", name, u64::MAX)),
            Some(other) => Some(wrong("metrics", "an object", other)),
        })
        .or_else(|| count(fields, "", "sample_cap", u64::from(u32::MAX)))
}

fn platform(fields: &Map<String, Value>) -> Option<Rejection> {
    let known: Vec<&str> = Platform::ALL.iter().map(|p| p.as_str()).collect();
    let mut rejection = word(fields, "", "platform", &known)?;
    if fields.get("platform").is_some_and(Value::is_string) {
        rejection.reason = RejectionReason::UnknownPlatform;
    }
    Some(rejection)
}

fn author(fields: &Map<String, Value>) -> Option<Rejection> {
    match fields.get("author") {
        None | Some(Value::Null) => None,
        Some(Value::Object(author)) => text(author, "author.", "key")
            .or_else(|| text(author, "author.", "name"))
            .or_else(|| count(author, "author.", "followers", u64::MAX))
            .or_else(|| {
                let known: Vec<&str> = Verified::ALL.iter().map(|v| v.as_str()).collect();
                word(author, "author.", "verified", &known)
            }),
        Some(other) => Some(wrong("author", "an object", other)),
    }
}

fn text(fields: &Map<String, Value>, path: &str, name: &str) -> Option<Rejection> {
    match fields.get(name) {
        None | Some(Value::Null | Value::String(_)) => None,
        Some(other) => Some(wrong(&format!("{path}{name}"), "text", other)),
    }
}

fn word(fields: &Map<String, Value>, path: &str, name: &str, known: &[&str]) -> Option<Rejection> {
    match fields.get(name) {
        None | Some(Value::Null) => None,
        Some(Value::String(word)) if known.contains(&word.as_str()) => None,
        Some(Value::String(word)) => {
            let shown: String = word.chars().filter(|c| !c.is_control()).take(40).collect();
            let hint = spelling::hint(&shown, known.iter().copied());
            let hint = if hint.is_empty() { format!("; known are {}", known.join(", ")) } else { hint };
            let detail = format!("`{shown}` is not known{hint}");
            Some(Rejection::new(RejectionReason::InvalidField, format!("{path}{name}"), detail))
        }
        Some(other) => Some(wrong(&format!("{path}{name}"), "text", other)),
    }
}

fn count(fields: &Map<String, Value>, path: &str, name: &str, most: u64) -> Option<Rejection> {
    let detail = match fields.get(name) {
        None | Some(Value::Null) => return None,
        Some(Value::Number(number)) => match number.as_u64() {
            Some(value) if value <= most => return None,
            Some(_) => format!("more than {most}"),
            None if number.as_f64().is_some_and(|value| value < 0.0) => {
                "a count cannot be negative".to_owned()
            }
            None => "expected a whole number that fits 64 bits".to_owned(),
        },
        Some(other) => return Some(wrong(&format!("{path}{name}"), "a whole number", other)),
    };
    Some(Rejection::new(RejectionReason::InvalidField, format!("{path}{name}"), detail))
}

fn date(fields: &Map<String, Value>, name: &str) -> Option<Rejection> {
    let written = match fields.get(name) {
        None | Some(Value::Null) => return None,
        Some(Value::String(written)) => written,
        Some(other) => return Some(wrong(name, "a time as text (RFC 3339)", other)),
    };
    if written.parse::<Timestamp>().is_ok() {
        return None;
    }
    let shown: String = written.chars().filter(|c| !c.is_control()).take(40).collect();
    // At the edges of what can be represented a date is far out of range rather than malformed.
    let digits = written.strip_prefix(['+', '-']).unwrap_or(written);
    let year: String = digits.chars().take_while(char::is_ascii_digit).collect();
    let dated = digits[year.len()..].starts_with('-') && year.len() >= 4;
    let beyond = year.parse::<i64>().map_or(true, |year| !(1990..=2100).contains(&year));
    if dated && (beyond || written.starts_with('-')) {
        let detail = format!("`{shown}` lies outside 1990 to 2100");
        return Some(Rejection::new(RejectionReason::DateOutOfRange, name, detail));
    }
    let detail = if written.parse::<civil::DateTime>().is_ok() {
        format!("`{shown}` has no time zone; write it as 2026-09-10T01:33:20Z")
    } else {
        format!("`{shown}` is no time; write it as 2026-09-10T01:33:20Z")
    };
    Some(Rejection::new(RejectionReason::InvalidField, name, detail))
}

fn wrong(field: &str, wanted: &str, actual: &Value) -> Rejection {
    let detail = format!("expected {wanted}, found {}", kind_of(actual));
    Rejection::new(RejectionReason::InvalidField, field, detail)
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
