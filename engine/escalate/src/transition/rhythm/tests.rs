//! When follow-up reports are asked for, and when nobody is.

use tocsin_rules::{Level, Rulebook, Transition};

use crate::{
    command::Command,
    fixtures::{House, at, finding, person_acting, rulebook},
    incident::{Incident, StepState},
    store::Filter,
};

fn hourly() -> Rulebook {
    let mut book = rulebook();
    for plan in &mut book.plans {
        plan.report_every_seconds = 3_600;
        plan.steps.clear();
        plan.recovery = plan_recovery();
    }
    book
}

fn plan_recovery() -> Vec<tocsin_rules::Step> {
    let step = rulebook().plans[1].steps[0].clone();
    vec![tocsin_rules::Step { id: "thank".to_owned(), deadline_seconds: 7_200, ..step }]
}

async fn opened(house: &House) -> Incident {
    house.until("08:00").await;
    house.desk.finding(&finding("f1", Transition::Opened, Level::High, at("08:00"))).await.unwrap();
    house.desk.list(&Filter::default(), 1, None).await.unwrap().incidents.remove(0)
}

async fn go(house: &House, id: &str, command: Command) -> Incident {
    let op = format!("{command:?} {}", tocsin_bus::Clock::now(&house.clock));
    house.desk.command(id, &command, &person_acting("a"), &op, None).await.unwrap()
}

#[tokio::test]
async fn the_commander_is_asked_when_due_and_thrice_while_it_is_missing() {
    let house = House::new(hourly());
    let id = opened(&house).await.id;
    house.until("08:02").await;
    house.pager.take();
    let taken = go(&house, &id, Command::Acknowledge).await;
    assert_eq!(taken.dossier.report_due_at, Some(at("09:02")));
    house.until("09:01:59").await;
    assert!(house.pager.take().is_empty(), "not early");
    house.until("09:03").await;
    assert_eq!(house.pager.take(), ["a report_due pager"]);
    let told = go(&house, &id, Command::Report { text: "volume falls".to_owned() }).await;
    assert_eq!(told.dossier.reports[0].due_at, Some(at("09:02")));
    assert_eq!(told.dossier.report_due_at, Some(at("10:03")));
    house.until("18:00").await;
    assert_eq!(house.pager.take(), ["a report_due pager"; 3], "10:03, 11:03, 12:03, and then no more");
    let shown = house.desk.show(&id).await.unwrap();
    assert_eq!((shown.dossier.report_due_at, shown.dossier.remind_at), (Some(at("10:03")), None));
    go(&house, &id, Command::Report { text: "calm".to_owned() }).await;
    let times = crate::response::Response::of(&house.desk.show(&id).await.unwrap(), at("18:00"));
    assert_eq!(times.reports, (2, 2), "both came after they were due");
    let closed = go(&house, &id, Command::Resolve { summary: None }).await;
    assert_eq!(closed.dossier.report_due_at, None);
}

#[tokio::test]
async fn nobody_is_asked_for_what_nobody_took() {
    let house = House::new(hourly());
    let id = opened(&house).await.id;
    house.until("18:00").await;
    assert!(house.pager.take().iter().all(|page| !page.contains("report_due")));
    assert_eq!(house.desk.show(&id).await.unwrap().dossier.report_due_at, None);
}

#[tokio::test]
async fn recovery_begins_at_resolution_and_is_watched() {
    let house = House::new(hourly());
    let id = opened(&house).await.id;
    let taken = go(&house, &id, Command::Acknowledge).await;
    assert!(taken.tasks.is_empty());
    house.until("08:30").await;
    let resolved = go(&house, &id, Command::Resolve { summary: None }).await;
    assert_eq!((resolved.tasks[0].step.as_str(), resolved.tasks[0].due_at), ("thank", at("10:30")));
    house.pager.take();
    house.until("10:31").await;
    assert_eq!(house.pager.take(), ["b overdue pager"], "operations' step");
    let late = house.desk.show(&id).await.unwrap();
    assert_eq!(late.tasks[0].state, StepState::Overdue);
    go(&house, &id, Command::Step { step: "thank".to_owned(), state: StepState::Done }).await;
    assert_eq!(house.desk.show(&id).await.unwrap().next_due(), None);
}
