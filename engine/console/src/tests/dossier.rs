//! Statements, attachments, mergers, reports and the look back, over the API and the pages.

use serde_json::json;

use super::*;

async fn api(house: &House, token: &str, id: &str, action: &str, body: Value) -> (u16, Value) {
    let path = format!("/api/v1/incidents/{id}/{action}");
    let answer = house.bearer(token, "POST", &path, &body.to_string()).await;
    (answer.status.as_u16(), answer.json())
}

#[tokio::test]
async fn a_statement_from_template_to_publication() {
    let house = House::new(guarded());
    let id = house.incident().await;
    let post = async |token: &str, action: &str, body: Value| api(&house, token, &id, action, body).await;
    let line = json!({"statement": "line"});
    let (status, drafted) = post("officer-token", "draft", line.clone()).await;
    assert_eq!(status, 200, "{drafted}");
    let version = &drafted["dossier"]["statements"][0]["versions"][0];
    assert!(version["zh"].as_str().unwrap().contains("有关青禾的反映"), "{version}");
    let (status, refused) = post("commander-token", "approve", json!({"step": "line"})).await;
    assert!(status == 422 && refused["detail"].as_str().unwrap().contains("{{contact}}"), "{refused}");
    let words =
        json!({"statement": "line", "zh": "我们正在核实，客服 400-000。", "en": "We are looking into it."});
    assert_eq!(post("officer-token", "draft", words).await.0, 200);
    let (status, own) = post("officer-token", "approve", json!({"step": "line"})).await;
    assert!(status == 422 && own["detail"].as_str().unwrap().contains("author"));
    let place = json!({"statement": "line", "channel": "微博", "url": "https://weibo.com/qinghe/1"});
    assert_eq!(post("officer-token", "publish", place.clone()).await.0, 422, "not approved");
    assert_eq!(post("commander-token", "approve", json!({"step": "line"})).await.0, 200);
    let script = json!({"statement": "line", "channel": "微博", "url": "javascript:alert(1)"});
    assert_eq!(post("officer-token", "publish", script).await.0, 422);
    let (status, out) = post("officer-token", "publish", place).await;
    assert_eq!((status, &out["dossier"]["statements"][0]["published"][0]["version"]), (200, &json!(2)));
    let cookie = house.log_in("viewer-token").await;
    let room = house.ask("GET", &format!("/incidents/{id}"), &[("cookie", &cookie)], "").await.text;
    for wanted in
        ["我们正在核实，客服 400-000。", "We are looking into it.", "https://weibo.com/qinghe/1", "历史版本"]
    {
        assert!(room.contains(wanted), "{wanted}");
    }
    assert!(!room.contains("/draft\""), "a viewer has no form");
    let times = house.bearer("viewer-token", "GET", &format!("/api/v1/incidents/{id}/response"), "").await;
    assert_eq!(times.json()["response"]["statement"]["met"], true, "{}", times.text);
}

#[tokio::test]
async fn the_forms_do_it_too() {
    let house = House::new(guarded());
    let id = house.incident().await;
    let cookie = house.log_in("commander-token").await;
    let headers = [("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin")];
    let hash = "ab".repeat(32);
    let forms = [
        ("draft", "statement=internal&zh=%E7%BB%9F%E4%B8%80%E5%8F%A3%E5%BE%84&en=".to_owned()),
        (
            "publish",
            "statement=internal&channel=%E5%85%A8%E5%91%98%E7%BE%A4&url=&at=2026-09-10T09:10".to_owned(),
        ),
        (
            "attach",
            format!(
                "text=%3Cscript%3Ealert(1)%3C/script%3E%E2%80%AE&url=https://example.com/p&sha256={hash}"
            ),
        ),
        ("nature", "nature=partly".to_owned()),
        ("ack", String::new()),
        ("report", "text=%E5%A3%B0%E9%87%8F%E4%B8%8B%E9%99%8D".to_owned()),
        ("resolve", "summary=".to_owned()),
        ("reopen", "reason=more&page=true".to_owned()),
        ("resolve", "summary=again".to_owned()),
        (
            "retrospect",
            "happened=h&noticed_at=2026-09-10T09:00&lessons=%E6%9B%B4%E6%97%A9%E5%8F%91%E5%A3%B0&changes="
                .to_owned(),
        ),
    ];
    for (action, body) in &forms {
        let answer = house.ask("POST", &format!("/incidents/{id}/{action}"), &headers, body).await;
        assert!(
            answer.header("location").ends_with("notice=done"),
            "{action}: {}",
            answer.header("location")
        );
    }
    let incident = house.desk.show(&id).await.unwrap();
    let kept = &incident.dossier;
    assert_eq!(kept.statement("internal").unwrap().published[0].at.to_string(), "2026-09-10T01:10:00Z");
    assert_eq!(kept.attachments[0].sha256.as_deref(), Some(&*hash));
    assert_eq!(kept.reopenings.len(), 1);
    assert_eq!(kept.retrospect.as_ref().unwrap().noticed_at.unwrap().to_string(), "2026-09-10T01:00:00Z");
    let room = house.ask("GET", &format!("/incidents/{id}"), &headers, "").await.text;
    assert!(room.contains("部分属实") && room.contains("更早发声") && room.contains("声量下降"));
    assert!(!room.contains("<script>alert(1)") && !room.contains('\u{202e}'), "a stranger's words are text");
    let late = house.ask("POST", &format!("/incidents/{id}/reopen"), &headers, "reason=x").await;
    assert!(late.header("location").ends_with("notice=illegal"), "reviewed is the end");
}

