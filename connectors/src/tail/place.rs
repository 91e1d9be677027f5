//! Where reading stands in each followed file, and how a file is recognised again: by what it is on disk, not by its
//! name, and by its first bytes, since file numbers are used again. A cursor that cannot be read starts over: mention
//! ids make a second reading harmless.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use serde::{Deserialize, Serialize};

/// A file on disk, whatever its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Identity(String);

impl Identity {
    #[cfg(unix)]
    pub(super) fn of(file: &File, _path: &Path) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt;
        let metadata = file.metadata()?;
        Ok(Self(format!("{}:{}", metadata.dev(), metadata.ino())))
    }

    #[cfg(not(unix))]
    pub(super) fn of(_file: &File, path: &Path) -> io::Result<Self> {
        Ok(Self(path.display().to_string()))
    }
}

/// Longest beginning of a file remembered, in bytes.
const HEAD: u64 = 256;

/// Where reading stands in one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// Bytes published.
    pub(super) offset: u64,
    /// Line that starts there, from 1.
    pub(super) line: u64,
    /// How many of the first bytes `head` covers.
    head_len: u64,
    /// Hash of them.
    head: String,
}

impl Default for Mark {
    fn default() -> Self {
        Self { offset: 0, line: 1, head_len: 0, head: String::new() }
    }
}

impl Mark {
    /// This mark, or the beginning when the file was truncated or is another one under the same number.
    pub(super) fn unless_replaced(self, file: &mut File) -> io::Result<Self> {
        let same = file.metadata()?.len() >= self.offset
            && hash_head(file, self.head_len)? == (self.head_len, self.head.clone());
        if same || self == Self::default() {
            return Ok(self);
        }
        tracing::info!(
            offset = self.offset,
            "followed file was truncated or replaced; reading it from its beginning"
        );
        Ok(Self::default())
    }

    /// Remembers the beginning, of what was published only: the rest may still change.
    pub(super) fn remember_head(&mut self, file: &mut File) -> io::Result<()> {
        let wanted = self.offset.min(HEAD);
        if wanted != self.head_len {
            (self.head_len, self.head) = hash_head(file, wanted)?;
        }
        Ok(())
    }
}

fn hash_head(file: &mut File, length: u64) -> io::Result<(u64, String)> {
    if length == 0 {
        return Ok((0, String::new()));
    }
    file.seek(SeekFrom::Start(0))?;
    let mut head = Vec::new();
    let read = Read::take(&mut *file, length.min(HEAD)).read_to_end(&mut head)?;
    Ok((read as u64, blake3::hash(&head).to_hex()[..32].to_owned()))
}

/// Marks of all files of one source.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Marks {
    files: BTreeMap<Identity, Mark>,
}

impl Marks {
    pub(super) fn read_back(source: &str, text: Option<String>) -> Self {
        let Some(text) = text else { return Self::default() };
        serde_json::from_str(&text).unwrap_or_else(|error| {
            tracing::warn!(source, %error, "saved cursor cannot be read; starting over");
            Self::default()
        })
    }

    pub(super) fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn get(&self, identity: &Identity) -> Mark {
        self.files.get(identity).cloned().unwrap_or_default()
    }

    pub(super) fn set(&mut self, identity: &Identity, mark: Mark) {
        self.files.insert(identity.clone(), mark);
    }

    pub(super) fn forget(&mut self, identity: &Identity) {
        self.files.remove(identity);
    }

    pub(super) fn holds(&self, identity: &Identity) -> bool {
        self.files.contains_key(identity)
    }

    pub(super) fn keep_only(&mut self, keep: impl Fn(&Identity) -> bool) {
        self.files.retain(|identity, _| keep(identity));
    }
}
