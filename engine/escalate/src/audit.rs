//! [`AuditEntry`]: one line of an incident's history, chained by hash to the one before, so that a changed or missing
//! line shows. Refuses to be rewritten: entries are appended with the change they describe, in the same transaction.

pub mod export;
pub mod refusal;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tocsin_rules::Level;

use crate::{
    command::Actor,
    delivery::PageReason,
    incident::{Incident, State},
};

/// One change of one incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Incident.
    pub incident: String,
    /// Version it led to; the first is 1.
    pub version: u64,
    /// When.
    pub at: Timestamp,
    /// Who, and through what.
    pub by: Actor,
    /// What, as a word: `opened`, `acknowledged`, `escalated`, …
    pub what: String,
    /// What exactly, for a person: reason given, role and person, step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// State before; none when it opened.
    pub state_before: Option<State>,
    /// State after.
    pub state: State,
    /// Level before; none when it opened.
    pub level_before: Option<Level>,
    /// Level after.
    pub level: Level,
    /// Whom this change paged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paged: Vec<Paged>,
    /// Operation id that asked for it.
    pub op: String,
    /// Hash of the entry before; empty for the first.
    pub prev_hash: String,
    /// SHA-256 over this entry with `hash` empty, hexadecimal.
    pub hash: String,
}

/// One page of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paged {
    /// Id of the page.
    pub page: String,
    /// Id of the person.
    pub to: String,
    /// Why.
    pub reason: PageReason,
}

impl AuditEntry {
    /// Computes `hash` and returns it.
    pub(crate) fn seal(&mut self) -> String {
        self.hash = self.digest();
        self.hash.clone()
    }

    fn digest(&self) -> String {
        let bare = Self { hash: String::new(), ..self.clone() };
        // A struct of texts, numbers and lists always is JSON; an empty digest would break the chain visibly.
        let bytes = serde_json::to_vec(&bare).unwrap_or_default();
        Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Checks the whole chain of an incident against the head it carries.
///
/// # Errors
/// The version of the first entry that does not fit, or of the head when entries are missing at the end.
pub fn verify(entries: &[AuditEntry], incident: &Incident) -> Result<(), u64> {
    let mut head = "";
    for (entry, version) in entries.iter().zip(1..) {
        if entry.version != version || entry.prev_hash != head || entry.hash != entry.digest() {
            return Err(version);
        }
        head = &entry.hash;
    }
    if head == incident.audit_head { Ok(()) } else { Err(incident.version) }
}
