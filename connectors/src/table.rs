//! Tables people or tools put into a folder: CSV with a header, Excel (xlsx, xlsm, xlsb, xls) and ods, read through a field
//! map once each file has come to rest, and again as a whole when it changes. Refuses to follow a file line by line: that is
//! [`crate::tail`]'s.

mod excel;

use std::{
    collections::{BTreeMap, VecDeque},
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Batch, Error, FieldMap, Format, Item, Lag, Opened, Parts, Profile, ReadOptions, Source, SourceKind,
    SourceSettings, pattern, read,
};

const KIND: SourceKind = SourceKind::new("table");
/// Most records of one batch.
const BATCH: usize = 500;
/// A file that changed within this may still be being written.
const AT_REST: SignedDuration = SignedDuration::from_secs(5);
/// Largest file, bytes: a table is read into memory.
const LARGEST: u64 = 64 * 1024 * 1024;

/// `kind: table`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Path, or a pattern such as `/data/exports/*.xlsx`.
    path: PathBuf,
    /// Field map, as for `tocsin replay --map`; columns of a field's own name without it.
    #[serde(default)]
    map: Option<String>,
    /// Sheet of a workbook; the first without it.
    #[serde(default)]
    sheet: Option<String>,
}

impl SourceSettings for Settings {
    const KIND: SourceKind = KIND;
    const PROFILE: Profile = Profile::poll(Duration::from_secs(10), Duration::from_secs(600));

    fn check(&self) -> Vec<String> {
        match self.map.as_deref().map(FieldMap::parse) {
            Some(Err(fault)) => vec![format!("map: {fault}")],
            _ => Vec::new(),
        }
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        Ok(Opened::source(self.made(parts)?))
    }
}

impl Settings {
    fn made(&self, parts: Parts) -> Result<Tables, Error> {
        let map = self.map.as_deref().map(FieldMap::parse).transpose();
        let map = map.map_err(|fault| Error::options(format!("map: {fault}")))?;
        Ok(Tables {
            parts,
            pattern: self.path.clone(),
            map,
            sheet: self.sheet.clone(),
            known: None,
            current: None,
            queue: VecDeque::new(),
            handed: 0,
        })
    }
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    size: u64,
    /// Seconds since 1970.
    changed: i64,
}

type Known = BTreeMap<String, Stamp>;

pub(crate) struct Tables {
    parts: Parts,
    pattern: PathBuf,
    map: Option<FieldMap>,
    sheet: Option<String>,
    /// Files read and acknowledged, as they were then; the cursor.
    known: Option<Known>,
    /// The file being handed out.
    current: Option<(String, Stamp)>,
    queue: VecDeque<Item>,
    /// Of the queue, in the last batch.
    handed: usize,
}

impl Tables {
    /// The next file that is new or changed and at rest; how many more bytes wait.
    fn next_file(&self, known: &Known, now: Timestamp) -> Result<(Option<(PathBuf, Stamp)>, u64), Error> {
        let failed = |source| Error::Read { path: self.pattern.clone(), source };
        let (mut next, mut waiting) = (None, 0);
        for path in pattern::files(&self.pattern).map_err(failed)? {
            let Ok(metadata) = std::fs::metadata(&path) else { continue };
            let changed = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
            let changed = changed.and_then(|span| i64::try_from(span.as_secs()).ok()).unwrap_or_default();
            let stamp = Stamp { size: metadata.len(), changed };
            if known.get(&path.display().to_string()) == Some(&stamp) {
                continue;
            }
            waiting += stamp.size;
            let rest = now.as_second().saturating_sub(changed);
            if next.is_none() && rest >= AT_REST.as_secs() {
                next = Some((path, stamp));
            }
        }
        Ok((next, waiting))
    }

    /// Every record of a file. Reading is left to a thread that may block.
    async fn read(&self, path: PathBuf, now: Timestamp) -> Result<VecDeque<Item>, Error> {
        let (map, sheet) = (self.map.clone(), self.sheet.clone());
        let reading = tokio::task::spawn_blocking(move || items(&path, map, sheet.as_deref(), now));
        reading.await.map_err(|_| Error::transient("reading a table was cut short"))?
    }
}

fn items(
    path: &Path,
    map: Option<FieldMap>,
    sheet: Option<&str>,
    now: Timestamp,
) -> Result<VecDeque<Item>, Error> {
    let options = ReadOptions { format: Format::Csv, map, seen_at: Some(now) };
    let extension = path.extension().and_then(|end| end.to_str()).unwrap_or_default().to_ascii_lowercase();
    if matches!(extension.as_str(), "xlsx" | "xlsm" | "xlsb" | "xls" | "ods") {
        return Ok(excel::items(path, &options, sheet));
    }
    read(path, &options)?.collect()
}

impl Source for Tables {
    fn name(&self) -> &str {
        &self.parts.name
    }

    fn kind(&self) -> SourceKind {
        KIND
    }

    async fn fetch(&mut self, now: Timestamp) -> Result<Batch, Error> {
        let known = match &self.known {
            Some(known) => known.clone(),
            None => self.known.insert(self.parts.cursor.load_json().await?).clone(),
        };
        let mut waiting = 0;
        if self.current.is_none() {
            let (next, bytes) = self.next_file(&known, now)?;
            waiting = bytes;
            if let Some((path, stamp)) = next {
                let name = path.display().to_string();
                self.queue = if stamp.size > LARGEST {
                    VecDeque::from([excel::refused(&path, format!("the file is over {LARGEST} bytes"))])
                } else {
                    self.read(path, now).await?
                };
                self.current = Some((name, stamp));
            }
        }
        self.handed = self.queue.len().min(BATCH);
        Ok(Batch {
            items: self.queue.iter().take(self.handed).cloned().collect(),
            more: self.current.is_some(),
            lag: Some(Lag::Bytes(waiting)),
            ..Batch::default()
        })
    }

    async fn acknowledged(&mut self) -> Result<(), Error> {
        self.queue.drain(..self.handed.min(self.queue.len()));
        self.handed = 0;
        if self.queue.is_empty()
            && let Some((name, stamp)) = self.current.clone()
            && let Some(known) = &mut self.known
        {
            known.insert(name, stamp);
            // What is gone is forgotten, so that the cursor does not grow for ever.
            known.retain(|name, _| Path::new(name).exists());
            self.parts.cursor.save_json(known).await?;
            self.current = None;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
