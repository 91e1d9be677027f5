//! [`Evidence`]: the few posts that weigh most. Bounded; a post's weight is fixed when it comes in and grows with its
//! time, so that newer posts displace older ones without re-weighing. Refuses to explain: it only ranks.

mod packed;

use packed::Packed;
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
    pub(crate) weight: i64,
    pub(crate) at: u32,
    subject: Packed,
}

impl Exhibit {
    pub(crate) fn new(id: u64, at: u32, weight: i64, subject: &Subject) -> Self {
        Self { id, weight, at, subject: Packed::of(subject) }
    }

    /// The post as it came.
    pub(crate) fn subject(&self) -> Subject {
        self.subject.subject()
    }
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
    /// Reads what is compared, and what the next post may replace; of no meaning.
    pub(crate) fn fetch(&self) -> u64 {
        self.exhibits.iter().fold(0, |seen, exhibit| seen ^ exhibit.id)
    }

    pub(crate) fn fetch_least(&self) -> u64 {
        self.exhibits.last().map_or(0, |exhibit| exhibit.subject.fetch())
    }

    /// Offers a post; a known one is weighed anew. Returns whether anything changed.
    pub(crate) fn offer(&mut self, id: u64, hit: &Hit) -> bool {
        let weight = weigh(hit);
        let known = self.exhibits.iter().position(|e| e.id == id);
        // The place of a known one, or of the least when there is no room for another.
        let place = known.or_else(|| (self.exhibits.len() == KEPT).then_some(KEPT - 1));
        let mut exhibit = match place {
            Some(place) => {
                let last = &self.exhibits[place];
                if known.is_none() && (last.weight, last.id) >= (weight, id) {
                    return false;
                }
                self.exhibits.remove(place)
            }
            None => {
                self.exhibits.reserve_exact(1);
                Exhibit { id, weight, at: 0, subject: Packed::default() }
            }
        };
        exhibit.subject.replace(&hit.subject);
        (exhibit.id, exhibit.weight, exhibit.at) = (id, weight, event_seconds(hit));
        let at = self.exhibits.partition_point(|e| (e.weight, e.id) > (weight, id));
        self.exhibits.insert(at, exhibit);
        true
    }

    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.exhibits.len();
        self.exhibits.retain(|e| e.id != id);
        self.exhibits.len() != before
    }

    /// The heaviest since an instant.
    pub(crate) fn since(&self, start: i64) -> Vec<Subject> {
        self.exhibits.iter().filter(|e| i64::from(e.at) >= start).take(SHOWN).map(Exhibit::subject).collect()
    }

    pub(crate) fn exhibits(&self) -> &[Exhibit] {
        &self.exhibits
    }

    /// From exhibits in the order they were given by [`Evidence::exhibits`].
    pub(crate) fn from_exhibits(exhibits: Vec<Exhibit>) -> Self {
        Self { exhibits }
    }
}
