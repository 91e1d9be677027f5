//! Timelines: what people see from a finding to the end, on a clock moved by hand.

use jiff::civil::time;
use tocsin_rules::{Level, Transition, team::QuietHours};

use super::*;
use crate::{
    fixtures::{House, at, finding, person_acting, rulebook},
    incident::StepState,
};

async fn opened(house: &House, level: Level) -> Incident {
    let now = house.clock.now();
    let opened = house.desk.finding(&finding("f1", Transition::Opened, level, now)).await.unwrap();
    let Taken::Applied(incident) = opened else { panic!("nothing opened") };
    *incident
}

async fn send(house: &House, id: &str, who: &str, command: Command) -> Result<Incident, CommandError> {
    let op = format!("{who} {command:?} {}", house.clock.now());
    house.desk.command(id, &command, &person_acting(who), &op, None).await
}

#[tokio::test]
async fn nobody_acknowledges_and_the_second_on_call_is_paged_once_by_five_past() {
    let house = House::new(rulebook());
    house.until("10:00").await;
    opened(&house, Level::High).await;
    house.until("10:04:59").await;
    assert_eq!(house.pager.take(), ["a first pager"]);
    house.until("10:05").await;
    house.until("10:05").await;
    assert_eq!(house.pager.take(), ["b escalated pager"]);
    assert!(house.mail.take().is_empty());
}

#[tokio::test]
async fn an_acknowledgement_stops_the_escalation_for_good() {
    let house = House::new(rulebook());
    house.until("10:00").await;
    let incident = opened(&house, Level::High).await;
    house.until("10:05:30").await;
    house.pager.take();
    let taken = send(&house, &incident.id, "b", Command::Acknowledge).await.unwrap();
    assert_eq!(taken.acknowledged.as_ref().unwrap().by.who, "b");
    house.clock.advance(Duration::from_secs(1));
    // A second acknowledgement answers the first.
    let again = send(&house, &incident.id, "a", Command::Acknowledge).await.unwrap();
    assert_eq!((again.version, again.acknowledged), (taken.version, taken.acknowledged));
    house.until("10:29").await;
    assert!(house.pager.take().is_empty());
    // What the plan asks for still is watched: `verify` is due after half an hour, once, from its role.
    house.until("13:00").await;
    assert_eq!(house.pager.take(), ["b overdue pager"]);
}

#[tokio::test]
async fn unattended_the_policy_runs_out_after_its_repeats() {
    let house = House::new(rulebook());
    house.until("10:00").await;
    opened(&house, Level::High).await;
    house.until("10:29").await;
    let expected = [
        "a first",
        "b escalated",
        "a escalated",
        "b escalated",
        "c escalated", // 10:00, 10:05, 10:10
        "a escalated",
        "b escalated", // 10:20, 10:25
    ];
    let sent: Vec<String> =
        house.pager.take().iter().map(|page| page.trim_end_matches(" pager").to_owned()).collect();
    assert_eq!(sent, expected);
    house.until("23:00").await;
    let mut rest = house.pager.take();
    rest.sort();
    assert_eq!(rest, ["a escalated pager", "b escalated pager", "b overdue pager", "c escalated pager"]);
}

#[tokio::test]
async fn a_rise_asks_for_a_new_acknowledgement_and_a_fall_does_not_undo_the_hand() {
    let house = House::new(rulebook());
    house.until("10:00").await;
    let incident = opened(&house, Level::Medium).await;
    assert_eq!((incident.state, incident.plan.id.as_str()), (State::Suspected, "medium-plan"));
    send(&house, &incident.id, "a", Command::Acknowledge).await.unwrap();
    house.until("10:01").await;
    assert!(house.pager.take().is_empty(), "acknowledged before the courier came: the page is obsolete");
    house.desk.finding(&finding("f2", Transition::Raised, Level::High, at("10:02"))).await.unwrap();
    house.until("10:06").await;
    assert_eq!(house.pager.take(), ["a level_raised pager", "b escalated pager"]);
    let raised = house.desk.show(&incident.id).await.unwrap();
    assert_eq!((raised.state, raised.plan.id.as_str()), (State::Confirmed, "high-plan"));
    assert_eq!((raised.acknowledged, raised.former_acknowledgements.len()), (None, 1));
    let by_hand = Command::SetLevel { level: Level::High, reason: "press called".to_owned() };
    send(&house, &incident.id, "a", by_hand).await.unwrap();
    house.desk.finding(&finding("f3", Transition::Lowered, Level::Low, at("10:07"))).await.unwrap();
    assert_eq!(house.desk.show(&incident.id).await.unwrap().level, Level::High);
}

