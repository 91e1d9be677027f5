//! The buttons of an incident's room that give back and silence, the page of silences, and pages within digests.

use tocsin_escalate::{
    Delivery, Digest, Page,
    channel::{BoxFuture, Kind},
    throttle::{Lane, Limit},
};

use super::*;

/// A browser that is logged in.
struct Browser<'a> {
    house: &'a House,
    cookie: String,
}

impl<'a> Browser<'a> {
    async fn of(house: &'a House, token: &str) -> Self {
        Self { house, cookie: house.log_in(token).await }
    }

    async fn get(&self, path: &str) -> String {
        self.house.ask("GET", path, &[("cookie", &self.cookie)], "").await.text
    }

    /// Sends a form; where it leads.
    async fn press(&self, path: &str, form: &str) -> String {
        let headers = [("cookie", self.cookie.as_str()), ("sec-fetch-site", "same-origin")];
        let answer = self.house.ask("POST", path, &headers, form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        answer.header("location").to_owned()
    }
}

#[tokio::test]
async fn whoever_took_it_can_give_it_back() {
    let house = House::new(guarded());
    let id = house.incident().await;
    let (room, button) = (format!("/incidents/{id}"), format!("action=\"/incidents/{id}/release\""));
    let officer = Browser::of(&house, "officer-token").await;
    assert!(!officer.get(&room).await.contains(&button), "nobody has it");
    officer.press(&format!("{room}/ack"), "").await;
    assert!(officer.get(&room).await.contains(&button));
    assert!(!Browser::of(&house, "viewer-token").await.get(&room).await.contains(&button));
    let version = house.desk.show(&id).await.unwrap().version;
    let place = officer.press(&format!("{room}/release"), &format!("version={version}")).await;
    assert_eq!(place, format!("{room}?notice=done"));
    assert!(house.desk.show(&id).await.unwrap().acknowledged.is_none());
    let shown = officer.get(&room).await;
    assert!(shown.contains("尚无人接手") && !shown.contains(&button), "{shown}");
}

#[tokio::test]
async fn a_room_silences_its_monitor_up_to_its_level() {
    let house = House::new(guarded());
    let id = house.incident_of("industry", Level::Medium).await;
    let room = format!("/incidents/{id}");
    let silence = format!("{room}/silence");
    let officer = Browser::of(&house, "officer-token").await;
    let shown = officer.get(&room).await;
    assert!(shown.contains("<option value=\"2026-09-11T01:00:00Z\">明早 9:00 · 2026-09-11 09:00"), "{shown}");
    assert!(shown.contains("此监测项的事件（中风险及以下）不再通知；升到更高等级时照常通知。"), "{shown}");
    assert!(shown.contains("name=\"level\" value=\"medium\""));
    assert!(!Browser::of(&house, "viewer-token").await.get(&room).await.contains("id=\"silence\""));

    let form = "level=medium&until=1h&reason=%E6%96%B0%E5%93%81%E5%8F%91%E5%B8%83%3Cb%3E";
    for _ in 0..2 {
        assert_eq!(officer.press(&silence, form).await, format!("{room}?notice=done"));
    }
    let silences = house.desk.silences().await.unwrap();
    assert_eq!(silences.len(), 1, "pressing twice does once");
    let matcher = &silences[0].matcher;
    assert_eq!((matcher.monitor.as_deref(), matcher.up_to), (Some("industry"), Level::Medium));
    assert_eq!((&matcher.category, matcher.platform), (&None, None));
    assert_eq!(silences[0].until.to_string(), "2026-09-10T02:30:00Z");
    assert_eq!((silences[0].reason.as_str(), silences[0].by.who.as_str()), ("新品发布<b>", "officer"));
    assert!(officer.get(&room).await.contains("静默中 · 1 小时后"));

    let viewer = Browser::of(&house, "viewer-token").await;
    let end = format!("/silences/{}/expire", silences[0].id);
    let list = viewer.get("/silences").await;
    assert!(
        list.contains("即饮茶行业") && list.contains("中风险及以下") && list.contains("新品发布&#60;b&#62;"),
        "{list}"
    );
    assert!(!list.contains(&end), "a viewer is shown no button");
    assert!(officer.get("/silences").await.contains(&format!("action=\"{end}\"")));
    for _ in 0..2 {
        assert_eq!(officer.press(&end, "").await, "/silences?notice=done");
    }
    assert!(house.desk.show(&id).await.unwrap().silenced.is_none());
    let list = officer.get("/silences?lang=en").await;
    assert!(list.contains("No silence holds now.") && list.contains("ended early by officer"), "{list}");
    assert_eq!(officer.press("/silences/nothing/expire", "").await, "/silences?notice=gone");
    assert!(officer.get("/silences?notice=gone&lang=zh").await.contains("没有这个静默。"));

    // The same wish again is a new one: the first has ended.
    assert_eq!(officer.press(&silence, form).await, format!("{room}?notice=done"));
    assert!(house.desk.show(&id).await.unwrap().silenced.is_some());
    house.pass(3_600);
    let list = officer.get("/silences").await;
    assert!(list.contains("目前没有生效的静默。") && !list.contains("/expire"), "it ended by itself: {list}");
}

#[tokio::test]
async fn a_silence_of_a_room_has_an_end_a_level_and_a_reason() {
    let house = House::new(guarded());
    let id = house.incident().await;
    let path = format!("/incidents/{id}/silence");
    let officer = Browser::of(&house, "officer-token").await;
    for form in [
        "level=high&until=1h&reason=",
        "level=high&until=5h&reason=x",
        "level=high&until=2026-09-10T01:00:00Z&reason=x",
        "level=high&until=2027-09-10T01:00:00Z&reason=x",
        "level=none&until=1h&reason=x",
        "until=1h&reason=x",
        "",
    ] {
        assert!(officer.press(&path, form).await.ends_with("?notice=invalid"), "{form}");
    }
    let form = "level=high&until=1h&reason=x";
    let nowhere = officer.press("/incidents/s00-0000000000/silence", form).await;
    assert!(nowhere.ends_with("?notice=gone"), "{nowhere}");
    let commander = Browser::of(&house, "commander-token").await;
    commander.press(&format!("/incidents/{id}/dismiss"), "reason=x").await;
    assert!(officer.press(&path, form).await.ends_with("?notice=invalid"), "it is closed");
    assert!(!officer.get(&format!("/incidents/{id}")).await.contains("id=\"silence\""));
    assert!(house.desk.silences().await.unwrap().is_empty());
}

/// A way out to one place that takes one message a minute, or many pages in one.
#[derive(Debug)]
struct Narrow;

impl Channel for Narrow {
    fn kind(&self) -> Kind {
        Kind::Local
    }

