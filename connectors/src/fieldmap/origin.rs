//! Where one field comes from: a column, a constant, or JSON Pointers with a form. Refuses a form that the field cannot
//! have, and words a table leads to that the field does not know.

use jiff::{
    Timestamp,
    civil::DateTime,
    fmt::strtime,
    tz::{Offset, TimeZone},
};
use serde_json::Value;

use crate::{decode::Fields, scalar};

/// Where one field comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A column, or a dotted path into nested JSON.
    Column(String),
    /// Always this.
    Constant(String),
    /// The first of these JSON Pointers that finds something, read in this form.
    Pointers(Vec<Pointer>, Option<Form>),
}

/// A JSON Pointer (RFC 6901). A step `*` goes through all elements of an array; one that starts with `^` begins at the
/// whole document instead of the item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    from_document: bool,
    steps: Vec<String>,
}

impl Pointer {
    /// Reads `/a/b`, `^/a` or `/tags/*`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (from_document, path) = match text.strip_prefix('^') {
            Some(path) => (true, path),
            None => (false, text),
        };
        let steps = path.strip_prefix('/')?;
        let steps = steps.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
        Some(Self { from_document, steps })
    }

    /// Whether it begins at the whole document.
    pub(crate) fn is_from_document(&self) -> bool {
        self.from_document
    }

    /// Everything it finds below `root`, in order; nulls are nothing.
    pub(crate) fn find<'a>(&self, root: &'a Value) -> Vec<&'a Value> {
        Self::follow(vec![root], &self.steps)
    }

    /// The same below the members of an object.
    pub(crate) fn find_in<'a>(&self, fields: &'a Fields) -> Vec<&'a Value> {
        let Some((first, rest)) = self.steps.split_first() else { return Vec::new() };
        Self::follow(fields.get(first).into_iter().collect(), rest)
    }

    fn follow<'a>(mut found: Vec<&'a Value>, steps: &[String]) -> Vec<&'a Value> {
        for step in steps {
            found = found.into_iter().flat_map(|value| below(value, step)).collect();
        }
        found.retain(|value| !value.is_null());
        found
    }
}

fn below<'a>(value: &'a Value, step: &str) -> Vec<&'a Value> {
    match value {
        Value::Object(fields) => fields.get(step).into_iter().collect(),
        Value::Array(items) if step == "*" => items.iter().collect(),
        // RFC 6901 allows no leading zeros.
        Value::Array(items) if step == "0" || !step.starts_with(['0', '+']) => {
            step.parse::<usize>().ok().and_then(|at| items.get(at)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

impl std::fmt::Display for Pointer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.from_document {
            f.write_str("^")?;
        }
        self.steps.iter().try_for_each(|step| write!(f, "/{}", step.replace('~', "~0").replace('/', "~1")))
    }
}

/// How a value is written, where its look does not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// Time: seconds since 1970.
    Seconds,
    /// Time: milliseconds since 1970.
    Milliseconds,
    /// Time: microseconds since 1970.
    Microseconds,
    /// Time: a pattern of `strftime`; the zone, where the pattern has none.
    Pattern(String, Offset),
    /// Counter: digits in groups (`1.234.567`, `1 234`, `1'234`), never a fraction.
    Grouped,
    /// Counter: in units of this many (a vendor that counts in 万 says `x10000`).
    Times(u64),
    /// Word: the vendor's code, then ours; `*` stands for any other code.
    Table(Vec<(String, String)>),
}

/// Kinds of field a form may stand at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldKind {
    Time,
    Counter,
    Word,
}

impl FieldKind {
    pub(super) fn of(field: &str) -> Self {
        match field {
            "published_at" | "observed_at" => Self::Time,
            "author.followers" | "sample_cap" => Self::Counter,
            _ if field.starts_with("metrics.") => Self::Counter,
            _ => Self::Word,
        }
    }
}

