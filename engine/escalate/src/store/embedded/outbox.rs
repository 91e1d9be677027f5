//! Pages waiting to leave in the embedded store. A claim moves a page's time to the end of the lease, so that a crash
//! brings it back by itself.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use redb::{
    Database, ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata, WriteTransaction,
};
use tocsin_rules::Level;

use super::tables::{DEAD, Fault, META, OUTBOX, PAGES, PAGES_OF, ceil_ms, instant};
use crate::{
    delivery::Page,
    store::{Claim, Counts, PageRecord, PageStatus, Settlement, fresh, from_json, to_json},
};

/// Workers that took back, in this process, what they held before it started.
#[derive(Debug, Clone, Default)]
pub(super) struct Resumed(Arc<Mutex<BTreeSet<String>>>);

type Key = (u8, i64, u64);

fn urgency(page: &Page) -> u8 {
    u8::from(page.level < Level::High)
}

/// Adds the pages of a change to the outbox, within its transaction.
pub(super) fn add(tx: &WriteTransaction, pages: &[Page]) -> Result<(), Fault> {
    if pages.is_empty() {
        return Ok(());
    }
    let (mut records, mut outbox) = (tx.open_table(PAGES)?, tx.open_table(OUTBOX)?);
    let (mut pages_of, mut meta) = (tx.open_table(PAGES_OF)?, tx.open_table(META)?);
    let mut number = meta.get("sequence")?.map_or(0, |last| last.value());
    for page in pages {
        if records.get(page.id.as_str())?.is_some() {
            continue;
        }
        number += 1;
        records.insert(page.id.as_str(), to_json(&fresh(page), "page")?.as_str())?;
        pages_of.insert((page.incident.as_str(), number), page.id.as_str())?;
        outbox.insert((urgency(page), ceil_ms(page.not_before), number), (page.id.as_str(), "", 0))?;
    }
    meta.insert("sequence", number)?;
    Ok(())
}

pub(super) fn claim(
    db: &Database,
    resumed: &Resumed,
    now: Timestamp,
    worker: &str,
    limit: usize,
    lease: Duration,
) -> Result<Vec<Claim>, Fault> {
    let first = !resumed.0.lock().unwrap_or_else(PoisonError::into_inner).contains(worker);
    let until = ceil_ms(now.checked_add(lease).unwrap_or(now));
    let now = now.as_millisecond();
    if !first && !any_ready(db, now)? {
        return Ok(Vec::new());
    }
    let tx = db.begin_write()?;
    let mut claims = Vec::new();
    {
        let mut outbox = tx.open_table(OUTBOX)?;
        let records = tx.open_table(PAGES)?;
        let mut taken: Vec<(Key, String, u32)> = Vec::new();
        if first {
            for entry in outbox.iter()? {
                let (key, value) = entry?;
                let (page, holder, claimed) = value.value();
                if holder == worker && key.value().1 > now && claimed > 0 {
                    taken.push((key.value(), page.to_owned(), claimed));
                }
            }
        }
        for urgency in [0, 1] {
            for entry in outbox.range((urgency, i64::MIN, 0)..=(urgency, now, u64::MAX))? {
                let (key, value) = entry?;
                let (page, _, claimed) = value.value();
                taken.push((key.value(), page.to_owned(), claimed));
            }
        }
        taken.truncate(limit);
        for (key, page, claimed) in taken {
            outbox.remove(key)?;
            let key = (key.0, until, key.2);
            outbox.insert(key, (page.as_str(), worker, claimed + 1))?;
            let Some(json) = records.get(page.as_str())? else { continue };
            let token = format!("{}.{}.{}.{}", key.0, key.1, key.2, claimed + 1);
            claims.push(Claim { record: from_json(json.value(), "page")?, claims: claimed + 1, token });
        }
    }
    tx.commit()?;
    resumed.0.lock().unwrap_or_else(PoisonError::into_inner).insert(worker.to_owned());
    Ok(claims)
}

