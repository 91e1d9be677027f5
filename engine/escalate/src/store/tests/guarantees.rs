//! What docs/operations.md promises of commands and acknowledgements: a stale one is refused, of two from one look one
//! wins, and no page is decided after an acknowledgement (G4, G5).

use std::{collections::BTreeMap, sync::Arc};

use tocsin_rules::{Level, Role, Transition};
use tokio::task::JoinSet;

use super::Subject;
use crate::{
    command::{Command, CommandError},
    fixtures::{House, Pager, at, finding, person_acting, rulebook},
    incident::{State, StepState},
    store::Filter,
};

/// Every command, each legal on a fresh incident of high level that somebody has taken.
fn every_command() -> Vec<Command> {
    let text = || "why".to_owned();
    vec![
        Command::Acknowledge,
        Command::Release,
        Command::Confirm { category: Some("data_leak".to_owned()) },
        Command::Advance { to: State::Responding },
        Command::Assign { role: Role::Legal, person: "c".to_owned() },
        Command::Note { text: text() },
        Command::SetLevel { level: Level::Medium, reason: text() },
        Command::Escalate,
        Command::Step { step: "verify".to_owned(), state: StepState::Doing },
        Command::Approve { step: "draft".to_owned() },
        Command::Resolve { summary: None },
        Command::Dismiss { reason: text() },
        Command::Review { text: text() },
    ]
}

async fn opened(house: &House, monitor: &str) -> String {
    let mut opening = finding(&format!("open {monitor}"), Transition::Opened, Level::High, at("10:00"));
    opening.monitor = monitor.to_owned();
    opening.episode = monitor.to_owned();
    house.desk.finding(&opening).await.unwrap();
    crate::incident::Incident::id_for(monitor, monitor)
}

pub(super) async fn a_stale_command_is_refused_and_changes_nothing(subject: Subject) {
    let house = House::over(subject.store.clone(), rulebook(), Pager::accepting(), Pager::accepting());
    let id = opened(&house, "m0").await;
    let by = person_acting("a");
    house.desk.command(&id, &Command::Acknowledge, &by, "take", Some(1)).await.unwrap();
    let before = house.desk.show(&id).await.unwrap();
    let history = house.desk.audit(&id).await.unwrap();
    for (number, command) in every_command().into_iter().enumerate() {
        for seen in [0, 1, 3, u64::MAX] {
            let op = format!("stale {number} {seen}");
            let refused = house.desk.command(&id, &command, &by, &op, Some(seen)).await.unwrap_err();
            let CommandError::Stale { seen: named, current } = refused else {
                panic!("{command:?}: {refused}")
            };
            assert_eq!((named, &*current), (seen, &before), "{command:?}");
        }
    }
    assert_eq!(house.desk.show(&id).await.unwrap(), before);
    assert_eq!(house.desk.audit(&id).await.unwrap(), history);
}

pub(super) async fn of_two_commands_from_one_look_one_wins(subject: Subject) {
    let house =
        Arc::new(House::over(subject.store.clone(), rulebook(), Pager::accepting(), Pager::accepting()));
    let id = opened(&house, "m0").await;
    for version in 1..=40_u64 {
        let mut racers = JoinSet::new();
        for who in ["a", "b", "c"] {
            let (house, id) = (house.clone(), id.clone());
            racers.spawn(async move {
                let note = Command::Note { text: format!("{who} saw {version}") };
                let op = format!("{who} {version}");
                house.desk.command(&id, &note, &person_acting(who), &op, Some(version)).await
            });
        }
        let (won, lost): (Vec<_>, Vec<_>) = racers.join_all().await.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 2), "version {version}");
        for refused in lost.into_iter().filter_map(Result::err) {
            let CommandError::Stale { current, .. } = refused else { panic!("{refused}") };
            assert_eq!(current.version, version + 1);
        }
    }
    let incident = house.desk.show(&id).await.unwrap();
    assert_eq!((incident.version, incident.notes.len()), (41, 40));
}

/// Races run at once.
const RACES: usize = 1_000;

