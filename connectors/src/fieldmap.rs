//! [`FieldMap`]: where the fields of a mention stand in foreign JSON lines or CSV, as `--map` writes it
//! (`text=text,published_at=ts,metrics.views=read,platform=:weibo`). Refuses unknown fields, doubles and impossible
//! constants, naming the entry; reads no record.

use tocsin_rules::{Kind, Op, Platform, Verified};

/// Every field of a mention that a map may name.
pub const FIELDS: &[&str] = &[
    "id",
    "platform",
    "kind",
    "text",
    "title",
    "lang",
    "url",
    "author.key",
    "author.name",
    "author.followers",
    "author.verified",
    "published_at",
    "observed_at",
    "thread",
    "parent",
    "repost_of",
    "metrics.likes",
    "metrics.comments",
    "metrics.reposts",
    "metrics.views",
    "metrics.favorites",
    "region",
    "source",
    "sample_cap",
    "op",
];

/// Where one field comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A column, or a dotted path into nested JSON.
    Column(String),
    /// Always this.
    Constant(String),
}

/// Where the fields of a mention come from. A field it does not name comes from the column of its own name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldMap {
    entries: Vec<(&'static str, Origin)>,
}

/// A map that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// Nothing in it.
    #[error("the map is empty; write e.g. `text=body,published_at=ts,platform=:weibo`")]
    Empty,
    /// An entry without `=`.
    #[error("map entry {index} `{entry}`: expected `field=column` or `field=:constant`")]
    NoEquals {
        /// Entry, from 1.
        index: usize,
        /// As written.
        entry: String,
    },
    /// A field mentions do not have.
    #[error("map entry {index}: a mention has no field `{field}`{}", hint.map(|h| format!("; did you mean `{h}`?")).unwrap_or_default())]
    UnknownField {
        /// Entry, from 1.
        index: usize,
        /// As written.
        field: String,
        /// Nearest field.
        hint: Option<&'static str>,
    },
    /// The same field twice.
    #[error("map entry {index}: field `{field}` is already mapped")]
    Duplicate {
        /// Entry, from 1.
        index: usize,
        /// The field.
        field: &'static str,
    },
    /// Nothing after `=`.
    #[error("map entry {index}: field `{field}` names no column")]
    NoColumn {
        /// Entry, from 1.
        index: usize,
        /// The field.
        field: &'static str,
    },
    /// A constant the field cannot have.
    #[error("map entry {index}: `{value}` cannot be a constant for `{field}`: {detail}")]
    BadConstant {
        /// Entry, from 1.
        index: usize,
        /// The field.
        field: &'static str,
        /// As written.
        value: String,
        /// What was expected.
        detail: String,
    },
}

impl FieldMap {
    /// Reads a map as written on the command line.
    ///
    /// # Errors
    /// [`MapError`] names the first entry that cannot be meant.
    pub fn parse(text: &str) -> Result<Self, MapError> {
        if text.trim().is_empty() {
            return Err(MapError::Empty);
        }
        let mut map = Self::default();
        for (index, entry) in text.split(',').enumerate().map(|(i, e)| (i + 1, e.trim())) {
            let Some((field, origin)) = entry.split_once('=') else {
                return Err(MapError::NoEquals { index, entry: entry.to_owned() });
            };
            let (field, origin) = (field.trim(), origin.trim());
            let Some(field) = known(field) else {
                return Err(MapError::UnknownField { index, field: field.to_owned(), hint: nearest(field) });
            };
            if map.get(field).is_some() {
                return Err(MapError::Duplicate { index, field });
            }
            let origin = match origin.strip_prefix(':') {
                Some("") => return Err(MapError::NoColumn { index, field }),
                Some(value) => {
                    check_constant(field, value).map_err(|detail| MapError::BadConstant {
                        index,
                        field,
                        value: value.to_owned(),
                        detail,
                    })?;
                    Origin::Constant(value.to_owned())
                }
                None if origin.is_empty() => return Err(MapError::NoColumn { index, field }),
                None => Origin::Column(origin.to_owned()),
            };
            map.entries.push((field, origin));
        }
        Ok(map)
    }

    /// Where a field comes from, when the map says so.
    pub fn get(&self, field: &str) -> Option<&Origin> {
        self.entries.iter().find(|(name, _)| *name == field).map(|(_, origin)| origin)
    }
}

/// The field of this name; `author` is short for `author.key`, `views` for `metrics.views` and so on.
fn known(name: &str) -> Option<&'static str> {
    let exact = FIELDS.iter().copied().find(|field| *field == name);
    exact.or_else(|| match name {
        "author" => Some("author.key"),
        _ => FIELDS.iter().copied().find(|field| field.strip_prefix("metrics.") == Some(name)),
    })
}

fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    let scored = FIELDS.iter().copied().map(|field| {
        let last = field.rsplit('.').next().unwrap_or(field);
        (distance(&name, field).min(distance(&name, last)), field)
    });
    scored.min().filter(|(score, field)| *score <= 2 && *score < field.len()).map(|(_, field)| field)
}

/// Edit distance; inputs are short names.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut left_above = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = left_above + usize::from(x != *y);
            left_above = row[j + 1];
            row[j + 1] = substituted.min(left_above + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

fn check_constant(field: &str, value: &str) -> Result<(), String> {
    fn one_of(found: bool, words: Vec<&str>) -> Result<(), String> {
        if found { Ok(()) } else { Err(format!("expected one of {}", words.join(", "))) }
    }
    match field {
        "platform" => {
            one_of(Platform::from_word(value).is_some(), Platform::ALL.iter().map(|w| w.as_str()).collect())
        }
        "kind" => one_of(Kind::from_word(value).is_some(), Kind::ALL.iter().map(|w| w.as_str()).collect()),
        "author.verified" => {
            one_of(Verified::from_word(value).is_some(), Verified::ALL.iter().map(|w| w.as_str()).collect())
        }
        "op" => one_of(Op::from_word(value).is_some(), Op::ALL.iter().map(|w| w.as_str()).collect()),
        "sample_cap" => value.parse::<u32>().map(drop).map_err(|_| "expected a whole number".to_owned()),
        "author.followers" => {
            value.parse::<u64>().map(drop).map_err(|_| "expected a whole number".to_owned())
        }
        _ if field.starts_with("metrics.") => {
            value.parse::<u64>().map(drop).map_err(|_| "expected a whole number".to_owned())
        }
        "id" => Err("every mention needs its own id".to_owned()),
        "published_at" | "observed_at" => {
            Err("times come from a column, or every mention would fall into one instant".to_owned())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "fieldmap/tests.rs"]
mod tests;
