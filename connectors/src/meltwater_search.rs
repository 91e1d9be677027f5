//! Meltwater: documents of a saved search. Refuses to re-run a search without an end: pages are counted.

pub mod documents;
pub mod poll;