    fn send<'a>(&'a self, _: &'a Page) -> BoxFuture<'a, Delivery> {
        Box::pin(async { Delivery::Delivered { provider_id: None } })
    }

    fn lane(&self, _: &str) -> Option<Lane> {
        const ONE: &[Limit] = &[Limit::per(1, 60)];
        Some(Lane { key: "narrow".into(), place: "narrow".into(), limits: ONE, digest_of: 20 })
    }

    fn send_digest<'a>(&'a self, _: &'a Digest) -> BoxFuture<'a, Delivery> {
        Box::pin(async { Delivery::Delivered { provider_id: None } })
    }
}

#[tokio::test]
async fn a_page_within_a_digest_says_so() {
    let house = House::new(Config::demo());
    let alone = house.incident().await;
    let mut ids = Vec::new();
    for monitor in ["qinghe-peach-tea", "industry"] {
        let finding = house.finding(monitor, Level::Medium);
        let Taken::Applied(incident) = house.desk.finding(&finding).await.unwrap() else {
            panic!("nothing opened")
        };
        ids.push(incident.id);
    }
    let mut channels = Registry::default();
    channels.insert("local", Arc::new(Narrow) as Arc<dyn Channel>);
    let courier = Courier::new(house.desk.clone(), channels, "narrow");
    assert_eq!(courier.deliver_due(house.clock.now()).await.unwrap(), 2);
    let record = house.desk.pages(&ids[0]).await.unwrap().remove(0);
    let digest = record.digest.unwrap();
    for id in &ids {
        let text = house.ask("GET", &format!("/incidents/{id}?lang=zh"), &[], "").await.text;
        assert_eq!(text.matches(&format!("随汇总消息发出 {digest}")).count(), 2, "{text}");
    }
    let english = house.ask("GET", &format!("/incidents/{}?lang=en", ids[0]), &[], "").await.text;
    assert!(english.contains(&format!("sent within digest {digest}")));
    let single = house.ask("GET", &format!("/incidents/{alone}?lang=zh"), &[], "").await.text;
    assert!(!single.contains("随汇总消息发出"), "it went by itself");
}
