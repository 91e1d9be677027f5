//! Mentions for tests, and what parsing makes of good and bad payloads.

use super::*;

/// A Weibo post that says `text`.
pub(crate) fn mention(text: &str) -> Mention {
    Mention {
        id: "weibo:1".to_owned(),
        platform: Platform::Weibo,
        kind: Kind::Post,
        text: text.to_owned(),
        title: None,
        lang: None,
        url: None,
        author: None,
        published_at: Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(24 * 365 * 56),
        observed_at: Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(24 * 365 * 56),
        thread: None,
        parent: None,
        repost_of: None,
        metrics: Metrics::default(),
        region: None,
        source: None,
        sample_cap: None,
        op: Op::Create,
    }
}
