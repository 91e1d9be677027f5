//! Pages in Redis: one stream for high level and one for the rest in each shard, read by one consumer group.
//! Refuses to trim: an entry leaves a stream only when its page is settled.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Redis,
    keys::{Shard, instant, milliseconds_up, urgent},
    milliseconds_of,
};
use crate::store::{Claim, PageRecord, PageStatus, Settlement, StoreError, from_json, to_json};

/// One claimed entry as the script returns it: urgent, entry id, times taken, record.
type Entry = (String, String, String, String);
/// An entry of a stream: id and fields in turn.
type StreamEntry = (String, Vec<String>);

impl Redis {
    pub(super) async fn claim_outbox(
        &self,
        now: Timestamp,
        worker: &str,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claim>, StoreError> {
        self.look_at_server(now).await?;
        let mut claims = Vec::new();
        for (number, of) in (0..).zip(self.keys.shards()) {
            if claims.len() >= limit {
                break;
            }
            let resume = !self.has_resumed(worker, number);
            let mut call = self.scripts.claim_pages.key(of.outbox(true));
            call.key(of.outbox(false)).key(of.delayed()).key(of.pages());
            call.arg(worker)
                .arg(limit - claims.len())
                .arg(milliseconds_of(lease))
                .arg(self.now_argument(now))
                .arg(if resume { "resume" } else { "" });
            let mut connection = self.link.connection();
            let heard = self.link.heard("claim pages", call.invoke_async(&mut connection).await);
            let taken: Vec<Entry> = match heard {
                Ok(taken) => taken,
                Err(fault) if claims.is_empty() => return Err(fault),
                // what is in hand leaves now; the other shards have their turn with the next claim
                Err(fault) => {
                    tracing::warn!(shard = number, %fault, "pages of a shard cannot be claimed now");
                    break;
                }
            };
            for (urgent, entry, times, json) in taken {
                let record = match from_json(&json, "page") {
                    Ok(record) => record,
                    // one damaged record must not hold up the others
                    Err(fault) => {
                        tracing::error!(shard = number, entry, %fault, "a page cannot be read");
                        continue;
                    }
                };
                let token = format!("{urgent} {entry} {worker}");
                claims.push(Claim { record, claims: times.parse().unwrap_or(1), token });
            }
            self.set_resumed(worker, number);
        }
        claims.sort_by_key(|claim| (!urgent(&claim.record.page), claim.record.page.at));
        Ok(claims)
    }

    pub(super) async fn settle_claim(
        &self,
        claim: &Claim,
        settlement: &Settlement,
    ) -> Result<bool, StoreError> {
        let record = &settlement.record;
        let mut parts = claim.token.splitn(3, ' ');
        let (flag, entry, worker) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        let status = match record.status {
            PageStatus::Pending => "pending",
            PageStatus::Delivered => "delivered",
            PageStatus::Obsolete => "obsolete",
            PageStatus::Dead => "dead",
        };
        let of = self.keys.of_incident(&record.page.incident);
        let mut call = self.scripts.settle_page.key(of.outbox(flag == "1"));
        call.key(of.delayed()).key(of.pages()).key(of.dead());
        call.arg(worker)
            .arg(entry)
            .arg(&record.page.id)
            .arg(to_json(record, "page")?)
            .arg(status)
            .arg(milliseconds_up(settlement.again_at))
            .arg(flag);
        let mut connection = self.link.connection();
        let settled: i64 = self.link.heard("settle a page", call.invoke_async(&mut connection).await)?;
        Ok(settled == 1)
    }

    pub(super) async fn pages_of(&self, incident: &str) -> Result<Vec<PageRecord>, StoreError> {
        let of = self.keys.of_incident(incident);
        let ids: Vec<String> =
            self.ask("read pages", redis::cmd("LRANGE").arg(of.paged(incident)).arg(0).arg(-1)).await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let records: Vec<Option<String>> =
            self.ask("read pages", redis::cmd("HMGET").arg(of.pages()).arg(ids)).await?;
        records.into_iter().flatten().map(|json| from_json(&json, "page")).collect()
    }

    pub(super) async fn first_page(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut first: Option<Timestamp> = None;
        for of in self.keys.shards() {
            for at in [self.first_held(&of).await?, self.first_in_stream(&of.outbox(true)).await?]
                .into_iter()
                .chain([self.first_in_stream(&of.outbox(false)).await?])
                .flatten()
            {
                first = Some(first.map_or(at, |known| known.min(at)));
            }
        }
        Ok(first)
    }

    async fn first_held(&self, of: &Shard) -> Result<Option<Timestamp>, StoreError> {
        let mut range = redis::cmd("ZRANGE");
        range.arg(of.delayed()).arg(0).arg(0).arg("WITHSCORES");
        let first: Vec<(String, f64)> = self.ask("look up", &range).await?;
        Ok(first.first().and_then(|(_, at)| instant(*at)))
    }

    /// When the oldest entry of an outbox stream might have left.
    pub(super) async fn first_in_stream(&self, stream: &str) -> Result<Option<Timestamp>, StoreError> {
        let mut range = redis::cmd("XRANGE");
        range.arg(stream).arg("-").arg("+").arg("COUNT").arg(1);
        let first: Vec<StreamEntry> = self.ask("look up", &range).await?;
        let at = first.first().and_then(|(_, fields)| fields.get(3)?.parse::<f64>().ok());
        Ok(at.and_then(instant))
    }
}
