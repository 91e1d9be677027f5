//! Who is on duty: hand-over, clock changes, stand-ins, quiet hours.

use jiff::civil::{date, time};
use tocsin_rules::{
    Level::{High, Medium},
    Rulebook, Target,
    team::{Calendar, Layer, Override, QuietHours, RestDays, Rotation},
};

use crate::{
    delivery::PageReason::{Escalated, First, LevelRaised},
    timeline::tale::{Tale, acknowledge, finding, page, when},
};

tales!(
    the_page_goes_to_who_is_on_duty_when_it_leaves_not_when_it_began,
    the_rotation_wraps,
    a_hand_over_in_the_hour_that_is_skipped_comes_after_the_gap,
    a_hand_over_in_the_hour_that_comes_twice_comes_once,
    a_stand_in_is_paged_and_the_regular_is_not,
    one_person_by_two_targets_is_paged_once,
    quiet_hours_hold_medium_until_morning_and_the_ladder_goes_on_from_there,
    quiet_hours_do_not_hold_high,
    acknowledged_during_quiet_hours_nobody_is_woken_in_the_morning,
    a_weekend_is_quiet_until_monday_morning,
    a_teams_own_quiet_hours_replace_the_rulebooks,
    a_holiday_has_a_rotation_of_its_own,
    the_night_layer_is_paged_at_night_and_the_day_from_its_end,
);

fn roster(book: &mut Rulebook, zone: &str, rotation: Rotation, handover: jiff::civil::Time) {
    let roster = book.teams[0].roster.as_mut().unwrap();
    roster.time_zone = zone.to_owned();
    roster.rotation = rotation;
    roster.handover = handover;
    roster.start = date(2026, 3, 2);
}

fn the_page_goes_to_who_is_on_duty_when_it_leaves_not_when_it_began(t: &mut Tale) {
    // Hand-over at 18:00 in Shanghai, which is 10:00 here: from a to b.
    t.with(|book| {
        roster(book, "Asia/Shanghai", Rotation::Daily, time(18, 0, 0, 0));
        book.teams[0].roster.as_mut().unwrap().start = date(2026, 9, 9);
    });
    t.at("09:58", finding(High));
    t.at("10:04", acknowledge("c"));
    t.expect(page("a", First, "09:58"));
    // The second rung is the one after whoever is on duty by then.
    t.expect(page("c", Escalated, "10:03"));
}

fn the_rotation_wraps(t: &mut Tale) {
    t.with(|book| roster(book, "Asia/Shanghai", Rotation::Weekly, time(9, 0, 0, 0)));
    t.starts("2026-03-22T00:00:00Z");
    t.at("2026-03-23T00:59:00Z", finding(High));
    t.at("2026-03-23T00:59:30Z", acknowledge("c"));
    t.at("2026-03-23T01:00:00Z", finding(High).on("m1"));
    t.at("2026-03-23T01:00:30Z", acknowledge("a").on("m1"));
    t.expect(page("c", First, "2026-03-23T00:59:00Z"));
    t.expect(page("a", First, "2026-03-23T01:00:00Z").of("m1"));
}

fn a_hand_over_in_the_hour_that_is_skipped_comes_after_the_gap(t: &mut Tale) {
    t.with(|book| roster(book, "America/New_York", Rotation::Daily, time(2, 30, 0, 0)));
    t.starts("2026-03-08T06:00:00Z");
    t.at("2026-03-08T07:29:59Z", finding(High));
    t.at("2026-03-08T07:30:00Z", finding(High).on("m1"));
    t.at("2026-03-08T07:30:10Z", acknowledge("c"));
    t.at("2026-03-08T07:30:10Z", acknowledge("a").on("m1"));
    t.expect(page("c", First, "2026-03-08T07:29:59Z"));
    t.expect(page("a", First, "2026-03-08T07:30:00Z").of("m1"));
}

fn a_hand_over_in_the_hour_that_comes_twice_comes_once(t: &mut Tale) {
    t.with(|book| roster(book, "America/New_York", Rotation::Daily, time(1, 30, 0, 0)));
    t.starts("2026-11-01T04:00:00Z");
    for (monitor, at) in [
        ("m0", "2026-11-01T05:29:59Z"),
        ("m1", "2026-11-01T05:30:00Z"),
        ("m2", "2026-11-01T06:10:00Z"),
        ("m3", "2026-11-01T06:31:00Z"),
    ] {
        t.at(at, finding(High).on(monitor));
        t.at(at, acknowledge("c").on(monitor));
        t.expect(page(if monitor == "m0" { "a" } else { "b" }, First, at).of(monitor));
    }
}

fn a_stand_in_is_paged_and_the_regular_is_not(t: &mut Tale) {
    t.with(|book| {
        book.teams[0].roster.as_mut().unwrap().overrides.push(Override {
            person: "c".to_owned(),
            from: when("09:00"),
            to: when("10:04"),
        });
    });
    t.at("10:00", finding(High));
    t.at("10:12", acknowledge("b"));
    t.expect(page("c", First, "10:00"));
    // Back on duty at 10:04 is a, and the second in rotation is b.
    t.expect(page("b", Escalated, "10:05"));
    for everybody in ["a", "b", "c"] {
        t.expect(page(everybody, Escalated, "10:10"));
    }
}

