//! Which moves are legal from where, and what no sequence of events may ever break.

use proptest::prelude::*;
use tocsin_rules::Transition;

use super::*;
use crate::fixtures::{at, finding, person_acting, rulebook};
use crate::incident::StepState;

fn step(incident: Option<Incident>, event: Event<'_>, now: Timestamp) -> Result<Effect, CommandError> {
    apply(incident, event, "op", &rulebook(), now)
}

fn opened(level: Level) -> Incident {
    let finding = finding("f1", Transition::Opened, level, at("10:00"));
    match step(None, Event::Finding(&finding), at("10:00")).unwrap() {
        Effect::Change(change) => change.incident,
        Effect::Nothing(idle) => panic!("{idle:?}"),
    }
}

#[test]
fn a_technical_finding_opens_an_incident_with_a_plan_of_its_own() {
    let mut blind = finding("f1", Transition::Opened, Level::Medium, at("10:00"));
    blind.monitor = tocsin_rules::technical::source("news");
    let Effect::Change(change) = step(None, Event::Finding(&blind), at("10:00")).unwrap() else {
        panic!("nothing happened")
    };
    let book = rulebook();
    assert_eq!(change.incident.team, book.teams[0].id);
    assert_eq!((change.incident.plan.id.as_str(), change.incident.plan.level), ("technical", Level::Medium));
    assert!(book.policy(&change.incident.plan.policy).is_some(), "somebody is paged");
    let command = Command::SetLevel { level: Level::High, reason: "all sources".to_owned() };
    let actor = person_acting("a");
    let raised =
        step(Some(change.incident), Event::Command { command: &command, actor: &actor }, at("10:01"));
    let Effect::Change(change) = raised.unwrap() else { panic!("nothing happened") };
    assert_eq!((change.incident.plan.id.as_str(), change.incident.plan.level), ("technical", Level::High));
}

#[test]
fn legal_and_illegal_moves() {
    use State::{Confirmed, Monitoring, Resolved, Responding, Suspected};
    let text = || "why".to_owned();
    let open = [Suspected, Confirmed, Responding, Monitoring];
    let table: [(Command, &[State]); 13] = [
        (Command::Acknowledge, &open),
        (Command::Release, &open),
        (Command::Confirm { category: None }, &[Suspected]),
        (Command::Confirm { category: Some("data_leak".to_owned()) }, &open),
        (Command::Advance { to: Confirmed }, &[Suspected, Confirmed]),
        (Command::Advance { to: Responding }, &[Confirmed, Responding, Monitoring]),
        (Command::Advance { to: Monitoring }, &[Confirmed, Responding, Monitoring]),
        (Command::SetLevel { level: Level::High, reason: text() }, &open),
        (Command::Escalate, &open),
        (Command::Resolve { summary: None }, &[Confirmed, Responding, Monitoring]),
        (Command::Dismiss { reason: text() }, &open),
        (Command::Review { text: text() }, &[Resolved]),
        (Command::Note { text: text() }, &State::ALL),
    ];
    for (command, legal) in table {
        for state in State::ALL {
            let before = Incident { state, ..opened(Level::Medium) };
            let actor = person_acting("a");
            let event = Event::Command { command: &command, actor: &actor };
            match step(Some(before.clone()), event, at("10:01")) {
                Ok(_) => assert!(legal.contains(&state), "{command:?} from {state:?} went through"),
                Err(CommandError::Illegal { current, .. }) => {
                    assert!(!legal.contains(&state), "{command:?} from {state:?} was refused");
                    assert_eq!(*current, before, "the refusal encloses the incident as it stands");
                }
                Err(other) => panic!("{command:?} from {state:?}: {other}"),
            }
        }
    }
}

fn silence(up_to: Level, now: Timestamp) -> Silence {
    let matcher =
        crate::silence::Matcher { monitor: Some("m0".to_owned()), category: None, platform: None, up_to };
    Silence::new(matcher, after(now, 3_600), "a launch", &person_acting("a"), &now.to_string(), now).unwrap()
}

#[derive(Debug, Clone)]
enum Move {
    Finding(Transition, Level),
    Command(Command),
    Wait(u64),
    /// A silence up to this level for an hour; none: it ends.
    Silence(Option<Level>),
}

/// The usual policies, those that remind and take back, those that want everybody.
fn flavoured(flavour: usize) -> Rulebook {
    let mut book = rulebook();
    for policy in &mut book.policies {
        policy.remind_seconds = if flavour > 0 { 900 } else { 0 };
        policy.take_back_seconds = if flavour > 0 { 600 } else { 0 };
        for step in policy.steps.iter_mut().filter(|_| flavour == 2) {
            step.all = true;
        }
    }
    for plan in &mut book.plans {
        plan.reply_within_seconds = 1_200 * u64::from(flavour > 0);
        plan.escalate_overdue_seconds = 600 * u64::from(flavour > 0);
    }
    book
}

