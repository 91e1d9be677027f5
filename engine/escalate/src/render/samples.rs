//! A page to test with: everything set, social text hostile.

use std::sync::Arc;

use jiff::Timestamp;
use tocsin_rules::{
    Author, Contact, Impact, Kind, Language, Level, Likelihood, Metrics, Op, Platform, Reason, Role, Subject,
    Verified, Wording,
};

use super::{Config, Renderer, link::Signer};
use crate::{
    channel::Secret,
    delivery::{NextStep, Page, PageReason, Snapshot},
    incident::State,
};

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn signer() -> Signer {
    Signer::new(vec![("k1".into(), Secret::new("0123456789abcdef0123456789abcdef"))]).unwrap()
}

pub(crate) fn renderer() -> Arc<Renderer> {
    let config = Config { base_url: Some("https://tocsin.example.com".into()), ..Config::default() };
    Arc::new(Renderer::new(&config, Some(signer())).unwrap())
}

pub(crate) fn wording(zh: &str, en: &str) -> Wording {
    Wording { zh: zh.into(), en: en.into() }
}

pub(crate) fn page() -> Page {
    let post = Subject {
        id: "weibo:5200000000000001".into(),
        platform: Platform::Weibo,
        kind: Kind::Post,
        excerpt: "@所有人 手机又自燃了！<script>alert(1)</script> 详见 https://evil.example/x?a=1&b=2 \u{202e}倒着写".into(),
        url: Some("https://weibo.com/1/abc".into()),
        author: Some(Author {
            key: "479a753d69fa67de".into(),
            name: Some("财***报".into()),
            followers: Some(2_300_000),
            verified: Verified::Media,
        }),
        published_at: at("2026-09-10T01:33:20Z"),
        observed_at: at("2026-09-10T01:38:20Z"),
        thread: None,
        repost_of: None,
        metrics: Metrics { likes: Some(33_012), comments: Some(5120), reposts: Some(10_244), ..Metrics::default() },
        region: None,
        sample_cap: None,
        op: Op::Create,
    };
    let reason = |id: &str, zh: &str, en: &str, value, limit, window_seconds| Reason {
        threshold: id.into(),
        wording: wording(zh, en),
        value,
        limit,
        window_seconds,
    };
    Page {
        id: "0123456789abcdef0123456789abcdef".into(),
        incident: "s07-ab12cd34ef".into(),
        version: 3,
        epoch: 1,
        level: Level::High,
        to: "li".into(),
        to_name: "李雷".into(),
        language: Language::Zh,
        contact: Contact { channel: "email".into(), address: "li@example.com".into() },
        fallbacks: vec![],
        reason: PageReason::First,
        at: at("2026-09-10T01:40:00Z"),
        not_before: at("2026-09-10T01:40:00Z"),
        drill: None,
        snapshot: Snapshot {
            title: wording("北辰手机：高风险", "Polaris Phone: high risk"),
            monitor_name: "北辰手机".into(),
            state: State::Suspected,
            impact: Impact::Severe,
            likelihood: Likelihood::Likely,
            category: Some(wording("产品危机", "product crisis")),
            onset: at("2026-09-10T01:30:00Z"),
            reasons: vec![
                reason("neg-1h", "负面提及", "Negative mentions", 86.0, 40.0, 3600),
                reason("share-1h", "负面占比", "Negative share", 0.725, 0.5, 3600),
                reason("mood", "平均情绪", "Mean mood", -0.61, -0.3, 300),
                reason("repost", "单条转发", "Reposts of one post", 10_244.0, 10_000.0, 0),
            ],
            evidence: vec![post],
            plan: wording("高风险预案", "High-risk plan"),
            next_steps: vec![NextStep {
                step: "confirm".into(),
                title: wording("确认事件性质", "Confirm what happened"),
                role: Role::Commander,
                due_at: at("2026-09-10T01:55:00Z"),
            }],
            acknowledged_by: None,
        },
        tipped_observed_at: Some(at("2026-09-10T01:38:20Z")),
        tipped_published_at: Some(at("2026-09-10T01:33:20Z")),
    }
}