pub(super) async fn a_thousand_races(subject: Subject) {
    let mut book = rulebook();
    let monitor = book.monitors[0].clone();
    book.monitors =
        (0..RACES).map(|n| tocsin_rules::Monitor { id: format!("m{n}"), ..monitor.clone() }).collect();
    let (pager, mail) = (Pager::accepting(), Pager::accepting());
    let mut houses = Vec::new();
    for _ in 0..3 {
        // A process of its own each: its own connection, its own courier.
        let store = Arc::new(subject.server.as_ref().unwrap().connect().await);
        houses.push(Arc::new(House::over(store, book.clone(), pager.clone(), mail.clone())));
    }
    houses.iter().for_each(|house| house.clock.advance_to(at("10:00")));
    let ids: Vec<String> = {
        let mut opening = JoinSet::new();
        for n in 0..RACES {
            let house = houses[n % 3].clone();
            opening.spawn(async move { opened(&house, &format!("m{n}")).await });
        }
        opening.join_all().await
    };
    houses[0].courier.deliver_due(at("10:00")).await.unwrap();
    assert_eq!(pager.take().len(), RACES, "each first page once");

    houses.iter().for_each(|house| house.clock.advance_to(at("10:05")));
    let mut racers = JoinSet::new();
    for house in &houses {
        let timers = house.clone();
        racers.spawn(async move { timers.desk.fire_timers(at("10:05")).await.map(|_| ()).unwrap() });
        let courier = house.clone();
        racers.spawn(async move {
            for _ in 0..20 {
                courier.courier.deliver_due(at("10:05")).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
    }
    // As many people as workers, each as fast as one; the shards mix the order, so that either side is first at times.
    for (place, house) in houses.iter().cloned().enumerate() {
        let mine: Vec<String> = ids.iter().skip(place).step_by(3).cloned().collect();
        racers.spawn(async move {
            for id in mine {
                house
                    .desk
                    .command(&id, &Command::Acknowledge, &person_acting("c"), "ack", None)
                    .await
                    .unwrap();
            }
        });
    }
    racers.join_all().await;
    // What left during the race, by incident: the version that called for it.
    let mut sent: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for page in std::mem::take(&mut *pager.sent.lock().unwrap()) {
        sent.entry(page.incident.clone()).or_default().push(page.version);
    }

    // Every acknowledgement has committed: nothing is started any more, whoever looks, however long.
    for clock in ["10:05", "10:11", "10:29"] {
        for house in &houses {
            house.clock.advance_to(at(clock));
            house.desk.fire_timers(at(clock)).await.unwrap();
            house.courier.deliver_due(at(clock)).await.unwrap();
        }
    }
    assert_eq!(pager.take(), Vec::<String>::new(), "paged after the acknowledgement");

    let mut timer_won = 0;
    for id in &ids {
        let audit = houses[1].desk.audit(id).await.unwrap();
        let taken = audit.iter().find(|entry| entry.what == "acknowledged").unwrap().version;
        let last_page = audit.iter().filter(|entry| !entry.paged.is_empty()).map(|entry| entry.version).max();
        assert!(last_page < Some(taken), "a page was decided at {last_page:?}, taken at {taken}");
        let sent = sent.get(id).map(Vec::as_slice).unwrap_or_default();
        assert!(sent.len() <= 1 && sent.iter().all(|version| *version < taken), "{sent:?}, taken at {taken}");
        timer_won += usize::from(last_page == Some(2));
        assert_eq!(crate::audit::verify(&audit, &houses[2].desk.show(id).await.unwrap()), Ok(()));
    }
    let left = sent.len();
    println!(
        "{RACES} races: the timer won {timer_won}, {left} of these pages had left before the acknowledgement"
    );
    assert!(timer_won > 0 && timer_won < RACES, "both sides win some: {timer_won}");
    let open = Filter { open: Some(true), ..Filter::default() };
    assert_eq!(houses[0].desk.list(&open, RACES + 1, None).await.unwrap().incidents.len(), RACES);
}
