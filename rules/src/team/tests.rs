mod properties;

use jiff::civil::{date, time};

use super::*;
use crate::level::Level;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn roster(zone: &str, rotation: Rotation, handover: Time) -> Roster {
    Roster {
        time_zone: zone.into(),
        rotation,
        handover,
        start: date(2026, 3, 2),
        order: ["an", "bo", "chen"].map(String::from).to_vec(),
        layers: Vec::new(),
        overrides: Vec::new(),
    }
}

#[test]
fn duty_follows_the_local_clock_through_clock_changes() {
    let nine = time(9, 0, 0, 0);
    let gap = time(2, 30, 0, 0);
    let fold = time(1, 30, 0, 0);
    let table: &[(&str, Rotation, Time, &str, &str)] = &[
        ("Asia/Shanghai", Rotation::Daily, nine, "2026-03-02T00:59:59Z", "chen"),
        ("Asia/Shanghai", Rotation::Daily, nine, "2026-03-02T01:00:00Z", "an"),
        ("Asia/Shanghai", Rotation::Daily, nine, "2026-03-03T00:59:59Z", "an"),
        ("Asia/Shanghai", Rotation::Daily, nine, "2026-03-03T01:00:00Z", "bo"),
        ("Asia/Shanghai", Rotation::Weekly, nine, "2026-03-09T00:59:59Z", "an"),
        ("Asia/Shanghai", Rotation::Weekly, nine, "2026-03-09T01:00:00Z", "bo"),
        ("Asia/Shanghai", Rotation::Weekly, nine, "2026-03-23T01:00:00Z", "an"),
        // Before the start the rotation runs backwards.
        ("Asia/Shanghai", Rotation::Weekly, nine, "2026-03-01T12:00:00Z", "chen"),
        // New York: clocks go forward on 2026-03-08; nine o'clock moves from 14:00 to 13:00 UTC.
        ("America/New_York", Rotation::Daily, nine, "2026-03-07T13:59:59Z", "bo"),
        ("America/New_York", Rotation::Daily, nine, "2026-03-08T12:59:59Z", "chen"),
        ("America/New_York", Rotation::Daily, nine, "2026-03-08T13:00:00Z", "an"),
        ("America/New_York", Rotation::Weekly, nine, "2026-03-09T12:59:59Z", "an"),
        ("America/New_York", Rotation::Weekly, nine, "2026-03-09T13:00:00Z", "bo"),
        // 02:30 does not exist that day: hand-over at 03:30 EDT.
        ("America/New_York", Rotation::Daily, gap, "2026-03-08T07:29:59Z", "chen"),
        ("America/New_York", Rotation::Daily, gap, "2026-03-08T07:30:00Z", "an"),
        // Clocks go back on 2026-11-01; 01:30 comes twice, hand-over at the first and not again at the second.
        ("America/New_York", Rotation::Daily, fold, "2026-11-01T05:29:59Z", "an"),
        ("America/New_York", Rotation::Daily, fold, "2026-11-01T05:30:00Z", "bo"),
        ("America/New_York", Rotation::Daily, fold, "2026-11-01T06:10:00Z", "bo"),
        ("America/New_York", Rotation::Daily, fold, "2026-11-01T06:31:00Z", "bo"),
        // Lord Howe shifts by half an hour.
        ("Australia/Lord_Howe", Rotation::Daily, nine, "2026-04-04T21:59:59Z", "an"),
        ("Australia/Lord_Howe", Rotation::Daily, nine, "2026-04-04T22:30:00Z", "bo"),
    ];
    for (zone, rotation, handover, instant, expected) in table {
        let roster = roster(zone, *rotation, *handover);
        assert_eq!(
            roster.on_call(at(instant), 0).as_deref(),
            Ok(*expected),
            "{zone} {rotation} {handover} {instant}"
        );
    }
}