#[tokio::test]
async fn merged_and_split_again() {
    let house = House::new(guarded());
    let big = house.incident().await;
    let small = house.incident_of("industry", Level::Medium).await;
    let (status, merged) = api(&house, "commander-token", &small, "merge", json!({"into": big})).await;
    assert_eq!((status, &merged["state"]), (200, &json!("merged")), "{merged}");
    assert_eq!(api(&house, "officer-token", &small, "split", json!({"reason": "x"})).await.0, 403);
    let (status, problem) = api(&house, "commander-token", &small, "ack", json!({})).await;
    assert_eq!((status, &problem["current"]["dossier"]["merged_into"]), (409, &json!(big)));
    let open = house.bearer("viewer-token", "GET", "/api/v1/incidents", "").await.json();
    assert_eq!(open["incidents"].as_array().unwrap().len(), 1);
    let cookie = house.log_in("commander-token").await;
    for (id, other) in [(&small, &big), (&big, &small)] {
        let room = house.ask("GET", &format!("/incidents/{id}"), &[("cookie", &cookie)], "").await.text;
        assert!(room.contains(&format!("<a href=\"/incidents/{other}\">")), "each links to the other");
    }
    assert_eq!(api(&house, "commander-token", &small, "split", json!({"reason": "two"})).await.0, 200);
    assert!(house.desk.show(&big).await.unwrap().dossier.guests.is_empty());
}

#[tokio::test]
async fn the_library_finds_what_was_learned_and_shows_it_next_time() {
    let house = House::new(guarded());
    let first = house.incident().await;
    let lesson = "下架要在一小时内";
    for (action, body) in [
        ("confirm", json!({"category": "safety"})),
        ("resolve", json!({})),
        ("retrospect", json!({"happened": "批次问题", "lessons": lesson, "changes": "加一步：先下架"})),
    ] {
        let (status, answer) = api(&house, "commander-token", &first, action, body).await;
        assert_eq!(status, 200, "{action}: {answer}");
    }
    let cookie = house.log_in("viewer-token").await;
    let page = async |path: &str| house.ask("GET", path, &[("cookie", &cookie)], "").await.text;
    let found = page("/incidents?closed=1&category=safety&level=high&monitor=").await;
    assert!(found.contains(&first) && found.contains(lesson));
    for nothing in ["?category=data_leak", "?monitor=industry", "?drill=only"] {
        assert!(!page(&format!("/incidents{nothing}")).await.contains(&first), "{nothing}");
    }
    let next = house.incident_of("qinghe-peach-tea", Level::High).await;
    let room = page(&format!("/incidents/{next}")).await;
    assert!(room.contains("上次同类事件") && room.contains(lesson) && room.contains("加一步：先下架"));
}

#[tokio::test]
async fn the_link_has_the_words_ready_and_no_draft() {
    let house = House::new(guarded());
    let id = house.incident().await;
    let words = json!({"statement": "line", "zh": "内部讨论稿"});
    assert_eq!(api(&house, "officer-token", &id, "draft", words).await.0, 200);
    let shown = house.ask("GET", &house.link(), &[], "").await.text;
    assert!(shown.contains("<pre class=\"copy\"") && shown.contains("有关青禾的反映"), "{shown}");
    assert!(!shown.contains("内部讨论稿"));
}

