//! [`Ids`]: where the mention of an id lies, and which ids are known though their mention is gone: one table for both, of
//! two bytes an entry. Refuses to grow: the oldest of the forgotten go first.

use std::collections::VecDeque;

use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

use crate::record::Record;

/// Ids remembered after their mention left the ledger.
const MAX_FORGOTTEN: usize = 1024;
/// No place of the slab.
pub(super) const NOWHERE: u16 = u16::MAX;
/// Set in an entry that says where a forgotten id stands in the ring, instead of where a mention lies in the slab.
const GONE: u16 = 1 << 15;

/// Ids no longer in the ledger that must not count again: late, retracted, expired or folded; the oldest first. As written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Forgotten(VecDeque<u32>);

#[derive(Debug, Clone, Default)]
pub(super) struct Ids {
    /// Places of mentions, and of forgotten ids with [`GONE`].
    table: HashTable<u16>,
    /// Halves of forgotten ids; full, the oldest stands at `oldest`.
    ring: Vec<u32>,
    oldest: u16,
}

#[expect(clippy::cast_possible_truncation, reason = "a hash is cut on purpose")]
fn short(id: u64) -> u32 {
    id as u32
}

/// Ids are hashes already; the table looks at the upper bits too.
fn hash(short: u32) -> u64 {
    u64::from(short).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Hash of what an entry stands for.
fn hash_of(entry: u16, ring: &[u32], records: &[Record]) -> u64 {
    let short = if entry & GONE == 0 {
        records.get(usize::from(entry)).map_or(0, |record| short(record.id))
    } else {
        ring.get(usize::from(entry & !GONE)).copied().unwrap_or(0)
    };
    hash(short)
}

impl Ids {
    pub(super) fn of(forgotten: &Forgotten) -> Self {
        let mut ids = Self::default();
        forgotten.0.iter().for_each(|short| ids.note_short(*short, &[]));
        ids
    }

    pub(super) fn forgotten(&self) -> Forgotten {
        let (newer, older) = self.ring.split_at(usize::from(self.oldest));
        Forgotten(older.iter().chain(newer).copied().collect())
    }

    pub(super) fn fetch(&self) -> u64 {
        (self.table.len() + self.ring.len()) as u64 ^ u64::from(self.oldest)
    }

    pub(super) fn fetch_behind(&self) -> u64 {
        u64::from(self.ring.get(usize::from(self.oldest)).copied().unwrap_or(0))
    }

    pub(super) fn fetch_oldest(&self) -> u64 {
        let oldest = self.ring.get(usize::from(self.oldest)).filter(|_| self.ring.len() == MAX_FORGOTTEN);
        u64::from(oldest.and_then(|short| self.entry_gone(*short)).unwrap_or(0))
    }

    /// Where the mention lies.
    pub(super) fn place(&self, id: u64, records: &[Record]) -> Option<u16> {
        let is_it = |entry: &u16| entry & GONE == 0 && records[usize::from(*entry)].id == id;
        self.table.find(hash(short(id)), is_it).copied()
    }

    pub(super) fn has_forgotten(&self, id: u64) -> bool {
        self.entry_gone(short(id)).is_some()
    }

    fn entry_gone(&self, short: u32) -> Option<u16> {
        let is_it = |entry: &u16| entry & GONE != 0 && self.ring[usize::from(entry & !GONE)] == short;
        self.table.find(hash(short), is_it).copied()
    }

    /// The mention at this place is a new one.
    pub(super) fn insert(&mut self, at: u16, records: &[Record]) {
        let Self { table, ring, .. } = self;
        let hash = hash_of(at, ring, records);
        table.insert_unique(hash, at, |entry| hash_of(*entry, ring, records));
    }

    /// The mention goes and its id is unknown then. Returns where it lay.
    pub(super) fn remove(&mut self, id: u64, records: &[Record]) -> Option<u16> {
        let is_it = |entry: &u16| entry & GONE == 0 && records[usize::from(*entry)].id == id;
        let found = self.table.find_entry(hash(short(id)), is_it).ok()?;
        Some(found.remove().0)
    }

    /// The mention at this place goes, its id must not count again.
    pub(super) fn forget(&mut self, at: u16, records: &[Record]) {
        let short = short(records[usize::from(at)].id);
        let known = self.entry_gone(short).is_some();
        if known || self.ring.len() < MAX_FORGOTTEN {
            if let Ok(found) = self.table.find_entry(hash(short), |entry| *entry == at) {
                found.remove();
            }
            self.note_short(short, records);
            return;
        }
        // Nearly always: its entry goes on standing for the forgotten id.
        let place = self.replace_oldest(short);
        if let Some(entry) = self.table.find_mut(hash(short), |entry| *entry == at) {
            *entry = GONE | place;
        }
    }

    pub(super) fn note(&mut self, id: u64, records: &[Record]) {
        self.note_short(short(id), records);
    }

    fn note_short(&mut self, short: u32, records: &[Record]) {
        if self.entry_gone(short).is_some() {
            return;
        }
        let place = if self.ring.len() < MAX_FORGOTTEN {
            if self.ring.len() == self.ring.capacity() {
                self.ring.reserve_exact((self.ring.len() / 4).clamp(4, MAX_FORGOTTEN - self.ring.len()));
            }
            self.ring.push(short);
            u16::try_from(self.ring.len() - 1).unwrap_or(0)
        } else {
            self.replace_oldest(short)
        };
        let Self { table, ring, .. } = self;
        table.insert_unique(hash(short), GONE | place, |entry| hash_of(*entry, ring, records));
    }

    /// Puts an id where the oldest stands in a full ring.
    fn replace_oldest(&mut self, short: u32) -> u16 {
        let place = self.oldest;
        let oldest = std::mem::replace(&mut self.ring[usize::from(place)], short);
        if let Ok(found) = self.table.find_entry(hash(oldest), |entry| *entry == GONE | place) {
            found.remove();
        }
        self.oldest = if usize::from(place) + 1 == MAX_FORGOTTEN { 0 } else { place + 1 };
        place
    }

    /// All mentions are gone, their ids unknown.
    pub(super) fn keep_forgotten(&mut self) {
        self.table.retain(|entry| *entry & GONE != 0);
    }

    /// Mentions lie elsewhere now, and there are fewer of them than there were.
    pub(super) fn moved(&mut self, to: &[u16], records: &[Record]) {
        for entry in &mut self.table {
            if *entry & GONE == 0 {
                *entry = to[usize::from(*entry)];
            }
        }
        let Self { table, ring, .. } = self;
        table.shrink_to(0, |entry| hash_of(*entry, ring, records));
    }
}
