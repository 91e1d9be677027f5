//! What holds of every roster, every zone and every instant.

use proptest::prelude::*;

use super::*;

const ZONES: [&str; 6] = [
    "Asia/Shanghai",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Sao_Paulo",
];

fn any_time() -> impl Strategy<Value = Time> {
    (0..24_i8, prop_oneof![Just(0_i8), Just(30), 0..60_i8])
        .prop_map(|(hour, minute)| time(hour, minute, 0, 0))
}

fn any_layer() -> impl Strategy<Value = Layer> {
    let days = prop::collection::vec(prop::sample::select(Day::ALL), 0..3);
    let off = prop::collection::vec((0..3_650_i64).prop_map(day_of), 0..20);
    (days, prop::option::of((any_time(), any_time())), prop::option::of(off), 1..4_usize, any::<bool>())
        .prop_map(|(days, hours, off, people, daily)| Layer {
            days,
            calendar: off.map(|off| Calendar { id: "c".into(), off, worked: Vec::new() }),
            hours,
            rotation: if daily { Rotation::Daily } else { Rotation::Weekly },
            start: date(2020, 1, 6),
            order: (0..people).map(|n| format!("layer-{n}")).collect(),
        })
}

fn day_of(days: i64) -> Date {
    date(2020, 1, 1) + jiff::Span::new().days(days)
}

prop_compose! {
    fn any_roster()(
        zone in prop::sample::select(&ZONES[..]),
        daily in any::<bool>(),
        handover in any_time(),
        start in 0..3_650_i64,
        people in 1..6_usize,
        layers in prop::collection::vec(any_layer(), 0..3),
        stand_ins in prop::collection::vec((0..5_000_000_i64, 1..100_000_i64), 0..3),
    ) -> Roster {
        let base: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
        let later = |seconds: i64| base + jiff::SignedDuration::from_secs(seconds * 60);
        Roster {
            time_zone: zone.to_owned(),
            rotation: if daily { Rotation::Daily } else { Rotation::Weekly },
            handover,
            start: day_of(start),
            order: (0..people).map(|n| format!("p{n}")).collect(),
            layers,
            overrides: stand_ins
                .into_iter()
                .enumerate()
                .map(|(n, (from, length))| Override {
                    person: format!("p{n}"),
                    from: later(from),
                    to: later(from + length),
                })
                .collect(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    /// Exactly one person is on duty at any instant, and nobody stands in the sequence twice.
    #[test]
    fn each_instant_has_one_person_on_duty(roster in any_roster(), minute in 0..5_200_000_i64) {
        let at = at("2020-01-01T00:00:00Z") + jiff::SignedDuration::from_secs(minute * 60);
        let sequence = roster.sequence(at).unwrap();
        prop_assert!(sequence.len() >= roster.order.len());
        let mut once = sequence.clone();
        once.sort_unstable();
        once.dedup();
        prop_assert_eq!(once.len(), sequence.len());
        prop_assert_eq!(roster.on_call(at, 0).unwrap(), sequence[0]);
        for id in &roster.order {
            prop_assert!(sequence.contains(&id.as_str()), "nobody is lost");
        }
        let stand_in = roster.overrides.iter().rev().find(|o| o.from <= at && at < o.to);
        if let Some(stand_in) = stand_in {
            prop_assert_eq!(sequence[0], stand_in.person.as_str());
        }
    }

    /// Without layers and stand-ins duty changes at the local time of hand-over and at no other moment.
    #[test]
    fn hand_over_is_at_its_local_time_and_only_then(roster in any_roster(), day in 1..3_600_i64) {
        let roster = Roster { layers: Vec::new(), overrides: Vec::new(), ..roster };
        let zone = TimeZone::get(&roster.time_zone).unwrap();
        let noon = |day: i64| day_of(day).to_datetime(roster.handover).to_zoned(zone.clone()).unwrap().timestamp();
        let (this, next) = (noon(day), noon(day + 1));
        // A zone may leave out a whole day (Samoa did before this decade); then the two coincide.
        prop_assume!(this < next);
        let before_next = next - jiff::SignedDuration::from_secs(1);
        let middle = this + (next.duration_since(this) / 2);
        let on = |at: Timestamp| roster.on_call(at, 0).unwrap().to_owned();
        prop_assert_eq!(on(this), on(middle));
        prop_assert_eq!(on(middle), on(before_next));
        let step = match roster.rotation {
            Rotation::Daily => 1,
            Rotation::Weekly => usize::from((day_of(day + 1) - roster.start).get_days().rem_euclid(7) == 0),
        };
        let place = |id: String| roster.order.iter().position(|known| *known == id).unwrap();
        prop_assert_eq!((place(on(this)) + step) % roster.order.len(), place(on(next)));
    }

    /// What quiet hours hold is released at a moment that is not quiet, and not one second sooner.
    #[test]
    fn quiet_hours_end_when_they_end(
        zone in prop::sample::select(&ZONES[..]), from in any_time(), to in any_time(),
        weekends in any::<bool>(), minute in 0..5_200_000_i64,
    ) {
        prop_assume!(from != to);
        let rest_days = RestDays { weekends, calendar: None };
        let quiet =
            QuietHours { time_zone: zone.to_owned(), from, to, break_through: Level::High, rest_days };
        let at = at("2020-01-01T00:00:00Z") + jiff::SignedDuration::from_secs(minute * 60);
        let release = quiet.release(at);
        prop_assert!(release >= at);
        prop_assert!(!quiet.holds(Level::Medium, release));
        if quiet.holds(Level::Medium, at) {
            prop_assert!(release > at);
            prop_assert!(quiet.holds(Level::Medium, release - jiff::SignedDuration::from_secs(1)));
        } else {
            prop_assert_eq!(release, at);
        }
    }

    /// More work never ends sooner, and what is due never falls outside working hours.
    #[test]
    fn working_hours_only_go_forward(
        zone in prop::sample::select(&ZONES[..]), from in 0..23_i8, length in 1..23_i8,
        minute in 0..5_200_000_i64, seconds in 1..200_000_u64,
    ) {
        let to = (from + length).min(23);
        prop_assume!(from < to);
        let work = WorkingHours {
            time_zone: zone.to_owned(),
            from: time(from, 0, 0, 0),
            to: time(to, 0, 0, 0),
            rest_days: RestDays { weekends: true, calendar: None },
        };
        let at = at("2020-01-01T00:00:00Z") + jiff::SignedDuration::from_secs(minute * 60);
        let due = work.after(at, seconds);
        prop_assert!(due >= at + std::time::Duration::from_secs(seconds));
        prop_assert!(work.after(at, seconds + 60) > due);
        let local = due.to_zoned(TimeZone::get(zone).unwrap());
        prop_assert!(!work.rest_days.contains(local.date()));
        prop_assert!(time(from, 0, 0, 0) <= local.time() && local.time() <= time(to, 0, 0, 0));
    }
}
