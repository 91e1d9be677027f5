//! Bounded memory of mention ids: what is new about a mention, and which monitors must hear of it.
//!
//! A message that comes again because the loop retried a batch, or a broker replayed uncommitted offsets, is not its own
//! duplicate: a journal since the last checkpoint takes back what was learnt from offsets that come again.
//! Refuses to grow: the oldest ids are forgotten first.

use std::{
    collections::{BTreeMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use rustc_hash::FxHashMap;
use tocsin_rules::{Mention, Op};

/// Most journal entries kept when no checkpoint comes.
const JOURNAL: usize = 1 << 16;

/// What is new about a mention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// First sight of the id, or of one that was retracted.
    First,
    /// Seen before with other counters or another text; these monitors matched then.
    Changed(Arc<[Arc<str>]>),
    /// Seen before, nothing is new.
    Nothing,
    /// Retraction of a mention that these monitors matched.
    Retracted(Arc<[Arc<str>]>),
    /// Retraction of an id that is not known.
    Unknown,
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Partition of the mentions topic.
    pub partition: i32,
    /// Offset within it.
    pub offset: i64,
}

#[derive(Debug, Clone)]
struct Entry {
    /// Where the id was first seen.
    first: Place,
    /// What was seen last; 0 after a retraction.
    digest: u64,
    monitors: Arc<[Arc<str>]>,
    /// Tells the entry from an earlier one of the same id in `order`.
    serial: u64,
}

#[derive(Debug)]
struct Undo {
    place: Place,
    key: u64,
    before: Option<Entry>,
}

/// The filter.
#[derive(Debug)]
pub struct Duplicates {
    capacity: usize,
    entries: FxHashMap<u64, Entry>,
    order: VecDeque<(u64, u64)>,
    serial: u64,
    journal: VecDeque<Undo>,
    /// Next offset expected of each partition.
    next: BTreeMap<i32, i64>,
    nobody: Arc<[Arc<str>]>,
}

impl Duplicates {
    /// Remembers at most `capacity` ids.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            entries: FxHashMap::default(),
            order: VecDeque::new(),
            serial: 0,
            journal: VecDeque::new(),
            next: BTreeMap::new(),
            nobody: Arc::from([]),
        }
    }

    /// Ids remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A message of this place is about to be judged: what was learnt from it and from later ones of its partition,
    /// if it comes again, is taken back.
    pub fn arrive(&mut self, place: Place) {
        let next = self.next.entry(place.partition).or_insert(place.offset);
        let again = place.offset < *next;
        *next = place.offset.saturating_add(1);
        if again {
            self.take_back(place);
        }
    }

    /// What is new about a mention read at `place`. Changes nothing.
    pub fn judge(&self, mention: &Mention, place: Place) -> News {
        let known = self.entries.get(&key(&mention.id)).filter(|e| e.digest != 0);
        match (mention.op, known) {
            (Op::Delete, None) => News::Unknown,
            (Op::Delete, Some(entry)) => News::Retracted(entry.monitors.clone()),
            (_, None) => News::First,
            // A replay from before the last checkpoint.
            (_, Some(entry)) if entry.first == place => News::First,
            (_, Some(entry)) if entry.digest == digest(mention) => News::Nothing,
            (_, Some(entry)) => News::Changed(entry.monitors.clone()),
        }
    }

    /// Remembers a mention judged at `place` and the monitors that now match it.
    pub fn remember(&mut self, mention: &Mention, place: Place, monitors: Vec<Arc<str>>) {
        let key = key(&mention.id);
        let before = self.entries.get(&key).cloned();
        let (digest, monitors) = match mention.op {
            Op::Delete if before.is_none() => return,
            Op::Delete => (0, self.nobody.clone()),
            _ if monitors.is_empty() => (digest(mention), self.nobody.clone()),
            _ => (digest(mention), Arc::from(monitors)),
        };
        let (first, serial) = match &before {
            Some(entry) if entry.digest != 0 => (entry.first, entry.serial),
            Some(entry) => (place, entry.serial),
            None => {
                self.serial += 1;
                self.order.push_back((key, self.serial));
                (place, self.serial)
            }
        };
        self.entries.insert(key, Entry { first, digest, monitors, serial });
        self.journal.push_back(Undo { place, key, before });
        if self.journal.len() > JOURNAL {
            self.journal.pop_front();
        }
        self.forget_oldest();
    }

    /// Offsets below `next` are committed and will not come again by themselves.
    pub fn checkpoint(&mut self, next: &BTreeMap<i32, i64>) {
        self.journal
            .retain(|undo| next.get(&undo.place.partition).is_none_or(|&next| undo.place.offset >= next));
    }

    /// Another process owns these partitions now and judges what was not committed here.
    pub fn revoke(&mut self, partitions: &[i32]) {
        for &partition in partitions {
            self.take_back(Place { partition, offset: i64::MIN });
            self.next.remove(&partition);
        }
    }

    /// Undoes, newest first, what was learnt from `from` on.
    fn take_back(&mut self, from: Place) {
        let undone = |undo: &Undo| undo.place.partition == from.partition && undo.place.offset >= from.offset;
        let journal = std::mem::take(&mut self.journal);
        let (back, kept): (Vec<Undo>, Vec<Undo>) = journal.into_iter().partition(undone);
        self.journal = kept.into();
        for undo in back.into_iter().rev() {
            match undo.before {
                Some(entry) if self.entries.contains_key(&undo.key) => {
                    self.entries.insert(undo.key, entry);
                }
                _ => {
                    self.entries.remove(&undo.key);
                }
            }
        }
    }

    fn forget_oldest(&mut self) {
        while self.entries.len() > self.capacity || self.order.len() > 2 * self.capacity {
            let Some((key, serial)) = self.order.pop_front() else { return };
            if self.entries.get(&key).is_some_and(|e| e.serial == serial) {
                self.entries.remove(&key);
            }
        }
    }
}

fn key(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// Everything of a mention that later stages act on and that may change; never 0.
fn digest(mention: &Mention) -> u64 {
    let mut hasher = DefaultHasher::new();
    mention.title.hash(&mut hasher);
    mention.text.hash(&mut hasher);
    let m = &mention.metrics;
    (m.likes, m.comments, m.reposts, m.views, m.favorites).hash(&mut hasher);
    hasher.finish().max(1)
}

#[cfg(test)]
#[path = "duplicates/tests.rs"]
mod tests;
