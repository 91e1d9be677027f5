//! Incidents, timers and history in the embedded store. Each function is one transaction.

use std::time::Duration;

use jiff::Timestamp;
use redb::{Database, ReadableDatabase, ReadableTable, WriteTransaction};
use tocsin_rules::Level;

use super::{
    outbox,
    tables::{AUDIT, BY_TIME, DEAD, Fault, INCIDENTS, NEWEST, OPEN, OPS, TIMER_OF, TIMERS, ceil_ms, instant},
};
use crate::{
    audit::AuditEntry,
    incident::{Incident, State},
    store::{Committed, Counts, DueTimer, Filter, Listing, cursor_of, from_json, read_cursor, to_json},
    transition::Change,
};

/// Stands for the state of an open drill, which is in no number.
const DRILL: u8 = u8::MAX;

pub(super) fn load(db: &Database, id: &str) -> Result<Option<Incident>, Fault> {
    read(&db.begin_read()?.open_table(INCIDENTS)?, id)
}

fn read(table: &impl ReadableTable<&'static str, &'static str>, id: &str) -> Result<Option<Incident>, Fault> {
    Ok(table.get(id)?.map(|json| from_json(json.value(), "incident")).transpose()?)
}

pub(super) fn newest_of(db: &Database, monitor: &str) -> Result<Option<Incident>, Fault> {
    let tx = db.begin_read()?;
    match tx.open_table(NEWEST)?.get(monitor)? {
        Some(id) => read(&tx.open_table(INCIDENTS)?, id.value()),
        None => Ok(None),
    }
}

pub(super) fn list(
    db: &Database,
    filter: &Filter,
    limit: usize,
    cursor: Option<&str>,
) -> Result<Listing, Fault> {
    let tx = db.begin_read()?;
    let incidents = tx.open_table(INCIDENTS)?;
    let by_time = tx.open_table(BY_TIME)?;
    let end = cursor.and_then(read_cursor).unwrap_or((i64::MAX, ""));
    let mut listing = Listing::default();
    for entry in by_time.range((i64::MIN, "")..end)?.rev() {
        let (key, _) = entry?;
        let Some(incident) = read(&incidents, key.value().1)?.filter(|incident| filter.admits(incident))
        else {
            continue;
        };
        if listing.incidents.len() == limit {
            listing.next = listing.incidents.last().map(cursor_of);
            break;
        }
        listing.incidents.push(incident);
    }
    Ok(listing)
}

pub(super) fn has_applied(db: &Database, op: &str) -> Result<bool, Fault> {
    Ok(db.begin_read()?.open_table(OPS)?.get(op)?.is_some())
}

pub(super) fn commit(db: &Database, change: &Change, op: &str, now: Timestamp) -> Result<Committed, Fault> {
    let incident = &change.incident;
    let tx = db.begin_write()?;
    {
        let mut incidents = tx.open_table(INCIDENTS)?;
        let mut ops = tx.open_table(OPS)?;
        let known = read(&incidents, &incident.id)?;
        if ops.get(op)?.is_some() {
            return Ok(match known {
                Some(known) => Committed::AlreadyApplied(Box::new(known)),
                None => Committed::Conflict(None),
            });
        }
        if known.as_ref().map_or(0, |known| known.version) != change.expects() {
            return Ok(Committed::Conflict(known.map(Box::new)));
        }
        let id = incident.id.as_str();
        incidents.insert(id, to_json(incident, "incident")?.as_str())?;
        ops.insert(op, now.as_millisecond())?;
        // One that is opened again takes its monitor's findings again.
        let opens = incident.is_open() && known.as_ref().is_none_or(|known| !known.is_open());
        if opens || change.expects() == 0 {
            tx.open_table(NEWEST)?.insert(incident.monitor.as_str(), id)?;
        }
        if change.expects() == 0 {
            tx.open_table(BY_TIME)?.insert((incident.opened_at.as_millisecond(), id), ())?;
        }
        let mut open = tx.open_table(OPEN)?;
        if incident.is_open() {
            let state = if incident.drill.is_some() { DRILL } else { incident.state as u8 };
            open.insert(id, (state, incident.level as u8))?;
        } else {
            open.remove(id)?;
        }
        tx.open_table(AUDIT)?
            .insert((id, incident.version), to_json(&change.audit, "audit entry")?.as_str())?;
        set_timer(&tx, id, change.timer().map(ceil_ms))?;
        outbox::add(&tx, &change.pages)?;
    }
    tx.commit()?;
    Ok(Committed::Applied)
}