fn moves() -> impl Strategy<Value = Move> {
    let level = prop::sample::select(vec![Level::Low, Level::Medium, Level::High]);
    let states = prop::sample::select(State::ALL.to_vec());
    let steps = prop::sample::select(vec!["verify", "draft", "publish"]);
    let doing =
        prop::sample::select(vec![StepState::Todo, StepState::Doing, StepState::Done, StepState::Skipped]);
    let command = prop_oneof![
        4 => Just(Command::Acknowledge),
        1 => Just(Command::Release),
        1 => Just(Command::Escalate),
        1 => Just(Command::Confirm { category: None }),
        2 => states.prop_map(|to| Command::Advance { to }),
        1 => level.clone().prop_map(|level| Command::SetLevel { level, reason: "r".to_owned() }),
        1 => Just(Command::Resolve { summary: None }),
        1 => Just(Command::Dismiss { reason: "r".to_owned() }),
        1 => Just(Command::Review { text: "r".to_owned() }),
        2 => (steps, doing).prop_map(|(step, state)| Command::Step { step: step.to_owned(), state }),
    ];
    let transition = prop::sample::select(Transition::ALL.to_vec());
    prop_oneof![
        1 => prop::option::of(level.clone()).prop_map(Move::Silence),
        2 => (transition, level).prop_map(|(transition, level)| Move::Finding(transition, level)),
        3 => command.prop_map(Move::Command),
        3 => (1_u64..4_000).prop_map(Move::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    /// Versions rise by one, every change is on the chain, nothing comes early, nobody is asked to acknowledge within
    /// the epoch of an acknowledgement, and time alone always comes to rest.
    #[test]
    fn no_sequence_breaks_the_invariants(flavour in 0..3_usize, moves in prop::collection::vec(moves(), 1..40)) {
        let book = flavoured(flavour);
        let mut silences: Vec<Silence> = Vec::new();
        let mut now = at("10:00");
        let mut current: Option<Incident> = None;
        let mut chain: Vec<AuditEntry> = Vec::new();
        let mut pages = std::collections::BTreeSet::new();
        for (number, made) in moves.into_iter().enumerate() {
            let mut queue = vec![made];
            while let Some(made) = queue.pop() {
                let actor = person_acting(["a", "b", "c"][number % 3]);
                let found;
                let (event, by_time) = match &made {
                    Move::Finding(transition, level) => {
                        let level = if *transition == Transition::Recovered { Level::None } else { *level };
                        found = finding(&format!("f{number}"), *transition, level, now);
                        (Event::Finding(&found), false)
                    }
                    Move::Command(command) if current.is_some() => (Event::Command { command, actor: &actor }, false),
                    Move::Command(_) => continue,
                    Move::Silence(up_to) => {
                        silences = up_to.iter().map(|up_to| silence(*up_to, now)).collect();
                        (Event::Silences { actor: &actor }, false)
                    }
                    Move::Wait(seconds) => {
                        let due = current.as_ref().and_then(Incident::next_due);
                        let end = after(now, *seconds);
                        let Some(due) = due.filter(|due| *due <= end) else { now = end; continue };
                        let early = due.checked_sub(std::time::Duration::from_millis(1)).unwrap();
                        let too_soon = apply(current.clone(), Event::Timer, "op", &book, early).unwrap();
                        prop_assert_eq!(too_soon, Effect::Nothing(Idle::NotDue));
                        let left = u64::try_from(end.duration_since(due.max(now)).as_secs()).unwrap_or(0);
                        now = now.max(due);
                        if left > 0 { queue.push(Move::Wait(left)); }
                        (Event::Timer, true)
                    }
                };
                let by_hand = matches!(made, Move::Command(Command::Escalate));
                let holding: Vec<Silence> = silences.iter().filter(|s| s.is_active(now)).cloned().collect();
                let effect = apply_under(current.clone(), event, "op", &book, &holding, now);
                let Ok(Effect::Change(change)) = effect else { continue };
                if change.before.is_none() { chain.clear(); }
                prop_assert_eq!(change.expects(), if change.before.is_none() { 0 } else { current.as_ref().map_or(0, |i| i.version) });
                let taken = current.as_ref().filter(|i| i.acknowledged.is_some()).map(|i| i.timer_epoch);
                for page in &change.pages {
                    prop_assert!(pages.insert(page.id.clone()), "the same page twice: {:?}", page.reason);
                    // Low is recorded only; who was paged before it fell still hears of the end.
                    let told = page.reason.calls_for_acknowledgement();
                    prop_assert!(!told || by_hand || change.incident.level >= Level::Medium);
                    // Unless a rung asked for everybody's, or somebody pressed the button.
                    let awaited = change.incident.follow_up.asks(&page.to, page.epoch);
                    if told && change.before.is_some() && !awaited && !by_hand {
                        prop_assert!(taken.is_none_or(|epoch| page.epoch > epoch));
                    }
                    if by_time && page.reason == crate::delivery::PageReason::Escalated {
                        prop_assert!(change.incident.acknowledged.is_none() || awaited);
                    }
                    let news = page.reason.news().is_some();
                    prop_assert!(change.incident.silenced.is_none() || by_hand || news, "silent, and {:?}", page.reason);
                }
                prop_assert!(change.incident.is_open() || change.timer().is_none());
                let held = &change.incident.silenced;
                prop_assert!(held.is_none() || holding.iter().any(|s| s.matcher.admits(&change.incident)));
                prop_assert!(held.is_none() || change.incident.acknowledged.is_none());
                prop_assert!(!change.incident.is_open() || change.incident.level >= change.incident.level_by_hand.unwrap_or(Level::None));
                chain.push(change.audit.clone());
                prop_assert_eq!(crate::audit::verify(&chain, &change.incident), Ok(()));
                current = Some(change.incident);
            }
        }
    }
}