#[tokio::test]
async fn low_is_recorded_only_and_closes_itself_after_a_calm_watch() {
    let house = House::new(rulebook());
    house.until("10:00").await;
    let incident = opened(&house, Level::Low).await;
    house.until("11:00").await;
    house.desk.finding(&finding("f2", Transition::Recovered, Level::None, at("11:00"))).await.unwrap();
    assert_eq!(house.desk.show(&incident.id).await.unwrap().state, State::Monitoring);
    house.until("14:00").await;
    assert_eq!(house.desk.show(&incident.id).await.unwrap().state, State::Resolved);
    assert!(house.pager.take().is_empty());
}

#[tokio::test]
async fn recovery_is_told_to_those_paged_and_a_recurrence_asks_again() {
    let house = House::new(rulebook());
    house.until("10:00").await;
    let incident = opened(&house, Level::High).await;
    house.until("10:06").await;
    send(&house, &incident.id, "b", Command::Acknowledge).await.unwrap();
    house.pager.take();
    house.desk.finding(&finding("f2", Transition::Recovered, Level::None, at("10:20"))).await.unwrap();
    house.until("10:20").await;
    assert_eq!(house.pager.take(), ["a recovered pager", "b recovered pager"]);
    let mut back = finding("f3", Transition::Opened, Level::High, at("11:00"));
    back.episode = "e2".to_owned();
    house.until("11:00").await;
    assert_eq!(house.pager.take(), ["b overdue pager"]);
    house.desk.finding(&back).await.unwrap();
    house.until("11:01").await;
    assert_eq!(house.pager.take().first().map(String::as_str), Some("a recurrence pager"));
    let again = house.desk.show(&incident.id).await.unwrap();
    assert_eq!((again.state, again.recurred, again.acknowledged), (State::Responding, 1, None));
    // After resolution, within the watch, it is a new incident that names the old.
    send(&house, &incident.id, "b", Command::Resolve { summary: None }).await.unwrap();
    house.until("12:00").await;
    house.pager.take();
    let mut third = finding("f4", Transition::Opened, Level::High, at("12:00"));
    third.episode = "e3".to_owned();
    let Taken::Applied(next) = house.desk.finding(&third).await.unwrap() else { panic!("nothing opened") };
    assert_eq!(next.recurrence_of.as_deref(), Some(incident.id.as_str()));
    house.until("12:01").await;
    assert_eq!(house.pager.take(), ["a recurrence pager"]);
}

#[tokio::test]
async fn quiet_hours_hold_a_medium_page_until_morning_but_not_a_high_one() {
    let mut book = rulebook();
    book.quiet_hours = Some(QuietHours {
        time_zone: "Asia/Shanghai".to_owned(),
        from: time(22, 0, 0, 0),
        to: time(8, 0, 0, 0),
        break_through: Level::High,
        rest_days: tocsin_rules::team::RestDays::default(),
    });
    let house = House::new(book);
    house.until("15:00").await; // 23:00 in Shanghai
    let incident = opened(&house, Level::Medium).await;
    house.until("23:00").await;
    assert!(house.pager.take().is_empty());
    let held = house.desk.pages(&incident.id).await.unwrap();
    assert_eq!(held[0].page.not_before, "2026-09-11T00:00:00Z".parse().unwrap());
    house.desk.finding(&finding("f2", Transition::Raised, Level::High, at("23:00"))).await.unwrap();
    house.until("23:01").await;
    assert_eq!(house.pager.take(), ["a level_raised pager"]);
}

