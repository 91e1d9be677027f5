//! CSV with a header: quoted fields, newlines inside them, a header repeated later on (a crawler restarted with other
//! columns). A row with another number of columns than its header is refused, never shifted.

use std::{
    io::{self, BufRead, Read},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use csv::{ByteRecord, ReaderBuilder};
use serde_json::{Map, Value};
use tocsin_rules::{Rejection, RejectionReason};

use super::{Found, MAX_RECORD, lines::too_large};
use crate::{decode::Place, item::refuse};

pub(super) struct Rows {
    reader: csv::Reader<Metered>,
    left: Arc<AtomicUsize>,
    header: Option<Vec<String>>,
    record: ByteRecord,
    first_line: u64,
    count: u64,
    ended: bool,
}

/// Stops an unclosed quote from swallowing a file of any length into memory.
struct Metered {
    input: Box<dyn BufRead + Send>,
    left: Arc<AtomicUsize>,
}

impl Read for Metered {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "record too large"));
        }
        let room = into.len().min(left);
        let read = self.input.read(&mut into[..room])?;
        self.left.store(left - read, Ordering::Relaxed);
        Ok(read)
    }
}

impl Rows {
    /// `input` stands at the header, on line `first_line`.
    pub(super) fn new(input: Box<dyn BufRead + Send>, first_line: u64) -> Self {
        let left = Arc::new(AtomicUsize::new(0));
        let metered = Metered { input, left: Arc::clone(&left) };
        Self {
            reader: ReaderBuilder::new().has_headers(false).flexible(true).from_reader(metered),
            left,
            header: None,
            record: ByteRecord::new(),
            first_line,
            count: 0,
            ended: false,
        }
    }

    /// Number of the line read next.
    pub(super) fn line(&self) -> u64 {
        self.reader.position().line() + self.first_line - 1
    }

    /// The next row by column name; `raw` receives its cells for dead letters.
    pub(super) fn next(&mut self, raw: &mut Vec<u8>) -> io::Result<Option<(Found, Map<String, Value>)>> {
        raw.clear();
        while !self.ended {
            self.left.store(MAX_RECORD, Ordering::Relaxed);
            match self.reader.read_byte_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return self.broken(error),
            }
            let line = self.record.position().map_or(1, csv::Position::line) + self.first_line - 1;
            let Some(header) = &self.header else {
                self.header = Some(names(&self.record));
                continue;
            };
            if repeats_header(header, &self.record) {
                self.header = Some(names(&self.record));
                continue;
            }
            self.count += 1;
            let place = Place { line, ordinal: self.count };
            raw.extend(self.record.iter().collect::<Vec<_>>().join(&b","[..]));
            let (fault, columns) = match columns(header, &self.record) {
                Ok(columns) => (None, columns),
                Err(fault) => (Some(fault), Map::new()),
            };
            return Ok(Some((Found { place, fault }, columns)));
        }
        Ok(None)
    }

    fn broken(&mut self, error: csv::Error) -> io::Result<Option<(Found, Map<String, Value>)>> {
        self.ended = true;
        match error.into_kind() {
            csv::ErrorKind::Io(source) if source.kind() == io::ErrorKind::FileTooLarge => {
                self.count += 1;
                let place = Place { line: self.line(), ordinal: self.count };
                Ok(Some((Found { place, fault: Some(too_large()) }, Map::new())))
            }
            csv::ErrorKind::Io(source) => Err(source),
            _ => Err(io::Error::from(io::ErrorKind::InvalidData)),
        }
    }
}

fn names(record: &ByteRecord) -> Vec<String> {
    record.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect()
}

/// A later header shares most of its names with the present one; no row of data does.
fn repeats_header(header: &[String], record: &ByteRecord) -> bool {
    let shared = record
        .iter()
        .filter(|cell| !cell.is_empty() && header.iter().any(|name| name.as_bytes() == *cell))
        .count();
    shared >= 2 && shared * 2 > header.len()
}

fn columns(header: &[String], record: &ByteRecord) -> Result<Map<String, Value>, Rejection> {
    if record.len() != header.len() {
        return Err(refuse(
            RejectionReason::InvalidField,
            "",
            format!("the row has {} columns, its header {}", record.len(), header.len()),
        ));
    }
    let cells = header.iter().zip(record.iter());
    cells
        .map(|(name, cell)| match simdutf8::basic::from_utf8(cell) {
            Ok(text) => Ok((name.clone(), Value::String(text.to_owned()))),
            Err(_) => Err(refuse(RejectionReason::InvalidUtf8, name.clone(), "the cell is not UTF-8")),
        })
        .collect()
}
