//! The query language of monitors and categories: what it means. Parsing, printing and matching are in the files
//! beside. Refuses purely negative queries and those whose only positive terms are one letter.

use crate::mention::{Kind, Platform, Verified};

/// A parsed query.
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// All of these.
    And(Vec<Query>),
    /// Any of these.
    Or(Vec<Query>),
    /// None of this.
    Not(Box<Query>),
    /// A bare word or quoted phrase, as written. Latin matches on word boundaries, Han anywhere.
    Term(String),
    /// Any term of a named list.
    List(String),
    /// `platform:weibo`
    Platform(Platform),
    /// `lang:zh`
    Lang(String),
    /// `kind:comment`
    Kind(Kind),
    /// `verified:media`
    Verified(Verified),
    /// `followers>=10000`: author has at least (at most, …) so many followers; unknown never matches.
    Followers(std::cmp::Ordering, bool, u64),
}
