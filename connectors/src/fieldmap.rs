//! [`FieldMap`]: where the fields of a mention stand in foreign JSON or CSV, as `--map` writes it
//! (`text=text,published_at=ts,metrics.views=read,platform=:weibo`), with JSON Pointers and forms where the shape needs
//! them (`text=/body/text|/title,published_at=/ts as ms`). Refuses unknown fields, doubles, impossible constants and
//! forms, naming the entry; reads no record.

mod origin;

use origin::FieldKind;
pub use origin::{Form, Origin, Pointer};
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
    /// A form the field cannot have, or that cannot be meant.
    #[error("map entry {index}: `{field}` cannot be read as `{form}`: {detail}")]
    BadForm {
        /// Entry, from 1.
        index: usize,
        /// The field.
        field: &'static str,
        /// As written.
        form: String,
        /// What was expected.
        detail: String,
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
            map.add(index, field, origin)?;
        }
        Ok(map)
    }

    /// A map given field by field, as settings files have it; here an origin may hold commas.
    ///
    /// # Errors
    /// As [`FieldMap::parse`].
    pub fn from_entries<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, MapError> {
        let mut map = Self::default();
        for (index, (field, origin)) in (1..).zip(entries) {
            map.add(index, field, origin)?;
        }
        if map.entries.is_empty() { Err(MapError::Empty) } else { Ok(map) }
    }

    fn add(&mut self, index: usize, field: &str, origin: &str) -> Result<(), MapError> {
        let (field, origin) = (field.trim(), origin.trim());
        let Some(field) = known(field) else {
            return Err(MapError::UnknownField { index, field: field.to_owned(), hint: nearest(field) });
        };
        if self.get(field).is_some() {
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
            None if origin.starts_with(['/', '^']) => pointers(index, field, origin)?,
            None => Origin::Column(origin.to_owned()),
        };
        self.entries.push((field, origin));
        Ok(())
    }

    /// Where a field comes from, when the map says so.
    pub fn get(&self, field: &str) -> Option<&Origin> {
        self.entries.iter().find(|(name, _)| *name == field).map(|(_, origin)| origin)
    }
}

/// `/a/b|/c as form`.
fn pointers(index: usize, field: &'static str, origin: &str) -> Result<Origin, MapError> {
    let (paths, form) = match origin.split_once(" as ") {
        Some((paths, form)) => (paths, Some(form.trim())),
        None => (origin, None),
    };
    let found: Option<Vec<Pointer>> = paths.split('|').map(|path| Pointer::parse(path.trim())).collect();
    let found = found.ok_or(MapError::NoColumn { index, field })?;
    let bad = |form: &str, detail: String| MapError::BadForm { index, field, form: form.to_owned(), detail };
    let form = match form {
        Some(text) => {
            let form =
                Form::parse(text, FieldKind::of(field)).map_err(|detail| bad(text, detail.to_owned()))?;
            if let Form::Table(table) = &form {
                for (_, word) in table {
                    // What a table leads to must be a word of the field; only a single constant id makes no sense.
                    if field != "id" {
                        check_constant(field, word).map_err(|detail| bad(text, detail))?;
                    }
                }
            }
            Some(form)
        }
        None => None,
    };
    Ok(Origin::Pointers(found, form))
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
