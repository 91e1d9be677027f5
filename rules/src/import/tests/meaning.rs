//! What imported rules find: through a printed rulebook and the matcher.

use jiff::Timestamp;

use super::*;
use crate::{Matcher, Mention, Normal, Scratch};

/// Names of the monitors that find a post from `region`.
fn found(matcher: &Matcher, import: &Import, text: &str, region: &str) -> Vec<String> {
    let post = serde_json::json!({
        "id": "weibo:1", "platform": "weibo", "kind": "post", "text": text, "region": region,
        "published_at": "2026-09-10T01:33:20Z",
    });
    let post = Mention::parse(post.to_string().as_bytes(), Timestamp::UNIX_EPOCH).unwrap();
    let mut normal = Normal::new();
    normal.set(&post);
    let matches = matcher.scan(&post, "zh", &normal, &mut Scratch::new());
    let name = |at: usize| import.monitors[at].name.clone();
    matches.monitors.iter().map(|matched| name(matched.index)).collect()
}

/// A text, the region it comes from, and the monitors that find it.
type Found<'t> = (&'t str, &'t str, &'t [&'t str]);

#[test]
fn imported_rules_find_what_was_meant() {
    let words = "[GLOBAL_FILTER]\n招聘\n/转发抽奖|抽奖转发/\n\n[WORD_GROUPS]\n[云茶]\n云茶\n/\\byun ?cha\\b/\n!云茶山\n\n[起火]\n+青禾\n+/起火|冒烟/\n";
    let table =
        "方案名称,主体词,事件词,地域词,排除词\n广东质量,云茶、Yun Cha,中毒|拉+肚子,广东、深圳,“招聘 启事”\n";
    let query = "(云茶 OR \"yun cha\") NEAR/3f (中毒 OR poison*) NOT ({US} OR site:jobs.example)";
    let rows: [(Origin, &str, &[Found<'_>]); 3] = [
        (
            Origin::TrendRadar,
            words,
            &[
                ("云茶出新品了", "北京", &["云茶"]),
                ("雲茶出新品了", "北京", &["云茶"]),
                ("喝了YunCha", "北京", &["云茶"]),
                ("yun cha again", "北京", &["云茶"]),
                ("yunchas", "北京", &[]),
                ("云茶山一日游", "北京", &[]),
                ("云茶招聘店员", "北京", &[]),
                ("云茶新品，转发抽奖", "北京", &[]),
                ("青禾热水壶冒烟", "北京", &["起火"]),
                ("青禾热水壶", "北京", &[]),
                ("云茶和青禾都起火了", "北京", &["云茶", "起火"]),
            ],
        ),
        (
            Origin::SubjectEvent,
            table,
            &[
                ("云茶喝了中毒", "广东", &["广东质量"]),
                ("深圳云茶店拉得肚子疼", "北京", &["广东质量"]),
                ("yun cha 中毒", "广东", &["广东质量"]),
                ("云茶喝了中毒", "北京", &[]),
                ("深圳云茶", "广东", &[]),
                ("广东云茶中毒 招聘 启事", "广东", &[]),
            ],
        ),
        (
            Origin::Brandwatch,
            query,
            &[
                ("云茶喝了中毒", "", &["test"]),
                ("Yun Cha was poisonous", "", &["test"]),
                ("中毒，云茶", "", &[]),
                ("云茶在我们这里新开的店有人中毒", "", &[]),
                ("云茶中毒 US", "", &[]),
                ("云茶中毒 us", "", &["test"]),
            ],
        ),
    ];
    for (origin, text, posts) in rows {
        let import = import(origin, text, "test", "pr");
        assert!(import.is_whole(), "{}", told(&import));
        let yaml = import.to_yaml(Some("consumer-brand"));
        let matcher = Matcher::new(&Rulebook::load(&[("import.yaml", &yaml)]).unwrap()).unwrap();
        for (post, region, expected) in posts {
            let region = if region.is_empty() { "北京" } else { region };
            assert_eq!(found(&matcher, &import, post, region), *expected, "{origin} {post}");
        }
    }
}
