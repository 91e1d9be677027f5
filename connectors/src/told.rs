//! What a source without a cursor of its own has already told of, so that a page read again does not count again: a
//! bounded set in memory. Forgetting, as after a restart, is harmless: mention ids make doubles visible.

use std::collections::{HashSet, VecDeque};

use crate::Item;

/// The set.
#[derive(Debug)]
pub(crate) struct Told {
    most: usize,
    seen: HashSet<[u8; 16]>,
    order: VecDeque<[u8; 16]>,
}

impl Told {
    /// Keeps the last `most`.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, seen: HashSet::new(), order: VecDeque::new() }
    }

    /// Takes out what was told before. What is left counts as told only with [`Told::keep`].
    pub(crate) fn only_new(&self, items: &mut Vec<Item>) {
        items.retain(|item| !self.seen.contains(&key(item)));
    }

    /// The bus has these.
    pub(crate) fn keep(&mut self, keys: impl IntoIterator<Item = [u8; 16]>) {
        for key in keys {
            if self.seen.insert(key) {
                self.order.push_back(key);
            }
            if self.order.len() > self.most
                && let Some(oldest) = self.order.pop_front()
            {
                self.seen.remove(&oldest);
            }
        }
    }
}

/// A mention by its id, a refusal by what was refused.
pub(crate) fn key(item: &Item) -> [u8; 16] {
    let hash = match item {
        Item::Mention(mention) => blake3::hash(mention.id.as_bytes()),
        Item::Rejected(rejected) => blake3::Hasher::new_derive_key("tocsin refused record")
            .update(rejected.field.as_bytes())
            .update(&[0])
            .update(&rejected.payload)
            .finalize(),
    };
    let mut key = [0; 16];
    key.copy_from_slice(&hash.as_bytes()[..16]);
    key
}

#[cfg(test)]
mod tests {
    use tocsin_rules::RejectionReason;

    use super::*;
    use crate::{Rejected, item::refuse};

    fn refused(payload: &str) -> Item {
        let rejection = refuse(RejectionReason::InvalidJson, "", "");
        Item::Rejected(Box::new(Rejected::at("s", 1, rejection, payload.as_bytes())))
    }

    #[test]
    fn tells_each_once_and_forgets_the_oldest() {
        let mut told = Told::new(2);
        let mut items = vec![refused("a"), refused("b")];
        told.only_new(&mut items);
        assert_eq!(items.len(), 2, "not acknowledged yet");
        told.keep(items.iter().map(key));
        told.only_new(&mut items);
        assert!(items.is_empty());
        told.keep([key(&refused("c"))]);
        let mut items = vec![refused("a"), refused("b"), refused("c")];
        told.only_new(&mut items);
        assert_eq!(items, [refused("a")]);
    }
}
