//! Refused commands, forgetting and removal in Redis. Refuses to remove what is open or has moved on.

use super::{Redis, keys::milliseconds};
use crate::{
    audit::refusal::{KEPT, Refusal},
    incident::Incident,
    store::{PageRecord, StoreError, forgotten, from_json, to_json},
};

/// Times a write is tried again because somebody else was quicker.
const RACES: usize = 64;

impl Redis {
    pub(super) async fn add_refusal(&self, refusal: &Refusal) -> Result<(), StoreError> {
        let key = self.keys.shard(refusal.chain).refused();
        for _ in 0..RACES {
            let last: Option<String> =
                self.ask("record a refusal", redis::cmd("LINDEX").arg(&key).arg(-1)).await?;
            let last: Option<Refusal> = last.map(|json| from_json(&json, "refusal")).transpose()?;
            let next = refusal.after(last.as_ref());
            let mut call = self.scripts.refuse.key(&key);
            call.arg(next.number - 1).arg(to_json(&next, "refusal")?).arg(KEPT);
            let mut connection = self.link.connection();
            let added: i64 = self.link.heard("record a refusal", call.invoke_async(&mut connection).await)?;
            if added == 1 {
                return Ok(());
            }
        }
        tracing::warn!(
            who = refusal.by.who,
            what = refusal.what,
            "a refusal could not be recorded: too many"
        );
        Ok(())
    }

    pub(super) async fn all_refusals(&self) -> Result<Vec<Refusal>, StoreError> {
        let mut all = Vec::new();
        for of in self.keys.shards() {
            let range: Vec<String> =
                self.ask("read refusals", redis::cmd("LRANGE").arg(of.refused()).arg(0).arg(-1)).await?;
            for json in range {
                all.push(from_json(&json, "refusal")?);
            }
        }
        Ok(all)
    }

    pub(super) async fn forget_author(&self, incident: &str, author: &str) -> Result<usize, StoreError> {
        let of = self.keys.of_incident(incident);
        let ids: Vec<String> =
            self.ask("forget an author", redis::cmd("LRANGE").arg(of.paged(incident)).arg(0).arg(-1)).await?;
        let mut changed = 0;
        for id in ids {
            for _ in 0..RACES {
                let read = redis::cmd("HGET").arg(of.pages()).arg(&id).to_owned();
                let Some(json): Option<String> = self.ask("forget an author", &read).await? else { break };
                let record: PageRecord = from_json(&json, "page")?;
                let Some(record) = forgotten(&record, author) else { break };
                let mut call = self.scripts.swap_page.key(of.pages());
                call.arg(&id).arg(&json).arg(to_json(&record, "page")?);
                let mut connection = self.link.connection();
                let swapped: i64 =
                    self.link.heard("forget an author", call.invoke_async(&mut connection).await)?;
                if swapped == 1 {
                    changed += 1;
                    break;
                }
            }
        }
        Ok(changed)
    }

    pub(super) async fn remove_closed(&self, seen: &Incident) -> Result<bool, StoreError> {
        let of = self.keys.of_incident(&seen.id);
        let mut call = self.scripts.remove.prepare_invoke();
        for key in [
            of.incident(&seen.id),
            of.newest(),
            of.by_time(),
            of.timers(),
            of.pages(),
            of.paged(&seen.id),
            of.log(&seen.id),
            of.audit(),
            of.delayed(),
            of.open(),
        ] {
            call.key(key);
        }
        call.arg(&seen.id)
            .arg(seen.version)
            .arg(&seen.monitor)
            .arg(milliseconds(seen.closed_at.unwrap_or(seen.opened_at)).max(0));
        let mut connection = self.link.connection();
        let removed: i64 = self.link.heard("remove", call.invoke_async(&mut connection).await)?;
        Ok(removed == 1)
    }
}
