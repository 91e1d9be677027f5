use jiff::civil::{date, time};

use super::*;

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
