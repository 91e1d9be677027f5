//! What a drill prints: one JSON object a line, each with `type` and `at` (event time), last the summary whose counts
//! add up. Refuses logs on stdout.

use std::{collections::BTreeMap, io::Write};

use jiff::Timestamp;
use serde_json::{Value, json};
use tocsin_escalate::{Incident, Page};
use tocsin_rules::Finding;

use crate::tally::Counted;

/// Collects counts and prints lines.
pub struct Report {
    out: Box<dyn Write + Send>,
    read: u64,
    rejected: BTreeMap<String, u64>,
    findings: u64,
    incidents: u64,
    pages: u64,
}

impl Report {
    /// Prints to standard output.
    pub fn to_stdout() -> Self {
        Self::to(Box::new(std::io::stdout()))
    }

    /// Prints to `out`.
    pub fn to(out: Box<dyn Write + Send>) -> Self {
        Self { out, read: 0, rejected: BTreeMap::new(), findings: 0, incidents: 0, pages: 0 }
    }

    /// One mention goes in.
    pub fn read(&mut self) {
        self.read += 1;
    }

    /// One record was refused before it became a mention.
    pub fn rejected(&mut self, reason: &str) {
        self.read += 1;
        *self.rejected.entry(reason.to_owned()).or_default() += 1;
    }

    /// A level changed.
    pub fn finding(&mut self, finding: &Finding) -> anyhow::Result<()> {
        self.findings += 1;
        let mut value = serde_json::to_value(finding)?;
        value["type"] = json!("finding");
        self.line(&value)
    }

    /// An incident opened or moved.
    pub fn incident(&mut self, at: Timestamp, incident: &Incident, new: bool) -> anyhow::Result<()> {
        self.incidents += u64::from(new);
        self.line(&json!({
            "type": "incident",
            "at": at,
            "id": incident.id,
            "version": incident.version,
            "monitor": incident.monitor,
            "monitor_name": incident.monitor_name,
            "level": incident.level,
            "peak": incident.peak,
            "state": incident.state,
            "category": incident.category,
            "onset": incident.onset,
            "plan": incident.plan.id,
            "acknowledged": incident.acknowledged,
            "recovered_at": incident.recovered_at,
            "reasons": incident.reasons,
        }))
    }

    /// Somebody was paged.
    pub fn page(&mut self, at: Timestamp, page: &Page) -> anyhow::Result<()> {
        self.pages += 1;
        self.line(&json!({
            "type": "page",
            "at": at,
            "id": page.id,
            "incident": page.incident,
            "to": page.to,
            "to_name": page.to_name,
            "reason": page.reason,
            "level": page.level,
            "channel": page.contact.channel,
            "decided_at": page.at,
        }))
    }

    /// The last line: `read` = `emitted` + all `dropped` + all `deadlettered`, and every hit has its own verdict.
    pub fn summary(&mut self, at: Timestamp, mentions: &Counted, hits: &Counted) -> anyhow::Result<()> {
        let mut dead: BTreeMap<String, u64> = std::mem::take(&mut self.rejected);
        for (reason, n) in &mentions.deadlettered {
            *dead.entry((*reason).to_owned()).or_default() += n;
        }
        self.line(&json!({
            "type": "summary",
            "at": at,
            "read": self.read,
            "emitted": mentions.emitted,
            "dropped": mentions.dropped,
            "deadlettered": dead,
            "hits": hits.total(),
            "hit_verdicts": { "counted": hits.emitted, "dropped": hits.dropped, "deadlettered": hits.deadlettered },
            "findings": self.findings,
            "incidents": self.incidents,
            "pages": self.pages,
        }))?;
        self.out.flush()?;
        Ok(())
    }

    fn line(&mut self, value: &Value) -> anyhow::Result<()> {
        writeln!(self.out, "{value}")?;
        Ok(())
    }
}
