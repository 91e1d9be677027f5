use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::{record::KnownTags, testing::*};

fn record(id: u64, at: i64) -> Record {
    Record::of(&angry(1, at), id, &mut KnownTags::default())
}

#[test]
fn a_record_fills_one_line_of_the_cache() {
    assert_eq!((size_of::<Record>(), size_of::<Bucket>()), (64, 8));
}

#[test]
fn an_edge_is_found_wherever_it_lies() {
    let mut ledger = Ledger::default();
    for index in [3, 4, 8, 9, 10, 20, 21, 40, 41, 42, 43, 100] {
        ledger.insert_folded(index, Folded::default());
        let all: Vec<i64> = ledger.buckets().map(|b| b.index).collect();
        for after in 0..=101 {
            let expected = all.iter().copied().find(|index| *index > after);
            assert_eq!(ledger.first_after(after), expected, "{after} in {all:?}");
            let found: Vec<i64> = ledger.between(after, after + 10).map(|b| b.index).collect();
            let inside = |index: &i64| *index > after && *index <= after + 10;
            assert_eq!(found, all.iter().copied().filter(inside).collect::<Vec<_>>());
        }
    }
    assert_eq!(Ledger::default().first_after(0), None);
}

#[derive(Debug, Clone)]
enum Step {
    Insert(u64, u32),
    Remove(u64),
    Note(u64),
    Expire(u32),
}

fn step() -> impl Strategy<Value = Step> {
    // Few ids, some of which differ in the upper half only, so that they meet again.
    let id = (0_u64..40, 0_u64..2).prop_map(|(low, high)| low | high << 32);
    prop_oneof![
        6 => (id.clone(), 0_u32..30).prop_map(|(id, at)| Step::Insert(id, at)),
        2 => id.clone().prop_map(Step::Remove),
        1 => id.prop_map(Step::Note),
        1 => (0_u32..30).prop_map(Step::Expire),
    ]
}

proptest! {
    /// Against plain maps: what is where, what is known, and in which order.
    #[test]
    fn it_holds_what_plain_maps_hold(steps in prop::collection::vec(step(), 1..400)) {
        let mut ledger = Ledger::default();
        let mut held: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
        let mut forgotten: HashSet<u32> = HashSet::new();
        for step in steps {
            match step {
                Step::Insert(id, at) if !ledger.contains(id) => {
                    ledger.insert(i64::from(at), record(id, i64::from(at)));
                    held.entry(at).or_default().push(id);
                }
                Step::Insert(..) => {}
                Step::Remove(id) => {
                    let at = held.iter().find(|(_, ids)| ids.contains(&id)).map(|(at, _)| *at);
                    let removed = ledger.remove(id, i64::from).map(|(at, record)| (at, record.id));
                    prop_assert_eq!(removed, at.map(|at| (i64::from(at), id)));
                    held.values_mut().for_each(|ids| ids.retain(|known| *known != id));
                    held.retain(|_, ids| !ids.is_empty());
                }
                Step::Note(id) => {
                    ledger.note(id);
                    forgotten.insert(id as u32);
                }
                Step::Expire(through) => {
                    ledger.expire(i64::from(through));
                    let later = held.split_off(&(through + 1));
                    forgotten.extend(std::mem::replace(&mut held, later).into_values().flatten().map(|id| id as u32));
                }
            }
            let found: Vec<(u32, Vec<u64>)> = ledger
                .buckets()
                .map(|b| (u32::try_from(b.index).unwrap(), { let mut ids: Vec<u64> = b.records().map(|r| r.id).collect(); ids.reverse(); ids }))
                .collect();
            prop_assert_eq!(found, held.clone().into_iter().collect::<Vec<_>>());
            prop_assert_eq!(ledger.len(), held.values().map(Vec::len).sum::<usize>());
            for id in (0_u64..40).chain((0..40).map(|id| id | 1 << 32)) {
                prop_assert_eq!(ledger.contains(id), held.values().flatten().any(|known| *known == id));
                prop_assert_eq!(ledger.has_forgotten(id), forgotten.contains(&(id as u32)));
            }
        }
    }
}

#[test]
fn the_oldest_forgotten_go_first_and_memory_comes_back_after_a_storm() {
    let mut ledger = Ledger::default();
    for id in 0..5_000_u32 {
        ledger.insert(i64::from(id / 100), record(u64::from(id), i64::from(id / 100)));
    }
    let full = ledger.records.capacity();
    ledger.expire(47);
    assert_eq!((ledger.len(), ledger.has_forgotten(3_775), ledger.has_forgotten(3_776)), (200, false, true));
    assert!(ledger.records.capacity() * 8 < full, "{}", ledger.records.capacity());
    assert!((4_800..5_000).all(|id| ledger.contains(id)));
    ledger.note(7);
    assert_eq!((ledger.has_forgotten(3_776), ledger.has_forgotten(7)), (false, true));
    let mut other = Ledger::default();
    other.restore_forgotten(&ledger.forgotten());
    assert_eq!(other.forgotten(), ledger.forgotten());
    other.note(8);
    assert!(!other.has_forgotten(3_777) && other.has_forgotten(3_778));
    ledger.expire(1_000);
    assert_eq!((ledger.len(), ledger.records.capacity()), (0, 0));
}
