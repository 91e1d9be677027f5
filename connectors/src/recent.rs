//! What was met lately: a map that forgets its oldest entry when it is full. Refuses to grow without end.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

/// At most `limit` entries.
#[derive(Debug)]
pub(crate) struct Recent<K, V = ()> {
    limit: usize,
    known: HashMap<K, V>,
    order: VecDeque<K>,
}

impl<K: Hash + Eq + Clone, V> Recent<K, V> {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, known: HashMap::new(), order: VecDeque::new() }
    }

    /// Remembers it; true when it was not known. A known one keeps its age.
    pub(crate) fn insert(&mut self, key: K, value: V) -> bool {
        if self.known.insert(key.clone(), value).is_some() {
            return false;
        }
        self.order.push_back(key);
        if self.order.len() > self.limit
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }

    pub(crate) fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.known.get(key)
    }

    /// The newest one.
    pub(crate) fn last(&self) -> Option<&K> {
        self.order.back()
    }

    pub(crate) fn clear(&mut self) {
        self.known.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten() {
        let mut recent = Recent::new(3);
        assert!((1..=3).all(|n| recent.insert(n, n * 10)));
        assert!(!recent.insert(1, 11));
        assert!(recent.insert(4, 40));
        assert_eq!((recent.get(&1), recent.get(&2), recent.last()), (None, Some(&20), Some(&4)));
        assert_eq!((recent.known.len(), recent.order.len()), (3, 3));
        recent.clear();
        assert!(recent.insert(2, 0) && recent.last() == Some(&2));
    }
}
