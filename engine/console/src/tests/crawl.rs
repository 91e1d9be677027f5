//! Looking changes nothing: every link in every page and message, and every route there is, by GET and HEAD, against the
//! whole store. And no button of ours can be pressed from a foreign page.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::routes::{Door, ROUTES};

/// Everything the store holds, in words.
async fn whole(house: &House) -> String {
    let all = house.desk.list(&tocsin_escalate::Filter::default(), 100, None).await.unwrap().incidents;
    let mut told = Vec::new();
    for incident in all {
        let (pages, timeline) =
            (house.desk.pages(&incident.id).await.unwrap(), house.desk.timeline(&incident.id).await.unwrap());
        told.push(json!({"incident": incident, "pages": pages, "timeline": timeline}));
    }
    let refusals = house.desk.refusals(1_000).await.unwrap();
    let due = house.desk.next_due().await.unwrap();
    let silences = house.desk.silences().await.unwrap();
    json!({"silences": silences, "incidents": told, "refusals": refusals, "due": due}).to_string()
}

/// A house in which every kind of page has something to show: open, merged, resolved and reviewed incidents, drafts,
/// places, attachments, reports, refusals.
async fn lived_in(config: Config) -> (House, Vec<String>) {
    let house = House::new(config);
    let mut ids = Vec::new();
    for (monitor, level) in
        [("qinghe", Level::High), ("qinghe-peach-tea", Level::High), ("industry", Level::Medium)]
    {
        ids.push(house.incident_of(monitor, level).await);
        house.pass(60);
    }
    let actor = tocsin_escalate::Actor { who: "lin-an".into(), via: tocsin_escalate::Via::Console };
    let other = tocsin_escalate::Actor { who: "zhou-yi".into(), via: tocsin_escalate::Via::Console };
    let (big, past, small) = (&ids[0], &ids[1], &ids[2]);
    let steps = [
        (big, json!({"do": "confirm", "category": "safety"}), &actor),
        (big, json!({"do": "draft", "statement": "line", "zh": "正在核实", "en": "Looking into it"}), &actor),
        (big, json!({"do": "approve", "step": "line"}), &other),
        (
            big,
            json!({"do": "publish", "statement": "line", "channel": "微博", "url": "https://weibo.com/qinghe/1"}),
            &actor,
        ),
        (big, json!({"do": "attach", "text": "截图", "url": "https://example.com/shot"}), &actor),
        (small, json!({"do": "merge", "into": big}), &actor),
        (past, json!({"do": "acknowledge"}), &actor),
        (past, json!({"do": "confirm", "category": "safety"}), &actor),
        (past, json!({"do": "report", "text": "平稳"}), &actor),
        (past, json!({"do": "resolve", "summary": "x"}), &actor),
        (past, json!({"do": "reopen", "reason": "x"}), &actor),
        (past, json!({"do": "resolve", "summary": "y"}), &actor),
        (past, json!({"do": "retrospect", "happened": "x", "lessons": "y"}), &actor),
    ];
    for (number, (id, command, actor)) in steps.into_iter().enumerate() {
        let command = serde_json::from_value(command).unwrap();
        house.desk.command(id, &command, actor, &format!("op{number}"), None).await.unwrap();
    }
    for (number, minutes) in [5, 600].into_iter().enumerate() {
        let until = house.clock.now() + Duration::from_secs(minutes * 60);
        let matcher = serde_json::from_value(json!({"monitor": "industry"})).unwrap();
        house.desk.add_silence(matcher, until, "x", &actor, &format!("silence{number}")).await.unwrap();
    }
    house.pass(301);
    house.desk.refused(big, &actor, "resolve", "not allowed").await;
    house.courier.deliver_due(house.clock.now()).await.unwrap();
    (house, ids)
}

/// Paths of ours in a page or a message: `href`, `action`, and addresses written out.
fn links(path: &str, text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut add = |link: &str| {
        let link = link.replace("&amp;", "&").replace("&#38;", "&");
        let link = link.strip_prefix("https://tocsin.example.com").unwrap_or(&link);
        if link.starts_with('/') && !link.starts_with("//") {
            found.insert(link.split('#').next().unwrap_or_default().to_owned());
        } else if link.starts_with('?') {
            found.insert(format!("{}{link}", path.split('?').next().unwrap_or_default()));
        }
    };
    for mark in ["href=\"", "action=\"", "src=\""] {
        for part in text.split(mark).skip(1) {
            add(part.split('"').next().unwrap_or_default());
        }
    }
    for part in text.split("https://tocsin.example.com").skip(1) {
        let end = part.find(|c: char| c.is_whitespace() || "\"'<>)]|".contains(c)).unwrap_or(part.len());
        add(&format!("https://tocsin.example.com{}", &part[..end]));
    }
    found
}

