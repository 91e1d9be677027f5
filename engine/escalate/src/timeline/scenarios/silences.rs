//! Silences: what they hold back, what breaks through, and what follows when they end.

use tocsin_rules::Level::{High, Low, Medium};

use crate::{
    command::Command,
    delivery::PageReason::{Escalated, First, LevelRaised, Recovered, Recurrence},
    silence::Matcher,
    timeline::tale::{
        Action, Tale, acknowledge, asks, down_until, end_silence, finding, holds, page, recovery, resolve,
        silence, silence_of,
    },
};

tales!(
    silent_it_is_recorded_and_shown_and_pages_when_the_silence_ends,
    taken_during_the_silence_it_pages_nobody,
    over_before_the_silence_ends_it_pages_nobody,
    a_rise_above_the_silence_breaks_through,
    a_rise_within_the_silence_does_not,
    a_silence_made_under_way_stops_the_ladder_and_it_begins_anew,
    ended_by_hand_it_pages_at_once,
    a_longer_silence_takes_over_from_a_shorter,
    other_monitors_are_not_silent,
    a_category_is_silent_until_another_is_confirmed,
    a_silence_that_ended_during_downtime_pages_once_afterwards,
    a_page_held_by_quiet_hours_does_not_leave_into_a_silence,
    a_page_by_hand_goes_out_in_spite_of_a_silence,
    a_recurrence_is_silent_too,
    low_stays_low_after_a_silence,
);

fn silent_it_is_recorded_and_shown_and_pages_when_the_silence_ends(t: &mut Tale) {
    t.at("09:00", silence("launch", High, "11:00"));
    t.at("10:00", finding(High));
    t.at(
        "10:01",
        holds("it is shown as silenced", |incident| {
            incident.is_open() && incident.silenced.is_some() && incident.paged.is_empty()
        }),
    );
    t.at("11:06", acknowledge("b"));
    t.expect(page("a", First, "11:00"));
    t.expect(page("b", Escalated, "11:05"));
}

fn taken_during_the_silence_it_pages_nobody(t: &mut Tale) {
    t.at("09:00", silence("launch", High, "11:00"));
    t.at("10:00", finding(High));
    t.at("10:30", acknowledge("a"));
    t.at("10:31", holds("it is not silent any more", |incident| incident.silenced.is_none()));
}

fn over_before_the_silence_ends_it_pages_nobody(t: &mut Tale) {
    t.at("09:00", silence("launch", High, "11:00"));
    t.at("10:00", finding(High));
    t.at("10:20", recovery());
    t.at("10:30", finding(High).on("m1"));
    t.at("10:31", resolve("a").on("m1"));
    t.expect(page("a", First, "10:30").of("m1"));
}

fn a_rise_above_the_silence_breaks_through(t: &mut Tale) {
    t.at("09:00", silence("launch", Medium, "13:00"));
    t.at("10:00", finding(Medium));
    t.at("10:30", finding(High));
    t.at("10:36", acknowledge("b"));
    t.expect(page("a", First, "10:30"));
    t.expect(page("b", Escalated, "10:35"));
}

fn a_rise_within_the_silence_does_not(t: &mut Tale) {
    t.at("09:00", silence("launch", High, "13:00"));
    t.at("10:00", finding(Medium));
    t.at("10:30", finding(High));
    t.at("13:01", acknowledge("a"));
    t.expect(page("a", First, "13:00"));
}

fn a_silence_made_under_way_stops_the_ladder_and_it_begins_anew(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:06", silence("known", High, "10:30"));
    t.at("10:36", acknowledge("b"));
    t.expect(page("a", First, "10:00"));
    t.expect(page("b", Escalated, "10:05"));
    t.expect(page("a", Escalated, "10:30"));
    t.expect(page("b", Escalated, "10:35"));
}

fn ended_by_hand_it_pages_at_once(t: &mut Tale) {
    t.at("09:00", silence("launch", High, "18:00"));
    t.at("10:00", finding(High));
    t.at("10:40", end_silence("launch"));
    t.at("10:41", acknowledge("a"));
    t.expect(page("a", First, "10:40"));
}

fn a_longer_silence_takes_over_from_a_shorter(t: &mut Tale) {
    t.at("09:00", silence("short", High, "10:30"));
    t.at("10:00", finding(High));
    t.at("10:10", silence("long", High, "11:30"));
    t.at("10:20", end_silence("short"));
    t.at("11:31", acknowledge("a"));
    t.expect(page("a", First, "11:30"));
}

fn other_monitors_are_not_silent(t: &mut Tale) {
    t.at("09:00", silence("launch", High, "11:00"));
    t.at("10:00", finding(High).on("m1"));
    t.at("10:01", acknowledge("a").on("m1"));
    t.expect(page("a", First, "10:00").of("m1"));
}

fn a_category_is_silent_until_another_is_confirmed(t: &mut Tale) {
    let category = Some("data_leak".to_owned());
    let matcher = Matcher { monitor: None, category, platform: None, up_to: High };
    t.with(|book| {
        let mut other = book.categories[0].clone();
        other.id = "safety".to_owned();
        book.categories.push(other);
    });
    t.at("09:00", silence_of("known leak", matcher, "18:00"));
    t.at("10:00", finding(High).about("data_leak"));
    t.at("10:30", asks("a", Command::Confirm { category: Some("safety".to_owned()) }));
    t.at("10:31", acknowledge("a"));
    t.expect(page("a", First, "10:30"));
}

fn a_silence_that_ended_during_downtime_pages_once_afterwards(t: &mut Tale) {
    t.at("09:00", silence("launch", High, "11:00"));
    t.at("10:00", finding(High));
    t.at("10:01", Action::Restart);
    t.at("10:02", down_until("12:00"));
    t.at("12:01", acknowledge("a"));
    t.expect(page("a", First, "12:00"));
}

fn a_page_held_by_quiet_hours_does_not_leave_into_a_silence(t: &mut Tale) {
    t.with(super::duty::quiet);
    t.at("15:00", finding(Medium));
    t.at("16:00", silence("known", Medium, "+1d 06:00"));
    t.at("+1d 06:01", acknowledge("a"));
    // The night ends at 23:00, the silence at six.
    t.expect(page("a", Escalated, "+1d 06:00"));
}

fn a_page_by_hand_goes_out_in_spite_of_a_silence(t: &mut Tale) {
    t.at("09:00", silence("launch", High, "11:00"));
    t.at("10:00", finding(High));
    t.at("10:10", asks("c", Command::Escalate));
    t.at("10:20", holds("it is silent still", |incident| incident.silenced.is_some()));
    t.at("10:21", acknowledge("a"));
    t.expect(page("a", Escalated, "10:10"));
}

fn a_recurrence_is_silent_too(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:01", acknowledge("a"));
    t.at("10:10", recovery());
    t.at("10:20", silence("known", High, "11:00"));
    t.at("10:30", finding(High));
    t.at("11:01", acknowledge("a"));
    t.expect(page("a", First, "10:00"));
    t.expect(page("a", Recovered, "10:10"));
    t.expect(page("a", Recurrence, "11:00"));
}

fn low_stays_low_after_a_silence(t: &mut Tale) {
    t.at("09:00", silence("launch", Medium, "11:00"));
    t.at("10:00", finding(Low));
    t.at("11:10", finding(Medium));
    t.at("11:20", acknowledge("a"));
    t.at("11:30", finding(High));
    t.at("11:31", acknowledge("a"));
    t.expect(page("a", First, "11:10"));
    t.expect(page("a", LevelRaised, "11:30"));
}
