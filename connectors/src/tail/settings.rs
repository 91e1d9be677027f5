//! `kind: tail`.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;

use super::Tail;
use crate::{Error, FieldMap, Format, Opened, Parts, Profile, ReadOptions, SourceKind, SourceSettings};

/// `kind: tail`, also without `kind`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Path, or a pattern such as `data/weibo/jsonl/*.jsonl`.
    path: PathBuf,
    /// auto, mention, mediacrawler, jsonl
    #[serde(default)]
    format: Option<String>,
    /// Field map, as for `tocsin replay --map`.
    #[serde(default)]
    map: Option<String>,
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::TAIL;
    // A file that nobody writes to is read without a fault every second: blind means that it cannot be read.
    const PROFILE: Profile = Profile::poll(Duration::from_secs(1), Duration::from_secs(300));

    fn check(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if let Some(format) = &self.format
            && Format::from_word(format).is_none()
        {
            faults.push(format!("format: `{format}` is none of auto, mention, mediacrawler, jsonl"));
        }
        if let Some(Err(fault)) = self.map.as_deref().map(FieldMap::parse) {
            faults.push(format!("map: {fault}"));
        }
        faults
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        let map = self.map.as_deref().map(FieldMap::parse).transpose();
        let options = ReadOptions {
            format: self.format.as_deref().and_then(Format::from_word).unwrap_or_default(),
            map: map.map_err(|fault| Error::options(format!("map: {fault}")))?,
            seen_at: None,
        };
        Ok(Opened::source(Tail::new(&*parts.name, &self.path, options, parts.cursor)?))
    }
}
