//! [`Evidence`]: the few posts that weigh most. Bounded; a post's weight is fixed when it comes in and grows with its
//! time, so that newer posts displace older ones without re-weighing. Refuses to explain: it only ranks.

use tocsin_rules::{Hit, Label, Subject, Verified};

use crate::record::event_seconds;

/// Candidates kept.
const KEPT: usize = 8;
/// Posts shown by a finding.
const SHOWN: usize = 5;
/// Seconds that outweigh one point.
const SECONDS_PER_POINT: i64 = 1800;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Exhibit {
    pub(crate) id: u64,
    pub(crate) at: u32,
    pub(crate) weight: i64,
    pub(crate) subject: Box<Subject>,
}

/// The weightiest posts, heaviest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Evidence {
    exhibits: Vec<Exhibit>,
}

/// Negative 20; media or government 8; each doubling of followers or of engagement 1; a category 5; newness.
fn weigh(hit: &Hit) -> i64 {
    let subject = &hit.subject;
    let author = subject.author.as_ref();
    let doublings = |n: u64| i64::from(n.saturating_add(1).ilog2());
    let m = &subject.metrics;
    let engagement = [m.likes, m.favorites, m.comments, m.comments, m.reposts, m.reposts, m.reposts]
        .into_iter()
        .flatten()
        .fold(m.views.unwrap_or(0) / 100, u64::saturating_add);
    let official = author.is_some_and(|a| matches!(a.verified, Verified::Media | Verified::Government));
    let mut points = if hit.sentiment.label == Label::Negative { 20 } else { 0 };
    points += if official { 8 } else { 0 };
    points += if hit.categories.is_empty() { 0 } else { 5 };
    points += doublings(author.and_then(|a| a.followers).unwrap_or(0)) + doublings(engagement);
    points * SECONDS_PER_POINT + i64::from(event_seconds(hit))
}

impl Evidence {
    /// Offers a post; a known one is weighed anew. Returns whether anything changed.
    pub(crate) fn offer(&mut self, id: u64, hit: &Hit) -> bool {
        let weight = weigh(hit);
        let known = self.remove(id);
        let full = self.exhibits.len() == KEPT;
        if full && self.exhibits.last().is_some_and(|last| (last.weight, last.id) >= (weight, id)) {
            return known;
        }
        let at = self.exhibits.partition_point(|e| (e.weight, e.id) > (weight, id));
        let subject = Box::new(hit.subject.clone());
        self.exhibits.insert(at, Exhibit { id, at: event_seconds(hit), weight, subject });
        self.exhibits.truncate(KEPT);
        true
    }

    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.exhibits.len();
        self.exhibits.retain(|e| e.id != id);
        self.exhibits.len() != before
    }

    /// The heaviest since an instant.
    pub(crate) fn since(&self, start: i64) -> Vec<Subject> {
        self.exhibits
            .iter()
            .filter(|e| i64::from(e.at) >= start)
            .take(SHOWN)
            .map(|e| (*e.subject).clone())
            .collect()
    }

    pub(crate) fn exhibits(&self) -> &[Exhibit] {
        &self.exhibits
    }

    /// From exhibits in the order they were given by [`Evidence::exhibits`].
    pub(crate) fn from_exhibits(exhibits: Vec<Exhibit>) -> Self {
        Self { exhibits }
    }
}
