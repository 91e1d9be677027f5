//! Times against limits.

use tocsin_rules::{Level, Transition};

use super::{Response, Span};
use crate::{
    command::Command,
    fixtures::{House, at, finding, person_acting, rulebook},
};

#[test]
fn a_span_is_met_missed_or_still_running() {
    let of = |to: Option<&str>, limit, now| Span::of(at("10:00"), to.map(at), limit, at(now));
    assert_eq!(of(Some("10:05"), Some(300), "12:00").met, Some(true));
    assert_eq!(of(Some("10:06"), Some(300), "12:00").met, Some(false));
    assert_eq!(of(None, Some(300), "10:04").met, None, "there still is time");
    assert_eq!(of(None, Some(300), "10:06").met, Some(false));
    assert_eq!(of(Some("10:05"), None, "12:00").met, None);
}

#[tokio::test]
async fn computed_from_the_incident() {
    let house = House::new(rulebook());
    house.until("10:00").await;
    house.desk.finding(&finding("f1", Transition::Opened, Level::High, at("09:58"))).await.unwrap();
    let listing = house.desk.list(&crate::store::Filter::default(), 1, None).await.unwrap();
    let id = listing.incidents[0].id.clone();
    house.until("10:07").await;
    house.desk.command(&id, &Command::Acknowledge, &person_acting("b"), "op", None).await.unwrap();
    let times = Response::of(&house.desk.show(&id).await.unwrap(), at("10:40"));
    assert_eq!(times.detect_seconds, 120);
    assert_eq!((times.acknowledge.seconds, times.acknowledge.limit), (Some(420), Some(300)));
    assert_eq!(times.acknowledge.met, Some(false));
    assert_eq!(times.confirm.seconds, Some(0), "a high one confirms itself");
    assert_eq!((times.statement.seconds, times.statement.met), (None, None));
    assert_eq!(times.steps[0].met, Some(false), "verify was due at 10:30");
}
