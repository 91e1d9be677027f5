//! What follows an acknowledgement: everybody's, turns, reminders, taking and giving back.

use tocsin_rules::{
    Level::{High, Medium},
    Rulebook, Target,
};

use crate::{
    command::Command,
    delivery::PageReason::{Escalated, First, LevelRaised, Reminder},
    timeline::tale::{Action, Tale, acknowledge, asks, finding, holds, page, recovery, resolve},
};

tales!(
    where_everybody_must_acknowledge_the_others_are_paged_until_each_did,
    an_early_taker_does_not_spare_the_others_their_first_page,
    where_everybody_must_acknowledge_and_nobody_does_the_ladder_climbs,
    closing_ends_the_wait_for_the_others,
    one_who_left_is_not_waited_for,
    a_team_takes_turns_from_incident_to_incident,
    turns_go_on_with_the_rounds_of_a_policy,
    taken_and_nothing_done_whoever_took_it_is_reminded_once,
    whoever_does_something_is_not_reminded,
    after_the_reminder_the_acknowledgement_is_taken_back_and_the_ladder_goes_on,
    taken_back_when_the_ladder_was_exhausted_it_begins_once_more,
    work_after_the_reminder_keeps_the_acknowledgement,
    a_taker_outside_the_rulebook_reminds_the_commander,
    a_recovery_ends_the_reminders,
    given_back_and_taken_again_nobody_is_paged_anew,
    given_back_and_not_taken_the_ladder_goes_on_after_its_wait,
    a_rise_ends_what_the_former_acknowledgement_left,
);

fn everybody(book: &mut Rulebook) {
    let high = book.policies.iter_mut().find(|policy| policy.id == "high").unwrap();
    high.steps.remove(0);
    high.steps.swap(0, 1);
    high.steps[0].all = true; // the whole team, 10 minutes; then b
    high.repeat = 0;
}

fn where_everybody_must_acknowledge_the_others_are_paged_until_each_did(t: &mut Tale) {
    t.with(everybody);
    t.at("10:00", finding(High));
    t.at("10:01", acknowledge("a"));
    t.at("10:15", acknowledge("b"));
    t.at("10:16", acknowledge("b"));
    t.at("10:33", acknowledge("c"));
    t.at(
        "10:34",
        holds("a took it, b and c acknowledged too", |incident| {
            incident.acknowledged.as_ref().is_some_and(|taken| taken.by.who == "a")
                && incident.follow_up.also.iter().map(|also| also.by.who.as_str()).eq(["b", "c"])
                && incident.next_page_at.is_none()
        }),
    );
    for person in ["a", "b", "c"] {
        t.expect(page(person, First, "10:00"));
    }
    t.expect(page("b", Escalated, "10:11"));
    t.expect(page("c", Escalated, "10:11"));
    t.expect(page("c", Escalated, "10:21"));
    t.expect(page("c", Escalated, "10:31"));
    t.until("+1d 10:00");
}

fn an_early_taker_does_not_spare_the_others_their_first_page(t: &mut Tale) {
    t.with(everybody);
    t.at("09:59", crate::timeline::tale::channel("pager", crate::timeline::tale::Answers::Down));
    t.at("10:00", finding(High));
    t.at("10:00", acknowledge("a"));
    t.at("10:05", acknowledge("b"));
    t.at("10:05", acknowledge("c"));
    // The page to a is obsolete; those to b and c reach them round the broken pager.
    t.expect(page("b", First, "10:00..10:01").by("mail"));
    t.expect(page("c", First, "10:00..10:01").by("mail"));
}

fn where_everybody_must_acknowledge_and_nobody_does_the_ladder_climbs(t: &mut Tale) {
    t.with(everybody);
    t.at("10:00", finding(High));
    t.at("10:12", acknowledge("b"));
    t.at("10:13", acknowledge("a"));
    t.at("10:14", acknowledge("c"));
    for person in ["a", "b", "c"] {
        t.expect(page(person, First, "10:00"));
    }
    t.expect(page("b", Escalated, "10:10"));
}

fn closing_ends_the_wait_for_the_others(t: &mut Tale) {
    t.with(everybody);
    t.at("10:00", finding(High));
    t.at("10:01", acknowledge("a"));
    t.at("10:05", resolve("a"));
    for person in ["a", "b", "c"] {
        t.expect(page(person, First, "10:00"));
    }
}

fn one_who_left_is_not_waited_for(t: &mut Tale) {
    t.with(everybody);
    t.at("10:00", finding(High));
    t.at("10:01", acknowledge("a"));
    t.at("10:02", acknowledge("b"));
    t.at("10:03", crate::timeline::tale::edit(|book| book.teams[0].people.retain(|person| person.id != "c")));
    for person in ["a", "b", "c"] {
        t.expect(page(person, First, "10:00"));
    }
}

fn turns(book: &mut Rulebook) {
    let high = book.policies.iter_mut().find(|policy| policy.id == "high").unwrap();
    high.steps.truncate(1);
    high.steps[0].targets = vec![Target::RoundRobin("care".to_owned())];
}

fn a_team_takes_turns_from_incident_to_incident(t: &mut Tale) {
    t.with(turns);
    let hours = ["09:00", "10:00", "11:00", "12:00", "13:00", "14:00"];
    // Whose turn the first is follows from the monitor; from then on it goes round.
    for (n, hour) in hours.into_iter().enumerate() {
        t.at(hour, finding(High));
        t.at(&format!("{}:01", &hour[..2]), acknowledge("a"));
        t.at(&format!("{}:02", &hour[..2]), asks("a", Command::Dismiss { reason: "a drill".to_owned() }));
        t.at(&format!("{}:03", &hour[..2]), recovery());
        t.expect(page(["c", "a", "b"][n % 3], First, hour));
    }
}

