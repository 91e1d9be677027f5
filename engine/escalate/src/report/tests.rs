//! What a report counts, whose week a Monday is, and what leaves as CSV and HTML.

use jiff::civil::date;
use tocsin_rules::{Language, Level, Transition};

use super::{Kind, Period, Report, Voice, csv::Table};
use crate::{
    command::Command,
    fixtures::{House, at, finding, person_acting, rulebook},
    incident::Incident,
    render::samples,
    store::Filter,
};

fn day() -> Period {
    Period::holding(Kind::Day, date(2026, 9, 10), "Asia/Shanghai").unwrap()
}

async fn incidents() -> Vec<Incident> {
    let house = House::new(rulebook());
    house.until("10:00").await;
    for (monitor, level, drill) in [
        ("m0", Level::High, None),
        ("m1", Level::Medium, None),
        ("m2", Level::High, Some("autumn".to_owned())),
    ] {
        let mut found = finding(&format!("f-{monitor}"), Transition::Opened, level, at("10:00"));
        found.monitor = monitor.to_owned();
        found.monitor_name = format!("=cmd|{monitor}");
        found.drill = drill;
        found.evidence = samples::page().snapshot.evidence;
        house.desk.finding(&found).await.unwrap();
    }
    house.until("10:07").await;
    let list = house.desk.list(&Filter::default(), 9, None).await.unwrap().incidents;
    let high = list.iter().find(|incident| incident.monitor == "m0").unwrap();
    house.desk.command(&high.id, &Command::Acknowledge, &person_acting("b"), "op", None).await.unwrap();
    house.desk.list(&Filter::default(), 9, None).await.unwrap().incidents
}

#[test]
fn periods_are_of_the_calendar_and_the_zone() {
    let of = |kind, day| Period::holding(kind, day, "Asia/Shanghai").unwrap();
    let table = [
        (of(Kind::Day, date(2026, 9, 10)), "2026-09-10", "2026-09-10", "2026-09-09T16:00:00Z"),
        (of(Kind::Week, date(2026, 9, 13)), "2026-09-07", "2026-09-13", "2026-09-06T16:00:00Z"),
        (of(Kind::Week, date(2026, 9, 7)), "2026-09-07", "2026-09-13", "2026-09-06T16:00:00Z"),
        (of(Kind::Month, date(2024, 2, 29)), "2024-02-01", "2024-02-29", "2024-01-31T16:00:00Z"),
        (of(Kind::Quarter, date(2026, 12, 31)), "2026-10-01", "2026-12-31", "2026-09-30T16:00:00Z"),
    ];
    for (period, first, last, from) in table {
        assert_eq!((period.first.to_string(), period.last.to_string()), (first.to_owned(), last.to_owned()));
        assert_eq!(period.from.to_string(), from);
        assert!(period.holds(period.from) && !period.holds(period.to));
    }
    // The day the clocks go back has twenty-five hours.
    let long = Period::holding(Kind::Day, date(2026, 10, 25), "Europe/Berlin").unwrap();
    assert_eq!(long.to.duration_since(long.from).as_hours(), 25);
    let before = Period::before(Kind::Week, at("01:00"), "Asia/Shanghai").unwrap();
    assert_eq!(before.last.to_string(), "2026-09-06");
    assert!(Period::holding(Kind::Day, date(2026, 9, 10), "Mars/Olympus").is_none());
}

#[tokio::test]
async fn drills_are_left_out_and_times_are_measured_against_the_plan() {
    let report = Report::of(day(), &incidents().await, at("12:00"));
    assert_eq!((report.opened, report.still_open), (2, 2));
    assert_eq!(report.by_level.get("high"), Some(&1));
    assert_eq!((report.acknowledge.count, report.acknowledge.worst), (1, Some(420)));
    assert_eq!((report.acknowledge.met, report.acknowledge.missed), (0, 2), "one late, one not at all");
    assert_eq!(report.top_posts.len(), 1, "one post, though two incidents hold it");
    assert!(report.not_kept[0].starts_with("volumes") && report.voices.is_none());
    let other = Period::holding(Kind::Day, date(2026, 9, 11), "Asia/Shanghai").unwrap();
    assert_eq!(Report::of(other, &incidents().await, at("12:00")).opened, 0);
}

#[tokio::test]
async fn no_cell_is_a_formula_and_no_text_is_markup() {
    let report = Report::of(day(), &incidents().await, at("12:00"));
    let report = report.with_voices(vec![
        Voice {
            monitor: "m0".to_owned(),
            name: "@SUM(A1)".to_owned(),
            mentions: 30,
            negative: 10,
            positive: 3,
            share_of_voice: 0.0,
        },
        Voice {
            monitor: "m1".to_owned(),
            name: "-2+3".to_owned(),
            mentions: 10,
            negative: 0,
            positive: 0,
            share_of_voice: 0.0,
        },
    ]);
    assert!((report.voices.as_ref().unwrap()[0].share_of_voice - 0.75).abs() < 1e-9);
    for table in [Table::Incidents, Table::Posts, Table::Monitors] {
        let text = report.csv(table);
        assert!(text.starts_with('\u{feff}') && text.ends_with("\r\n"), "{text}");
        for cell in text.trim_start_matches('\u{feff}').split(['\n', ',']) {
            let cell = cell.trim_start_matches('"');
            assert!(!cell.starts_with(['=', '+', '@']), "{cell} in {text}");
            assert!(!cell.starts_with('-'), "{cell} in {text}");
        }
    }
    for language in [Language::Zh, Language::En] {
        let text = report.document(&rulebook(), language);
        assert!(!text.contains("<script>") && !text.contains('\u{202e}'), "{text}");
        assert!(text.contains("75.0 %") && text.contains("=cmd|m0"));
    }
    insta::assert_snapshot!("day_en", report.document(&rulebook(), Language::En));
    insta::assert_snapshot!("incidents_csv", report.csv(Table::Incidents));
}
