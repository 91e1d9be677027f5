//! What this host's processes wrote to Redis and Redis acknowledged, kept beside them for a day as lines in files: the memory
//! that a failover does not lose. Refuses to be the truth: it only fills in what the store has forgotten ([`super::mend`]).

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{
    store::{PageRecord, PageStatus},
    transition::Change,
};

/// How long lines are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub(super) enum Entry {
    /// A change was stored under this operation.
    Change { op: String, change: Box<Change> },
    /// A page was settled for good.
    Settled { record: Box<PageRecord> },
}

/// What a journal holds, ready to be compared with the store.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Changes of each incident by the version they made.
    pub(super) changes: BTreeMap<String, BTreeMap<u64, (String, Change)>>,
    /// Settled pages by id.
    pub(super) settled: BTreeMap<String, PageRecord>,
    /// Lines that could not be read: cut off by a crash.
    pub(super) unreadable: usize,
}

/// Files of one hour each. Several processes may write into one folder: a line is one write at the end of the file.
#[derive(Debug)]
pub(super) struct Journal {
    folder: PathBuf,
    current: Mutex<Option<(String, File)>>,
}

impl Journal {
    /// Makes the folder.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned(), current: Mutex::new(None) })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// A full or vanished disk.
    pub(super) fn add(&self, entry: &Entry, now: Timestamp) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        let name = name(now);
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_none_or(|(open, _)| *open != name) {
            let file = OpenOptions::new().create(true).append(true).open(self.folder.join(&name))?;
            *current = Some((name, file));
            self.forget_before(now)?;
        }
        match current.as_mut() {
            Some((_, file)) => file.write_all(&line),
            None => Ok(()),
        }
    }

    /// Everything kept. A line that a crash cut off is counted and passed over.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(super) fn read(&self) -> io::Result<Memory> {
        let mut memory = Memory::default();
        for path in self.files()? {
            for line in BufReader::new(File::open(path)?).split(b'\n') {
                match serde_json::from_slice(&line?) {
                    Ok(Entry::Change { op, change }) => {
                        let of = memory.changes.entry(change.incident.id.clone()).or_default();
                        of.insert(change.incident.version, (op, *change));
                    }
                    Ok(Entry::Settled { record }) if record.status != PageStatus::Pending => {
                        memory.settled.insert(record.page.id.clone(), *record);
                    }
                    Ok(Entry::Settled { .. }) => {}
                    Err(_) => memory.unreadable += 1,
                }
            }
        }
        Ok(memory)
    }

    /// Oldest first.
    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let mut files: Vec<PathBuf> = fs::read_dir(&self.folder)?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
            .collect();
        files.sort();
        Ok(files)
    }

    fn forget_before(&self, now: Timestamp) -> io::Result<()> {
        let first = name(now.saturating_sub(KEPT).unwrap_or(Timestamp::MIN));
        for path in self.files()? {
            if path.file_name().is_some_and(|found| *found.to_string_lossy() < *first) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

/// File of an instant's hour.
fn name(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H.jsonl").to_string()
}
