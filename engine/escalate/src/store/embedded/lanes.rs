//! Lanes in the embedded store: one record each. Refuses to forget a block before its time.

use jiff::Timestamp;
use redb::{Database, ReadableTable};

use super::tables::{Fault, LANES, ceil_ms, instant};
use crate::{
    store::{from_json, to_json},
    throttle::{Admission, Limit, Record},
};

/// Reads a lane, lets `change` at it, writes it back.
fn with<T>(db: &Database, lane: &str, change: impl FnOnce(&mut Record) -> T) -> Result<T, Fault> {
    let tx = db.begin_write()?;
    let answer = {
        let mut lanes = tx.open_table(LANES)?;
        let known = lanes.get(lane)?.map(|json| from_json::<Record>(json.value(), "lane")).transpose()?;
        let mut record = known.unwrap_or_default();
        let answer = change(&mut record);
        lanes.insert(lane, to_json(&record, "lane")?.as_str())?;
        answer
    };
    tx.commit()?;
    Ok(answer)
}

pub(super) fn admit(
    db: &Database,
    lane: &str,
    limits: &[Limit],
    urgent: bool,
    now: Timestamp,
) -> Result<Admission, Fault> {
    let now = now.as_millisecond();
    Ok(match with(db, lane, |record| record.admit(limits, urgent, now))? {
        Ok(()) => Admission::Now,
        Err(until) => Admission::Later { until: instant(until) },
    })
}

pub(super) fn block(db: &Database, lane: &str, until: Timestamp) -> Result<(), Fault> {
    with(db, lane, |record| record.block(ceil_ms(until)))
}
