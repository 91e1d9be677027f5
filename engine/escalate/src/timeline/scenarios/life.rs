//! Recovery, the watch, recurrence, closing.

use tocsin_rules::Level::{High, Medium};

use crate::{
    command::Command,
    delivery::PageReason::{Escalated, First, Recovered, Recurrence, Reminder},
    incident::State,
    timeline::tale::{Tale, acknowledge, asks, finding, holds, page, recovery, resolve},
};

tales!(
    recovery_tells_those_who_were_paged_and_stops_the_ladder,
    unattended_it_closes_itself_when_the_watch_ends,
    whoever_took_it_is_reminded_to_close_it,
    back_within_the_watch_it_is_a_recurrence,
    back_after_it_was_resolved_within_the_watch_too,
    back_after_the_watch_it_is_a_new_incident,
    back_after_it_was_dismissed_it_is_a_new_incident,
    one_finding_told_twice_is_one_incident,
    a_late_recovery_of_a_closed_incident_says_nothing,
);

fn recovery_tells_those_who_were_paged_and_stops_the_ladder(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:06", recovery());
    t.expect(page("a", First, "10:00"));
    t.expect(page("b", Escalated, "10:05"));
    t.expect(page("a", Recovered, "10:06"));
    t.expect(page("b", Recovered, "10:06"));
}

fn unattended_it_closes_itself_when_the_watch_ends(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:01", recovery());
    t.at("12:00:59", holds("it is watched", |incident| incident.state == State::Monitoring));
    t.at("12:01", holds("it is closed", |incident| incident.state == State::Resolved));
    t.expect(page("a", First, "10:00"));
    t.expect(page("a", Recovered, "10:01"));
}

fn whoever_took_it_is_reminded_to_close_it(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:01", acknowledge("b"));
    t.at("10:10", recovery());
    t.expect(page("a", First, "10:00"));
    t.expect(page("a", Recovered, "10:10"));
    t.expect(page("b", Reminder, "12:10"));
    t.until("+30d 10:00");
}

fn back_within_the_watch_it_is_a_recurrence(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:01", acknowledge("a"));
    t.at("10:10", recovery());
    t.at("10:30", finding(High));
    t.at("10:36", acknowledge("b"));
    t.expect(page("a", First, "10:00"));
    t.expect(page("a", Recovered, "10:10"));
    t.expect(page("a", Recurrence, "10:30"));
    t.expect(page("b", Escalated, "10:35"));
}

fn back_after_it_was_resolved_within_the_watch_too(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:01", acknowledge("a"));
    t.at("10:02", resolve("a"));
    t.at("10:03", recovery());
    t.at("11:00", finding(Medium));
    t.at("11:01", acknowledge("a"));
    t.at("11:02", holds("it follows the former", |incident| incident.recurrence_of.is_some()));
    t.expect(page("a", First, "10:00"));
    t.expect(page("a", Recurrence, "11:00"));
}

fn back_after_the_watch_it_is_a_new_incident(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:01", acknowledge("a"));
    t.at("10:02", resolve("a"));
    t.at("10:03", recovery());
    t.at("12:30", finding(High));
    t.at("12:31", acknowledge("a"));
    t.expect(page("a", First, "10:00"));
    t.expect(page("a", First, "12:30"));
}

fn back_after_it_was_dismissed_it_is_a_new_incident(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:01", asks("a", Command::Dismiss { reason: "a campaign of our own".to_owned() }));
    t.at("10:02", recovery());
    t.at("10:30", finding(High));
    t.at("10:31", acknowledge("a"));
    t.expect(page("a", First, "10:00"));
    t.expect(page("a", First, "10:30"));
}

fn one_finding_told_twice_is_one_incident(t: &mut Tale) {
    t.at("10:00", finding(High).named("once"));
    t.at("10:01", finding(High).named("once"));
    t.at("10:02", acknowledge("a"));
    t.at("10:03", finding(High).named("once"));
    t.at("10:04", holds("two changes", |incident| incident.version == 2));
    t.expect(page("a", First, "10:00"));
}

fn a_late_recovery_of_a_closed_incident_says_nothing(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:01", resolve("a"));
    t.at("10:20", recovery());
    t.at("10:21", holds("it stays as it was closed", |incident| incident.version == 2));
    t.expect(page("a", First, "10:00"));
}
