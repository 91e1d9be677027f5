//! Tables of the embedded store and the faults of working on them. Refuses to know what the records mean.

use jiff::Timestamp;
use redb::{Database, ReadableDatabase, TableDefinition};

use crate::store::StoreError;

/// Id → incident as JSON.
pub(super) const INCIDENTS: TableDefinition<'static, &str, &str> = TableDefinition::new("incidents");
/// Monitor → id of its newest incident.
pub(super) const NEWEST: TableDefinition<'static, &str, &str> = TableDefinition::new("newest");
/// Opening time in milliseconds and id of every incident.
pub(super) const BY_TIME: TableDefinition<'static, (i64, &str), ()> = TableDefinition::new("by_time");
/// Open incidents → state and level, as places in their lists.
pub(super) const OPEN: TableDefinition<'static, &str, (u8, u8)> = TableDefinition::new("open");
/// Due time in milliseconds and incident.
pub(super) const TIMERS: TableDefinition<'static, (i64, &str), ()> = TableDefinition::new("timers");
/// Incident → due time in milliseconds.
pub(super) const TIMER_OF: TableDefinition<'static, &str, i64> = TableDefinition::new("timer_of");
/// Operation id → when it was stored, in milliseconds.
pub(super) const OPS: TableDefinition<'static, &str, i64> = TableDefinition::new("ops");
/// Page id → record as JSON.
pub(super) const PAGES: TableDefinition<'static, &str, &str> = TableDefinition::new("pages");
/// Incident and number → page id.
pub(super) const PAGES_OF: TableDefinition<'static, (&str, u64), &str> = TableDefinition::new("pages_of");
/// Urgency (0 first), time it may leave in milliseconds, number → page id, worker that has it, times claimed.
pub(super) const OUTBOX: TableDefinition<'static, (u8, i64, u64), (&str, &str, u32)> =
    TableDefinition::new("outbox");
/// Pages given up → when, in milliseconds.
pub(super) const DEAD: TableDefinition<'static, &str, i64> = TableDefinition::new("dead");
/// Incident and version → audit entry as JSON.
pub(super) const AUDIT: TableDefinition<'static, (&str, u64), &str> = TableDefinition::new("audit");
/// Id → silence as JSON.
pub(super) const SILENCES: TableDefinition<'static, &str, &str> = TableDefinition::new("silences");
/// `sequence` → last number given.
pub(super) const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");

/// Lane → what left on it lately, as JSON.
pub(super) const LANES: TableDefinition<'static, &str, &str> = TableDefinition::new("lanes");

/// What can go wrong in a transaction.
#[derive(Debug)]
pub(super) enum Fault {
    Db(Box<redb::Error>),
    Store(StoreError),
}

impl Fault {
    pub(super) fn into_store(self, what: &'static str) -> StoreError {
        match self {
            Self::Db(source) => StoreError::Away { what, source },
            Self::Store(fault) => fault,
        }
    }
}

macro_rules! faults {
    ($($kind:ident),+) => {
        $(impl From<redb::$kind> for Fault {
            fn from(fault: redb::$kind) -> Self { Self::Db(Box::new(fault.into())) }
        })+
    };
}
faults!(TransactionError, TableError, StorageError, CommitError);

impl From<StoreError> for Fault {
    fn from(fault: StoreError) -> Self {
        Self::Store(fault)
    }
}

/// Creates what is missing, so that readers find every table, and forgets operations stored before `oldest`.
pub(super) fn prepare(db: &Database, oldest: Timestamp) -> Result<(), Fault> {
    let write = db.begin_write()?;
    {
        write.open_table(INCIDENTS)?;
        write.open_table(NEWEST)?;
        write.open_table(BY_TIME)?;
        write.open_table(OPEN)?;
        write.open_table(TIMERS)?;
        write.open_table(TIMER_OF)?;
        write.open_table(PAGES)?;
        write.open_table(PAGES_OF)?;
        write.open_table(OUTBOX)?;
        write.open_table(DEAD)?;
        write.open_table(AUDIT)?;
        write.open_table(META)?;
        write.open_table(LANES)?;
        write.open_table(SILENCES)?;
        write.open_table(OPS)?.retain(|_, at| at >= oldest.as_millisecond())?;
    }
    write.commit()?;
    db.begin_read()?;
    Ok(())
}

/// An instant stored in milliseconds.
pub(super) fn instant(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX)
}

/// Milliseconds of an instant, rounded up: nothing may happen before it.
pub(super) fn ceil_ms(at: Timestamp) -> i64 {
    let down = at.as_millisecond();
    if at.subsec_nanosecond().rem_euclid(1_000_000) == 0 { down } else { down + 1 }
}