impl Form {
    /// Reads what stands behind ` as `.
    pub(super) fn parse(text: &str, kind: FieldKind) -> Result<Self, &'static str> {
        match kind {
            FieldKind::Time => match text {
                "s" => Ok(Self::Seconds),
                "ms" => Ok(Self::Milliseconds),
                "us" => Ok(Self::Microseconds),
                _ if text.contains('%') => pattern(text),
                _ => Err(
                    "a time is read `as s`, `as ms`, `as us` or as a pattern such as `%d/%m/%Y %H:%M +09:00`",
                ),
            },
            FieldKind::Counter => match (text, text.strip_prefix('x').and_then(|n| n.parse().ok())) {
                ("grouped", _) => Ok(Self::Grouped),
                (_, Some(times @ 1..)) => Ok(Self::Times(times)),
                _ => Err("a counter is read `as grouped` or, in units of n, `as x<n>`"),
            },
            FieldKind::Word => {
                let pair = |entry: &str| {
                    let (code, word) = entry.rsplit_once(':')?;
                    (!code.trim().is_empty() && !word.trim().is_empty())
                        .then(|| (code.trim().to_owned(), word.trim().to_owned()))
                };
                let table: Option<Vec<_>> = text.split(';').map(pair).collect();
                table
                    .map(Self::Table)
                    .ok_or("a word is read through a table, `as code:word;code:word;*:word`")
            }
        }
    }

    /// A time in this form.
    pub(crate) fn instant(&self, value: &Value) -> Result<Timestamp, scalar::BadInstant> {
        let per_second = match self {
            Self::Seconds => 1,
            Self::Milliseconds => 1_000,
            Self::Microseconds => 1_000_000,
            Self::Pattern(pattern, zone) => return by_pattern(pattern, *zone, value),
            _ => return scalar::instant(value),
        };
        let number = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
        let number = number.ok_or(WRONG_FORM)?;
        let micros = i128::from(number) * (1_000_000 / per_second);
        let micros = i64::try_from(micros).map_err(|_| scalar::OUT_OF_RANGE)?;
        scalar::in_range(Timestamp::from_microsecond(micros).map_err(|_| scalar::OUT_OF_RANGE)?)
    }

    /// A counter in this form.
    pub(crate) fn counter(&self, value: &Value) -> Option<u64> {
        match self {
            Self::Grouped => {
                let text = scalar::word(value)?;
                let digits: String = text
                    .chars()
                    .filter(|c| !matches!(c, '.' | ',' | '\'' | '’' | ' ' | '\u{a0}' | '\u{202f}'))
                    .collect();
                (digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
            }
            Self::Times(times) => {
                #[expect(clippy::cast_precision_loss, reason = "units are small")]
                let (unit, limit) = (*times as f64, 9_007_199_254_740_992.0);
                let number: f64 = match value {
                    Value::Number(number) => number.as_f64()?,
                    other => scalar::word(other)?.parse().ok()?,
                };
                let count = (number * unit).round();
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "the range is checked"
                )]
                (0.0..limit).contains(&count).then_some(count as u64)
            }
            _ => scalar::counter(value),
        }
    }

    /// A word in this form; `None` where the table does not know the code.
    pub(crate) fn word(&self, word: String) -> Option<String> {
        let Self::Table(table) = self else { return Some(word) };
        let exact = table.iter().find(|(code, _)| *code == word);
        exact.or_else(|| table.iter().find(|(code, _)| code == "*")).map(|(_, ours)| ours.clone())
    }
}

const WRONG_FORM: scalar::BadInstant = scalar::BadInstant {
    reason: tocsin_rules::RejectionReason::InvalidField,
    detail: "not a time in the form the map names",
};

fn pattern(text: &str) -> Result<Form, &'static str> {
    let zoned = ["%z", "%:z", "%Q", "%s"].iter().any(|zone| text.contains(zone));
    let (pattern, zone) = match text.rsplit_once(' ') {
        Some((pattern, zone)) if !zoned && zone.starts_with(['+', '-']) => {
            let offset = strtime::parse("%:z", zone).ok().and_then(|parsed| parsed.offset());
            (pattern, offset.ok_or("a zone is written `+09:00`")?)
        }
        _ => (text, Offset::constant(8)),
    };
    Ok(Form::Pattern(pattern.trim().to_owned(), zone))
}

fn by_pattern(pattern: &str, zone: Offset, value: &Value) -> Result<Timestamp, scalar::BadInstant> {
    let text = scalar::word(value).ok_or(WRONG_FORM)?;
    let parsed = strtime::parse(pattern, &text).map_err(|_| WRONG_FORM)?;
    let instant = match parsed.to_timestamp() {
        Ok(instant) => instant,
        Err(_) => {
            let civil = parsed.to_datetime().ok().or_else(|| Some(DateTime::from(parsed.to_date().ok()?)));
            TimeZone::fixed(zone).to_timestamp(civil.ok_or(WRONG_FORM)?).map_err(|_| scalar::OUT_OF_RANGE)?
        }
    };
    scalar::in_range(instant)
}