#[tokio::test]
async fn after_downtime_a_late_rung_is_paged_once_and_in_order() {
    let house = House::new(rulebook());
    house.until("10:00").await;
    opened(&house, Level::High).await;
    house.courier.deliver_due(at("10:00")).await.unwrap();
    house.pager.take();
    // Nobody looks at timers for an hour.
    house.clock.advance_to(at("11:00"));
    house.desk.fire_timers(at("11:00")).await.unwrap();
    house.courier.deliver_due(at("11:00")).await.unwrap();
    let sent = house.pager.take();
    assert_eq!(sent.iter().filter(|page| page.contains("escalated")).count(), 1, "{sent:?}");
    assert_eq!(sent.iter().filter(|page| page.contains("overdue")).count(), 1, "{sent:?}");
}

#[tokio::test]
async fn commands_are_idempotent_and_guarded_by_version() {
    let house = House::new(rulebook());
    house.until("10:00").await;
    let incident = opened(&house, Level::High).await;
    let (desk, id, by) = (&house.desk, incident.id.as_str(), person_acting("a"));
    let note = Command::Note { text: "seen".to_owned() };
    let first = desk.command(id, &note, &by, "op-1", Some(1)).await.unwrap();
    let second = desk.command(id, &note, &by, "op-1", Some(1)).await.unwrap();
    assert_eq!((first.version, second.version, second.notes.len()), (2, 2, 1));
    let stale = desk.command(id, &note, &by, "op-2", Some(1)).await.unwrap_err();
    assert!(matches!(stale, CommandError::Stale { seen: 1, ref current } if current.version == 2), "{stale}");
    let unknown = desk.command("s99-nothing", &note, &by, "op-3", None).await.unwrap_err();
    assert!(matches!(unknown, CommandError::Unknown(_)));
    // The same command, resolved once, is not illegal the second time.
    let resolve = Command::Resolve { summary: None };
    desk.command(id, &resolve, &by, "op-4", None).await.unwrap();
    assert_eq!(desk.command(id, &resolve, &by, "op-4", None).await.unwrap().state, State::Resolved);
    let illegal = desk.command(id, &resolve, &by, "op-5", None).await.unwrap_err();
    insta::assert_snapshot!(illegal, @"cannot resolve an incident that is resolved");
    assert!(matches!(illegal, CommandError::Illegal { ref current, .. } if current.version == 3));
}

#[tokio::test]
async fn a_statement_waits_for_its_step_and_for_two_others_to_approve() {
    let house = House::new(rulebook());
    house.until("10:00").await;
    let id = opened(&house, Level::High).await.id;
    let step = |step: &str, state| Command::Step { step: step.to_owned(), state };
    let approve = || Command::Approve { step: "draft".to_owned() };
    let refused = |result: Result<Incident, CommandError>| result.unwrap_err().to_string();
    let blocked = refused(send(&house, &id, "c", step("draft", StepState::Doing)).await);
    insta::assert_snapshot!(blocked, @"step `draft` waits for verify");
    send(&house, &id, "b", step("verify", StepState::Done)).await.unwrap();
    let nothing = refused(send(&house, &id, "a", approve()).await);
    insta::assert_snapshot!(nothing, @"nobody has taken up step `draft`: there is nothing to approve");
    send(&house, &id, "c", step("draft", StepState::Doing)).await.unwrap();
    let own = refused(send(&house, &id, "c", approve()).await);
    insta::assert_snapshot!(own, @"the author of step `draft` cannot approve it");
    send(&house, &id, "a", approve()).await.unwrap();
    let early = refused(send(&house, &id, "c", step("draft", StepState::Done)).await);
    insta::assert_snapshot!(early, @"step `draft` has 1 of 2 approvals");
    send(&house, &id, "b", approve()).await.unwrap();
    let done = send(&house, &id, "c", step("draft", StepState::Done)).await.unwrap();
    assert_eq!(done.tasks[1].approved_by, ["a", "b"]);
}

