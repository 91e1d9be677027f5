//! State of a [`SeriesDetector`] as bytes: a version byte, then postcard. What follows from the settings is not written.
//! Refuses a newer version, and bytes that no detector has written.

use serde::{Deserialize, Serialize};

use super::{
    SCALES, STEPS, SeriesDetector,
    level::Level,
    tail::{self, Tails},
    window::Recent,
};
use crate::error::Error;

/// Format written by this program.
const VERSION: u8 = 2;

#[derive(Serialize)]
struct Written<'a> {
    bucket_seconds: i64,
    last: Option<i64>,
    peaks: [f64; STEPS.len() + 1],
    recent: &'a Recent,
    scales: Vec<(&'a Level, tail::Written)>,
}

#[derive(Deserialize)]
struct Read {
    bucket_seconds: i64,
    last: Option<i64>,
    peaks: [f64; STEPS.len() + 1],
    recent: Recent,
    scales: Vec<(Level, tail::Written)>,
}

fn damaged(fault: impl std::fmt::Display) -> Error {
    Error::DamagedState(fault.to_string())
}

impl SeriesDetector {
    /// The state, to go on from later: [`Self::from_bytes`].
    ///
    /// # Errors
    /// [`Error::DamagedState`] when it cannot be encoded.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let written = Written {
            bucket_seconds: self.bucket_seconds,
            last: self.last,
            peaks: self.peaks,
            recent: &self.recent,
            scales: self.levels.iter().zip(self.tails.written()).collect(),
        };
        postcard::to_extend(&written, vec![VERSION]).map_err(damaged)
    }

    /// The detector whose state this is: it goes on as if it had never stopped.
    ///
    /// # Errors
    /// [`Error::NewerState`], [`Error::DamagedState`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let (version, rest) = bytes.split_first().ok_or_else(|| damaged("it is empty"))?;
        if *version != VERSION {
            return Err(Error::NewerState { found: *version, known: VERSION });
        }
        let read: Read = postcard::from_bytes(rest).map_err(damaged)?;
        let detector = Self::new(read.bucket_seconds).map_err(damaged)?;
        let (levels, tails): (Vec<Level>, Vec<tail::Written>) = read.scales.into_iter().unzip();
        let levels: Option<[Level; SCALES]> = levels.try_into().ok();
        let tails = Tails::read(&tails);
        let (Some(levels), Some(tails)) = (levels, tails) else {
            return Err(damaged("its scales are not those of a detector"));
        };
        let sound = read.recent.is_sound()
            && read.peaks.iter().all(|peak| (0.0..=1e6).contains(peak))
            && levels.iter().all(Level::is_sound)
            && tails.is_sound();
        if !sound {
            return Err(damaged("its values are not those of a detector"));
        }
        Ok(Self { last: read.last, peaks: read.peaks, recent: read.recent, levels, tails, ..detector })
    }
}
