//! Forgetting and removing through the desk.

use tocsin_rules::{Level, Transition};

use crate::{
    command::{Command, CommandError},
    fixtures::{House, at, finding, person_acting, rulebook},
    render::samples,
    store::Filter,
};

#[tokio::test]
async fn an_author_is_gone_from_evidence_and_pages_and_only_the_key_is_told() {
    let house = House::new(rulebook());
    house.until("10:00").await;
    let mut found = finding("f1", Transition::Opened, Level::High, at("10:00"));
    let post = samples::page().snapshot.evidence.remove(0);
    let author = post.author.clone().unwrap();
    let mut other = post.clone();
    other.id = "weibo:other".to_owned();
    other.author.as_mut().unwrap().key = "another".to_owned();
    found.evidence = vec![post, other];
    house.desk.finding(&found).await.unwrap();
    house.until("10:06").await;
    let done = house.desk.forget(&author.key, &person_acting("a")).await.unwrap();
    assert_eq!((done.incidents, done.pages), (1, 2), "{done:?}");
    let incident = house.desk.list(&Filter::default(), 1, None).await.unwrap().incidents.remove(0);
    let whole = serde_json::to_string(&(
        &incident,
        house.desk.pages(&incident.id).await.unwrap(),
        house.desk.timeline(&incident.id).await.unwrap(),
    ));
    let whole = whole.unwrap();
    assert!(whole.contains("weibo:other") && !whole.contains("weibo:5200000000000001"));
    assert_eq!(whole.matches(author.key.as_str()).count(), 2, "the history names the key, and its operation");
    let audit = house.desk.audit(&incident.id).await.unwrap();
    assert_eq!(audit.last().unwrap().what, "forgotten");
    assert_eq!(crate::audit::verify(&audit, &incident), Ok(()));
    let again = house.desk.forget(&author.key, &person_acting("a")).await.unwrap();
    assert_eq!((again.incidents, again.pages), (0, 0));
    assert_eq!(house.desk.show(&incident.id).await.unwrap().version, incident.version, "once");
    for bad in ["", "a b", "键", &"x".repeat(129)] {
        let answer = house.desk.forget(bad, &person_acting("a")).await;
        assert!(matches!(answer, Err(CommandError::Invalid(_))), "{bad}");
    }
}

#[tokio::test]
async fn only_what_is_closed_long_enough_is_removed() {
    let house = House::new(rulebook());
    house.until("10:00").await;
    let mut ids = Vec::new();
    for monitor in ["m0", "m1", "m2"] {
        let mut found = finding(&format!("f-{monitor}"), Transition::Opened, Level::High, at("10:00"));
        found.monitor = monitor.to_owned();
        house.desk.finding(&found).await.unwrap();
        let filter = Filter { monitor: Some(monitor.to_owned()), ..Filter::default() };
        ids.push(house.desk.list(&filter, 1, None).await.unwrap().incidents[0].id.clone());
    }
    let dismiss = Command::Dismiss { reason: "no".to_owned() };
    house.desk.command(&ids[0], &dismiss, &person_acting("a"), "d", None).await.unwrap();
    house.until("10:30").await;
    house.desk.command(&ids[1], &dismiss, &person_acting("a"), "d", None).await.unwrap();
    assert_eq!(house.desk.remove_closed(at("10:20"), 10).await.unwrap(), 1);
    assert!(matches!(house.desk.show(&ids[0]).await, Err(CommandError::Unknown(_))));
    for id in &ids[1..] {
        let (now, audit) = (house.desk.show(id).await.unwrap(), house.desk.audit(id).await.unwrap());
        assert_eq!(crate::audit::verify(&audit, &now), Ok(()));
    }
    assert_eq!(house.desk.remove_closed(at("10:20"), 10).await.unwrap(), 0);
}

#[tokio::test]
async fn refused_commands_are_on_record_with_who_what_and_why() {
    let house = House::new(rulebook());
    house.until("10:00").await;
    house.desk.finding(&finding("f1", Transition::Opened, Level::High, at("10:00"))).await.unwrap();
    let id = house.desk.list(&Filter::default(), 1, None).await.unwrap().incidents[0].id.clone();
    let go = async |id: &str, command: Command, seen| {
        let op = format!("{command:?}{seen:?}");
        house.desk.command(id, &command, &person_acting("b"), &op, seen).await.unwrap_err()
    };
    go(&id, Command::Review { text: "x".to_owned() }, None).await;
    go(&id, Command::Note { text: "x".to_owned() }, Some(99)).await;
    go(&id, Command::Note { text: " ".to_owned() }, None).await;
    go("../../etc", Command::Acknowledge, None).await;
    let told = house.desk.refusals(10).await.unwrap();
    let words: Vec<_> = told.iter().map(|r| (r.what.as_str(), r.by.who.as_str())).collect();
    assert_eq!(words.len(), 4);
    assert!(words.iter().all(|(_, who)| *who == "b"));
    for (what, why) in [("review", "cannot review"), ("note", "not 99"), ("acknowledge", "no incident")] {
        assert!(told.iter().any(|r| r.what == what && r.why.contains(why)), "{what}: {told:?}");
    }
}
