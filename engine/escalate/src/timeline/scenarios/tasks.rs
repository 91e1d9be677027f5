//! Tasks of the plan: overdue, told to the commander, and the promise of a reply.

use jiff::civil::time;
use tocsin_rules::{
    Level::{High, Medium},
    Role, Rulebook,
    team::{RestDays, WorkingHours},
};

use crate::{
    command::Command,
    delivery::PageReason::{First, Overdue},
    fixtures,
    incident::StepState,
    timeline::tale::{Tale, acknowledge, asks, finding, holds, page},
};

tales!(
    an_overdue_step_is_told_once_to_its_role_and_then_to_the_commander,
    a_step_done_in_time_is_told_to_nobody,
    a_step_done_late_is_not_told_to_the_commander,
    a_reply_is_promised_within_two_hours,
    a_reply_given_in_time_is_the_end_of_it,
    a_promise_given_in_the_evening_is_due_the_next_morning,
    a_rise_does_not_move_the_promise,
);

fn steps(book: &mut Rulebook) {
    *book = fixtures::rulebook();
    for plan in &mut book.plans {
        plan.steps.truncate(1);
        plan.escalate_overdue_seconds = 900;
    }
}

fn done(step: &str) -> Command {
    Command::Step { step: step.to_owned(), state: StepState::Done }
}

fn an_overdue_step_is_told_once_to_its_role_and_then_to_the_commander(t: &mut Tale) {
    t.with(steps);
    t.at("10:00", finding(High));
    t.at("10:01", acknowledge("c"));
    t.expect(page("a", First, "10:00"));
    t.expect(page("b", Overdue, "10:30"));
    t.expect(page("a", Overdue, "10:45"));
    t.until("+7d 10:00");
}

fn a_step_done_in_time_is_told_to_nobody(t: &mut Tale) {
    t.with(steps);
    t.at("10:00", finding(High));
    t.at("10:01", acknowledge("c"));
    t.at("10:29", asks("b", done("verify")));
    t.expect(page("a", First, "10:00"));
}

fn a_step_done_late_is_not_told_to_the_commander(t: &mut Tale) {
    t.with(steps);
    t.at("10:00", finding(High));
    t.at("10:01", acknowledge("c"));
    t.at("10:40", asks("b", done("verify")));
    t.expect(page("a", First, "10:00"));
    t.expect(page("b", Overdue, "10:30"));
}

/// Customer care is b here, the commander a.
fn promising(book: &mut Rulebook) {
    for plan in &mut book.plans {
        plan.reply_within_seconds = 7_200;
        plan.escalate_overdue_seconds = 1_800;
    }
    let team = &mut book.teams[0];
    team.people[0].roles = vec![Role::Commander];
    team.people[1].roles = vec![Role::CustomerCare];
}

fn a_reply_is_promised_within_two_hours(t: &mut Tale) {
    t.with(promising);
    t.at("10:00", finding(Medium));
    t.at("10:01", acknowledge("a"));
    t.at("10:02", holds("it is a task", |incident| incident.tasks.iter().any(|task| task.step == "reply")));
    t.expect(page("a", First, "10:00"));
    t.expect(page("b", Overdue, "12:00"));
    t.expect(page("a", Overdue, "12:30"));
    t.until("+7d 10:00");
}

fn a_reply_given_in_time_is_the_end_of_it(t: &mut Tale) {
    t.with(promising);
    t.at("10:00", finding(Medium));
    t.at("10:01", acknowledge("a"));
    t.at("11:59", asks("b", done("reply")));
    t.expect(page("a", First, "10:00"));
    t.until("+7d 10:00");
}

fn a_promise_given_in_the_evening_is_due_the_next_morning(t: &mut Tale) {
    t.with(|book| {
        promising(book);
        book.teams[0].working_hours = Some(WorkingHours {
            time_zone: "Asia/Shanghai".to_owned(),
            from: time(9, 0, 0, 0),
            to: time(18, 0, 0, 0),
            rest_days: RestDays { weekends: true, calendar: None },
        });
    });
    // Half an hour before closing time in Shanghai: an hour and a half of the next morning are left, till 10:30 there.
    t.at("09:30", finding(High));
    t.at("09:31", acknowledge("a"));
    t.expect(page("a", First, "09:30"));
    t.expect(page("b", Overdue, "+1d 02:30"));
    t.expect(page("a", Overdue, "+1d 03:00"));
}

fn a_rise_does_not_move_the_promise(t: &mut Tale) {
    t.with(promising);
    t.at("10:00", finding(Medium));
    t.at("11:00", finding(High));
    t.at("11:01", acknowledge("a"));
    t.at("11:30", asks("b", done("reply")));
    t.expect(page("a", First, "10:00"));
    t.expect(page("b", crate::delivery::PageReason::Escalated, "10:15"));
    t.expect(page("a", crate::delivery::PageReason::LevelRaised, "11:00"));
    t.at(
        "11:31",
        holds("due two hours after the opening", |incident| {
            incident.tasks.iter().any(|task| task.step == "reply" && task.due_at == fixtures::at("12:00"))
        }),
    );
}
