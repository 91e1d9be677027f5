//! [`Mention`] (提及): one public post, comment or article, as canonical JSON, and the precise reasons for which a
//! candidate is refused. Refuses to guess: an unknown number is `None`, never 0; an unknown platform is an error.

mod parse;
mod reject;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use parse::{MAX_DEPTH, MAX_ID, MAX_PAYLOAD, MAX_TEXT};

/// One mention. Identity is `id` = platform + `:` + external id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mention {
    /// `platform:external-id`, always text.
    pub id: String,
    /// Where it was published.
    pub platform: Platform,
    /// What it is.
    pub kind: Kind,
    /// Body as published; may be empty only when `title` is not, or for a retraction.
    pub text: String,
    /// Headline, when the platform has one apart from the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// ISO 639-1 as declared by the platform; detection happens in scoring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// Public link, access tokens stripped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Who published it, minimised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Author>,
    /// Event time as the platform declares it.
    pub published_at: Timestamp,
    /// When a connector saw it; parsing sets it to the caller's fallback when absent.
    pub observed_at: Timestamp,
    /// Conversation the mention belongs to; the Kafka key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// Mention answered to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Mention shared on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repost_of: Option<String>,
    /// Counters at `observed_at`.
    #[serde(default)]
    pub metrics: Metrics,
    /// Region as declared by the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Connector that brought it, e.g. `file:mediacrawler`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Largest number of results the source returns per request: volume is a sample when set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_cap: Option<u32>,
    /// Create, update or delete.
    #[serde(default)]
    pub op: Op,
}

/// Minimised author.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Author {
    /// Hash of the platform's user id (16 hex digits); empty when unknown.
    pub key: String,
    /// Masked display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Followers, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followers: Option<u64>,
    /// Badge of the platform.
    #[serde(default)]
    pub verified: Verified,
}

/// Counters of one mention; `None` is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the counter it names")]
pub struct Metrics {
    pub likes: Option<u64>,
    pub comments: Option<u64>,
    pub reposts: Option<u64>,
    pub views: Option<u64>,
    pub favorites: Option<u64>,
}

/// A closed set of words used on the wire, in rulebooks and in metrics labels.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every value, in declaration order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The value a word stands for.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// Where a mention was published. `other` is for imports that do not say.
    #[expect(missing_docs, reason = "each variant is the platform it names")]
    Platform {
        Weibo = "weibo", Wechat = "wechat", Douyin = "douyin", Kuaishou = "kuaishou", Xiaohongshu = "xiaohongshu",
        Zhihu = "zhihu", Bilibili = "bilibili", Douban = "douban", Tieba = "tieba", News = "news", Forum = "forum",
        Site = "site", X = "x", Bluesky = "bluesky", Mastodon = "mastodon", Reddit = "reddit", Youtube = "youtube",
        Hackernews = "hackernews", Rss = "rss", Tiktok = "tiktok", Instagram = "instagram", Facebook = "facebook",
        Complaints = "complaints", Alert = "alert", Other = "other",
    }
}

words! {
    /// What a mention is. `topic` is an entry of a hot-search board.
    #[expect(missing_docs, reason = "each variant is the kind it names")]
    Kind {
        Post = "post", Comment = "comment", Article = "article", Video = "video", Question = "question",
        Answer = "answer", Message = "message", Review = "review", Topic = "topic",
    }
}

words! {
    /// Badge of an author.
    #[derive(Default)]
    #[expect(missing_docs, reason = "each variant is the badge it names")]
    Verified {
        #[default] None = "none", Person = "person", Media = "media", Government = "government",
        Enterprise = "enterprise", Organisation = "organisation",
    }
}

words! {
    /// What happened to the mention.
    #[derive(Default)]
    Op {
        /// First sight.
        #[default] Create = "create",
        /// New counters or edited text; never a second mention.
        Update = "update",
        /// Retraction: takes evidence away.
        Delete = "delete",
    }
}

words! {
    /// Why a candidate was refused. Closed: used as a metrics label and in dead letters.
    RejectionReason {
        /// Not UTF-8.
        InvalidUtf8 = "invalid_utf8",
        /// Not JSON, or not a JSON object.
        InvalidJson = "invalid_json",
        /// Nested deeper than the parser allows.
        TooDeep = "too_deep",
        /// The whole payload, or its text, is over the limit.
        TooLarge = "too_large",
        /// A required field is absent or empty.
        MissingField = "missing_field",
        /// A field has the wrong type or an impossible value.
        InvalidField = "invalid_field",
        /// `platform` is not one Tocsin knows.
        UnknownPlatform = "unknown_platform",
        /// `published_at` lies outside 1990 to 2100.
        DateOutOfRange = "date_out_of_range",
    }
}

/// A refusal that names the field and says what was wrong. Never carries the mention's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {}{detail}", if .field.is_empty() { String::new() } else { format!("{field}: ") })]
pub struct Rejection {
    /// Closed reason.
    pub reason: RejectionReason,
    /// Path of the field, `""` for the whole.
    pub field: String,
    /// What was wrong, for a person.
    pub detail: String,
}

#[cfg(test)]
pub(crate) mod tests;
