//! Merging as a pure step: what is carried, what is refused.

use tocsin_rules::Rulebook;

use crate::{
    command::{Command, CommandError},
    fixtures::{at, finding, person_acting, rulebook},
    incident::{Incident, State},
    transition::{Effect, Event, Idle, apply},
};
use tocsin_rules::{Level, Transition};

fn of(monitor: &str, level: Level, book: &Rulebook) -> Incident {
    let mut found = finding(&format!("f-{monitor}"), Transition::Opened, level, at("10:00"));
    found.monitor = monitor.to_owned();
    found.evidence = crate::render::samples::page().snapshot.evidence;
    found.evidence[0].id = format!("weibo:{monitor}");
    match apply(None, Event::Finding(&found), "op", book, at("10:00")) {
        Ok(Effect::Change(change)) => change.incident,
        other => panic!("{other:?}"),
    }
}

fn absorb(into: Incident, other: &Incident) -> Result<Effect, CommandError> {
    let event = Event::Absorb { other, actor: &person_acting("a") };
    apply(Some(into), event, "op", &rulebook(), at("10:05"))
}

#[test]
fn the_survivor_holds_both_and_a_second_time_changes_nothing() {
    let book = rulebook();
    let (into, mut other) = (of("m0", Level::Medium, &book), of("m1", Level::Medium, &book));
    other.notes.push(crate::incident::Note {
        by: person_acting("b"),
        at: at("10:02"),
        text: "called the shop".to_owned(),
    });
    let Ok(Effect::Change(change)) = absorb(into, &other) else { panic!("refused") };
    let held = change.incident;
    let ids: Vec<_> = held.evidence.iter().map(|post| post.id.as_str()).collect();
    assert_eq!(ids, ["weibo:m0", "weibo:m1"]);
    assert_eq!(held.notes, other.notes);
    assert_eq!((held.dossier.guests.len(), held.dossier.guests[0].level), (1, Level::Medium));
    assert!(change.pages.is_empty(), "nobody is paged for paper work");
    assert_eq!(absorb(held, &other).unwrap(), Effect::Nothing(Idle::AlreadySo));
}

#[test]
fn a_graver_guest_raises_the_level_and_pages() {
    let book = rulebook();
    let (into, other) = (of("m0", Level::Medium, &book), of("m1", Level::High, &book));
    let Ok(Effect::Change(change)) = absorb(into, &other) else { panic!("refused") };
    assert_eq!((change.incident.level, change.incident.plan.level), (Level::High, Level::High));
    assert!(!change.pages.is_empty());
}

#[test]
fn closed_ones_drills_and_circles_are_refused() {
    let book = rulebook();
    let (into, other) = (of("m0", Level::Medium, &book), of("m1", Level::Medium, &book));
    let closed = Incident { state: State::Resolved, ..into.clone() };
    assert!(matches!(absorb(closed, &other), Err(CommandError::Illegal { .. })));
    let drill = Incident { drill: Some("d".to_owned()), ..other.clone() };
    assert!(matches!(absorb(into.clone(), &drill), Err(CommandError::Invalid(_))));
    let Ok(Effect::Change(change)) = absorb(into.clone(), &other) else { panic!("refused") };
    for into_id in [other.id.clone(), into.id.clone()] {
        let command = Command::Merge { into: into_id };
        let event = Event::Command { command: &command, actor: &person_acting("a") };
        let answer = apply(Some(change.incident.clone()), event, "op", &book, at("10:06"));
        assert!(matches!(answer, Err(CommandError::Invalid(_))), "{command:?}");
    }
}
