//! Reading incidents, lists, history and numbers from Redis. Refuses to change anything, except to mend a lost timer.

use std::time::Duration;

use jiff::Timestamp;
use redis::{FromRedisValue, Pipeline};

use super::{
    Redis,
    keys::{Shard, instant, milliseconds, read_tally},
};
use crate::{
    audit::AuditEntry,
    incident::Incident,
    store::{Counts, Filter, Listing, StoreError, cursor_of, from_json, read_cursor},
};

/// Incidents looked at in one shard at a time.
const CHUNK: usize = 64;

/// Members of a sorted set with their scores.
type Scored = Vec<(String, f64)>;

impl Redis {
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        what: &'static str,
        command: &redis::Cmd,
    ) -> Result<T, StoreError> {
        let mut connection = self.link.connection();
        self.link.heard(what, command.query_async(&mut connection).await)
    }

    pub(super) async fn ask_all<T: FromRedisValue>(
        &self,
        what: &'static str,
        pipeline: &Pipeline,
    ) -> Result<T, StoreError> {
        let mut connection = self.link.connection();
        self.link.heard(what, pipeline.query_async(&mut connection).await)
    }

    pub(super) async fn load_one(&self, id: &str) -> Result<Option<Incident>, StoreError> {
        let key = self.keys.of_incident(id).incident(id);
        let json: Option<String> = self.ask("load", redis::cmd("HGET").arg(key).arg("json")).await?;
        json.map(|json| from_json(&json, "incident")).transpose()
    }

    pub(super) async fn load_newest(&self, monitor: &str) -> Result<Option<Incident>, StoreError> {
        let key = self.keys.shard(Incident::shard_of(monitor)).newest();
        let id: Option<String> = self.ask("load", redis::cmd("HGET").arg(key).arg(monitor)).await?;
        match id {
            Some(id) => self.load_one(&id).await,
            None => Ok(None),
        }
    }

    pub(super) async fn knows_op(&self, id: &str, op: &str) -> Result<bool, StoreError> {
        let key = self.keys.of_incident(id).op(op);
        self.ask("look up", redis::cmd("EXISTS").arg(key)).await
    }

    pub(super) async fn list_from(
        &self,
        filter: &Filter,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Listing, StoreError> {
        let start = cursor.and_then(read_cursor);
        let mut found: Vec<Incident> = Vec::new();
        for of in self.keys.shards() {
            found.extend(self.list_shard(&of, filter, limit + 1, start).await?);
        }
        found.sort_by(|a, b| place(b).cmp(&place(a)));
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(cursor_of);
        Ok(Listing { incidents: found, next })
    }

    async fn list_shard(
        &self,
        of: &Shard,
        filter: &Filter,
        limit: usize,
        start: Option<(i64, &str)>,
    ) -> Result<Vec<Incident>, StoreError> {
        let index = if filter.open == Some(true) { of.open() } else { of.by_time() };
        let newest = start.map_or_else(|| "+inf".to_owned(), |(at, _)| at.to_string());
        let mut found = Vec::new();
        for chunk in 0.. {
            let mut range = redis::cmd("ZREVRANGEBYSCORE");
            range.arg(&index).arg(&newest).arg("-inf").arg("LIMIT").arg(chunk * CHUNK).arg(CHUNK);
            let ids: Vec<String> = self.ask("list", &range).await?;
            let last = ids.len() < CHUNK;
            if !ids.is_empty() {
                let mut loads = redis::pipe();
                for id in &ids {
                    loads.cmd("HGET").arg(of.incident(id)).arg("json");
                }
                let jsons: Vec<Option<String>> = self.ask_all("list", &loads).await?;
                for json in jsons.into_iter().flatten() {
                    let incident: Incident = from_json(&json, "incident")?;
                    let here = start.is_none_or(|start| place(&incident) < start);
                    if here && filter.admits(&incident) {
                        found.push(incident);
                    }
                }
            }
            if last || found.len() >= limit {
                break;
            }
        }
        Ok(found)
    }

    pub(super) async fn history(&self, incident: &str) -> Result<Vec<AuditEntry>, StoreError> {
        let key = self.keys.of_incident(incident).log(incident);
        let entries: Vec<String> =
            self.ask("read the history", redis::cmd("LRANGE").arg(key).arg(0).arg(-1)).await?;
        entries.iter().map(|json| from_json(json, "audit entry")).collect()
    }

    pub(super) async fn first_timer(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut firsts = redis::pipe();
        for of in self.keys.shards() {
            firsts.cmd("ZRANGE").arg(of.timers()).arg(0).arg(0).arg("WITHSCORES");
        }
        let firsts: Vec<Vec<(String, f64)>> = self.ask_all("look up", &firsts).await?;
        Ok(firsts.into_iter().flatten().filter_map(|(_, due)| instant(due)).min())
    }

    pub(super) async fn mend(&self) -> Result<usize, StoreError> {
        let mut mended = 0;
        for of in self.keys.shards() {
            let open: Vec<String> =
                self.ask("look up", redis::cmd("ZRANGE").arg(of.open()).arg(0).arg(-1)).await?;
            for ids in open.chunks(CHUNK) {
                let mut scores = redis::cmd("ZMSCORE");
                scores.arg(of.timers()).arg(ids);
                let scores: Vec<Option<f64>> = self.ask("look up", &scores).await?;
                for (id, _) in ids.iter().zip(scores).filter(|(_, score)| score.is_none()) {
                    if let Some(incident) =
                        self.load_one(id).await?.filter(|known| known.next_due().is_some())
                    {
                        mended += usize::from(self.set_timer(&incident, true).await?);
                    }
                }
            }
        }
        Ok(mended)
    }

    pub(super) async fn count_all(&self, now: Timestamp) -> Result<Counts, StoreError> {
        let mut counts = Counts::default();
        for of in self.keys.shards() {
            self.count_shard(&of, now, &mut counts).await?;
        }
        Ok(counts)
    }

    async fn count_shard(&self, of: &Shard, now: Timestamp, counts: &mut Counts) -> Result<(), StoreError> {
        let now_ms = milliseconds(now);
        let tally: Vec<(String, i64)> = self.ask("count", redis::cmd("HGETALL").arg(of.tally())).await?;
        let mut sizes = redis::pipe();
        sizes.cmd("XLEN").arg(of.outbox(true));
        sizes.cmd("XLEN").arg(of.outbox(false));
        sizes.cmd("ZCARD").arg(of.delayed());
        sizes.cmd("XLEN").arg(of.dead());
        let (high, rest, held, dead): (u64, u64, u64, u64) = self.ask_all("count", &sizes).await?;
        let mut dues = redis::pipe();
        dues.cmd("ZCOUNT").arg(of.timers()).arg("-inf").arg(format!("({now_ms}"));
        for key in [of.timers(), of.delayed()] {
            dues.cmd("ZRANGE").arg(key).arg(0).arg(0).arg("WITHSCORES");
        }
        let (overdue, timer, delayed): (u64, Scored, Scored) = self.ask_all("count", &dues).await?;
        for (field, number) in tally {
            if let (Some(key), Ok(number @ 1..)) = (read_tally(&field), u64::try_from(number)) {
                *counts.open.entry(key).or_default() += number;
            }
        }
        counts.outbox_depth += high + rest + held;
        counts.dead += dead;
        counts.timers_overdue += overdue;
        let age = |at: Timestamp| Duration::try_from(now.duration_since(at)).unwrap_or_default();
        let oldest = |first: &[(String, f64)]| {
            first.first().and_then(|(_, at)| instant(*at)).map_or(Duration::ZERO, age)
        };
        counts.timers_oldest = counts.timers_oldest.max(oldest(&timer));
        counts.outbox_oldest = counts.outbox_oldest.max(oldest(&delayed));
        for urgent in [true, false] {
            if let Some(at) = self.first_in_stream(&of.outbox(urgent)).await? {
                counts.outbox_oldest = counts.outbox_oldest.max(age(at));
            }
        }
        Ok(())
    }
}

fn place(incident: &Incident) -> (i64, &str) {
    (incident.opened_at.as_millisecond(), incident.id.as_str())
}
