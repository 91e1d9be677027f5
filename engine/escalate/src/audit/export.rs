//! The audit as JSON lines, and the check of such a file: every line in order, every hash, every chain up to the head its
//! incident carries, and a last line that counts them all. Refuses to trust a file without its end.
//!
//! A whole file forged with new hashes is consistent in itself; it shows against an older export, whose heads must be on
//! the newer chains.

use std::{collections::BTreeMap, io::BufRead};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{AuditEntry, refusal::Refusal};

/// One line of an export.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Line {
    /// One change of one incident.
    Change {
        /// What stands on the chain.
        entry: Box<AuditEntry>,
    },
    /// Where an incident's chain ends, as the incident itself says.
    Head {
        /// Incident.
        incident: String,
        /// Its version: the number of changes.
        version: u64,
        /// Hash of the newest change.
        head: String,
    },
    /// A command that was not carried out.
    Refused {
        /// What stands on the shard's chain.
        refusal: Refusal,
    },
    /// The end.
    End {
        /// Lines before this one.
        lines: u64,
        /// SHA-256 over them, line breaks included, hexadecimal.
        sha256: String,
    },
}

/// Writes lines and remembers what its last one has to say.
#[derive(Debug, Default)]
pub struct Writer {
    lines: u64,
    hasher: Sha256,
}

impl Writer {
    /// The text of a line, its break included.
    pub fn line(&mut self, line: &Line) -> String {
        // Texts, numbers and lists always are JSON.
        let text = format!("{}\n", serde_json::to_string(line).unwrap_or_default());
        self.lines += 1;
        self.hasher.update(text.as_bytes());
        text
    }

    /// The last line.
    pub fn end(self) -> String {
        let sha256 = hex(&self.hasher.finalize());
        let line = Line::End { lines: self.lines, sha256 };
        format!("{}\n", serde_json::to_string(&line).unwrap_or_default())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a file holds, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Verdict {
    /// Incidents with a head.
    pub incidents: u64,
    /// Changes.
    pub changes: u64,
    /// Refused commands.
    pub refusals: u64,
    /// What does not fit, by line; empty for a whole file.
    pub faults: Vec<Fault>,
    /// Every head, for a later comparison: incident → version and hash.
    #[serde(skip)]
    pub heads: BTreeMap<String, (u64, String)>,
    #[serde(skip)]
    chains: BTreeMap<String, Vec<String>>,
}

/// One thing that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Line, from 1; 0 for the file as a whole.
    pub line: u64,
    /// What.
    pub what: String,
}

/// Checks a whole export.
///
/// # Errors
/// The file cannot be read; what it says never is an error.
pub fn verify(input: impl BufRead) -> std::io::Result<Verdict> {
    let mut verdict = Verdict::default();
    let mut writer = Writer::default();
    let mut refused: BTreeMap<u8, Refusal> = BTreeMap::new();
    let mut ended = false;
    for (text, number) in input.lines().zip(1..) {
        let text = text?;
        let mut fault = |what: String| verdict.faults.push(Fault { line: number, what });
        if ended {
            fault("there is more after the end".to_owned());
            break;
        }
        let Ok(line) = serde_json::from_str::<Line>(&text) else {
            fault("is no line of an audit".to_owned());
            hash_only(&mut writer, &text);
            continue;
        };
        match &line {
            Line::Change { entry } => {
                let chain = verdict.chains.entry(entry.incident.clone()).or_default();
                let head = chain.last().cloned().unwrap_or_default();
                let version = chain.len() as u64 + 1;
                if entry.version != version {
                    fault(format!("{} jumps to version {}", entry.incident, entry.version));
                } else if entry.prev_hash != head {
                    fault(format!("{} version {version} does not follow the one before", entry.incident));
                } else if entry.hash != entry.digest() {
                    fault(format!("{} version {version} was edited", entry.incident));
                }
                chain.push(entry.hash.clone());
                verdict.changes += 1;
            }
            Line::Head { incident, version, head } => {
                let chain = verdict.chains.get(incident).map(Vec::as_slice).unwrap_or_default();
                if chain.len() as u64 != *version
                    || chain.last().map(String::as_str).unwrap_or_default() != head
                {
                    fault(format!(
                        "{incident} has {} changes here and stands at version {version}",
                        chain.len()
                    ));
                }
                verdict.heads.insert(incident.clone(), (*version, head.clone()));
                verdict.incidents += 1;
            }
            Line::Refused { refusal } => {
                let before = refused.get(&refusal.chain);
                // The oldest are forgotten, so that a chain may begin anywhere.
                let follows = before.is_none_or(|before| {
                    before.number + 1 == refusal.number && before.hash == refusal.prev_hash
                });
                if !follows || refusal.hash != refusal.digest() {
                    fault(format!("refusal {} of shard {} does not fit", refusal.number, refusal.chain));
                }
                refused.insert(refusal.chain, refusal.clone());
                verdict.refusals += 1;
            }
            Line::End { lines, sha256 } => {
                ended = true;
                let here = std::mem::take(&mut writer);
                if *lines != here.lines || *sha256 != hex(&here.hasher.finalize()) {
                    fault("the end does not fit what comes before it".to_owned());
                }
                continue;
            }
        }
        hash_only(&mut writer, &text);
    }
    let headless: Vec<String> =
        verdict.chains.keys().filter(|id| !verdict.heads.contains_key(*id)).cloned().collect();
    for incident in headless {
        verdict.faults.push(Fault { line: 0, what: format!("{incident} has no head") });
    }
    if !ended {
        verdict.faults.push(Fault { line: 0, what: "the file is cut off: it has no end".to_owned() });
    }
    Ok(verdict)
}

fn hash_only(writer: &mut Writer, text: &str) {
    writer.lines += 1;
    writer.hasher.update(text.as_bytes());
    writer.hasher.update(b"\n");
}

impl Verdict {
    /// Adds what of `older` this one contradicts: history only ever grows, but for incidents removed by retention, which
    /// are named.
    pub fn compare(&mut self, older: &Self) {
        for (incident, (version, head)) in &older.heads {
            let place = usize::try_from(version.saturating_sub(1)).unwrap_or(usize::MAX);
            let what = match self.chains.get(incident) {
                None => format!("{incident} is gone"),
                Some(chain) if chain.get(place) != Some(head) => {
                    format!("{incident} had another history up to version {version}")
                }
                Some(_) => continue,
            };
            self.faults.push(Fault { line: 0, what });
        }
    }
}

#[cfg(test)]
mod tests;
