//! The rulebook is edited while an incident runs: what was frozen stays, who is gone is passed over.

use tocsin_rules::{Level::High, Target};

use crate::{
    delivery::PageReason::{Escalated, First, Recovered},
    timeline::tale::{Tale, acknowledge, edit, finding, holds, page, recovery},
};

tales!(
    a_policy_edited_under_way_changes_nothing_for_those_it_runs_for,
    a_policy_deleted_under_way_runs_on,
    a_person_who_left_is_passed_over_and_the_next_rung_comes_at_once,
    a_team_that_left_leaves_the_rest_of_the_ladder,
    a_monitor_deleted_under_way_is_still_escalated,
    a_changed_contact_is_used_from_the_next_page_on,
);

fn a_policy_edited_under_way_changes_nothing_for_those_it_runs_for(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at(
        "10:01",
        edit(|book| {
            for policy in &mut book.policies {
                for step in &mut policy.steps {
                    step.targets = vec![Target::Person("c".to_owned())];
                    step.wait_seconds = 60;
                }
            }
        }),
    );
    t.at("10:06", acknowledge("b"));
    t.at("10:07", finding(High).on("m1"));
    t.at("10:08:30", acknowledge("c").on("m1"));
    t.expect(page("a", First, "10:00"));
    t.expect(page("b", Escalated, "10:05"));
    t.expect(page("c", First, "10:07").of("m1"));
    t.expect(page("c", Escalated, "10:08").of("m1"));
}

fn a_policy_deleted_under_way_runs_on(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at(
        "10:01",
        edit(|book| {
            book.policies.clear();
            book.plans.clear();
        }),
    );
    t.at("10:06", acknowledge("b"));
    t.expect(page("a", First, "10:00"));
    t.expect(page("b", Escalated, "10:05"));
}

fn a_person_who_left_is_passed_over_and_the_next_rung_comes_at_once(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:01", edit(|book| book.teams[0].people.retain(|person| person.id != "b")));
    t.at("10:06", acknowledge("c"));
    t.at("10:10", recovery());
    t.expect(page("a", First, "10:00"));
    t.expect(page("a", Escalated, "10:05"));
    t.expect(page("c", Escalated, "10:05"));
    t.expect(page("a", Recovered, "10:10"));
    t.expect(page("c", Recovered, "10:10"));
    t.expect(page("c", crate::delivery::PageReason::Reminder, "12:10"));
}

fn a_team_that_left_leaves_the_rest_of_the_ladder(t: &mut Tale) {
    t.with(|book| {
        let mut other = book.teams[0].clone();
        other.id = "press".to_owned();
        other.people.truncate(1);
        other.people[0].id = "p".to_owned();
        book.teams.push(other);
        let high = book.policies.iter_mut().find(|policy| policy.id == "high").unwrap();
        high.steps[0].targets = vec![Target::Team("press".to_owned())];
    });
    t.at("10:00", finding(High));
    t.at("10:06", edit(|book| book.teams.retain(|team| team.id != "press")));
    t.expect(page("p", First, "10:00"));
    t.expect(page("b", Escalated, "10:05"));
    for everybody in ["a", "b", "c"] {
        t.expect(page(everybody, Escalated, "10:10"));
    }
    // The second round begins without the team: its rung is passed over.
    t.expect(page("b", Escalated, "10:20"));
    for everybody in ["a", "b", "c"] {
        t.expect(page(everybody, Escalated, "10:25"));
    }
}

fn a_monitor_deleted_under_way_is_still_escalated(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:01", edit(|book| book.monitors.clear()));
    t.at("10:06", acknowledge("b"));
    t.at("10:07", holds("it is taken", |incident| incident.acknowledged.is_some()));
    t.expect(page("a", First, "10:00"));
    t.expect(page("b", Escalated, "10:05"));
}

fn a_changed_contact_is_used_from_the_next_page_on(t: &mut Tale) {
    t.at("10:00", finding(High));
    t.at("10:01", edit(|book| book.teams[0].people[1].contacts.reverse()));
    t.at("10:06", acknowledge("b"));
    t.expect(page("a", First, "10:00"));
    t.expect(page("b", Escalated, "10:05").by("mail"));
}
