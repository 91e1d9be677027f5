//! Reading a file once, front to back, record by record in bounded memory: JSON lines, a JSON array or CSV, gzip or
//! not, canonical mentions, MediaCrawler output or foreign columns. Every record becomes one [`Item`]; only the disk
//! failing is an error. Refuses to reorder: the caller sorts by time if it must.

mod array;
mod csv_rows;
mod lines;
mod shape;

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;
use jiff::Timestamp;
use tocsin_rules::RejectionReason;

use crate::{
    Error, FieldMap, Item, Rejected,
    decode::{Decoder, Place},
    item::refuse,
};
pub(crate) use array::Elements;
use shape::Shape;

/// Largest record read into memory, in bytes; longer ones are skipped and refused as too large.
pub const MAX_RECORD: usize = 8 * 1024 * 1024;

/// What the records of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// By content, each record by itself: canonical mention, MediaCrawler, else foreign. With a map: foreign.
    #[default]
    Auto,
    /// Canonical mentions.
    Mention,
    /// MediaCrawler output of any platform.
    Mediacrawler,
    /// Foreign JSON lines or array.
    Jsonl,
    /// Foreign CSV.
    Csv,
}

impl Format {
    /// Every format.
    pub const ALL: &[Self] = &[Self::Auto, Self::Mention, Self::Mediacrawler, Self::Jsonl, Self::Csv];

    /// Its word in settings and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Mention => "mention",
            Self::Mediacrawler => "mediacrawler",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }

    /// The format a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.as_str() == word)
    }
}

/// How to read.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// What the records are.
    pub format: Format,
    /// Where fields come from in foreign records.
    pub map: Option<FieldMap>,
    /// Observation time of records that carry none. `None`: they count as seen when published, which is what a replay
    /// of recorded data means.
    pub seen_at: Option<Timestamp>,
}

impl ReadOptions {
    /// Options that contradict each other are named before any record is read.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.format {
            Format::Mention if self.map.is_some() => Err(Error::options(
                "a field map does not apply to the format `mention`: its fields have one place",
            )),
            Format::Mediacrawler if self.map.is_some() => Err(Error::options(
                "a field map does not apply to the format `mediacrawler`: its fields are known",
            )),
            _ => Ok(()),
        }
    }
}

/// Opens a file (`-` is standard input) and yields its records.
///
/// # Errors
/// [`Error::Read`] when it cannot be opened or its head cannot be read; [`Error::Options`] when the options contradict
/// each other.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Reader, Error> {
    let input: Box<dyn BufRead + Send> = if path == Path::new("-") {
        Box::new(BufReader::with_capacity(BUFFER, io::stdin()))
    } else {
        let file = File::open(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Box::new(BufReader::with_capacity(BUFFER, file))
    };
    read_from(input, path, options)
}

/// As [`read`], from anything; `path` gives the name in refusals and hints at format and platform.
///
/// # Errors
/// As [`read`].
pub fn read_from(
    mut input: Box<dyn BufRead + Send>,
    path: &Path,
    options: &ReadOptions,
) -> Result<Reader, Error> {
    options.check()?;
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let gzip = input.fill_buf().map_err(failed)?.starts_with(&[0x1f, 0x8b]);
    if gzip {
        input = Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(input)));
    }
    let mut reader = Reader {
        file: path.display().to_string(),
        decoder: Decoder::new(options, path),
        records: Records::Ended,
        buffer: Vec::new(),
        gzip,
    };
    match shape::find(input, path, options) {
        Ok((Shape::Empty, _, _)) => {}
        Ok((Shape::Lines, input, line)) => reader.records = Records::Lines(lines::Lines::new(input, line)),
        Ok((Shape::Array, input, line)) => reader.records = Records::Array(array::Elements::new(input, line)),
        Ok((Shape::Csv, input, line)) => {
            reader.records = Records::Csv(Box::new(csv_rows::Rows::new(input, line)))
        }
        Err(source) if gzip => reader.records = Records::Broken(source),
        Err(source) => return Err(failed(source)),
    }
    Ok(reader)
}

const BUFFER: usize = 64 * 1024;

/// Records of one file, in order. After an error it ends.
pub struct Reader {
    file: String,
    decoder: Decoder,
    records: Records,
    buffer: Vec<u8>,
    gzip: bool,
}

enum Records {
    Lines(lines::Lines),
    Array(array::Elements),
    Csv(Box<csv_rows::Rows>),
    Broken(io::Error),
    Ended,
}

/// A record found by one of the shapes: where it starts, and what is already known to be wrong with it.
pub(crate) struct Found {
    pub(crate) place: Place,
    pub(crate) fault: Option<tocsin_rules::Rejection>,
}

impl Reader {
    /// Name of the file as it appears in refusals.
    pub fn file(&self) -> &str {
        &self.file
    }

    fn step(&mut self) -> io::Result<Option<Item>> {
        let (found, columns) = match &mut self.records {
            Records::Lines(lines) => (lines.next(&mut self.buffer)?, None),
            Records::Array(elements) => (elements.next(&mut self.buffer)?, None),
            Records::Csv(rows) => match rows.next(&mut self.buffer)? {
                Some((found, columns)) => (Some(found), Some(columns)),
                None => (None, None),
            },
            Records::Broken(_) => match std::mem::replace(&mut self.records, Records::Ended) {
                Records::Broken(source) => return Err(source),
                _ => return Ok(None),
            },
            Records::Ended => (None, None),
        };
        let Some(Found { place, fault }) = found else {
            self.records = Records::Ended;
            return Ok(None);
        };
        let decoded = match (fault, columns) {
            (Some(fault), _) => Err(fault),
            (None, Some(columns)) => self.decoder.columns(&columns, place),
            (None, None) => self.decoder.json(&self.buffer, place),
        };
        Ok(Some(match decoded {
            Ok(mention) => Item::Mention(Box::new(mention)),
            Err(rejection) => {
                Item::Rejected(Box::new(Rejected::at(&self.file, place.line, rejection, &self.buffer)))
            }
        }))
    }
}

impl Iterator for Reader {
    type Item = Result<Item, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = match &self.records {
            Records::Lines(lines) => lines.line(),
            Records::Array(elements) => elements.line(),
            Records::Csv(rows) => rows.line(),
            Records::Broken(_) | Records::Ended => 1,
        };
        match self.step() {
            Ok(item) => item.map(Ok),
            // A damaged archive is a fault of the datum: it will be no better the next time.
            Err(source) if self.gzip => {
                self.records = Records::Ended;
                let rejection = refuse(
                    RejectionReason::InvalidJson,
                    "",
                    format!("gzip data damaged or cut off: {source}"),
                );
                Some(Ok(Item::Rejected(Box::new(Rejected::at(&self.file, line, rejection, &[])))))
            }
            Err(source) => {
                self.records = Records::Ended;
                Some(Err(Error::Read { path: self.file.clone().into(), source }))
            }
        }
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Skips to the next newline without keeping anything.
pub(crate) fn skip_line(input: &mut dyn BufRead) -> io::Result<()> {
    let mut sink = Vec::new();
    loop {
        sink.clear();
        let read = Read::take(&mut *input, BUFFER as u64).read_until(b'\n', &mut sink)?;
        if read == 0 || sink.ends_with(b"\n") {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;
