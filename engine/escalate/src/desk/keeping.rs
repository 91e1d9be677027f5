//! What is kept and for how long: refused commands, the export of the audit, forgetting an author, and the removal of
//! what was closed long ago. Refuses to let a failed record of a refusal fail anything else.

use jiff::Timestamp;
use serde::Serialize;

use super::Desk;
use crate::{
    audit::{
        export::{Line, Writer},
        refusal::Refusal,
    },
    command::{Actor, CommandError},
    incident::Incident,
    report::{Period, Report},
    store::{Committed, Filter, StoreError},
    transition::{Effect, Event, apply},
};

/// Incidents looked at in one go.
const BATCH: usize = 100;
/// Times a change is tried again because somebody else was quicker.
const RACES: usize = 32;
/// Longest key of an author, in bytes.
const KEY_LIMIT: usize = 128;

/// What forgetting an author changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Forgotten {
    /// Incidents looked at.
    pub looked_at: usize,
    /// Incidents that held posts of the author.
    pub incidents: usize,
    /// Pages that quoted them.
    pub pages: usize,
}

/// An export of the audit under way: every incident's chain and head, then, unless one incident was named, the
/// refusals, then the end.
#[derive(Debug)]
pub struct Export {
    desk: Desk,
    only: Option<String>,
    writer: Option<Writer>,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Incidents(Option<String>),
    Refusals,
    End,
}

impl Desk {
    /// Records a command that was refused or denied. A store that does not answer is logged, nothing more.
    pub async fn refused(&self, incident: &str, actor: &Actor, what: &str, why: &str) {
        let refusal = Refusal::new(self.clock.now(), incident, actor.clone(), what, why);
        if let Err(fault) = self.store.refuse(&refusal).await {
            tracing::warn!(error = &fault as &dyn std::error::Error, what, "a refusal was not recorded");
        }
    }

    /// Refused commands, newest first, at most `limit`.
    ///
    /// # Errors
    /// The store is away.
    pub async fn refusals(&self, limit: usize) -> Result<Vec<Refusal>, CommandError> {
        let mut all = self.store.refusals().await?;
        all.sort_by_key(|refusal| std::cmp::Reverse((refusal.at, refusal.chain, refusal.number)));
        all.truncate(limit);
        Ok(all)
    }

    /// Begins an export of the whole audit, or of one incident's.
    ///
    /// # Errors
    /// [`CommandError::Unknown`], or the store is away.
    pub async fn export(&self, only: Option<&str>) -> Result<Export, CommandError> {
        if let Some(id) = only {
            self.show(id).await?;
        }
        Ok(Export {
            desk: self.clone(),
            only: only.map(str::to_owned),
            writer: Some(Writer::default()),
            place: Place::Incidents(None),
        })
    }

