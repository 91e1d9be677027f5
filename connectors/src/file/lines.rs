//! JSON lines: one record a line, blank lines are none. Refuses to hold a line over [`super::MAX_RECORD`].

use std::io::{self, BufRead, Read};

use tocsin_rules::RejectionReason;

use super::{Found, MAX_RECORD, skip_line};
use crate::{decode::Place, item::refuse};

pub(super) struct Lines {
    input: Box<dyn BufRead + Send>,
    line: u64,
}

impl Lines {
    /// `line`: number of the first line, from 1.
    pub(super) fn new(input: Box<dyn BufRead + Send>, line: u64) -> Self {
        Self { input, line }
    }

    /// Number of the line read next.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The next line that is not blank, without its end, into `buffer`.
    pub(super) fn next(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<Found>> {
        loop {
            buffer.clear();
            let read = Read::take(&mut self.input, MAX_RECORD as u64 + 1).read_until(b'\n', buffer)?;
            if read == 0 {
                return Ok(None);
            }
            let place = Place { line: self.line, ordinal: self.line };
            self.line += 1;
            if buffer.len() > MAX_RECORD {
                if !buffer.ends_with(b"\n") {
                    skip_line(&mut *self.input)?;
                }
                return Ok(Some(Found { place, fault: Some(too_large()) }));
            }
            let kept = buffer.trim_ascii_end().len();
            buffer.truncate(kept);
            if !buffer.trim_ascii_start().is_empty() {
                return Ok(Some(Found { place, fault: None }));
            }
        }
    }
}

pub(super) fn too_large() -> tocsin_rules::Rejection {
    refuse(RejectionReason::TooLarge, "", format!("the record is over {MAX_RECORD} bytes"))
}