#[tokio::test]
async fn looking_never_changes_anything() {
    let (house, ids) = lived_in(Config { demo: Some(Rank::Admin), ..Config::demo() }).await;
    let token = house.link().trim_start_matches("/a/").to_owned();
    let mut queue: BTreeSet<String> = BTreeSet::new();
    for route in ROUTES.iter().filter(|route| route.path != "/events") {
        for id in &ids {
            queue.insert(route.path.replace("{id}", id).replace("{token}", &token));
        }
    }
    // Every message that was sent, whatever its dialect, and what all of it says as JSON.
    for shown in house.local.shown() {
        let rendered = format!("{:?}", shown.rendered);
        let found = links("", &rendered);
        assert!(found.iter().any(|link| link.starts_with("/a/")), "a page has its link: {rendered}");
        queue.extend(found);
    }
    let before = whole(&house).await;
    let mut seen = BTreeSet::new();
    while let Some(path) = queue.pop_first() {
        if !seen.insert(path.clone()) {
            continue;
        }
        assert!(seen.len() < 2_000, "the pages never end: {path}");
        for method in ["HEAD", "GET"] {
            let answer = house.ask(method, &path, &[], "").await;
            assert!(answer.status.as_u16() < 500, "{method} {path}: {}", answer.status);
            queue.extend(links(&path, &answer.text).into_iter().filter(|link| !seen.contains(link)));
            if let Some(place) = answer.headers.get("location") {
                queue.extend(links(&path, &format!("href=\"{}\"", place.to_str().unwrap())));
            }
        }
    }
    assert!(seen.len() > 100, "{}", seen.len());
    for wanted in ["/audit/export", "/incidents?closed=1", "/reports?period=week", "/sources", "/silences"] {
        assert!(seen.contains(wanted), "{wanted} is linked");
    }
    for id in &ids {
        assert!(seen.contains(&format!("/incidents/{id}")));
    }
    assert_eq!(whole(&house).await, before, "somebody looked, and something changed");
}

/// Every form of ours, sent by a logged-in browser from somebody else's page.
#[tokio::test]
async fn no_button_is_pressed_from_a_foreign_page() {
    let (house, ids) = lived_in(guarded()).await;
    let cookie = house.log_in("admin-token").await;
    let forms = ROUTES.iter().filter(|route| route.method == "POST" && route.door == Door::Page);
    let forms: Vec<_> = forms.filter(|route| !route.path.starts_with("/a/")).collect();
    assert!(forms.len() > 20);
    let count = async || house.desk.show(&ids[0]).await.unwrap();
    let before = count().await;
    for route in forms {
        let path = route.path.replace("{id}", &ids[0]);
        let foreign: [&[(&str, &str)]; 5] = [
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[],
        ];
        for headers in foreign {
            let mut headers = headers.to_vec();
            headers.push(("cookie", &cookie));
            let body = "text=x&reason=x&page=true&token=admin-token";
            let answer = house.ask("POST", &path, &headers, body).await;
            // A login without either header is a program's; it has shown a token, not a cookie.
            let program = route.path == "/login" && headers.len() == 1;
            assert_eq!(answer.status == StatusCode::FORBIDDEN, !program, "{path} {headers:?}");
        }
    }
    assert_eq!(count().await, before);
    for route in ROUTES.iter().filter(|route| route.method == "POST" && route.door == Door::Api) {
        // Providers prove themselves by signature, over any body: their own tests.
        if route.path.starts_with("/replies/") {
            continue;
        }
        let path = route.path.replace("{id}", &ids[0]);
        let answer =
            house.ask("POST", &path, &[("cookie", &cookie), ("sec-fetch-site", "same-origin")], "{}").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}: the API does not read cookies");
        let form = [("authorization", "Bearer admin-token"), ("content-type", "text/plain")];
        let answer = house.ask("POST", &path, &form, r#"{"text":"x"}"#).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path}: JSON or nothing");
    }
    assert_eq!(count().await, before);
}
