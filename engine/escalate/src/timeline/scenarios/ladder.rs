//! The escalation policy: rungs, waits, rounds, levels.

use tocsin_rules::Level::{High, Low, Medium};

use crate::{
    command::Command,
    delivery::PageReason::{Escalated, First, LevelRaised},
    timeline::tale::{Tale, acknowledge, asks, finding, holds, page},
};

tales!(
    nobody_answers_and_every_rung_is_paged_twice_over,
    an_acknowledgement_stops_it_for_good,
    an_acknowledgement_on_a_later_rung_stops_it_too,
    low_is_recorded_and_pages_nobody,
    medium_has_its_own_waits,
    a_rise_starts_the_policy_of_the_new_level,
    a_rise_after_the_acknowledgement_asks_anew,
    a_rise_from_low_is_a_first_page,
    a_fall_to_low_stops_the_ladder,
    a_fall_to_medium_leaves_the_ladder_as_it_was_frozen,
    incidents_of_several_monitors_climb_each_by_itself,
    escalated_by_hand_the_next_rung_comes_at_once_and_its_wait_counts_from_there,
    escalated_by_hand_after_the_acknowledgement_is_one_page_and_no_timer,
    two_people_cannot_escalate_twice_from_one_look,
);

fn nobody_answers_and_every_rung_is_paged_twice_over(t: &mut Tale) {
    t.at("10:00", finding(High));
    for (round, [first, second, third]) in
        [["10:00", "10:05", "10:10"], ["10:20", "10:25", "10:30"]].into_iter().enumerate()
    {
        t.expect(page("a", if round == 0 { First } else { Escalated }, first));
        t.expect(page("b", Escalated, second));
        for everybody in ["a", "b", "c"] {
            t.expect(page(everybody, Escalated, third));
        }
    }
    t.until("+1d 10:00");
}

fn an_acknowledgement_stops_it_for_good(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:03", acknowledge("b"));
    t.expect(page("a", First, "10:00..10:01"));
    t.until("+90d 10:00");
}

fn an_acknowledgement_on_a_later_rung_stops_it_too(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:21", acknowledge("c"));
    t.expect(page("a", First, "10:00"));
    t.expect(page("b", Escalated, "10:05"));
    for everybody in ["a", "b", "c"] {
        t.expect(page(everybody, Escalated, "10:10"));
    }
    t.expect(page("a", Escalated, "10:20"));
}

fn low_is_recorded_and_pages_nobody(t: &mut Tale) {
    t.at("10:00", finding(Low));
    t.at("10:01", holds("it is open", |incident| incident.is_open() && incident.paged.is_empty()));
}

fn medium_has_its_own_waits(t: &mut Tale) {
    t.at("10:00", finding(Medium));
    t.expect(page("a", First, "10:00"));
    t.expect(page("b", Escalated, "10:15"));
}

fn a_rise_starts_the_policy_of_the_new_level(t: &mut Tale) {
    t.at("10:00", finding(Medium));
    t.at("10:14", finding(High));
    t.at("10:20", acknowledge("b"));
    t.expect(page("a", First, "10:00"));
    t.expect(page("a", LevelRaised, "10:14"));
    // Not at 10:15, as medium would have had it.
    t.expect(page("b", Escalated, "10:19"));
}

fn a_rise_after_the_acknowledgement_asks_anew(t: &mut Tale) {
    t.at("10:00", finding(Medium));
    t.at("10:03", acknowledge("a"));
    t.at("10:30", finding(High));
    t.at(
        "10:31",
        holds("what was taken at medium is not taken", |incident| {
            incident.acknowledged.is_none() && incident.former_acknowledgements.len() == 1
        }),
    );
    t.at("10:36", acknowledge("a"));
    t.expect(page("a", First, "10:00"));
    t.expect(page("a", LevelRaised, "10:30"));
    t.expect(page("b", Escalated, "10:35"));
}

fn a_rise_from_low_is_a_first_page(t: &mut Tale) {
    t.at("10:00", finding(Low));
    t.at("11:00", finding(Medium));
    t.at("11:01", acknowledge("a"));
    t.expect(page("a", First, "11:00"));
}

fn a_fall_to_low_stops_the_ladder(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:04", finding(Low));
    t.expect(page("a", First, "10:00"));
}

fn a_fall_to_medium_leaves_the_ladder_as_it_was_frozen(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:04", finding(Medium));
    t.at("10:06", acknowledge("b"));
    t.expect(page("a", First, "10:00"));
    t.expect(page("b", Escalated, "10:05"));
}

fn incidents_of_several_monitors_climb_each_by_itself(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:02", finding(High).on("m1"));
    t.at("10:04", acknowledge("a"));
    t.at("10:08", acknowledge("b").on("m1"));
    t.expect(page("a", First, "10:00"));
    t.expect(page("a", First, "10:02").of("m1"));
    t.expect(page("b", Escalated, "10:07").of("m1"));
}

fn escalated_by_hand_the_next_rung_comes_at_once_and_its_wait_counts_from_there(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:01", asks("a", Command::Escalate));
    t.at("10:07", acknowledge("c"));
    t.expect(page("a", First, "10:00"));
    t.expect(page("b", Escalated, "10:01"));
    for everybody in ["a", "b", "c"] {
        t.expect(page(everybody, Escalated, "10:06"));
    }
}

fn escalated_by_hand_after_the_acknowledgement_is_one_page_and_no_timer(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:01", acknowledge("a"));
    t.at("10:30", asks("a", Command::Escalate));
    t.expect(page("a", First, "10:00"));
    t.expect(page("b", Escalated, "10:30"));
}

fn two_people_cannot_escalate_twice_from_one_look(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:01", asks("a", Command::Escalate).of_versions_ago(0));
    t.at("10:01", asks("c", Command::Escalate).of_versions_ago(1).refused("is at version 2, not 1"));
    t.at("10:02", acknowledge("b"));
    t.expect(page("a", First, "10:00"));
    t.expect(page("b", Escalated, "10:01"));
}
