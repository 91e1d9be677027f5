//! Mentions and rulebooks for this crate's tests.

use std::sync::Arc;

use tocsin_rules::{
    Category, Detection, Kind, Level, Matrix, Mention, Metrics, Monitor, MonitorKind, Op, Platform, Query,
    Rulebook, Wording,
};

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

/// A rulebook of monitors `(id, query)` and categories `(id, query)`, the rest empty.
pub(crate) fn rulebook(monitors: &[(&str, &str)], categories: &[(&str, &str)]) -> Arc<Rulebook> {
    let query = |text: &str| Query::parse(text).expect("a sound query");
    let monitor = |&(id, text): &(&str, &str)| Monitor {
        id: id.to_owned(),
        name: id.to_owned(),
        kind: MonitorKind::Brand,
        query: query(text),
        platforms: Vec::new(),
        languages: Vec::new(),
        owner: "team".to_owned(),
        ceiling: Level::High,
    };
    let category = |&(id, text): &(&str, &str)| Category {
        id: id.to_owned(),
        name: Wording::same(id),
        query: query(text),
    };
    Arc::new(Rulebook {
        version: "test".to_owned(),
        name: Wording::same("test"),
        time_zone: "Asia/Shanghai".to_owned(),
        monitors: monitors.iter().map(monitor).collect(),
        lists: Vec::new(),
        categories: categories.iter().map(category).collect(),
        detection: Detection {
            bucket_seconds: 60,
            max_age_seconds: 21_600,
            allowed_lateness_seconds: 600,
            cool_down_seconds: 1800,
            thresholds: Vec::new(),
            impact: Vec::new(),
            likelihood: Vec::new(),
            matrix: Matrix([[Level::default(); 4]; 4]),
        },
        plans: Vec::new(),
        policies: Vec::new(),
        teams: Vec::new(),
        templates: Vec::new(),
        quiet_hours: None,
    })
}
