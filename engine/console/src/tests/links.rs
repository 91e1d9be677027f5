//! Signed acknowledge links.

use tocsin_escalate::render::link::Grant;

use super::*;

#[tokio::test]
async fn a_link_shows_then_acknowledges_then_says_so() {
    let house = House::new(guarded());
    let id = house.incident().await;
    let link = house.link();
    for method in ["GET", "HEAD", "GET"] {
        let answer = house.ask(method, &link, &[], "").await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(house.desk.show(&id).await.unwrap().acknowledged.is_none(), "looking changes nothing");
    }
    let shown = house.ask("GET", &link, &[], "").await;
    assert!(
        shown.text.contains("确认接手")
            && shown.text.contains("青禾")
            && !shown.text.contains("evil.example")
    );
    let done = house.ask("POST", &link, &[("accept-language", "en")], "").await;
    assert_eq!(done.status, StatusCode::OK);
    let incident = house.desk.show(&id).await.unwrap();
    let by = &incident.acknowledged.as_ref().unwrap().by;
    let page = &house.local.shown()[0].page;
    assert_eq!((by.who.as_str(), by.via), (page.to.as_str(), tocsin_escalate::Via::Link));
    let name = &page.to_name;
    assert!(
        done.text.contains(&format!("Already acknowledged by {name} at 2026-09-10 09:30")),
        "{}",
        done.text
    );
    house.pass(60);
    let again = house.ask("POST", &link, &[], "").await;
    assert_eq!(again.status, StatusCode::OK);
    assert!(again.text.contains(name.as_str()) && !again.text.contains("<form method=\"post\" class"));
    assert_eq!(house.desk.show(&id).await.unwrap().version, incident.version, "once");
}

#[tokio::test]
async fn forged_late_and_outlived_links_do_nothing() {
    let house = House::new(guarded());
    let id = house.incident().await;
    let epoch = house.desk.show(&id).await.unwrap().timer_epoch;
    let expires = house.clock.now().as_second() + 3600;
    let grant = Grant { incident: id.clone(), epoch, person: "lin-an".into(), expires };
    let link = |grant: &Grant| format!("/a/{}", house.signer.sign(grant));
    let stranger = Signer::new(vec![("k1".into(), Secret::new("m".repeat(32)))]).unwrap();
    let table = [
        ("/a/nonsense".to_owned(), 404),
        (format!("/a/{}", stranger.sign(&grant)), 404),
        (format!("{}x", link(&grant)), 404),
        (link(&Grant { expires: expires - 7200, ..grant.clone() }), 410),
        (link(&Grant { epoch: epoch + 1, ..grant.clone() }), 410),
        (link(&Grant { incident: "s00-0000000000".into(), ..grant.clone() }), 410),
    ];
    for (link, status) in table {
        for method in ["GET", "POST"] {
            let answer = house.ask(method, &link, &[], "").await;
            assert_eq!(answer.status.as_u16(), status, "{method} {link}");
            assert!(!answer.text.contains(&id) || status == 410);
        }
    }
    assert!(house.desk.show(&id).await.unwrap().acknowledged.is_none());
    let dismissed = house
        .bearer(
            "commander-token",
            "POST",
            &format!("/api/v1/incidents/{id}/dismiss"),
            r#"{"reason":"drill"}"#,
        )
        .await;
    assert_eq!(dismissed.status, StatusCode::OK);
    assert_eq!(house.ask("POST", &link(&grant), &[], "").await.status, StatusCode::GONE);
}

#[tokio::test]
async fn a_link_is_not_a_login() {
    let house = House::new(guarded());
    house.incident().await;
    let answer = house.ask("POST", &house.link(), &[], "").await;
    assert!(answer.header("set-cookie").is_empty());
    assert_eq!(house.ask("GET", "/", &[], "").await.status, StatusCode::SEE_OTHER);
}
