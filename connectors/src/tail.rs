//! Follows growing JSON-lines files: a half-written last line waits, a truncated or replaced file starts over, a
//! rotated one is read on until nobody has written to it for a while, also when it was rotated while nobody followed (it is
//! looked for in its folder), a new day's file joins. The cursor moves only after the acknowledgement.
//! Refuses gzip, CSV and JSON arrays: those are rewritten as a whole, read them once with [`crate::read`].

mod place;
mod settings;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};
use tocsin_rules::RejectionReason;

use crate::{
    Batch, Cursor, Error, Format, Item, Lag, ReadOptions, Rejected, Source, SourceKind,
    decode::{Decoder, Place},
    file::MAX_RECORD,
    item::refuse,
    pattern,
};
use place::{Identity, Mark, Marks};
pub use settings::Settings;

/// Most records of one batch.
pub const BATCH_RECORDS: usize = 500;
/// A batch is closed once it has read this many bytes.
const BATCH_BYTES: u64 = 4 * 1024 * 1024;
/// A rotated file nobody has written to for so long is done with: writers may keep it open for a moment.
const ROTATED_KEPT: SignedDuration = SignedDuration::from_secs(60);

/// A followed file, or all files of a pattern.
pub struct Tail {
    name: String,
    pattern: PathBuf,
    options: ReadOptions,
    cursor: Cursor,
    marks: Option<Marks>,
    /// Open files by identity: one renamed away can still be read to its end.
    open: BTreeMap<Identity, Followed>,
    /// Where the cursor goes when the last batch is acknowledged.
    pending: Option<Marks>,
}

struct Followed {
    file: File,
    path: PathBuf,
    /// Last time a file outside the pattern was seen to grow, or to have left it.
    rotated: Option<Timestamp>,
}

/// What reading on in one file brought.
struct Stretch {
    mark: Mark,
    read: u64,
    left: u64,
}

impl Tail {
    /// Follows the files of `pattern` (`*` and `?` in any part of the path).
    ///
    /// # Errors
    /// [`Error::Options`] for a format that is not line by line.
    pub fn new(
        name: impl Into<String>,
        pattern: impl Into<PathBuf>,
        options: ReadOptions,
        cursor: Cursor,
    ) -> Result<Self, Error> {
        options.check()?;
        if options.format == Format::Csv {
            return Err(Error::options("CSV cannot be followed; only JSON lines can"));
        }
        Ok(Self {
            name: name.into(),
            pattern: pattern.into(),
            options,
            cursor,
            marks: None,
            open: BTreeMap::new(),
            pending: None,
        })
    }

    /// Opens what is new under the pattern; what was open stays.
    fn discover(&mut self) -> Result<Vec<Identity>, Error> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Read { path, source }
        };
        let mut present = Vec::new();
        for path in pattern::files(&self.pattern).map_err(failed(&self.pattern))? {
            let file = match File::open(&path) {
                Ok(file) => file,
                // Gone between listing and opening: the next round sees what is there.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(&path)(error)),
            };
            let identity = Identity::of(&file, &path).map_err(failed(&path))?;
            present.push(identity.clone());
            self.open.insert(identity, Followed { file, path, rotated: None });
        }
        Ok(present)
    }

    /// Opens files that were followed before and have left the pattern while nobody followed: renamed, they lie in the
    /// same folder still.
    fn find_rotated(&mut self, marks: &Marks, now: Timestamp) -> Result<(), Error> {
        let beside = self.pattern.parent().unwrap_or(Path::new("")).join("*");
        let failed = |source| Error::Read { path: beside.clone(), source };
        for path in pattern::files(&beside).map_err(failed)? {
            let Ok(file) = File::open(&path) else { continue };
            let Ok(identity) = Identity::of(&file, &path) else { continue };
            if marks.holds(&identity) && !self.open.contains_key(&identity) {
                tracing::info!(source = %self.name, path = %path.display(), "reading on in a file rotated meanwhile");
                self.open.insert(identity, Followed { file, path, rotated: Some(now) });
            }
        }
        Ok(())
    }

    fn read_on(
        &mut self,
        identity: &Identity,
        mark: Mark,
        rotated: bool,
        now: Timestamp,
        items: &mut Vec<Item>,
        mut budget: u64,
    ) -> Result<Stretch, Error> {
        let Some(followed) = self.open.get_mut(identity) else {
            return Ok(Stretch { mark, read: 0, left: 0 });
        };
        let path = followed.path.clone();
        let failed = |source| Error::Read { path: path.clone(), source };
        let mut mark = mark.unless_replaced(&mut followed.file).map_err(failed)?;
        let size = followed.file.metadata().map_err(failed)?.len();
        let mut options = self.options.clone();
        options.seen_at = Some(now);
        let decoder = Decoder::new(&options, &path);
        let file_name = path.display().to_string();
        followed.file.seek(SeekFrom::Start(mark.offset)).map_err(failed)?;
        let mut input = BufReader::with_capacity(64 * 1024, &mut followed.file);
        let (start, mut line) = (mark.offset, Vec::new());
        while items.len() < BATCH_RECORDS && budget > 0 {
            line.clear();
            let mut read = Read::take(&mut input, MAX_RECORD as u64 + 1)
                .read_until(b'\n', &mut line)
                .map_err(failed)? as u64;
            let whole = if line.len() > MAX_RECORD && !line.ends_with(b"\n") {
                let (skipped, ended) = skip(&mut input).map_err(failed)?;
                read += skipped;
                ended
            } else {
                line.ends_with(b"\n")
            };
            // A last line without its end is still being written, unless the file is done with.
            if read == 0 || (!whole && !rotated) {
                break;
            }
            let place = Place { line: mark.line, ordinal: mark.line };
            mark.offset += read;
            mark.line += 1;
            budget = budget.saturating_sub(read);
            let mut record = line.trim_ascii();
            if place.line == 1 {
                record = record.strip_prefix(b"\xef\xbb\xbf").unwrap_or(record);
            }
            if record.is_empty() {
                continue;
            }
            let decoded = if line.len() > MAX_RECORD {
                Err(refuse(RejectionReason::TooLarge, "", format!("the line is over {MAX_RECORD} bytes")))
            } else {
                decoder.json(record, place)
            };
            items.push(match decoded {
                Ok(mention) => Item::Mention(Box::new(mention)),
                Err(rejection) => {
                    Item::Rejected(Box::new(Rejected::at(&file_name, place.line, rejection, record)))
                }
            });
        }
        mark.remember_head(&mut followed.file).map_err(failed)?;
        Ok(Stretch { read: mark.offset - start, left: size.saturating_sub(mark.offset), mark })
    }
}

