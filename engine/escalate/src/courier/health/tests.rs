use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tocsin_rules::Level;

use super::*;
use crate::{
    delivery::Page,
    fixtures::{House, Pager, at, finding, rulebook},
    incident::{Incident, State},
    store::embedded::Embedded,
};

/// A pager that refuses while the switch is on.
fn switched(answer: fn() -> Delivery) -> (Arc<AtomicBool>, Arc<Pager>) {
    let broken = Arc::new(AtomicBool::new(true));
    let switch = broken.clone();
    let pager = Pager::answering(move |_: &Page| {
        if switch.load(Ordering::Relaxed) { answer() } else { Delivery::Delivered { provider_id: None } }
    });
    (broken, pager)
}

fn house(pager: Arc<Pager>) -> House {
    let store = Arc::new(Embedded::in_memory(at("08:00")).unwrap());
    let house = House::over(store, rulebook(), pager, Pager::accepting());
    house.clock.advance_to(at("10:00"));
    house
}

async fn open(house: &House, number: usize, clock: &str) {
    let mut opened = finding(&format!("f{number}"), Transition::Opened, Level::High, at(clock));
    opened.monitor = format!("m{number}");
    house.desk.finding(&opened).await.unwrap();
}

async fn technical_incidents(house: &House) -> Vec<Incident> {
    let filter = crate::store::Filter { monitor: Some("channel:pager".into()), ..Default::default() };
    house.desk.list(&filter, 10, None).await.unwrap().incidents
}

#[tokio::test]
async fn a_channel_that_refuses_its_settings_is_told_through_another_once_and_recovers() {
    let (broken, pager) = switched(|| Delivery::PermanentConfig { detail: "answered 401: bad key".into() });
    let house = house(pager);
    for number in 0..5 {
        open(&house, number, "10:00").await;
    }
    house.until("10:01").await;
    let told = technical_incidents(&house).await;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].level, told[0].plan.id.as_str()), (Level::Medium, "technical"));
    assert!(told[0].reasons[0].wording.en.contains("bad key"), "{:?}", told[0].reasons);
    let about = |pager: &Pager| {
        let sent = pager.sent.lock().unwrap();
        sent.iter()
            .filter(|page| page.incident == told[0].id)
            .map(|page| page.reason.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!((about(&house.pager), about(&house.mail)), (vec![], vec!["first"]));
    broken.store(false, Ordering::Relaxed);
    open(&house, 7, "10:01").await;
    house.until("10:02").await;
    let now = house.desk.show(&told[0].id).await.unwrap();
    assert_eq!((now.state, now.recovered_at.is_some()), (State::Monitoring, true));
    assert_eq!(technical_incidents(&house).await.len(), 1);
    assert_eq!(about(&house.mail), ["first", "recovered"]);
    assert!(about(&house.pager).is_empty());
}

#[tokio::test]
async fn one_that_keeps_failing_is_told_when_it_lasts() {
    let (broken, pager) = switched(|| Delivery::Retry { after: None });
    let house = house(pager);
    for number in 0..3 {
        open(&house, number, "10:00").await;
    }
    house.until("10:00:30").await;
    assert!(technical_incidents(&house).await.is_empty(), "a hiccup is nobody's business");
    for (number, minute) in [(3, "10:01"), (4, "10:02"), (5, "10:03")] {
        house.until(minute).await;
        open(&house, number, minute).await;
    }
    house.until("10:04").await;
    let told = technical_incidents(&house).await;
    assert_eq!(told.len(), 1);
    assert!(told[0].reasons[0].wording.zh.contains("连续"), "{:?}", told[0].reasons);
    broken.store(false, Ordering::Relaxed);
    open(&house, 6, "10:05").await;
    house.until("10:06").await;
    assert!(house.desk.show(&told[0].id).await.unwrap().recovered_at.is_some());
}

#[test]
fn only_the_address_that_was_refused_shows_that_it_is_over() {
    let health = Health::default();
    let contact = |address: &str| Contact { channel: "telegram".into(), address: address.into() };
    let refused = Delivery::PermanentConfig { detail: "chat not found".into() };
    let accepted = Delivery::Delivered { provider_id: None };
    assert!(matches!(health.learn(&contact("1"), &refused, at("10:00")), Some(Turn::Broke { .. })));
    assert_eq!(health.learn(&contact("1"), &refused, at("10:00")), None, "once");
    assert_eq!(health.learn(&contact("2"), &accepted, at("10:00")), None);
    assert_eq!(health.learn(&contact("1"), &accepted, at("10:00")), Some(Turn::Works));
    health.settle("telegram", &Turn::Works, true);
    assert_eq!(health.learn(&contact("2"), &accepted, at("10:04")), None, "known to work");
    assert_eq!(health.learn(&contact("2"), &accepted, at("10:05")), Some(Turn::Works), "looked at again");
}

#[tokio::test]
async fn what_broke_before_a_restart_is_ended_by_the_first_page_that_gets_through() {
    let (broken, pager) = switched(|| Delivery::PermanentConfig { detail: "bad key".into() });
    let store: Arc<dyn crate::store::Store> = Arc::new(Embedded::in_memory(at("08:00")).unwrap());
    let before = House::over(store.clone(), rulebook(), pager.clone(), Pager::accepting());
    before.clock.advance_to(at("10:00"));
    open(&before, 0, "10:00").await;
    before.until("10:01").await;
    drop(before);
    broken.store(false, Ordering::Relaxed);
    let after = House::over(store, rulebook(), pager, Pager::accepting());
    after.clock.advance_to(at("10:02"));
    open(&after, 1, "10:02").await;
    after.until("10:03").await;
    assert!(technical_incidents(&after).await[0].recovered_at.is_some());
}
