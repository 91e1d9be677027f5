//! How sources stand, on the page of their own and on the first.

use serde_json::json;

use super::*;

/// Reports of every kind, as the connect stage writes them.
fn of_every_kind() -> Vec<Value> {
    let at = "2026-09-10T01:29:30Z";
    vec![
        json!({"name": "news", "kind": "feed", "state": "ok", "since": "2026-09-09T01:00:00Z", "at": at,
            "last_success": "2026-09-10T01:28:00Z", "last_mention": "2026-09-10T01:00:00Z", "lag_seconds": 120.4,
            "quota_left": null, "credential_expires": null, "published": 4, "rejected": 0}),
        json!({"name": "weibo", "kind": "brandwatch", "state": "blind", "since": "2026-09-10T00:30:00Z", "at": at,
            "reason": {"zh": "凭据被拒绝或已过期 <b>", "en": "the credential is refused or expired <b>"},
            "last_success": "2026-09-10T00:00:00Z", "credential_expires": "2026-09-09T00:00:00Z"}),
        json!({"name": "videos", "kind": "youtube", "state": "degraded", "since": at, "at": at,
            "reason": {"zh": "当日配额已用完", "en": "the daily quota is spent"}, "quota_left": 0,
            "lag_bytes": 2049, "credential_expires": "2027-09-09T00:00:00Z"}),
        json!({"name": "archive", "kind": "tail", "state": "off", "at": "2026-09-01T00:00:00Z",
            "reason": {"zh": "已在配置中停用", "en": "switched off in the configuration"}}),
        json!({"name": "odd", "kind": "feed", "state": "on fire", "at": at}),
    ]
}

#[tokio::test]
async fn every_source_is_shown_with_what_is_known_the_worst_first() {
    let house = House::new(Config::demo());
    *house.reports.lock().unwrap() = Ok(of_every_kind());
    let zh = house.ask("GET", "/sources", &[], "").await;
    assert_eq!(zh.status, StatusCode::OK);
    for wanted in [
        "失明",
        "凭据被拒绝或已过期",
        "降级",
        "正常",
        "未运行",
        "状态不明",
        "2026-09-10 08:00 (+08:00) · 1 小时前",
        "2 分钟",
        "3 KiB",
        "剩余配额",
    ] {
        assert!(zh.text.contains(wanted), "{wanted} is missing: {}", zh.text);
    }
    assert!(!zh.text.contains("已过期 <b>"), "a reason is text");
    let en = house.ask("GET", "/sources?lang=en", &[], "").await.text;
    let place = |text: &str| en.find(&format!("<h2>{text} ")).unwrap_or_else(|| panic!("{text}: {en}"));
    let order = ["odd", "weibo", "videos", "archive", "news"].map(place);
    assert!(order.is_sorted(), "{order:?}");
    assert!(en.contains("the daily quota is spent") && !en.contains("当日配额"));
    // The spent quota and the credential that is over, not the one that lasts a year.
    assert_eq!(en.matches("<dd class=\"alarm\">").count(), 2, "{en}");
}

#[tokio::test]
async fn the_first_page_says_what_does_not_see() {
    let house = House::new(Config::demo());
    let first = async || house.ask("GET", "/?lang=en", &[], "").await.text;
    let quiet = first().await;
    assert!(!quiet.contains("class=\"notice") && quiet.contains("Watching goes on"), "{quiet}");
    *house.reports.lock().unwrap() = Ok(of_every_kind());
    let said = "<a href=\"/sources\">Sources: 1 blind, 1 not heard from, 1 degraded</a>";
    let troubled = first().await;
    assert!(troubled.contains(said) && troubled.contains("notice bad"), "{troubled}");
    assert!(!troubled.contains("Watching goes on"), "nobody sees, so nothing is promised");
    let zh = house.ask("GET", "/?lang=zh", &[], "").await.text;
    assert!(zh.contains("信源：失明 1，无消息 1，降级 1"), "{zh}");
    *house.reports.lock().unwrap() = Ok(of_every_kind().into_iter().skip(2).take(2).collect());
    let degraded = first().await;
    assert!(degraded.contains(">Sources: 1 degraded</a>") && !degraded.contains("notice bad"), "{degraded}");
}

#[tokio::test]
async fn silence_of_the_process_and_of_the_store_is_no_calm() {
    let house = House::new(guarded());
    *house.reports.lock().unwrap() = Ok(of_every_kind().into_iter().take(1).collect());
    let cookie = house.log_in("viewer-token").await;
    let ask = async |path: &str| house.ask("GET", path, &[("cookie", &cookie)], "").await;
    assert!(!ask("/sources").await.text.contains("最后一次报告"));
    house.pass(601);
    assert!(
        ask("/sources")
            .await
            .text
            .contains("最后一次报告： <time title=\"2026-09-10 09:29 (+08:00)\">10 分钟前")
    );
    assert!(ask("/").await.text.contains("信源：无消息 1"));
    *house.reports.lock().unwrap() = Err("redis://secret does not answer".to_owned());
    let away = ask("/sources").await;
    assert_eq!(away.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(away.text.contains("暂时无法得知") && !away.text.contains("secret"));
    let first = ask("/").await;
    assert_eq!(first.status, StatusCode::OK, "incidents are shown all the same");
    assert!(first.text.contains("暂时无法得知"));
    *house.reports.lock().unwrap() = Ok(Vec::new());
    assert!(ask("/sources").await.text.contains("没有配置信源"));
}
