//! Mentions for this crate's tests.

use tocsin_rules::{Kind, Mention, Metrics, Op, Platform};

pub(crate) fn mention(id: &str, text: &str) -> Mention {
    let at = "2026-09-10T01:33:20Z".parse().expect("a time");
    Mention {
        id: id.to_owned(),
        platform: Platform::Weibo,
        kind: Kind::Post,
        text: text.to_owned(),
        title: None,
        lang: None,
        url: None,
        author: None,
        published_at: at,
        observed_at: at,
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
