//! Processes that end, come late or die with work in hand, and channels that fail.

use tocsin_rules::Level::{High, Medium};

use crate::{
    delivery::PageReason::{Escalated, First, Recovered},
    timeline::tale::{
        Action, Answers, Tale, acknowledge, channel, down_until, finding, holds, page, recovery,
    },
};

tales!(
    a_restart_half_way_loses_and_repeats_nothing,
    a_late_timer_fires_once_and_the_next_wait_counts_from_then,
    late_timers_of_several_incidents_each_fire_once,
    a_late_timer_that_is_no_longer_wanted_does_not_fire,
    a_process_that_dies_with_a_timer_in_hand_gives_it_back,
    a_process_that_dies_with_a_page_in_hand_sends_it_after_its_restart,
    a_watch_that_ended_during_downtime_ends_once,
    a_channel_that_is_down_is_gone_round,
    a_channel_that_refuses_is_gone_round_at_once,
    an_answer_that_was_lost_is_asked_for_again,
    a_channel_down_holds_up_no_other,
);

fn a_restart_half_way_loses_and_repeats_nothing(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:02", Action::Restart);
    t.at("10:05", Action::Restart);
    t.at("10:07", acknowledge("b"));
    t.at("10:08", Action::Restart);
    t.expect(page("a", First, "10:00"));
    t.expect(page("b", Escalated, "10:05"));
}

fn a_late_timer_fires_once_and_the_next_wait_counts_from_then(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:01", down_until("11:00"));
    t.at("11:06", acknowledge("c"));
    t.expect(page("a", First, "10:00"));
    t.expect(page("b", Escalated, "11:00"));
    for everybody in ["a", "b", "c"] {
        t.expect(page(everybody, Escalated, "11:05"));
    }
}

fn late_timers_of_several_incidents_each_fire_once(t: &mut Tale) {
    for (monitor, at) in [("m0", "10:00"), ("m1", "10:01"), ("m2", "10:02")] {
        t.at(at, finding(High).on(monitor));
        t.expect(page("a", First, at).of(monitor));
        t.expect(page("b", Escalated, "10:30").of(monitor));
    }
    t.at("10:03", down_until("10:30"));
    for monitor in ["m0", "m1", "m2"] {
        t.at("10:31", acknowledge("b").on(monitor));
    }
}

fn a_late_timer_that_is_no_longer_wanted_does_not_fire(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:04:59", acknowledge("a"));
    t.at("10:04:59", down_until("11:00"));
    t.expect(page("a", First, "10:00"));
}

fn a_process_that_dies_with_a_timer_in_hand_gives_it_back(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:05", Action::DieInHand);
    t.at("10:07", acknowledge("b"));
    t.expect(page("a", First, "10:00"));
    // After the lease of thirty seconds.
    t.expect(page("b", Escalated, "10:05:30..10:05:32"));
}

fn a_process_that_dies_with_a_page_in_hand_sends_it_after_its_restart(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:00", Action::DieInHand);
    t.at("10:01", acknowledge("a"));
    t.expect(page("a", First, "10:00..10:00:30"));
}

fn a_watch_that_ended_during_downtime_ends_once(t: &mut Tale) {
    t.at("10:00", finding(Medium));
    t.at("10:10", recovery());
    t.at("10:11", down_until("18:00"));
    t.at("18:01", holds("it closed itself", |incident| !incident.is_open()));
    t.expect(page("a", First, "10:00"));
    t.expect(page("a", Recovered, "10:10"));
}

fn a_channel_that_is_down_is_gone_round(t: &mut Tale) {
    t.at("09:59", channel("pager", Answers::Down));
    t.at("10:00", finding(High));
    t.at("10:04", acknowledge("a"));
    t.expect(page("a", First, "10:00..10:00:30").by("mail"));
}

fn a_channel_that_refuses_is_gone_round_at_once(t: &mut Tale) {
    t.errors_say("a page was refused for good");
    t.at("09:59", channel("pager", Answers::Refuses));
    t.at("10:00", finding(High));
    t.at("10:04", acknowledge("a"));
    t.expect(page("a", First, "10:00").by("mail"));
}

fn an_answer_that_was_lost_is_asked_for_again(t: &mut Tale) {
    t.at("09:59", channel("pager", Answers::Mute));
    t.at("10:00", finding(High));
    t.at("10:04", acknowledge("a"));
    // Twice on the pager, which may have taken both, then by the second contact.
    t.expect(page("a", First, "10:00"));
    t.expect(page("a", First, "10:00..10:00:30"));
    t.expect(page("a", First, "10:00..10:00:30").by("mail"));
}

fn a_channel_down_holds_up_no_other(t: &mut Tale) {
    t.with(|book| book.teams[0].people[1].contacts.reverse());
    t.at("09:59", channel("pager", Answers::Down));
    t.at("10:00", finding(High));
    t.at("10:06", acknowledge("b"));
    t.expect(page("a", First, "10:00..10:00:30").by("mail"));
    t.expect(page("b", Escalated, "10:05").by("mail"));
}
