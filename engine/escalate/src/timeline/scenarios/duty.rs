//! Who is on duty: hand-over, clock changes, stand-ins, quiet hours.

use jiff::civil::{date, time};
use tocsin_rules::{
    Level::{High, Medium},
    Rulebook, Target,
    team::{Override, QuietHours, Rotation},
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
fn quiet(book: &mut Rulebook) {
    book.quiet_hours = Some(QuietHours {
        time_zone: "Asia/Shanghai".to_owned(),
        from: time(22, 0, 0, 0),
        to: time(7, 0, 0, 0),
        break_through: High,
        rest_days: tocsin_rules::team::RestDays::default(),
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
