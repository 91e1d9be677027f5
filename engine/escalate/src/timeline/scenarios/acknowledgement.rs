//! Taking an incident: what it stops, and what may not undo it.

use tocsin_rules::Level::High;

use crate::{
    delivery::PageReason::{Escalated, First},
    incident::State,
    timeline::tale::{Action, Tale, acknowledge, finding, holds, page, resolve},
};

tales!(
    an_acknowledgement_that_races_a_resolution_does_not_undo_it,
    an_acknowledgement_of_a_closed_incident_is_refused,
    a_stale_acknowledgement_is_refused_with_the_present_version,
    the_same_operation_twice_is_one_acknowledgement,
    two_who_take_it_at_once_are_one_taker,
    an_acknowledgement_that_races_the_timer_ends_it,
    a_finding_at_the_same_level_pages_nobody_anew,
);

fn an_acknowledgement_that_races_a_resolution_does_not_undo_it(t: &mut Tale) {
    t.at("10:00", finding(High));
    let race = vec![acknowledge("b").or_refused().into(), resolve("a").into()];
    t.at("10:02", Action::Together(race));
    t.at("10:03", holds("it is resolved", |incident| incident.state == State::Resolved));
    t.at("10:04", acknowledge("c").or_refused());
    t.at("10:05", holds("it stays resolved", |incident| incident.state == State::Resolved));
    t.expect(page("a", First, "10:00"));
}

fn an_acknowledgement_of_a_closed_incident_is_refused(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:02", resolve("a"));
    t.at("10:03", acknowledge("b").refused("cannot acknowledge an incident that is resolved"));
    t.expect(page("a", First, "10:00"));
}

fn a_stale_acknowledgement_is_refused_with_the_present_version(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:06", acknowledge("a").of_versions_ago(1).refused("is at version 2, not 1"));
    t.at("10:07", acknowledge("a").of_versions_ago(0));
    t.expect(page("a", First, "10:00"));
    t.expect(page("b", Escalated, "10:05"));
}

fn the_same_operation_twice_is_one_acknowledgement(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:01", acknowledge("a").with_operation("press"));
    t.at("10:02", acknowledge("a").with_operation("press").of_versions_ago(1));
    t.at("10:03", holds("taken once, at version 2", |incident| incident.version == 2));
    t.expect(page("a", First, "10:00"));
}

fn two_who_take_it_at_once_are_one_taker(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:01", Action::Together(vec![acknowledge("a").into(), acknowledge("b").into()]));
    t.at("10:02", holds("one change", |incident| incident.version == 2 && incident.acknowledged.is_some()));
    t.expect(page("a", First, "10:00"));
}

fn an_acknowledgement_that_races_the_timer_ends_it(t: &mut Tale) {
    t.at("10:00", finding(High));
    // A second early, so that the timers of the race find nothing; the real race is in `races`.
    t.at("10:04:59", Action::Together(vec![acknowledge("b").into()]));
    t.at("10:06", holds("nobody is to be paged", |incident| incident.next_page_at.is_none()));
    t.expect(page("a", First, "10:00"));
}

fn a_finding_at_the_same_level_pages_nobody_anew(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:01", acknowledge("a"));
    t.at("10:10", finding(High));
    t.at("10:20", finding(High));
    t.expect(page("a", First, "10:00"));
}
