//! Merging, findings of merged monitors, taking apart and opening again, through the desk.

use tocsin_rules::{Level, Transition};

use crate::{
    command::{Command, CommandError},
    desk::Taken,
    fixtures::{House, at, finding, person_acting, rulebook},
    incident::{Incident, State},
    transition::Event,
};

async fn open(house: &House, monitor: &str, level: Level) -> Incident {
    told(house, monitor, &format!("f-{monitor}"), Transition::Opened, level).await
}

async fn told(house: &House, monitor: &str, id: &str, transition: Transition, level: Level) -> Incident {
    let now = tocsin_bus::Clock::now(&house.clock);
    let mut found = finding(id, transition, level, now);
    found.monitor = monitor.to_owned();
    found.episode = format!("e-{monitor}");
    match house.desk.finding(&found).await.unwrap() {
        Taken::Applied(incident) => *incident,
        Taken::Nothing(idle) => panic!("{id}: {idle:?}"),
    }
}

async fn go(house: &House, id: &str, command: Command, op: &str) -> Result<Incident, CommandError> {
    house.desk.command(id, &command, &person_acting("a"), op, None).await
}

fn merge(into: &Incident) -> Command {
    Command::Merge { into: into.id.clone() }
}

fn split() -> Command {
    Command::Split { reason: "two stories".to_owned(), page: false }
}

#[tokio::test]
async fn a_merged_monitor_speaks_through_the_survivor_while_that_is_open() {
    let house = House::new(rulebook());
    house.until("10:00").await;
    let (big, small) = (open(&house, "m0", Level::Medium).await, open(&house, "m1", Level::Medium).await);
    let merged = go(&house, &small.id, merge(&big), "m").await.unwrap();
    assert_eq!((merged.state, merged.dossier.merged_into.as_deref()), (State::Merged, Some(&*big.id)));
    let again = go(&house, &small.id, merge(&big), "m").await.unwrap();
    assert_eq!(again.version, merged.version, "once");
    let raised = told(&house, "m1", "f2", Transition::Raised, Level::High).await;
    assert_eq!((raised.id.as_str(), raised.level), (&*big.id, Level::High));
    // Its own monitor calms down: the other one still holds the level up.
    let own = told(&house, "m0", "f3", Transition::Recovered, Level::None).await;
    assert_eq!((own.level, own.recovered_at), (Level::High, None));
    let calm = told(&house, "m1", "f4", Transition::Recovered, Level::None).await;
    assert_eq!((calm.id.as_str(), calm.state), (&*big.id, State::Monitoring));
    assert!(calm.recovered_at.is_some(), "both are calm");
    let back = told(&house, "m1", "f5", Transition::Opened, Level::Medium).await;
    assert_eq!((back.id.as_str(), back.recurred), (&*big.id, 1));
    go(&house, &big.id, Command::Confirm { category: None }, "c").await.ok();
    go(&house, &big.id, Command::Resolve { summary: None }, "r").await.unwrap();
    let fresh = told(&house, "m1", "f6", Transition::Opened, Level::Medium).await;
    assert!(fresh.id != big.id && fresh.id != small.id, "the survivor is closed: a new incident");
    assert_eq!(fresh.recurrence_of.as_deref(), Some(&*big.id), "within the survivor's watch");
    for id in [&big.id, &small.id] {
        let (audit, now) = (house.desk.audit(id).await.unwrap(), house.desk.show(id).await.unwrap());
        assert_eq!(crate::audit::verify(&audit, &now), Ok(()));
        let word = if *id == big.id { "absorbed" } else { "merged" };
        assert!(audit.iter().any(|entry| entry.what == word), "{word}");
    }
}

#[tokio::test]
async fn taken_apart_again_each_goes_its_way() {
    let house = House::new(rulebook());
    house.until("10:00").await;
    let (big, small) = (open(&house, "m0", Level::Medium).await, open(&house, "m1", Level::Medium).await);
    go(&house, &small.id, merge(&big), "m").await.unwrap();
    let apart = go(&house, &small.id, split(), "s").await.unwrap();
    assert_eq!((apart.state, apart.dossier.merged_into), (State::Suspected, None));
    assert_eq!(apart.acknowledged.unwrap().by.who, "a", "whoever takes it out holds it");
    assert!(house.desk.show(&big.id).await.unwrap().dossier.guests.is_empty());
    let raised = told(&house, "m1", "f2", Transition::Raised, Level::High).await;
    assert_eq!(raised.id, small.id);
}

#[tokio::test]
async fn a_chain_leads_to_the_last_one_and_nothing_merges_into_what_is_closed() {
    let house = House::new(rulebook());
    house.until("10:00").await;
    let mut three = Vec::new();
    for monitor in ["m0", "m1", "m2"] {
        three.push(open(&house, monitor, Level::Medium).await);
    }
    go(&house, &three[0].id, merge(&three[1]), "m1").await.unwrap();
    let into_closed = go(&house, &three[2].id, merge(&three[0]), "m2").await;
    assert!(matches!(into_closed, Err(CommandError::Illegal { current, .. }) if current.id == three[0].id));
    go(&house, &three[1].id, merge(&three[2]), "m3").await.unwrap();
    let found = told(&house, "m0", "f2", Transition::Raised, Level::High).await;
    assert_eq!(found.id, three[2].id);
    let nowhere = Command::Merge { into: "s00-0000000000".to_owned() };
    assert!(matches!(go(&house, &three[2].id, nowhere, "m4").await, Err(CommandError::Invalid(_))));
    // Out of the middle of the chain.
    go(&house, &three[0].id, split(), "s").await.unwrap();
    let guests = house.desk.show(&three[2].id).await.unwrap().dossier.guests;
    assert_eq!(guests.iter().map(|guest| guest.monitor.as_str()).collect::<Vec<_>>(), ["m1"]);
    // What was merged into the one that leaves goes with it.
    go(&house, &three[0].id, merge(&three[1]), "m5").await.unwrap_err();
    go(&house, &three[1].id, split(), "s2").await.unwrap();
    go(&house, &three[0].id, merge(&three[1]), "m6").await.unwrap();
    go(&house, &three[1].id, merge(&three[2]), "m7").await.unwrap();
    assert_eq!(house.desk.show(&three[2].id).await.unwrap().dossier.guests.len(), 2);
    go(&house, &three[1].id, split(), "s3").await.unwrap();
    assert!(house.desk.show(&three[2].id).await.unwrap().dossier.guests.is_empty());
    let found = told(&house, "m0", "f9", Transition::Raised, Level::High).await;
    assert_eq!(found.id, three[1].id);
}