#[test]
fn the_next_in_rotation_go_round_and_never_page_one_person_twice_in_a_row() {
    let mut roster = roster("Asia/Shanghai", Rotation::Daily, time(0, 0, 0, 0));
    let noon = at("2026-03-02T04:00:00Z");
    assert_eq!([0, 1, 2, 3].map(|n| roster.on_call(noon, n).unwrap()), ["an", "bo", "chen", "an"]);
    roster.overrides.push(Override {
        person: "bo".into(),
        from: at("2026-03-02T04:00:00Z"),
        to: at("2026-03-02T05:00:00Z"),
    });
    assert_eq!([0, 1, 2].map(|n| roster.on_call(noon, n).unwrap()), ["bo", "chen", "an"]);
    assert_eq!(roster.on_call(at("2026-03-02T03:59:59Z"), 0), Ok("an"));
    assert_eq!(roster.on_call(at("2026-03-02T05:00:00Z"), 0), Ok("an"));
    roster.overrides.push(Override {
        person: "guest".into(),
        from: at("2026-03-02T04:00:00Z"),
        to: at("2026-03-02T04:01:00Z"),
    });
    assert_eq!(
        [0, 1, 2, 3, 4].map(|n| roster.on_call(noon, n).unwrap()),
        ["guest", "bo", "chen", "an", "guest"]
    );
}

#[test]
fn a_roster_without_people_or_zone_says_so() {
    let mut broken = roster("Asia/Shanghai", Rotation::Daily, time(9, 0, 0, 0));
    broken.time_zone = "Asia/Peking".into();
    assert_eq!(broken.on_call(Timestamp::UNIX_EPOCH, 0), Err(RosterError::TimeZone("Asia/Peking".into())));
    broken.order.clear();
    assert_eq!(broken.on_call(Timestamp::UNIX_EPOCH, 0), Err(RosterError::Empty));
    let edge = roster("Pacific/Kiritimati", Rotation::Weekly, time(23, 59, 59, 0));
    assert!(edge.on_call(Timestamp::MIN, 0).is_ok() || edge.on_call(Timestamp::MIN, 0).is_err());
    let _ = edge.on_call(Timestamp::MAX, u32::MAX);
}

#[test]
fn quiet_hours_hold_lower_levels_until_morning() {
    let quiet = QuietHours {
        time_zone: "Asia/Shanghai".into(),
        from: time(22, 30, 0, 0),
        to: time(7, 0, 0, 0),
        break_through: Level::High,
        rest_days: RestDays::default(),
    };
    let table = [
        ("2026-03-02T14:29:59Z", false, "2026-03-02T14:29:59Z"),
        ("2026-03-02T14:30:00Z", true, "2026-03-02T23:00:00Z"),
        ("2026-03-02T17:00:00Z", true, "2026-03-02T23:00:00Z"),
        ("2026-03-02T22:59:59Z", true, "2026-03-02T23:00:00Z"),
        ("2026-03-02T23:00:00Z", false, "2026-03-02T23:00:00Z"),
    ];
    for (instant, held, release) in table {
        assert_eq!(quiet.holds(Level::Medium, at(instant)), held, "{instant}");
        assert_eq!(quiet.holds(Level::Low, at(instant)), held, "{instant}");
        assert!(!quiet.holds(Level::High, at(instant)), "{instant}");
        assert_eq!(quiet.release(at(instant)), at(release), "{instant}");
    }
    let siesta = QuietHours { from: time(12, 0, 0, 0), to: time(14, 0, 0, 0), ..quiet };
    assert!(siesta.holds(Level::Medium, at("2026-03-02T05:00:00Z")));
    assert!(!siesta.holds(Level::Medium, at("2026-03-02T06:00:00Z")));
    assert_eq!(siesta.release(at("2026-03-02T05:00:00Z")), at("2026-03-02T06:00:00Z"));
}

fn golden_week() -> Calendar {
    let day = |day: i8| date(2026, 10, day);
    Calendar { id: "cn".into(), off: (1..=8).map(day).collect(), worked: vec![date(2026, 9, 27), day(10)] }
}

fn layer(days: &[Day], hours: Option<(Time, Time)>, order: &[&str]) -> Layer {
    Layer {
        days: days.to_vec(),
        calendar: None,
        hours,
        rotation: Rotation::Weekly,
        start: date(2026, 3, 2),
        order: order.iter().map(|id| (*id).to_owned()).collect(),
    }
}

