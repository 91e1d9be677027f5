//! Timelines: a tale says what happens when and which pages are expected when; it is played on a clock moved by hand,
//! over the real desk, timers and courier, on each store and with one or three workers. Refuses surplus: whatever was
//! not expected, a page too many or an error in the log, fails the tale and shows the whole timeline.

mod diff;
mod log;
mod recorder;
mod scenarios;
mod tale;
mod world;

use diff::compare;
use tale::Tale;
use world::{Way, World};

/// Plays a tale on a way; a way whose parts are missing is skipped loudly.
async fn told(way: Way, name: &str, tell: fn(&mut Tale)) {
    let mut tale = Tale::default();
    tell(&mut tale);
    let Some(world) = World::raise(way, &tale).await else { return };
    let (expected, allowed) = (tale.expected.clone(), tale.allowed_errors.clone());
    let lines = world.play(tale).await;
    if let Err(timeline) = compare(lines, &expected, &allowed) {
        panic!("{name} on {way:?}: = as expected, + surplus, - missing, ! wrong\n{timeline}");
    }
}

/// The harness itself: a page nobody expected, and one that never comes.
#[cfg(test)]
mod tests {
    use tocsin_rules::Level::High;

    use super::{
        tale::{finding, page},
        *,
    };
    use crate::delivery::PageReason::{Escalated, First};

    fn two_rungs_of_which_one_is_expected(t: &mut Tale) {
        t.at("10:00", finding(High));
        t.expect(page("a", First, "10:00"));
        t.until("10:06");
    }

    fn a_page_to_the_wrong_person(t: &mut Tale) {
        t.at("10:00", finding(High));
        t.expect(page("a", First, "10:00"));
        t.expect(page("c", Escalated, "10:05"));
        t.until("10:04");
    }

    #[tokio::test]
    #[should_panic(expected = "+ 10 10:05:00.000 page b escalated")]
    async fn surplus_fails() {
        told(Way::Embedded, "surplus", two_rungs_of_which_one_is_expected).await;
    }

    #[tokio::test]
    #[should_panic(expected = "- 10 10:05:00..10:05:00 page c escalated")]
    async fn missing_fails() {
        told(Way::Embedded, "missing", a_page_to_the_wrong_person).await;
    }
}
