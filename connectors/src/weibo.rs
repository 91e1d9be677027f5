//! Weibo's open platform: statuses and comments that mention the authorised account. General search and the push
//! subscription are commercial offers and not read here. Refuses to put the token into an address.

mod entry;
mod page;
mod pull;

use serde::Deserialize;

use page::{Meaning, NoPage, Walk, read};
pub(crate) use pull::Settings;

/// Which list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Endpoint {
    /// `statuses/mentions`.
    Statuses,
    /// `comments/mentions`.
    Comments,
}

impl Endpoint {
    /// Path below `https://api.weibo.com`.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Statuses => "/2/statuses/mentions.json",
            Self::Comments => "/2/comments/mentions.json",
        }
    }

    /// Most entries of one page: the platform's limit, and half of it where the limit is not stated.
    pub(crate) fn count(self) -> u64 {
        match self {
            Self::Statuses => 200,
            Self::Comments => 50,
        }
    }

    /// Member of the answer that holds the entries.
    fn list(self) -> &'static str {
        match self {
            Self::Statuses => "statuses",
            Self::Comments => "comments",
        }
    }

    /// Query of the next page of a walk.
    pub(crate) fn query(self, walk: &Walk) -> Vec<(&'static str, String)> {
        let mut query = vec![("count", self.count().to_string())];
        if walk.since > 0 {
            query.push(("since_id", walk.since.to_string()));
        }
        if walk.below > 0 {
            query.push(("max_id", walk.below.to_string()));
        }
        query
    }
}

/// Value of the `Authorization` header.
pub(crate) fn authorization(token: &str) -> String {
    format!("OAuth2 {token}")
}

#[cfg(test)]
mod tests;