#[test]
fn layers_hold_at_their_times_and_the_roster_at_all_others() {
    let mut roster = roster("Asia/Shanghai", Rotation::Weekly, time(9, 0, 0, 0));
    roster.layers.push(layer(&[], Some((time(22, 0, 0, 0), time(6, 0, 0, 0))), &["night-a", "night-b"]));
    roster.layers.push(layer(&[Day::Sat, Day::Sun], None, &["weekend"]));
    let holiday = Layer { calendar: Some(golden_week()), ..layer(&[], None, &["holiday"]) };
    roster.layers.push(holiday);
    let table = [
        // 2026-03-02 is a Monday, and the first week is that of `an`; times are UTC, eight hours behind.
        ("2026-03-02T13:59:59Z", "an", "bo"),
        ("2026-03-02T14:00:00Z", "night-a", "night-b"),
        ("2026-03-02T21:59:59Z", "night-a", "night-b"),
        ("2026-03-02T22:00:00Z", "an", "bo"),
        ("2026-03-09T15:00:00Z", "night-b", "night-a"),
        // The weekend's duty begins with the hand-over on Saturday and ends with that on Monday; it lies over the night.
        ("2026-03-07T00:59:59Z", "an", "bo"),
        ("2026-03-07T01:00:00Z", "weekend", "an"),
        ("2026-03-08T16:00:00Z", "weekend", "an"),
        ("2026-03-09T00:59:59Z", "weekend", "an"),
        ("2026-03-09T01:00:00Z", "bo", "chen"),
        // The holiday lies over both.
        ("2026-10-03T15:00:00Z", "holiday", "an"),
        ("2026-10-01T00:59:59Z", "an", "bo"),
    ];
    for (instant, first, second) in table {
        let found = [0, 1].map(|n| roster.on_call(at(instant), n).unwrap());
        assert_eq!(found, [first, second], "{instant}");
    }
    roster.overrides.push(Override {
        person: "guest".into(),
        from: at("2026-10-03T14:00:00Z"),
        to: at("2026-10-03T16:00:00Z"),
    });
    assert_eq!(roster.on_call(at("2026-10-03T15:00:00Z"), 0), Ok("guest"));
}

#[test]
fn quiet_hours_know_weekends_holidays_and_weekends_that_are_worked() {
    let quiet = QuietHours {
        time_zone: "Asia/Shanghai".into(),
        from: time(22, 0, 0, 0),
        to: time(7, 0, 0, 0),
        break_through: Level::High,
        rest_days: RestDays { weekends: true, calendar: Some(golden_week()) },
    };
    let table = [
        // Friday evening until Monday morning.
        ("2026-03-06T13:59:59Z", "2026-03-06T13:59:59Z"),
        ("2026-03-06T14:00:00Z", "2026-03-08T23:00:00Z"),
        ("2026-03-07T04:00:00Z", "2026-03-08T23:00:00Z"),
        // Sunday 27 September is worked.
        ("2026-09-27T04:00:00Z", "2026-09-27T04:00:00Z"),
        // 30 September at night until 9 October, a Friday.
        ("2026-09-30T15:00:00Z", "2026-10-08T23:00:00Z"),
        ("2026-10-05T04:00:00Z", "2026-10-08T23:00:00Z"),
        // Saturday 10 October is worked, Sunday is not.
        ("2026-10-10T04:00:00Z", "2026-10-10T04:00:00Z"),
        ("2026-10-10T15:00:00Z", "2026-10-11T23:00:00Z"),
    ];
    for (instant, release) in table {
        assert_eq!(quiet.release(at(instant)), at(release), "{instant}");
        assert_eq!(quiet.holds(Level::Medium, at(instant)), instant != release, "{instant}");
    }
}

#[test]
fn promises_count_working_hours_only() {
    let work = WorkingHours {
        time_zone: "Asia/Shanghai".into(),
        from: time(9, 0, 0, 0),
        to: time(18, 0, 0, 0),
        rest_days: RestDays { weekends: true, calendar: Some(golden_week()) },
    };
    let table = [
        ("2026-03-02T02:00:00Z", "2026-03-02T04:00:00Z"),
        // An hour before closing: the other hour is the next morning's.
        ("2026-03-02T09:00:00Z", "2026-03-03T02:00:00Z"),
        ("2026-03-02T18:00:00Z", "2026-03-03T03:00:00Z"),
        // Friday evening: Monday at eleven.
        ("2026-03-06T12:00:00Z", "2026-03-09T03:00:00Z"),
        // The holiday passes.
        ("2026-10-01T02:00:00Z", "2026-10-09T03:00:00Z"),
        ("2026-09-30T09:30:00Z", "2026-10-09T02:30:00Z"),
    ];
    for (instant, due) in table {
        assert_eq!(work.after(at(instant), 7_200), at(due), "{instant}");
    }
}
