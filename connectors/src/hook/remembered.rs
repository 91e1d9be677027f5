//! Deliveries already published, by hash of their name, with the answer given: bounded in number and in time. What is
//! forgotten early is harmless, since mention ids make doubles visible.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::Reply;

/// Most deliveries kept of one hook.
const MOST: usize = 16_384;
/// Longest: platforms give up repeating long before.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// Longer answers are not kept.
const LONGEST_REPLY: usize = 4096;

type Key = [u8; 32];

/// The memory of one hook.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    replies: HashMap<Key, Reply>,
    order: VecDeque<(Timestamp, Key)>,
}

impl Remembered {
    pub(super) fn get(&mut self, key: &Key, now: Timestamp) -> Option<Reply> {
        while self.order.front().is_some_and(|(at, _)| now.duration_since(*at) > KEPT) {
            self.forget_first();
        }
        self.replies.get(key).cloned()
    }

    pub(super) fn put(&mut self, key: Key, reply: &Reply, now: Timestamp) {
        if reply.body.len() > LONGEST_REPLY || self.replies.contains_key(&key) {
            return;
        }
        if self.order.len() >= MOST {
            self.forget_first();
        }
        self.order.push_back((now, key));
        self.replies.insert(key, reply.clone());
    }

    fn forget_first(&mut self) {
        if let Some((_, key)) = self.order.pop_front() {
            self.replies.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_bounded_in_number_and_time() {
        let mut remembered = Remembered::default();
        let start: Timestamp = "2026-09-10T00:00:00Z".parse().expect("a time");
        for n in 0..MOST + 5 {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&n.to_be_bytes());
            remembered.put(key, &Reply::text(n.to_string()), start);
        }
        assert_eq!((remembered.order.len(), remembered.replies.len()), (MOST, MOST));
        assert!(remembered.get(&[0; 32], start).is_none());
        let mut newest = [0; 32];
        newest[..8].copy_from_slice(&(MOST + 4).to_be_bytes());
        assert!(remembered.get(&newest, start).is_some());
        let later = start.saturating_add(SignedDuration::from_hours(25)).expect("in range");
        assert!(remembered.get(&newest, later).is_none() && remembered.order.is_empty());
    }
}
