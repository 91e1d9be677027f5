//! State of one monitor as bytes: a version byte, then postcard, all of it compressed. Only facts are written; windows are
//! summed anew on reading, so a state can be read under another rulebook. Refuses a newer version.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{
    board::Board,
    criteria::Criteria,
    error::Error,
    evidence::{Evidence, Exhibit},
    growth::Growths,
    history::History,
    ledger::Forgotten,
    monitor::MonitorState,
    record::Record,
    standing::Standing,
    surge::{self, Surges},
    tally::Folded,
};

/// First byte of a compressed state: LZ4 of a versioned state follows. Plain states begin with their version.
const COMPRESSED: u8 = 128;
/// No state is larger than this when it is whole, bytes: a length that claims more is damage.
const MAX_BYTES: usize = 64 << 20;

/// Format written by this program.
const VERSION: u8 = 3;

#[derive(Serialize)]
struct Written<'a> {
    records: Vec<&'a Record>,
    folded: Vec<(i64, &'a Folded)>,
    forgotten: Forgotten,
    history: &'a History,
    standing: &'a Standing,
    evidence: Vec<(u64, u32, i64, String)>,
    board: &'a Board,
    surges: surge::Stored,
    growths: &'a Growths,
}

#[derive(Deserialize)]
struct Read {
    records: Vec<Record>,
    folded: Vec<(i64, Folded)>,
    forgotten: Forgotten,
    history: History,
    standing: Standing,
    /// Subjects are JSON: their optional fields are left out, which postcard cannot express.
    evidence: Vec<(u64, u32, i64, String)>,
}

fn damaged(fault: impl std::fmt::Display) -> Error {
    Error::DamagedState(fault.to_string())
}

/// Encodes a state.
pub(crate) fn write(state: &MonitorState, criteria: &Criteria) -> Result<Vec<u8>, Error> {
    let mut records = Vec::with_capacity(state.ledger.len());
    for bucket in state.ledger.buckets() {
        // The oldest first, as they will be counted again.
        let start = records.len();
        records.extend(bucket.records());
        records[start..].reverse();
    }
    let written = Written {
        records,
        folded: state
            .ledger
            .buckets()
            .filter_map(|b| Some((b.index * criteria.bucket_seconds, b.folded?)))
            .collect(),
        forgotten: state.ledger.forgotten(),
        history: &state.history,
        standing: &state.standing,
        evidence: state
            .evidence
            .exhibits()
            .iter()
            .map(|e| serde_json::to_string(&e.subject()).map(|json| (e.id, e.at, e.weight, json)))
            .collect::<Result<_, _>>()
            .map_err(damaged)?,
        board: &state.board,
        surges: state.surges.stored()?,
        growths: &state.growths,
    };
    let plain = postcard::to_extend(&written, vec![VERSION]).map_err(damaged)?;
    let mut bytes = vec![COMPRESSED];
    bytes.extend(lz4_flex::compress_prepend_size(&plain));
    Ok(bytes)
}

/// The versioned state in what was stored.
fn plain(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    let Some((&COMPRESSED, packed)) = bytes.split_first() else { return Ok(Cow::Borrowed(bytes)) };
    let (size, _) = lz4_flex::block::uncompressed_size(packed).map_err(damaged)?;
    if size > MAX_BYTES {
        return Err(damaged("its length is absurd"));
    }
    lz4_flex::decompress_size_prepended(packed).map(Cow::Owned).map_err(damaged)
}

/// Decodes a state and sums its windows up to `now`.
pub(crate) fn read(bytes: &[u8], criteria: &Criteria, now: i64) -> Result<MonitorState, Error> {
    let stored = bytes.len();
    let bytes = plain(bytes)?;
    let (version, body) = bytes.split_first().ok_or_else(|| damaged("empty"))?;
    if *version > VERSION {
        return Err(Error::NewerState { found: *version, known: VERSION });
    }
    let (read, rest): (Read, _) = postcard::take_from_bytes(body).map_err(damaged)?;
    // The first version knew neither boards nor surges.
    let later = (*version >= 2).then(|| postcard::take_from_bytes(rest)).transpose().map_err(damaged)?;
    let ((board, surges), rest): ((Board, surge::Stored), _) = later.unwrap_or_default();
    // The second knew no growth of posts.
    let growths = (*version >= 3).then(|| postcard::from_bytes(rest)).transpose().map_err(damaged)?;
    let mut state = MonitorState::new(criteria, now);
    state.ledger.restore_forgotten(&read.forgotten);
    state.history = read.history;
    state.history.track(criteria, now);
    state.standing = read.standing;
    state.board = board;
    state.growths = growths.unwrap_or_default();
    state.surges = Surges::from_stored(surges)?;
    state.surges.watch(&criteria.surges);
    let exhibits = read
        .evidence
        .into_iter()
        .map(|(id, at, weight, json)| {
            let subject = serde_json::from_str(&json).map_err(|_| damaged("evidence is not JSON"))?;
            Ok(Exhibit::new(id, at, weight, &subject))
        })
        .collect::<Result<_, Error>>()?;
    state.evidence = Evidence::from_exhibits(exhibits);
    for (at, folded) in read.folded {
        state.enter_folded(at, folded, criteria);
    }
    for mut record in read.records {
        if state.is_past(record.at, criteria) {
            state.ledger.note(record.id);
        } else {
            record.slots = criteria.slots_of(&record);
            state.enter(record, criteria);
        }
    }
    state.changed = false;
    state.bytes = stored;
    Ok(state)
}

#[cfg(test)]
mod tests;
