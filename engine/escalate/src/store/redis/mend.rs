//! After a failover or a restart of Redis: what it had acknowledged and forgot is written again from the journal, in the
//! order it happened and under the operations it had, before a timer fires or a page leaves. Refuses to overwrite what went on
//! without it: where histories part, the store's stands and the difference is said.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Redis, journal::Entry};
use crate::{
    metrics,
    store::{Committed, PageRecord, PageStatus, StoreError, to_json},
    transition::Change,
};

/// Between two looks at which server answers.
const LOOK: SignedDuration = SignedDuration::from_secs(1);

/// The server last seen, and when.
#[derive(Debug, Default)]
pub(super) struct Seen {
    server: Option<String>,
    looked: Option<Timestamp>,
}

/// What was filled in.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// Changes of incidents.
    pub changes: usize,
    /// Pages that had been settled.
    pub receipts: usize,
    /// Incidents that went on another way meanwhile: left as they are.
    pub parted: usize,
}

impl Redis {
    /// Fills in what is missing when another server answers than before, or the same after a restart.
    pub(super) async fn look_at_server(&self, now: Timestamp) -> Result<(), StoreError> {
        let Some(journal) = &self.journal else { return Ok(()) };
        let mut seen = self.seen.lock().await;
        if seen.looked.is_some_and(|at| now.duration_since(at).abs() < LOOK) {
            return Ok(());
        }
        let mut ask = redis::cmd("INFO");
        ask.arg("server").arg("replication");
        let info: String = self.ask("look at the server", &ask).await?;
        // New with every start, and with every promotion.
        let server = format!("{} {}", word(&info, "run_id:"), word(&info, "master_replid:"));
        if seen.server.as_ref() != Some(&server) {
            let (at, journal) = (now, std::sync::Arc::clone(journal));
            let read = tokio::task::spawn_blocking(move || journal.read()).await;
            let restored = match read {
                Ok(Ok(memory)) => self.restore(memory, at).await?,
                Ok(Err(fault)) => {
                    tracing::error!(%fault, "the journal cannot be read: what a failover lost stays lost");
                    Restored::default()
                }
                Err(_) => return Ok(()),
            };
            if restored != Restored::default() {
                tracing::warn!(?restored, "redis had forgotten what it acknowledged; written again");
            }
            metrics::restored(restored);
            seen.server = Some(server);
        }
        seen.looked = Some(now);
        Ok(())
    }

    async fn restore(&self, memory: super::journal::Memory, now: Timestamp) -> Result<Restored, StoreError> {
        let mut restored = Restored::default();
        if memory.unreadable > 0 {
            tracing::warn!(lines = memory.unreadable, "lines of the journal were cut off");
        }
        for (id, changes) in &memory.changes {
            match self.catch_up(id, changes, &memory.settled, now).await? {
                Ok(changes) => restored.changes += changes,
                Err(at) => {
                    tracing::error!(
                        incident = id,
                        version = at,
                        "the store went on without what this journal holds"
                    );
                    restored.parted += 1;
                }
            }
        }
        for record in memory.settled.values() {
            restored.receipts += usize::from(self.receipt(record).await?);
        }
        Ok(restored)
    }

    /// Writes again what the store lacks of one incident; the version at which histories part, if they do.
    async fn catch_up(
        &self,
        id: &str,
        changes: &BTreeMap<u64, (String, Change)>,
        settled: &BTreeMap<String, PageRecord>,
        now: Timestamp,
    ) -> Result<Result<usize, u64>, StoreError> {
        let mut stored = self.load_one(id).await?;
        let mut written = 0;
        loop {
            let version = stored.as_ref().map_or(0, |incident| incident.version);
            if let (Some(incident), Some((_, known))) = (&stored, changes.get(&version))
                && incident.audit_head != known.incident.audit_head
            {
                return Ok(Err(version));
            }
            // What another host's journal holds comes from there.
            let Some((op, change)) = changes.get(&(version + 1)) else { return Ok(Ok(written)) };
            match self.commit_with(change, op, now, settled).await? {
                Committed::Applied => {
                    written += 1;
                    stored = Some(change.incident.clone());
                }
                Committed::AlreadyApplied(now_stands) => {
                    if now_stands.version <= version {
                        return Ok(Ok(written));
                    }
                    stored = Some(*now_stands);
                }
                Committed::Conflict(Some(now_stands)) if now_stands.version > version => {
                    stored = Some(*now_stands);
                }
                Committed::Conflict(_) => return Ok(Ok(written)),
            }
        }
    }

    /// A page that had been settled and waits again: it waits no more. Whether it did.
    async fn receipt(&self, record: &PageRecord) -> Result<bool, StoreError> {
        if record.status == PageStatus::Pending {
            return Ok(false);
        }
        let of = self.keys.of_incident(&record.page.incident);
        let mut call = self.scripts.receipt.key(of.pages());
        call.arg(&record.page.id).arg(to_json(record, "page")?);
        let mut connection = self.link.connection();
        let set: i64 = self.link.heard("restore a receipt", call.invoke_async(&mut connection).await)?;
        Ok(set == 1)
    }

    /// Notes what Redis has acknowledged.
    pub(super) fn note(&self, entry: impl FnOnce() -> Entry, now: Timestamp) {
        if let Some(journal) = &self.journal
            && let Err(fault) = journal.add(&entry(), now)
        {
            metrics::journal_failed();
            tracing::error!(%fault, "the journal cannot be written: a failover now would lose this");
        }
    }
}

fn word<'t>(info: &'t str, name: &str) -> &'t str {
    info.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim()
}
