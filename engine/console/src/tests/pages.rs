//! The pages.

use super::*;

#[tokio::test]
async fn the_first_page_in_both_languages() {
    let house = House::new(Config::demo());
    house.incident().await;
    house.pass(90);
    house.incident_of("industry", Level::Medium).await;
    let body = |text: &str| {
        let (_, main) = text.split_once("<main").unwrap();
        main.split_once("</main>").unwrap().0.to_owned()
    };
    let chinese = house.ask("GET", "/", &[], "").await;
    insta::assert_snapshot!("home_zh", body(&chinese.text));
    let english = house.ask("GET", "/?lang=en", &[], "").await;
    assert!(
        english.text.contains("<html lang=\"en\">") && english.header("set-cookie").starts_with("lang=en")
    );
    insta::assert_snapshot!("home_en", body(&english.text));
}

#[tokio::test]
async fn one_tap_acknowledges_and_leads_back() {
    let house = House::new(guarded());
    let id = house.incident().await;
    let cookie = house.log_in("officer-token").await;
    let headers = [("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin")];
    let page = house.ask("GET", "/", &headers, "").await;
    assert!(page.text.contains(&format!("action=\"/incidents/{id}/ack\"")));
    let answer = house.ask("POST", &format!("/incidents/{id}/ack"), &headers, "").await;
    let place = format!("/incidents/{id}?notice=done");
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, place.as_str()));
    let shown = house.ask("GET", &place, &headers, "").await;
    assert!(shown.text.contains("已接手 officer") && shown.text.contains("已执行。"), "{}", shown.text);
    let viewer = house.log_in("viewer-token").await;
    let page = house.ask("GET", &format!("/incidents/{id}"), &[("cookie", &viewer)], "").await;
    assert!(!page.text.contains("/note\""), "a viewer is shown no buttons");
}

#[tokio::test]
async fn pressing_twice_does_once_and_old_forms_are_told() {
    let house = House::new(guarded());
    let id = house.incident().await;
    let cookie = house.log_in("commander-token").await;
    let headers = [("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin")];
    let note = format!("/incidents/{id}/note");
    for _ in 0..2 {
        let answer = house.ask("POST", &note, &headers, "version=1&text=%E5%B7%B2%E8%81%94%E7%B3%BB").await;
        assert!(answer.header("location").ends_with("notice=done"));
    }
    assert_eq!(house.desk.show(&id).await.unwrap().notes.len(), 1);
    let stale = house.ask("POST", &note, &headers, "version=1&text=other").await;
    assert!(stale.header("location").ends_with("notice=stale"));
    let page = house.ask("GET", stale.header("location"), &headers, "").await;
    assert!(page.text.contains("你的操作未执行"));
    let resolve = house.ask("POST", &format!("/incidents/{id}/review"), &headers, "text=x").await;
    assert!(resolve.header("location").ends_with("notice=illegal"), "{}", resolve.header("location"));
}

#[tokio::test]
async fn social_text_is_text() {
    let house = House::new(Config::demo());
    let id = house.incident().await;
    for path in ["/".to_owned(), format!("/incidents/{id}"), format!("/incidents/{id}?notice=%3Cscript%3E")] {
        let text = house.ask("GET", &path, &[], "").await.text;
        assert_eq!(text.matches("<script>").count(), 1, "{path}: only ours");
        assert!(!text.contains("alert('x')") && !text.contains("<b>财"), "{path}");
        assert!(!text.contains("href=\"javascript") && !text.contains('\u{202e}'), "{path}");
        assert!(!text.contains("\" onmouseover"), "{path}");
        assert!(!text.contains(" style=\""), "{path}: the policy would drop it");
    }
    let room = house.ask("GET", &format!("/incidents/{id}"), &[], "").await.text;
    assert!(room.contains("&#60;script&#62;alert(") && room.contains("全家拉肚子"), "{room}");
}

#[tokio::test]
async fn the_war_room_shows_what_a_team_needs() {
    let house = House::new(Config::demo());
    let id = house.incident().await;
    house.pass(600);
    let text = house.ask("GET", &format!("/incidents/{id}"), &[], "").await.text;
    let incident = house.desk.show(&id).await.unwrap();
    for wanted in ["负面提及", "86", "≥ 40", "时间线", "通知记录", "总指挥", "安全事故", "抽样"]
    {
        assert!(text.contains(wanted), "{wanted} is missing");
    }
    for task in &incident.tasks {
        assert!(text.contains(&incident.step(&task.step).unwrap().title.zh), "{}", task.step);
    }
    assert!(text.contains("口径模板"), "statements are at hand");
    assert_eq!(house.ask("GET", "/incidents/s00-0000000000", &[], "").await.status, StatusCode::NOT_FOUND);
}