impl Tail {
    /// Whether a rotated file has been left alone for long enough.
    fn is_done_with(&mut self, identity: &Identity, now: Timestamp) -> bool {
        let Some(followed) = self.open.get_mut(identity) else { return true };
        now.duration_since(*followed.rotated.get_or_insert(now)) >= ROTATED_KEPT
    }

    fn grew(&mut self, identity: &Identity, now: Timestamp) {
        if let Some(followed) = self.open.get_mut(identity) {
            followed.rotated = Some(now);
        }
    }
}

/// Skips to the end of the line: bytes skipped, and whether the end was there.
fn skip(input: &mut impl BufRead) -> io::Result<(u64, bool)> {
    let mut skipped = 0;
    loop {
        let chunk = input.fill_buf()?;
        if chunk.is_empty() {
            return Ok((skipped, false));
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(chunk.len(), |at| at + 1);
        skipped += taken as u64;
        input.consume(taken);
        if end.is_some() {
            return Ok((skipped, true));
        }
    }
}

impl Source for Tail {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> SourceKind {
        SourceKind::TAIL
    }

    async fn fetch(&mut self, now: Timestamp) -> Result<Batch, Error> {
        self.pending = None;
        let first = self.marks.is_none();
        let marks = match self.marks.take() {
            Some(marks) => marks,
            None => Marks::read_back(&self.name, self.cursor.load().await?),
        };
        self.marks = Some(marks.clone());
        let present = self.discover()?;
        if first {
            self.find_rotated(&marks, now)?;
        }
        let mut next = marks;
        let mut batch = Batch::default();
        let (mut budget, mut left) = (BATCH_BYTES, 0);
        // Rotated files come first: they are older.
        let rotated: Vec<Identity> = self.open.keys().filter(|id| !present.contains(id)).cloned().collect();
        let order = rotated.iter().map(|id| (id, true)).chain(present.iter().map(|id| (id, false)));
        for (identity, gone) in order {
            let mark = next.get(identity);
            let done = gone && self.is_done_with(identity, now);
            let stretch = self.read_on(identity, mark, done, now, &mut batch.items, budget)?;
            budget = budget.saturating_sub(stretch.read);
            left += stretch.left;
            if gone && stretch.read > 0 {
                self.grew(identity, now);
            }
            if done && stretch.left == 0 {
                next.forget(identity);
            } else {
                next.set(identity, stretch.mark);
            }
        }
        next.keep_only(|identity| self.open.contains_key(identity));
        batch.more = budget == 0 || batch.items.len() >= BATCH_RECORDS;
        batch.lag = Some(Lag::Bytes(left));
        self.pending = Some(next);
        Ok(batch)
    }

    async fn acknowledged(&mut self) -> Result<(), Error> {
        let Some(next) = self.pending.clone() else { return Ok(()) };
        if self.marks.as_ref() != Some(&next) {
            self.cursor.save(&next.to_text()).await?;
        }
        self.pending = None;
        self.open.retain(|identity, _| next.holds(identity));
        self.marks = Some(next);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
