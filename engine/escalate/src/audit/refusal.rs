//! [`Refusal`]: a command that was not carried out, or that somebody was not allowed to send. One chain of hashes a
//! shard. Refuses what nobody is known for: an unknown sender could fill the store with noise.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::command::Actor;

/// Refusals kept in each shard; the oldest go first.
pub const KEPT: u64 = 10_000;
/// Longest reason, in characters.
const WHY_LIMIT: usize = 300;

/// One refused command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Shard whose chain it is on.
    pub chain: u8,
    /// Place on the chain, from 1.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Incident named, known or not.
    pub incident: String,
    /// Who asked, and through what.
    pub by: Actor,
    /// What was asked.
    pub what: String,
    /// Why not.
    pub why: String,
    /// Hash of the one before; empty for the first.
    pub prev_hash: String,
    /// SHA-256 over this one with `hash` empty, hexadecimal.
    pub hash: String,
}

impl Refusal {
    /// Not on any chain yet.
    pub fn new(at: Timestamp, incident: &str, by: Actor, what: &str, why: &str) -> Self {
        let cut = |text: &str, limit: usize| text.chars().take(limit).collect::<String>();
        Self {
            chain: crate::incident::Incident::shard_in(incident).unwrap_or(0),
            number: 0,
            at,
            incident: cut(incident, 64),
            by,
            what: cut(what, 64),
            why: cut(why, WHY_LIMIT),
            prev_hash: String::new(),
            hash: String::new(),
        }
    }

    /// The next one after `last`.
    pub(crate) fn after(&self, last: Option<&Self>) -> Self {
        let mut next = self.clone();
        next.number = last.map_or(1, |last| last.number + 1);
        next.prev_hash = last.map(|last| last.hash.clone()).unwrap_or_default();
        next.hash = next.digest();
        next
    }

    pub(crate) fn digest(&self) -> String {
        let bare = Self { hash: String::new(), ..self.clone() };
        let bytes = serde_json::to_vec(&bare).unwrap_or_default();
        Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