    /// Removes the posts of an author, known by key, from every incident and every page. Again, it changes nothing.
    ///
    /// # Errors
    /// The key is none, or the store is away; sending it again goes on.
    pub async fn forget(&self, author: &str, actor: &Actor) -> Result<Forgotten, CommandError> {
        if author.is_empty() || author.len() > KEY_LIMIT || !author.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(CommandError::Invalid(format!(
                "an author's key has 1 to {KEY_LIMIT} visible ASCII characters"
            )));
        }
        let mut done = Forgotten::default();
        let mut cursor = None;
        loop {
            let listing = self.store.list(&Filter::default(), BATCH, cursor.as_deref()).await?;
            for incident in listing.incidents {
                done.looked_at += 1;
                done.incidents += usize::from(self.forget_in(&incident.id, author, actor).await?);
                done.pages += self.store.forget_in_pages(&incident.id, author).await?;
            }
            match listing.next {
                Some(next) => cursor = Some(next),
                None => return Ok(done),
            }
        }
    }

    /// A report of a period as it stands now.
    ///
    /// # Errors
    /// The store is away.
    pub async fn report(&self, period: Period) -> Result<Report, CommandError> {
        let filter = Filter {
            drill: Some(false),
            since: Some(period.from),
            before: Some(period.to),
            ..Filter::default()
        };
        let mut incidents = Vec::new();
        let mut cursor = None;
        loop {
            let listing = self.store.list(&filter, BATCH, cursor.as_deref()).await?;
            incidents.extend(listing.incidents);
            match listing.next {
                Some(next) => cursor = Some(next),
                None => return Ok(Report::of(period, &incidents, self.clock.now())),
            }
        }
    }

    async fn forget_in(&self, id: &str, author: &str, actor: &Actor) -> Result<bool, CommandError> {
        for _ in 0..RACES {
            let Some(incident) = self.load(id).await? else { return Ok(false) };
            let op = format!("forget:{id}:{author}:{}", incident.version);
            let rulebook = self.rulebook.load_full();
            let event = Event::Forget { author, actor };
            match apply(Some(incident), event, &op, &rulebook, self.clock.now())? {
                Effect::Nothing(_) => return Ok(false),
                Effect::Change(change) => match self.commit(&change, &op).await? {
                    Committed::Applied | Committed::AlreadyApplied(_) => return Ok(true),
                    Committed::Conflict(_) => {}
                },
            }
        }
        Err(CommandError::Invalid(format!("{id} changes too fast; try again")))
    }

    /// Removes incidents closed before `horizon`, with their pages and history; at most `limit` in one go.
    ///
    /// # Errors
    /// The store is away.
    pub async fn remove_closed(&self, horizon: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let filter = Filter { open: Some(false), before: Some(horizon), ..Filter::default() };
        let mut removed = 0;
        let mut cursor = None;
        loop {
            let listing = self.store.list(&filter, BATCH, cursor.as_deref()).await?;
            let old = |incident: &&Incident| {
                // Work that goes on after resolution, and a watch that still runs, keep it.
                let watched = incident.watch_until.is_some_and(|until| until >= horizon);
                incident.closed_at.is_some_and(|at| at < horizon) && !watched
            };
            for incident in listing.incidents.iter().filter(old) {
                if self.store.remove(incident).await? {
                    removed += 1;
                    tracing::info!(incident = incident.id, closed_at = ?incident.closed_at, "removed: kept long enough");
                }
                if removed >= limit {
                    return Ok(removed);
                }
            }
            match listing.next {
                Some(next) => cursor = Some(next),
                None => return Ok(removed),
            }
        }
    }
}

impl Export {
    /// The next lines; none after the end.
    ///
    /// # Errors
    /// The store is away, or somebody changed an incident faster than it could be read.
    pub async fn next(&mut self) -> Result<Option<String>, CommandError> {
        let Some(writer) = self.writer.as_mut() else { return Ok(None) };
        let mut text = String::new();
        match &self.place {
            Place::Incidents(cursor) => {
                let (incidents, next) = match &self.only {
                    Some(id) => (vec![self.desk.show(id).await?], None),
                    None => {
                        let listing =
                            self.desk.store.list(&Filter::default(), BATCH, cursor.as_deref()).await?;
                        (listing.incidents, listing.next)
                    }
                };
                for incident in incidents {
                    let entries = self.desk.store.audit(&incident.id).await?;
                    // What was added while reading belongs to the next export.
                    let seen = entries.into_iter().filter(|entry| entry.version <= incident.version);
                    for entry in seen {
                        text.push_str(&writer.line(&Line::Change { entry: Box::new(entry) }));
                    }
                    let (version, head) = (incident.version, incident.audit_head.clone());
                    text.push_str(&writer.line(&Line::Head { incident: incident.id, version, head }));
                }
                self.place = match next {
                    Some(next) => Place::Incidents(Some(next)),
                    None => Place::Refusals,
                };
            }
            Place::Refusals => {
                // Chains of refusals run through a shard; pieces of one prove nothing.
                if self.only.is_none() {
                    for refusal in self.desk.store.refusals().await? {
                        text.push_str(&writer.line(&Line::Refused { refusal }));
                    }
                }
                self.place = Place::End;
            }
            Place::End => {
                if let Some(writer) = self.writer.take() {
                    text = writer.end();
                }
            }
        }
        Ok(Some(text))
    }
}

#[cfg(test)]
mod tests;