pub(super) fn forget_timer(tx: &WriteTransaction, id: &str) -> Result<(), Fault> {
    set_timer(tx, id, None)
}

fn set_timer(tx: &WriteTransaction, id: &str, due: Option<i64>) -> Result<(), Fault> {
    let mut timers = tx.open_table(TIMERS)?;
    let mut timer_of = tx.open_table(TIMER_OF)?;
    let former = match due {
        Some(due) => timer_of.insert(id, due)?,
        None => timer_of.remove(id)?,
    };
    if let Some(former) = former {
        timers.remove((former.value(), id))?;
    }
    if let Some(due) = due {
        timers.insert((due, id), ())?;
    }
    Ok(())
}

pub(super) fn claim_timers(
    db: &Database,
    now: Timestamp,
    limit: usize,
    lease: Duration,
) -> Result<Vec<DueTimer>, Fault> {
    let due: Vec<String> = {
        let tx = db.begin_read()?;
        let timers = tx.open_table(TIMERS)?;
        let range = timers.range((i64::MIN, "")..(now.as_millisecond().saturating_add(1), ""))?;
        range
            .take(limit)
            .map(|entry| entry.map(|(key, _)| key.value().1.to_owned()))
            .collect::<Result<_, _>>()?
    };
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let tx = db.begin_write()?;
    let mut claimed = Vec::with_capacity(due.len());
    for incident in due {
        // Read again under the write lock: another worker may have been quicker.
        let still = tx.open_table(TIMER_OF)?.get(incident.as_str())?.map(|at| at.value());
        if still.is_some_and(|at| at <= now.as_millisecond()) {
            set_timer(&tx, &incident, Some(ceil_ms(now.checked_add(lease).unwrap_or(now))))?;
            claimed.push(DueTimer { incident, at: now });
        }
    }
    tx.commit()?;
    Ok(claimed)
}

pub(super) fn rearm(db: &Database, id: &str, version: u64, due: Option<Timestamp>) -> Result<(), Fault> {
    let tx = db.begin_write()?;
    let known = read(&tx.open_table(INCIDENTS)?, id)?;
    if known.is_some_and(|known| known.version == version) {
        set_timer(&tx, id, due.map(ceil_ms))?;
    }
    tx.commit()?;
    Ok(())
}

pub(super) fn next_timer_at(db: &Database) -> Result<Option<Timestamp>, Fault> {
    let timers = db.begin_read()?.open_table(TIMERS)?;
    Ok(timers.first()?.map(|(key, _)| instant(key.value().0)))
}

pub(super) fn audit(db: &Database, incident: &str) -> Result<Vec<AuditEntry>, Fault> {
    let audit = db.begin_read()?.open_table(AUDIT)?;
    let range = audit.range((incident, 0)..=(incident, u64::MAX))?;
    range.map(|entry| Ok(from_json(entry?.1.value(), "audit entry")?)).collect()
}

pub(super) fn counts(db: &Database, now: Timestamp) -> Result<Counts, Fault> {
    let tx = db.begin_read()?;
    let mut counts = Counts::default();
    for entry in tx.open_table(OPEN)?.iter()? {
        let (state, level) = entry?.1.value();
        if state == DRILL {
            continue;
        }
        let key = (State::ALL[usize::from(state)], Level::ALL[usize::from(level)]);
        *counts.open.entry(key).or_default() += 1;
    }
    let timers = tx.open_table(TIMERS)?;
    for entry in timers.range((i64::MIN, "")..(now.as_millisecond(), ""))? {
        let due = instant(entry?.0.value().0);
        counts.timers_overdue += 1;
        counts.timers_oldest = counts.timers_oldest.max(outbox::age(due, now));
    }
    counts.dead = redb::ReadableTableMetadata::len(&tx.open_table(DEAD)?)?;
    outbox::count(&tx, now, &mut counts)?;
    Ok(counts)
}
