//! One JSON array, element by element: finds where each element ends without parsing it, so that a file of any length
//! needs the memory of one element. A file cut off in mid-array yields what is whole and one refusal.

use std::io::{self, BufRead};

use tocsin_rules::RejectionReason;

use super::{Found, MAX_RECORD, lines::too_large};
use crate::{decode::Place, item::refuse};

pub(crate) struct Elements {
    input: Box<dyn BufRead + Send>,
    line: u64,
    count: u64,
    opened: bool,
    closed: bool,
}

/// Where the scanner stands inside an element.
#[derive(Default)]
struct Inside {
    depth: u64,
    text: bool,
    escaped: bool,
}

impl Inside {
    /// Every bracket and quote opened is closed.
    fn is_whole(&self) -> bool {
        self.depth == 0 && !self.text
    }

    /// Takes one byte; true when it ends the element and is not part of it.
    fn ends(&mut self, byte: u8) -> bool {
        if self.text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.text = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.text = true,
            b'{' | b'[' => self.depth += 1,
            b',' | b']' if self.depth == 0 => return true,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        false
    }
}

impl Elements {
    /// `input` stands at `[`, on line `line`.
    pub(crate) fn new(input: Box<dyn BufRead + Send>, line: u64) -> Self {
        Self { input, line, count: 0, opened: false, closed: false }
    }

    /// Number of the line read next.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The next element, into `buffer`.
    pub(crate) fn next(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<Found>> {
        buffer.clear();
        let Some(line) = self.start()? else { return Ok(None) };
        let mut inside = Inside::default();
        let mut length = 0;
        loop {
            let chunk = self.input.fill_buf()?;
            if chunk.is_empty() {
                // A whole element stands by itself; that the array is not closed is said next.
                if length > 0 && inside.is_whole() {
                    return Ok(Some(self.found(line, (length > MAX_RECORD).then(too_large))));
                }
                self.closed = true;
                let fault = match length {
                    0 => "the array is not closed: the file is cut off",
                    _ => "the file is cut off inside this element",
                };
                return Ok(Some(self.found(line, Some(refuse(RejectionReason::InvalidJson, "", fault)))));
            }
            let end = chunk.iter().position(|byte| inside.ends(*byte));
            let taken = &chunk[..end.unwrap_or(chunk.len())];
            length += taken.len();
            self.line += newlines(taken);
            if length <= MAX_RECORD {
                buffer.extend_from_slice(taken);
            } else {
                buffer.truncate(crate::item::KEPT_BYTES);
            }
            let taken = taken.len();
            if end.is_some() {
                self.closed = chunk[taken] == b']';
                self.input.consume(taken + 1);
                return Ok(Some(self.found(line, (length > MAX_RECORD).then(too_large))));
            }
            self.input.consume(taken);
        }
    }

    /// Moves to the first byte of the next element; its line, or `None` at the end of the array.
    fn start(&mut self) -> io::Result<Option<u64>> {
        loop {
            if self.closed {
                return Ok(None);
            }
            let chunk = self.input.fill_buf()?;
            let Some(byte) = chunk.first().copied() else { return Ok(Some(self.line)) };
            match byte {
                b'[' if !self.opened => self.opened = true,
                b',' | b' ' | b'\t' | b'\r' => {}
                b'\n' => self.line += 1,
                b']' => self.closed = true,
                _ => return Ok(Some(self.line)),
            }
            self.input.consume(1);
        }
    }

    fn found(&mut self, line: u64, fault: Option<tocsin_rules::Rejection>) -> Found {
        self.count += 1;
        Found { place: Place { line, ordinal: self.count }, fault }
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}
