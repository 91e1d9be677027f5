//! The query language of monitors and categories: what it means. Parsing ([`Query::parse`]) and printing (`Display`)
//! are in the files beside; matching is in [`crate::matcher`]. Refuses purely negative queries and those whose only
//! positive terms are a single character.

mod entry;
mod fields;
mod lexer;
mod parse;
mod print;
mod sound;
mod words;

pub use sound::check_term;

use crate::mention::{Kind, Platform, Verified};

/// A parsed query. [`Query::all`] and [`Query::any`] keep it flat: no `And` directly in an `And`, none of one part.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Query {
    /// All of these.
    And(Vec<Query>),
    /// Any of these.
    Or(Vec<Query>),
    /// None of this.
    Not(Box<Query>),
    /// A bare word or quoted phrase, as written. Latin matches on word boundaries, Han anywhere.
    Term(String),
    /// `recall*`: words that begin so.
    Prefix(String),
    /// `#recall`: this whole hashtag, written with or without a closing `#`.
    Tag(String),
    /// `@acme`: this whole account name where it is addressed.
    Name(String),
    /// `case:"AirTag"`: exactly these characters in the original text.
    Cased(String),
    /// `fuzzy:微信`: also as those write it who dodge filters, by the table of `data/fuzzy.txt`.
    Fuzzy(String),
    /// Any term of a named list.
    List(String),
    /// `tea NEAR/5 poison`: both, apart from each other and with no more tokens than `distance` between them, the first
    /// side first if `ordered` (`ONEAR/5`). Never from a title into the text. Each side is made of [`Query::terms`].
    Near {
        /// Whether the first side must stand first.
        ordered: bool,
        /// Most tokens between the two.
        distance: u32,
        /// The two sides.
        sides: Box<[Query; 2]>,
    },
    /// `recall{3}`: at least so many times, overlaps counted once. The part is made of [`Query::terms`].
    Count(u32, Box<Query>),
    /// `title:(…)`: this holds of the title alone.
    Title(Box<Query>),
    /// `platform:weibo`
    Platform(Platform),
    /// `lang:zh`
    Lang(String),
    /// `kind:comment`
    Kind(Kind),
    /// `verified:media`
    Verified(Verified),
    /// `followers>=10000`: compares the author's followers; an unknown number never matches.
    Followers(Comparison, u64),
    /// `followers:1000..20000`: both ends count.
    FollowersBetween(u64, u64),
    /// `author:…` and the like.
    Field(Field, String),
}

/// Something a mention says of itself, compared with a text. What is unknown never matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// Display name of the author, in any letter case, or the author's key.
    Author,
    /// Region, in any letter case.
    Region,
    /// Part of the link, in any letter case.
    Url,
    /// Host of the link, or a domain above it.
    Site,
    /// Conversation.
    Thread,
}

/// How a number is compared with a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `>=`
    AtLeast,
    /// `>`
    Above,
    /// `<=`
    AtMost,
    /// `<`
    Below,
    /// `=`
    Equal,
}

/// One fault in a query's text. Several are reported at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", .start + 1)]
pub struct QueryFault {
    /// First character (not byte) of the faulty part, from 0.
    pub start: usize,
    /// One past its last character; equal to `start` where something is missing.
    pub end: usize,
    /// What is wrong and what was meant.
    pub message: String,
}

impl Comparison {
    /// Every comparison, longest sign first.
    pub const ALL: [Self; 5] = [Self::AtLeast, Self::AtMost, Self::Above, Self::Below, Self::Equal];

    /// The sign in a query.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AtLeast => ">=",
            Self::Above => ">",
            Self::AtMost => "<=",
            Self::Below => "<",
            Self::Equal => "=",
        }
    }

    /// Whether `value` stands so to `limit`.
    pub fn holds(self, value: u64, limit: u64) -> bool {
        match self {
            Self::AtLeast => value >= limit,
            Self::Above => value > limit,
            Self::AtMost => value <= limit,
            Self::Below => value < limit,
            Self::Equal => value == limit,
        }
    }
}

impl Query {
    /// All of `parts`, flattened; a single part is itself.
    pub fn all(parts: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::And(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        if flat.len() == 1 { flat.remove(0) } else { Self::And(flat) }
    }

    /// Any of `parts`, flattened; a single part is itself.
    pub fn any(parts: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::Or(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        if flat.len() == 1 { flat.remove(0) } else { Self::Or(flat) }
    }

    /// Visits this query and every part of it, outermost first.
    pub fn visit<'q>(&'q self, f: &mut impl FnMut(&'q Self)) {
        f(self);
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.visit(f)),
            Self::Not(part) | Self::Count(_, part) | Self::Title(part) => part.visit(f),
            Self::Near { sides, .. } => sides.iter().for_each(|part| part.visit(f)),
            _ => {}
        }
    }

    /// What has places in a text: a term of any kind or a list, or several of them joined by OR; none otherwise.
    pub fn terms(&self) -> Option<&[Self]> {
        let term = |part: &Self| {
            matches!(
                part,
                Self::Term(_)
                    | Self::Prefix(_)
                    | Self::Tag(_)
                    | Self::Name(_)
                    | Self::Cased(_)
                    | Self::Fuzzy(_)
                    | Self::List(_)
            )
        };
        match self {
            Self::Or(parts) => parts.iter().all(term).then_some(parts),
            part => term(part).then(|| std::slice::from_ref(part)),
        }
    }

    /// Names used as `list:NAME`, in order of appearance, repeats kept.
    pub fn lists(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.visit(&mut |part| {
            if let Self::List(name) = part {
                names.push(name.as_str());
            }
        });
        names
    }
}

#[cfg(test)]
mod tests;
