//! [`Board`]: topics of hot-search boards that a monitor matched, each title of a platform once. Bounded. Refuses to judge
//! a title: what names a crisis is decided by the categories of the rulebook.
//!
//! A topic is not a post: it stands for what thousands talk of, few come a month, and it is seen again every hour. So it
//! is counted at its first sight, and its surprise is measured against two weeks.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use tocsin_rules::{Hit, Kind};

use crate::{criteria::HOUR, record::hash64};

/// How long a topic is remembered, seconds.
pub(crate) const MEMORY: i64 = 14 * 24 * HOUR;
/// Topics remembered; beyond, the oldest go.
const KEPT: usize = 128;
/// What is believed of a monitor's crisis topics before anything is known: a tenth of one in three days.
const PRIOR_TOPICS: f64 = 0.1;
const PRIOR_SECONDS: f64 = 3.0 * 86_400.0;
/// No board holds more topics of one brand.
const MOST: u32 = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Topic {
    id: u64,
    /// First sight, event time.
    at: u32,
    crisis: bool,
}

/// Topics by first sight, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Board {
    topics: VecDeque<Topic>,
}

/// Identity of what is counted: the id of a mention, but of a topic its title, since every observation of a board may
/// come under an id of its own.
pub(crate) fn identity(hit: &Hit) -> u64 {
    let subject = &hit.subject;
    if subject.kind != Kind::Topic {
        return hash64(&subject.id);
    }
    match subject.excerpt.lines().next().map(str::trim).filter(|title| !title.is_empty()) {
        Some(title) => hash64(&format!("{} topic {title}", subject.platform)),
        None => hash64(&subject.id),
    }
}

/// Whether the title says what the monitor looks for; a topic that merely mentions it in its text is somebody else's.
pub(crate) fn is_named_in_title(hit: &Hit) -> bool {
    let title = hit.subject.excerpt.lines().next().unwrap_or_default().chars().count();
    hit.matches.is_empty() || hit.matches.iter().any(|found| (found.start as usize) < title)
}

impl Board {
    /// Sees a topic; a known one keeps its first sight.
    pub(crate) fn note(&mut self, id: u64, at: u32, crisis: bool, now: i64) {
        while self.topics.front().is_some_and(|topic| now - i64::from(topic.at) >= MEMORY) {
            self.topics.pop_front();
        }
        if let Some(known) = self.topics.iter_mut().find(|topic| topic.id == id) {
            known.crisis = crisis;
            return;
        }
        let place = self.topics.partition_point(|topic| (topic.at, topic.id) < (at, id));
        self.topics.insert(place, Topic { id, at, crisis });
        if self.topics.len() > KEPT {
            self.topics.pop_front();
        }
    }

    /// Forgets a retracted topic.
    pub(crate) fn remove(&mut self, id: u64) {
        self.topics.retain(|topic| topic.id != id);
    }

    /// All topics, and those that name a crisis, of a window in seconds that ends at `now`.
    pub(crate) fn count(&self, window: i64, now: i64) -> (u32, u32) {
        let recent = self.topics.iter().rev().take_while(|topic| now - i64::from(topic.at) < window);
        recent.fold((0, 0), |(all, crisis), topic| (all + 1, crisis + u32::from(topic.crisis)))
    }

    /// Crisis topics in the window from which on their number is as improbable as that: 10 to the minus `surprise`.
    pub(crate) fn limit(&self, window: i64, now: i64, surprise: f64) -> u32 {
        let before = self.count(MEMORY, now).1 - self.count(window, now).1;
        limit(before, window, surprise)
    }

    /// When some topic leaves one of these windows.
    pub(crate) fn next_exit(&self, windows: &[i64], now: i64) -> Option<i64> {
        windows
            .iter()
            .filter_map(|window| {
                let first = self.topics.partition_point(|topic| i64::from(topic.at) + window <= now);
                self.topics.get(first).map(|topic| i64::from(topic.at) + window)
            })
            .min()
    }
}

/// The number of topics in a window from which on it is that improbable after so many before it. Gamma belief about the
/// rate, Poisson counts: the number is negative binomial.
fn limit(before: u32, window: i64, surprise: f64) -> u32 {
    #[expect(clippy::cast_precision_loss, reason = "at most two weeks of seconds")]
    let (window, past) = (window as f64, (MEMORY - window).max(0) as f64);
    let size = f64::from(before) + PRIOR_TOPICS;
    let ratio = window / (window + past + PRIOR_SECONDS);
    let mut probability = (1.0 - ratio).powf(size);
    let mut below = probability;
    let wanted = 10_f64.powf(-surprise);
    for number in 1..MOST {
        if 1.0 - below <= wanted {
            return number;
        }
        let number = f64::from(number);
        probability *= (size + number - 1.0) / number * ratio;
        below += probability;
    }
    MOST
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * HOUR;

    #[test]
    fn the_first_crisis_topic_in_two_weeks_is_news_and_the_next_alone_is_not() {
        assert_eq!([0, 1, 2, 4, 8].map(|before| limit(before, DAY, 2.2)), [1, 2, 3, 3, 4]);
        assert_eq!(limit(0, DAY, 3.3), 2, "calm");
        assert_eq!(limit(1, DAY, 1.47), 2, "alert");
        assert_eq!(limit(128, DAY, 1e9), MOST);
    }

    #[test]
    fn a_topic_counts_once_from_its_first_sight_and_is_forgotten() {
        let mut board = Board::default();
        board.note(7, 1_000, true, 1_000);
        assert_eq!((board.count(HOUR, 4_599), board.count(HOUR, 4_600)), ((1, 1), (0, 0)));
        board.note(7, 5_000, true, 5_000);
        board.note(8, 5_000, false, 5_000);
        assert_eq!(board.count(DAY, 5_000), (2, 1));
        assert_eq!(board.next_exit(&[HOUR, DAY], 5_000), Some(5_000 + HOUR));
        board.remove(7);
        assert_eq!(board.count(DAY, 5_000), (1, 0));
        board.note(9, 2_000_000, true, 2_000_000);
        assert_eq!(board.count(MEMORY, 2_000_000), (1, 1));
    }

    #[test]
    fn a_flood_of_topics_is_bounded() {
        let mut board = Board::default();
        for id in 0..100_000_u32 {
            board.note(u64::from(id), 1_000 + id / 100, id % 2 == 0, 2_000);
        }
        assert_eq!(board.topics.len(), KEPT);
        assert!(board.limit(DAY, 2_000, 2.2) <= MOST);
    }
}