#[tokio::test]
async fn the_audit_leaves_whole_with_what_was_denied() {
    let house = House::new(guarded());
    let id = house.incident().await;
    assert_eq!(api(&house, "officer-token", &id, "resolve", json!({})).await.0, 403);
    assert_eq!(api(&house, "commander-token", &id, "review", json!({"text": "early"})).await.0, 409);
    assert_eq!(api(&house, "commander-token", &id, "ack", json!({})).await.0, 200);
    let cookie = house.log_in("officer-token").await;
    let foreign = [("cookie", cookie.as_str()), ("sec-fetch-site", "cross-site")];
    house.ask("POST", &format!("/incidents/{id}/note"), &foreign, "text=x").await;
    house.ask("POST", &format!("/api/v1/incidents/{id}/ack"), &[], "").await;
    let export = house.bearer("viewer-token", "GET", "/api/v1/audit", "").await;
    assert_eq!(export.header("content-type"), "application/x-ndjson");
    let verdict = tocsin_escalate::audit::export::verify(export.text.as_bytes()).unwrap();
    assert_eq!(verdict.faults, []);
    assert_eq!((verdict.incidents, verdict.changes, verdict.refusals), (1, 2, 3), "nobody is no one to name");
    for wanted in ["officer is officer, this needs commander", "own pages", "cannot review"] {
        assert!(export.text.contains(wanted), "{wanted}: {}", export.text);
    }
    let one = house.bearer("viewer-token", "GET", &format!("/api/v1/audit?incident={id}"), "").await;
    assert!(tocsin_escalate::audit::export::verify(one.text.as_bytes()).unwrap().faults.is_empty());
    assert_eq!(house.bearer("viewer-token", "GET", "/api/v1/audit?incident=nope", "").await.status, 404);
    let page = house.ask("GET", "/audit", &[("cookie", &cookie)], "").await.text;
    assert!(page.contains("resolve") && page.contains("this needs commander"));
}

#[tokio::test]
async fn an_admin_makes_an_author_forgotten() {
    let house = House::new(guarded());
    let id = house.incident().await;
    let (path, body) = ("/api/v1/authors/forget", json!({"author": "479a753d69fa67de"}).to_string());
    assert_eq!(house.bearer("commander-token", "POST", path, &body).await.status, StatusCode::FORBIDDEN);
    let done = house.bearer("admin-token", "POST", path, &body).await;
    assert_eq!((&done.json()["incidents"], &done.json()["pages"]), (&json!(1), &json!(1)), "{}", done.text);
    let room = house.bearer("viewer-token", "GET", &format!("/incidents/{id}"), "").await.text;
    assert!(!room.contains("全家拉肚子") && room.contains("删除某作者内容"));
    assert_eq!(house.bearer("admin-token", "POST", path, &body).await.json()["incidents"], 0);
    let empty = house.bearer("admin-token", "POST", path, r#"{"author":""}"#).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn reports_in_every_form() {
    let house = House::new(guarded());
    let id = house.incident().await;
    assert_eq!(api(&house, "officer-token", &id, "ack", json!({})).await.0, 200);
    let get = async |query: &str| {
        house.bearer("viewer-token", "GET", &format!("/api/v1/reports?{query}"), "").await
    };
    let report = get("period=week&date=2026-09-10").await.json();
    assert_eq!((&report["opened"], &report["acknowledge"]["met"]), (&json!(1), &json!(1)), "{report}");
    assert_eq!(report["period"]["first"], "2026-09-07");
    assert_eq!(get("").await.json()["opened"], 0, "yesterday was quiet");
    let csv = get("period=day&date=2026-09-10&format=csv").await;
    assert!(csv.header("content-type").starts_with("text/csv") && csv.text.contains(&id));
    let posts = get("period=day&date=2026-09-10&format=csv&table=posts").await.text;
    assert!(posts.contains("全家拉肚子") && !posts.contains("\n@"), "{posts}");
    let html = get("period=quarter&date=2026-09-10&format=html&lang=en").await;
    assert!(html.text.contains("Quarterly report 2026-07-01") && !html.text.contains("<script>"));
    assert!(html.header("content-disposition").starts_with("attachment"));
    for bad in ["period=year", "date=tomorrow", "colour=red", "format=pdf"] {
        assert_eq!(get(bad).await.status, StatusCode::BAD_REQUEST, "{bad}");
    }
    let cookie = house.log_in("viewer-token").await;
    let page = house.ask("GET", "/reports?period=day&date=2026-09-10", &[("cookie", &cookie)], "").await.text;
    assert!(page.contains("日报 2026-09-10") && page.contains("本报告没有的数据"));
    assert!(!page.contains("alert('x')") && !page.contains(" style=\""));
    let file = house.ask("GET", "/reports?period=day&format=csv", &[("cookie", &cookie)], "").await;
    assert!(file.header("content-type").starts_with("text/csv"));
}
