//! Which monitors must be counted anew when a rulebook is edited, from when on, and how their hits are marked. Refuses to
//! read anything again itself.

use jiff::SignedDuration;
use rustc_hash::FxHashMap;
use tocsin_rules::{Monitor, Rulebook};

use crate::criteria::Criteria;

/// Header of a hit that was matched again for a monitor that is new or asks something else.
pub const RECALLED: &str = "recalled";

/// Monitors of `new` whose windows must be counted anew: those not in `old`, and those that ask something else. An edited
/// word list may change what any query asks.
pub fn changed<'a>(old: &Rulebook, new: &'a Rulebook) -> Vec<&'a str> {
    let known: FxHashMap<&str, &Monitor> = old.monitors.iter().map(|m| (m.id.as_str(), m)).collect();
    let lists = old.lists == new.lists;
    let asks_the_same = |new: &&Monitor| {
        lists
            && known.get(new.id.as_str()).is_some_and(|old| {
                old.query == new.query && old.platforms == new.platforms && old.languages == new.languages
            })
    };
    new.monitors.iter().filter(|monitor| !asks_the_same(monitor)).map(|monitor| monitor.id.as_str()).collect()
}

/// How far back any threshold looks.
pub fn longest_window(rulebook: &Rulebook) -> SignedDuration {
    let criteria = Criteria::of(rulebook);
    SignedDuration::from_secs(criteria.longest().saturating_mul(criteria.bucket_seconds))
}
