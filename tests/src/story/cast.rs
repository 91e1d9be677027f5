//! Who says what in a story. Made up; every line's mood is beyond doubt. Refuses randomness: post `n` is always the same.

use jiff::Timestamp;
use tocsin_rules::{Author, Kind, Mention, Metrics, Op, Platform, Verified};

/// How somebody feels about the brand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Negative.
    Angry,
    /// Negative, and wants the money back.
    Refund,
    /// Positive.
    Happy,
    /// About something else altogether.
    Elsewhere,
}

const ANGRY: &[(Platform, &str)] = &[
    (Platform::Weibo, "极光太恶心了，骗子，气死我了，大家避雷"),
    (Platform::X, "Aurora is terrible, broke after two days, worst purchase ever, so angry"),
    (Platform::Xiaohongshu, "极光耳机又坏了，客服态度太差，垃圾产品，再也不买了"),
    (Platform::Reddit, "Disgusting. Aurora is garbage and the staff are rude, never again"),
];

const REFUND: &[(Platform, &str)] = &[
    (Platform::Weibo, "极光耳机断连，让人失望，要求退款，差评"),
    (Platform::X, "aurora refused my refund, disgusting customer service, never again"),
];

const HAPPY: &[(Platform, &str)] = &[
    (Platform::X, "Love my new Aurora headphones, amazing sound, so happy!"),
    (Platform::Weibo, "极光新品发布会太棒了，好喜欢，音质超赞，已下单"),
    (Platform::Douyin, "今天收到极光耳机，开心，推荐给大家"),
];

const ELSEWHERE: &[(Platform, &str)] = &[
    (Platform::Weibo, "今天的地铁太挤了，气死我了"),
    (Platform::X, "My train is late again, terrible service"),
];

/// What number `n` says in this mood.
pub fn line(mood: Mood, n: usize) -> (Platform, &'static str) {
    let lines = match mood {
        Mood::Angry => ANGRY,
        Mood::Refund => REFUND,
        Mood::Happy => HAPPY,
        Mood::Elsewhere => ELSEWHERE,
    };
    lines[n % lines.len()]
}

/// Post number `n` of a story, seen the moment it is published.
pub(super) fn mention(n: usize, mood: Mood, at: Timestamp) -> Mention {
    let (platform, text) = line(mood, n);
    Mention {
        id: format!("{platform}:story{n:05}"),
        platform,
        kind: Kind::Post,
        text: text.to_owned(),
        title: None,
        lang: None,
        url: Some(format!("https://{platform}.example/{n}")),
        author: Some(Author {
            key: format!("{n:016x}"),
            name: None,
            followers: Some(120 + n as u64),
            verified: Verified::None,
        }),
        published_at: at,
        observed_at: at,
        thread: None,
        parent: None,
        repost_of: None,
        metrics: Metrics { likes: Some(n as u64 % 50), ..Metrics::default() },
        region: None,
        source: Some("story".to_owned()),
        sample_cap: None,
        op: Op::Create,
    }
}