fn any_ready(db: &Database, now: i64) -> Result<bool, Fault> {
    let outbox = db.begin_read()?.open_table(OUTBOX)?;
    for urgency in [0, 1] {
        if outbox.range((urgency, i64::MIN, 0)..=(urgency, now, u64::MAX))?.next().is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn read_token(token: &str) -> Option<(Key, u32)> {
    let mut parts = token.split('.');
    let key = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some((key, parts.next()?.parse().ok()?))
}

pub(super) fn settle(
    db: &Database,
    token: &str,
    settlement: &Settlement,
    now: Timestamp,
) -> Result<bool, Fault> {
    let record = &settlement.record;
    let id = record.page.id.as_str();
    let tx = db.begin_write()?;
    {
        let (mut records, mut outbox) = (tx.open_table(PAGES)?, tx.open_table(OUTBOX)?);
        let stored: Option<PageRecord> =
            records.get(id)?.map(|json| from_json(json.value(), "page")).transpose()?;
        let delivered = stored.is_some_and(|stored| stored.status == PageStatus::Delivered);
        let mut held = None;
        if let Some((key, claims)) = read_token(token) {
            held = outbox.get(key)?.filter(|value| value.value().2 == claims).map(|_| key);
        }
        if delivered || (held.is_none() && record.status != PageStatus::Delivered) {
            return Ok(delivered);
        }
        let mut number = held.map_or(0, |key| key.2);
        if let Some(key) = held {
            outbox.remove(key)?;
        } else {
            // Delivered after the claim was lost: whoever holds it now need not send it again.
            let mut other = None;
            for entry in outbox.iter()? {
                let (key, value) = entry?;
                if value.value().0 == id {
                    other = Some(key.value());
                }
            }
            if let Some(key) = other {
                number = key.2;
                outbox.remove(key)?;
            }
        }
        records.insert(id, to_json(record, "page")?.as_str())?;
        match record.status {
            PageStatus::Pending => {
                let key = (urgency(&record.page), ceil_ms(settlement.again_at), number);
                outbox.insert(key, (id, "", 0))?;
            }
            PageStatus::Dead => {
                tx.open_table(DEAD)?.insert(id, now.as_millisecond())?;
            }
            PageStatus::Delivered | PageStatus::Obsolete => {}
        }
    }
    tx.commit()?;
    Ok(true)
}

pub(super) fn next_page_at(db: &Database) -> Result<Option<Timestamp>, Fault> {
    let outbox = db.begin_read()?.open_table(OUTBOX)?;
    let mut next = None;
    for urgency in [0, 1] {
        if let Some(entry) = outbox.range((urgency, i64::MIN, 0)..=(urgency, i64::MAX, u64::MAX))?.next() {
            let at = instant(entry?.0.value().1);
            next = Some(next.map_or(at, |known: Timestamp| known.min(at)));
        }
    }
    Ok(next)
}

pub(super) fn pages(db: &Database, incident: &str) -> Result<Vec<PageRecord>, Fault> {
    let tx = db.begin_read()?;
    let records = tx.open_table(PAGES)?;
    let mut pages = Vec::new();
    for entry in tx.open_table(PAGES_OF)?.range((incident, 0)..=(incident, u64::MAX))? {
        if let Some(json) = records.get(entry?.1.value())? {
            pages.push(from_json(json.value(), "page")?);
        }
    }
    Ok(pages)
}

pub(super) fn age(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}

pub(super) fn count(tx: &ReadTransaction, now: Timestamp, counts: &mut Counts) -> Result<(), Fault> {
    let outbox = tx.open_table(OUTBOX)?;
    let records = tx.open_table(PAGES)?;
    counts.outbox_depth = outbox.len()?;
    for entry in outbox.iter()? {
        let Some(json) = records.get(entry?.1.value().0)? else { continue };
        let record: PageRecord = from_json(json.value(), "page")?;
        counts.outbox_oldest = counts.outbox_oldest.max(age(record.page.not_before, now));
    }
    Ok(())
}
