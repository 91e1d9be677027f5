//! Fields: which there are, what their values may be, and what a mention says of itself. Refuses a value that could
//! never match, with what was probably meant.

use std::borrow::Cow;

use super::{Comparison, Field, Query};
use crate::{
    mention::{Kind, Mention, Platform, Verified},
    normal, spelling,
};

/// Names before a colon or a comparison.
pub(super) const FIELDS: [&str; 15] = [
    "platform",
    "lang",
    "kind",
    "verified",
    "followers",
    "list",
    "author",
    "reach",
    "region",
    "title",
    "url",
    "site",
    "thread",
    "case",
    "fuzzy",
];

impl Field {
    /// Every field.
    pub const ALL: [Self; 5] = [Self::Author, Self::Region, Self::Url, Self::Site, Self::Thread];

    /// The name in a query.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Region => "region",
            Self::Url => "url",
            Self::Site => "site",
            Self::Thread => "thread",
        }
    }

    /// What the mention says; none when it says nothing.
    pub fn of(self, mention: &Mention) -> Option<Cow<'_, str>> {
        match self {
            Self::Author => mention.author.as_ref()?.name.as_deref().map(Cow::Borrowed),
            Self::Region => mention.region.as_deref().map(Cow::Borrowed),
            Self::Url => mention.url.as_deref().map(Cow::Borrowed),
            Self::Site => Some(Cow::Owned(host(mention.url.as_deref()?)?.to_ascii_lowercase())),
            Self::Thread => Some(Cow::Borrowed(mention.thread_key())),
        }
    }

    /// Whether the mention says `value`, as written in a query.
    pub fn holds(self, mention: &Mention, value: &str) -> bool {
        if self == Self::Author && mention.author.as_ref().is_some_and(|author| author.key == value) {
            return !value.is_empty();
        }
        let Some(said) = self.of(mention) else { return false };
        match self {
            Self::Author | Self::Region => alike(&said, value),
            Self::Url => contains_ignoring_case(&said, value),
            Self::Site => said
                .strip_suffix(value)
                .is_some_and(|front| !value.is_empty() && (front.is_empty() || front.ends_with('.'))),
            Self::Thread => said == value,
        }
    }
}

/// Equal in the normal form; the usual cases without computing it.
fn alike(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() && !a.starts_with(' ') && !a.ends_with(' ') {
        return a.eq_ignore_ascii_case(b);
    }
    a == b || normal::fold(a) == normal::fold(b)
}

fn contains_ignoring_case(text: &str, part: &str) -> bool {
    text.as_bytes().windows(part.len().max(1)).any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

/// Host of a link.
fn host(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = host.split(':').next()?.trim_end_matches('.');
    (!host.is_empty()).then_some(host)
}

/// `followers>=10000`, `followers:1000..20000`; `reach` is another name for it.
pub(super) fn number(name: &str, rest: &str) -> Result<Query, String> {
    let whole =
        |number: &str| number.parse::<u64>().ok().filter(|_| number.bytes().all(|b| b.is_ascii_digit()));
    if let Some(range) = rest.strip_prefix([':', '：']) {
        let wrong =
            || format!("write a range, as in `{name}:1000..20000`, or compare, as in `{name}>=10000`");
        return match range.split_once("..").ok_or_else(wrong)? {
            (least, "") => whole(least).map(|n| Query::Followers(Comparison::AtLeast, n)).ok_or_else(wrong),
            ("", most) => whole(most).map(|n| Query::Followers(Comparison::AtMost, n)).ok_or_else(wrong),
            (least, most) => match (whole(least), whole(most)) {
                (Some(least), Some(most)) if least > most => {
                    Err(format!("this range is empty; did you mean `{name}:{most}..{least}`?"))
                }
                (Some(least), Some(most)) => Ok(Query::FollowersBetween(least, most)),
                _ => Err(wrong()),
            },
        };
    }
    let (sign, number) = Comparison::ALL
        .into_iter()
        .find_map(|sign| rest.strip_prefix(sign.as_str()).map(|number| (sign, number)))
        .ok_or_else(|| format!("write `{name}>=10000`"))?;
    let number = whole(number)
        .ok_or_else(|| format!("`{name}{}` needs a whole number, as in `{name}>=10000`", sign.as_str()))?;
    Ok(Query::Followers(sign, number))
}

/// What is wrong with a comparison of something that is no number.
pub(super) fn no_number(name: &str) -> String {
    match spelling::nearest(name, ["followers", "reach"]) {
        Some(near) => format!("unknown field `{name}`; did you mean `{near}`?"),
        None => format!(
            "`{name}` cannot be compared, only `followers` (or `reach`) can; to search for this text, quote it"
        ),
    }
}

/// What is wrong with a field's name.
pub(super) fn unknown(name: &str) -> String {
    let hint = spelling::hint(name, FIELDS);
    if hint.is_empty() {
        return format!(
            "unknown field `{name}`; known are {} and followers>=; to search for this text, quote it",
            FIELDS
                .iter()
                .filter(|known| !matches!(**known, "followers" | "reach"))
                .map(|f| format!("{f}:"))
                .collect::<Vec<_>>()
                .join(", ")
        );
    }
    format!("unknown field `{name}`{hint}")
}

/// `name:value`, for a known name in lower case; numbers, `title:`, `case:` and `fuzzy:` are read elsewhere.
pub(super) fn value(lower: &str, value: &str) -> Result<Query, String> {
    let value = value.trim();
    if value.is_empty() {
        return Err(format!("`{lower}:` needs a value right after the colon"));
    }
    let word = value.to_ascii_lowercase();
    let unknown = |known: Vec<&'static str>| {
        let hint = spelling::hint(value, known.iter().copied());
        let hint = if hint.is_empty() { format!("; known are {}", known.join(", ")) } else { hint };
        format!("unknown {lower} `{value}`{hint}")
    };
    match lower {
        "platform" => Platform::from_word(&word)
            .map(Query::Platform)
            .ok_or_else(|| unknown(Platform::ALL.iter().map(|p| p.as_str()).collect())),
        "kind" => Kind::from_word(&word)
            .map(Query::Kind)
            .ok_or_else(|| unknown(Kind::ALL.iter().map(|k| k.as_str()).collect())),
        "verified" => Verified::from_word(&word)
            .map(Query::Verified)
            .ok_or_else(|| unknown(Verified::ALL.iter().map(|v| v.as_str()).collect())),
        "lang" if matches!(word.len(), 2 | 3) && word.bytes().all(|b| b.is_ascii_lowercase()) => {
            Ok(Query::Lang(word))
        }
        "lang" => {
            Err(format!("`{value}` is no language code; write two letters (ISO 639-1), as in `lang:zh`"))
        }
        "list" if value.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')) => {
            Ok(Query::List(value.to_owned()))
        }
        "list" => {
            Err(format!("`{value}` is no list name; names have letters, digits, `-`, `_` and `.` only"))
        }
        "site" => {
            let labels =
                |host: &str| host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
            let site = word.trim_matches('.');
            if !site.is_empty() && labels(site) {
                return Ok(Query::Field(Field::Site, site.to_owned()));
            }
            Err(match host(&word).filter(|host| labels(host) && *host != word) {
                Some(host) => format!("`{value}` is no domain; did you mean `site:{host}`?"),
                None => format!("`{value}` is no domain; write it as in `site:example.com`"),
            })
        }
        _ => match Field::ALL.into_iter().find(|field| field.as_str() == lower) {
            Some(field) => Ok(Query::Field(field, value.to_owned())),
            None => Err(self::unknown(lower)),
        },
    }
}