fn one_person_by_two_targets_is_paged_once(t: &mut Tale) {
    t.with(|book| {
        let high = book.policies.iter_mut().find(|policy| policy.id == "high").unwrap();
        high.steps[0].targets = vec![
            Target::OnCall(0),
            Target::Person("a".to_owned()),
            Target::Role(tocsin_rules::Role::Commander),
        ];
    });
    t.at("10:00", finding(High));
    t.at("10:01", acknowledge("a"));
    t.expect(page("a", First, "10:00"));
}

/// Nights in Shanghai, which are afternoons here: 22:00 to 07:00 is 14:00 to 23:00.
pub(super) fn quiet(book: &mut Rulebook) {
    book.quiet_hours = Some(QuietHours {
        time_zone: "Asia/Shanghai".to_owned(),
        from: time(22, 0, 0, 0),
        to: time(7, 0, 0, 0),
        break_through: High,
        rest_days: RestDays::default(),
    });
}

fn quiet_hours_hold_medium_until_morning_and_the_ladder_goes_on_from_there(t: &mut Tale) {
    t.with(quiet);
    t.at("15:00", finding(Medium));
    t.at("23:20", acknowledge("b"));
    t.expect(page("a", First, "23:00"));
    t.expect(page("b", Escalated, "23:15"));
}

fn quiet_hours_do_not_hold_high(t: &mut Tale) {
    t.with(quiet);
    t.at("15:00", finding(Medium));
    t.at("16:00", finding(High));
    t.at("16:06", acknowledge("b"));
    // Held at 15:00, never sent: overtaken by this.
    t.expect(page("a", LevelRaised, "16:00"));
    t.expect(page("b", Escalated, "16:05"));
    t.until("+1d 12:00");
}

fn acknowledged_during_quiet_hours_nobody_is_woken_in_the_morning(t: &mut Tale) {
    t.with(quiet);
    t.at("15:00", finding(Medium));
    t.at("16:00", acknowledge("a"));
    t.until("+1d 12:00");
}

fn a_weekend_is_quiet_until_monday_morning(t: &mut Tale) {
    t.with(|book| {
        quiet(book);
        let hours = book.quiet_hours.as_mut().unwrap();
        hours.rest_days = RestDays { weekends: true, calendar: None };
    });
    // Saturday 12 September, noon in Shanghai; Monday begins for everybody at 07:00 there.
    t.starts("2026-09-12T03:00:00Z");
    t.at("2026-09-12T04:00:00Z", finding(Medium));
    t.at("2026-09-13T23:20:00Z", acknowledge("b"));
    t.expect(page("a", First, "2026-09-13T23:00:00Z"));
    t.expect(page("b", Escalated, "2026-09-13T23:15:00Z"));
}

fn a_teams_own_quiet_hours_replace_the_rulebooks(t: &mut Tale) {
    t.with(|book| {
        quiet(book);
        let own = QuietHours { break_through: Medium, ..book.quiet_hours.clone().unwrap() };
        book.teams[0].quiet_hours = Some(own);
    });
    t.at("15:00", finding(Medium));
    t.at("15:01", acknowledge("a"));
    t.expect(page("a", First, "15:00"));
}

fn over_the_roster(
    calendar: Option<Calendar>,
    hours: Option<(jiff::civil::Time, jiff::civil::Time)>,
) -> Layer {
    Layer {
        days: Vec::new(),
        calendar,
        hours,
        rotation: Rotation::Weekly,
        start: date(2026, 9, 7),
        order: vec!["c".to_owned()],
    }
}

fn a_holiday_has_a_rotation_of_its_own(t: &mut Tale) {
    t.with(|book| {
        let holiday = Calendar { id: "cn".to_owned(), off: vec![date(2026, 9, 11)], worked: Vec::new() };
        book.teams[0].roster.as_mut().unwrap().layers.push(over_the_roster(Some(holiday), None));
    });
    // The holiday's duty begins with the hand-over at nine in Shanghai, 01:00 here.
    t.starts("2026-09-11T00:00:00Z");
    t.at("2026-09-11T00:50:00Z", finding(High));
    t.at("2026-09-11T00:51:00Z", acknowledge("a"));
    t.at("2026-09-11T01:10:00Z", finding(High).on("m1"));
    t.at("2026-09-11T01:16:00Z", acknowledge("c").on("m1"));
    t.expect(page("a", First, "2026-09-11T00:50:00Z"));
    t.expect(page("c", First, "2026-09-11T01:10:00Z").of("m1"));
    t.expect(page("a", Escalated, "2026-09-11T01:15:00Z").of("m1"));
}

fn the_night_layer_is_paged_at_night_and_the_day_from_its_end(t: &mut Tale) {
    t.with(|book| {
        let night = Some((time(20, 0, 0, 0), time(22, 0, 0, 0)));
        book.teams[0].roster.as_mut().unwrap().layers.push(over_the_roster(None, night));
    });
    // 20:00 to 22:00 in Shanghai is 12:00 to 14:00 here.
    t.at("13:58", finding(High));
    t.at("14:04", acknowledge("b"));
    t.expect(page("c", First, "13:58"));
    t.expect(page("b", Escalated, "14:03"));
}
