//! Refused commands, forgetting and removal in the embedded store. Each function is one transaction. Refuses to remove
//! what is open or has moved on.

use redb::{Database, ReadableDatabase, ReadableTable};

use super::tables::{AUDIT, BY_TIME, DEAD, Fault, INCIDENTS, NEWEST, OUTBOX, PAGES, PAGES_OF, REFUSED};
use crate::{
    audit::refusal::{KEPT, Refusal},
    incident::Incident,
    store::{PageRecord, forgotten, from_json, to_json},
};

pub(super) fn refuse(db: &Database, refusal: &Refusal) -> Result<(), Fault> {
    let tx = db.begin_write()?;
    {
        let mut refused = tx.open_table(REFUSED)?;
        let chain = refusal.chain;
        let mut last: Option<Refusal> = None;
        if let Some(entry) = refused.range((chain, 0)..=(chain, u64::MAX))?.next_back() {
            last = Some(from_json(entry?.1.value(), "refusal")?);
        }
        let next = refusal.after(last.as_ref());
        refused.insert((chain, next.number), to_json(&next, "refusal")?.as_str())?;
        refused.retain_in((chain, 0)..=(chain, next.number.saturating_sub(KEPT)), |_, _| false)?;
    }
    tx.commit()?;
    Ok(())
}

pub(super) fn refusals(db: &Database) -> Result<Vec<Refusal>, Fault> {
    let refused = db.begin_read()?.open_table(REFUSED)?;
    let all = refused.iter()?;
    all.map(|entry| Ok(from_json(entry?.1.value(), "refusal")?)).collect()
}

pub(super) fn forget_in_pages(db: &Database, incident: &str, author: &str) -> Result<usize, Fault> {
    let tx = db.begin_write()?;
    let mut changed = 0;
    {
        let pages_of = tx.open_table(PAGES_OF)?;
        let mut pages = tx.open_table(PAGES)?;
        for entry in pages_of.range((incident, 0)..=(incident, u64::MAX))? {
            let (_, id) = entry?;
            let record: Option<PageRecord> =
                pages.get(id.value())?.map(|json| from_json(json.value(), "page")).transpose()?;
            if let Some(record) = record.and_then(|record| forgotten(&record, author)) {
                pages.insert(id.value(), to_json(&record, "page")?.as_str())?;
                changed += 1;
            }
        }
    }
    tx.commit()?;
    Ok(changed)
}

pub(super) fn remove(db: &Database, seen: &Incident) -> Result<bool, Fault> {
    let id = seen.id.as_str();
    let tx = db.begin_write()?;
    {
        let mut incidents = tx.open_table(INCIDENTS)?;
        let known: Option<Incident> =
            incidents.get(id)?.map(|json| from_json(json.value(), "incident")).transpose()?;
        let Some(known) = known.filter(|known| known.version == seen.version && !known.is_open()) else {
            return Ok(false);
        };
        incidents.remove(id)?;
        tx.open_table(BY_TIME)?.remove((known.opened_at.as_millisecond(), id))?;
        let mut newest = tx.open_table(NEWEST)?;
        let last = newest.get(known.monitor.as_str())?.is_some_and(|newest| newest.value() == id);
        if last {
            newest.remove(known.monitor.as_str())?;
        }
        tx.open_table(AUDIT)?.retain_in((id, 0)..=(id, u64::MAX), |_, _| false)?;
        let (mut pages_of, mut pages) = (tx.open_table(PAGES_OF)?, tx.open_table(PAGES)?);
        let (mut outbox, mut dead) = (tx.open_table(OUTBOX)?, tx.open_table(DEAD)?);
        let mut gone = Vec::new();
        for entry in pages_of.range((id, 0)..=(id, u64::MAX))? {
            gone.push(entry?.1.value().to_owned());
        }
        pages_of.retain_in((id, 0)..=(id, u64::MAX), |_, _| false)?;
        for page in &gone {
            pages.remove(page.as_str())?;
            dead.remove(page.as_str())?;
        }
        outbox.retain(|_, (page, _, _)| !gone.iter().any(|id| id == page))?;
    }
    super::incidents::forget_timer(&tx, id)?;
    tx.commit()?;
    Ok(true)
}
