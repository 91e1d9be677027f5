//! Silences in the embedded store. Each function is one transaction.

use redb::{Database, ReadableDatabase, ReadableTable};

use super::tables::{Fault, SILENCES};
use crate::{
    silence::Silence,
    store::{from_json, to_json},
};

pub(super) fn all(db: &Database) -> Result<Vec<Silence>, Fault> {
    let silences = db.begin_read()?.open_table(SILENCES)?;
    silences.iter()?.map(|entry| Ok(from_json(entry?.1.value(), "silence")?)).collect()
}

pub(super) fn put(db: &Database, silence: &Silence) -> Result<(), Fault> {
    let tx = db.begin_write()?;
    tx.open_table(SILENCES)?.insert(silence.id.as_str(), to_json(silence, "silence")?.as_str())?;
    Ok(tx.commit()?)
}

pub(super) fn forget(db: &Database, id: &str) -> Result<(), Fault> {
    let tx = db.begin_write()?;
    tx.open_table(SILENCES)?.remove(id)?;
    Ok(tx.commit()?)
}