#[tokio::test]
async fn opened_again_it_takes_findings_again_and_pages_only_if_asked() {
    let house = House::new(rulebook());
    house.until("10:00").await;
    let first = open(&house, "m0", Level::High).await;
    go(&house, &first.id, Command::Resolve { summary: None }, "r").await.unwrap();
    house.until("10:10").await;
    house.pager.take();
    let reopen = |page| Command::Reopen { reason: "more of it".to_owned(), page };
    let quiet = go(&house, &first.id, reopen(false), "o").await.unwrap();
    assert_eq!((quiet.state, quiet.closed_at), (State::Responding, None));
    assert_eq!(quiet.next_page_at, None);
    assert!(quiet.tasks.iter().all(|task| task.due_at > at("10:10")), "deadlines count anew");
    house.until("10:30").await;
    assert!(house.pager.take().is_empty());
    go(&house, &first.id, Command::Resolve { summary: None }, "r2").await.unwrap();
    let loud = go(&house, &first.id, reopen(true), "o2").await.unwrap();
    assert!(loud.acknowledged.is_none() && loud.next_page_at.is_some());
    house.until("10:31").await;
    assert_eq!(house.pager.take(), ["a recurrence pager"]);
    assert_eq!(loud.dossier.reopenings.len(), 2);
    let raised = told(&house, "m0", "f2", Transition::Raised, Level::High).await;
    assert_eq!(raised.id, first.id);
}

#[tokio::test]
async fn no_second_open_incident_of_one_monitor() {
    let house = House::new(rulebook());
    house.until("10:00").await;
    let first = open(&house, "m0", Level::Medium).await;
    go(&house, &first.id, Command::Dismiss { reason: "no".to_owned() }, "d").await.unwrap();
    let second = told(&house, "m0", "f2", Transition::Opened, Level::Medium).await;
    let reopen = Command::Reopen { reason: "yes".to_owned(), page: false };
    let refused = go(&house, &first.id, reopen.clone(), "o").await;
    assert!(matches!(refused, Err(CommandError::Invalid(why)) if why.contains(&second.id)));
    go(&house, &second.id, Command::Dismiss { reason: "no".to_owned() }, "d2").await.unwrap();
    go(&house, &first.id, reopen, "o2").await.unwrap();
    let third = told(&house, "m0", "f3", Transition::Raised, Level::High).await;
    assert_eq!(third.id, first.id, "the one that is open, not the newest");
}

/// The survivor is written first; a process that dies there leaves two open incidents and nothing lost.
#[tokio::test]
async fn a_crash_between_the_two_writes_loses_nothing() {
    let house = House::new(rulebook());
    house.until("10:00").await;
    let (big, small) = (open(&house, "m0", Level::Medium).await, open(&house, "m1", Level::Medium).await);
    let actor = person_acting("a");
    let event = Event::Absorb { other: &small, actor: &actor };
    assert!(house.desk.write_other(big.clone(), event, "absorb").await.unwrap());
    let raised = told(&house, "m1", "f2", Transition::Raised, Level::High).await;
    assert_eq!(raised.id, small.id, "still its own");
    go(&house, &small.id, Command::Note { text: "after the crash".to_owned() }, "n").await.unwrap();
    go(&house, &small.id, merge(&big), "m").await.unwrap();
    let survivor = house.desk.show(&big.id).await.unwrap();
    assert_eq!((survivor.notes.len(), survivor.dossier.guests.len()), (1, 1));
    assert_eq!(survivor.level, Level::High, "what was found since is known too");
    // The other way about: given back, and then gone.
    let merged = house.desk.show(&small.id).await.unwrap();
    let event = Event::GiveBack { other: &merged, actor: &actor };
    assert!(house.desk.write_other(survivor, event, "give back").await.unwrap());
    let apart = go(&house, &small.id, split(), "s").await.unwrap();
    assert!(apart.is_open());
}

#[tokio::test]
async fn two_people_merging_each_into_the_other_are_both_refused() {
    let house = House::new(rulebook());
    house.until("10:00").await;
    let (one, two) = (open(&house, "m0", Level::Medium).await, open(&house, "m1", Level::Medium).await);
    let actor = person_acting("a");
    for (into, other) in [(&one, &two), (&two, &one)] {
        let event = Event::Absorb { other, actor: &actor };
        assert!(house.desk.write_other(into.clone(), event, &format!("absorb {}", other.id)).await.unwrap());
    }
    for (id, into, op) in [(&one.id, &two, "m1"), (&two.id, &one, "m2")] {
        assert!(matches!(go(&house, id, merge(into), op).await, Err(CommandError::Invalid(_))));
        assert!(house.desk.show(id).await.unwrap().is_open());
    }
}