fn turns_go_on_with_the_rounds_of_a_policy(t: &mut Tale) {
    t.with(turns);
    t.at("10:00", finding(High));
    t.expect(page("c", First, "10:00"));
    t.expect(page("a", Escalated, "10:05"));
}

fn reminding(book: &mut Rulebook) {
    for policy in &mut book.policies {
        policy.remind_seconds = 1_800;
    }
}

fn taking_back(book: &mut Rulebook) {
    reminding(book);
    for policy in &mut book.policies {
        policy.take_back_seconds = 600;
    }
}

fn taken_and_nothing_done_whoever_took_it_is_reminded_once(t: &mut Tale) {
    t.with(reminding);
    t.at("10:00", finding(High));
    t.at("10:01", acknowledge("b"));
    t.expect(page("a", First, "10:00"));
    t.expect(page("b", Reminder, "10:31"));
    t.until("+7d 10:00");
}

fn whoever_does_something_is_not_reminded(t: &mut Tale) {
    t.with(taking_back);
    t.at("10:00", finding(High));
    t.at("10:01", acknowledge("b"));
    t.at("10:20", asks("b", Command::Note { text: "calling the plant".to_owned() }));
    t.expect(page("a", First, "10:00"));
    t.until("+7d 10:00");
}

fn after_the_reminder_the_acknowledgement_is_taken_back_and_the_ladder_goes_on(t: &mut Tale) {
    t.with(taking_back);
    t.at("10:00", finding(High));
    t.at("10:01", acknowledge("a"));
    t.at(
        "10:42",
        holds("nobody has it", |incident| {
            incident.acknowledged.is_none() && incident.former_acknowledgements.len() == 1
        }),
    );
    t.at("10:43", acknowledge("b"));
    t.at("10:44", asks("b", Command::Note { text: "on it".to_owned() }));
    t.expect(page("a", First, "10:00"));
    t.expect(page("a", Reminder, "10:31"));
    t.expect(page("b", Escalated, "10:41"));
    t.until("+7d 10:00");
}

fn taken_back_when_the_ladder_was_exhausted_it_begins_once_more(t: &mut Tale) {
    t.with(taking_back);
    t.at("10:00", finding(Medium));
    t.at("10:20", acknowledge("b"));
    t.expect(page("a", First, "10:00"));
    t.expect(page("b", Escalated, "10:15"));
    t.expect(page("b", Reminder, "10:50"));
    t.expect(page("a", Escalated, "11:00"));
    t.expect(page("b", Escalated, "11:15"));
    t.until("+7d 10:00");
}

fn work_after_the_reminder_keeps_the_acknowledgement(t: &mut Tale) {
    t.with(taking_back);
    t.at("10:00", finding(High));
    t.at("10:01", acknowledge("a"));
    t.at("10:35", asks("a", Command::Confirm { category: Some("data_leak".to_owned()) }));
    t.expect(page("a", First, "10:00"));
    t.expect(page("a", Reminder, "10:31"));
}

fn a_taker_outside_the_rulebook_reminds_the_commander(t: &mut Tale) {
    t.with(reminding);
    t.at("10:00", finding(High));
    t.at("10:01", acknowledge("a token"));
    t.expect(page("a", First, "10:00"));
    t.expect(page("a", Reminder, "10:31"));
}

fn a_recovery_ends_the_reminders(t: &mut Tale) {
    t.with(taking_back);
    t.at("10:00", finding(High));
    t.at("10:01", acknowledge("b"));
    t.at("10:20", recovery());
    t.expect(page("a", First, "10:00"));
    t.expect(page("a", crate::delivery::PageReason::Recovered, "10:20"));
    // The one at the end of the watch, not the one for doing nothing.
    t.expect(page("b", Reminder, "12:20"));
}

fn given_back_and_taken_again_nobody_is_paged_anew(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:01", acknowledge("a"));
    t.at("10:02", asks("a", Command::Release));
    t.at("10:02:10", acknowledge("a"));
    t.at("10:30", asks("a", Command::Release));
    t.at("10:31", acknowledge("b"));
    t.expect(page("a", First, "10:00"));
}

fn given_back_and_not_taken_the_ladder_goes_on_after_its_wait(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:01", acknowledge("a"));
    t.at("10:30", asks("a", Command::Release));
    t.at("10:36", acknowledge("b"));
    t.at("10:37", Action::from(asks("a", Command::Dismiss { reason: "over".to_owned() })));
    t.at("10:38", asks("a", Command::Release).refused("cannot release an incident that is dismissed"));
    t.expect(page("a", First, "10:00"));
    t.expect(page("b", Escalated, "10:35"));
}

fn a_rise_ends_what_the_former_acknowledgement_left(t: &mut Tale) {
    t.with(taking_back);
    t.at("10:00", finding(Medium));
    t.at("10:01", acknowledge("a"));
    t.at("10:10", finding(High));
    t.at("10:11", acknowledge("b"));
    t.at("10:12", asks("b", Command::Note { text: "on it".to_owned() }));
    t.expect(page("a", First, "10:00"));
    t.expect(page("a", LevelRaised, "10:10"));
}