#[tokio::test]
async fn the_history_of_an_incident_reads_and_its_chain_holds() {
    let house = House::new(rulebook());
    house.until("10:00").await;
    let id = opened(&house, Level::High).await.id;
    house.until("10:05").await;
    send(&house, &id, "b", Command::Acknowledge).await.unwrap();
    send(&house, &id, "a", Command::Advance { to: State::Responding }).await.unwrap();
    house.desk.finding(&finding("f2", Transition::Recovered, Level::None, at("10:20"))).await.unwrap();
    send(&house, &id, "a", Command::Resolve { summary: Some("a faulty batch, recalled".to_owned()) })
        .await
        .unwrap();
    let audit = house.desk.audit(&id).await.unwrap();
    let lines: Vec<String> = audit
        .iter()
        .map(|entry| {
            let paged: Vec<String> =
                entry.paged.iter().map(|paged| format!("{} ({})", paged.to, paged.reason.as_str())).collect();
            let detail = entry.detail.as_deref().unwrap_or("");
            let clock = entry.at.strftime("%H:%M");
            format!(
                "{} {clock} {}: {} {detail} -> {} [{}]",
                entry.version,
                entry.by.who,
                entry.what,
                entry.state.as_str(),
                paged.join(", ")
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    1 10:00 detection: opened  -> confirmed [a (first)]
    2 10:05 timer: escalated  -> confirmed [b (escalated)]
    3 10:05 b: acknowledged  -> confirmed []
    4 10:05 a: advanced responding -> responding []
    5 10:05 detection: recovered  -> monitoring [a (recovered), b (recovered)]
    6 10:05 a: resolved a faulty batch, recalled -> resolved []
    ");
    let incident = house.desk.show(&id).await.unwrap();
    assert_eq!(crate::audit::verify(&audit, &incident), Ok(()));
    let mut forged = audit.clone();
    forged[2].by.who = "c".to_owned();
    assert_eq!(crate::audit::verify(&forged, &incident), Err(3));
    assert_eq!(crate::audit::verify(&audit[..5], &incident), Err(6));
}

#[tokio::test]
async fn a_finding_seen_twice_changes_nothing_even_after_others() {
    let house = House::new(rulebook());
    house.until("10:00").await;
    let incident = opened(&house, Level::Medium).await;
    house.desk.finding(&finding("f2", Transition::Raised, Level::High, at("10:00"))).await.unwrap();
    let before = house.desk.show(&incident.id).await.unwrap();
    for id in ["f1", "f2"] {
        let again = finding(id, Transition::Opened, Level::Medium, at("10:00"));
        assert_eq!(house.desk.finding(&again).await.unwrap(), Taken::Nothing(Idle::AlreadySo));
    }
    assert_eq!(house.desk.show(&incident.id).await.unwrap(), before);
    let mut stranger = finding("x", Transition::Opened, Level::High, at("10:00"));
    stranger.monitor = "gone".to_owned();
    assert_eq!(house.desk.finding(&stranger).await.unwrap(), Taken::Nothing(Idle::UnknownMonitor));
}

#[tokio::test]
async fn a_former_episodes_recovery_told_again_leaves_the_open_incident_alone() {
    let house = House::new(rulebook());
    house.until("10:00").await;
    let former = opened(&house, Level::High).await;
    send(&house, &former.id, "b", Command::Dismiss { reason: "a test".to_owned() }).await.unwrap();
    // It finds nothing open, so no operation id is kept of it.
    let recovered = finding("f2", Transition::Recovered, Level::None, at("10:20"));
    house.until("10:20").await;
    house.desk.finding(&recovered).await.unwrap();
    let mut second = finding("f3", Transition::Opened, Level::High, at("11:00"));
    second.episode = "e2".to_owned();
    house.until("11:00").await;
    let Taken::Applied(open) = house.desk.finding(&second).await.unwrap() else { panic!("nothing opened") };
    house.until("11:01").await;
    house.pager.take();
    assert_eq!(house.desk.finding(&recovered).await.unwrap(), Taken::Nothing(Idle::NoIncident));
    assert_eq!(house.desk.show(&open.id).await.unwrap().recovered_at, None);
    // Nobody acknowledges: the next one is paged all the same.
    house.until("11:06").await;
    assert!(house.pager.take().iter().any(|page| page.starts_with("b escalated")), "the escalation goes on");
}
