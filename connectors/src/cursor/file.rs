//! Cursors as files of one folder. A cursor is replaced in one step: a crash leaves the old one or the new one, never
//! half of one. For one process: everybody gets every lease.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{CursorStore, Slot, Stored};
use crate::Error;

/// `<source>.cursor` and `<source>.health` in a folder.
#[derive(Debug, Clone)]
pub struct FileCursors {
    folder: PathBuf,
}

impl FileCursors {
    /// Keeps them in this folder, which is made when missing.
    ///
    /// # Errors
    /// [`Error::Cursor`] when it cannot be made.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(failed(&folder))?;
        Ok(Self { folder })
    }

    fn path(&self, source: &str, slot: Slot) -> PathBuf {
        let mut name = String::with_capacity(source.len() + 8);
        for byte in source.bytes() {
            if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
                name.push(char::from(byte));
            } else {
                name.push_str(&format!("%{byte:02x}"));
            }
        }
        self.folder.join(format!("{name}.{}", slot.as_str()))
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> Error {
    let at = path.display().to_string();
    move |source| Error::Cursor { at: at.clone(), source: Box::new(source) }
}

impl CursorStore for FileCursors {
    fn acquire<'a>(&'a self, _: &'a str, _: &'a str, _: Duration) -> Stored<'a, Option<u64>> {
        Box::pin(async { Ok(Some(1)) })
    }

    fn renew<'a>(&'a self, _: &'a str, _: u64, _: Duration) -> Stored<'a, bool> {
        Box::pin(async { Ok(true) })
    }

    fn release<'a>(&'a self, _: &'a str, _: u64) -> Stored<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn load<'a>(&'a self, source: &'a str, slot: Slot) -> Stored<'a, Option<String>> {
        let path = self.path(source, slot);
        Box::pin(async move {
            match fs::read_to_string(&path) {
                Ok(text) => Ok(Some(text)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(failed(&path)(error)),
            }
        })
    }

    fn save<'a>(&'a self, source: &'a str, slot: Slot, _: u64, text: &'a str) -> Stored<'a, ()> {
        let path = self.path(source, slot);
        Box::pin(async move { replace(&path, text.as_bytes()).map_err(failed(&path)) })
    }
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let mut file = File::create(&fresh)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_one_cursor_a_source_whatever_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = FileCursors::open(folder.path().join("deep/er")).expect("a store");
        assert_eq!(store.load("a", Slot::Cursor).await.expect("load"), None);
        for name in ["a", "b", "../a", "名", "a/b", "A.b"] {
            store.save(name, Slot::Cursor, 1, &format!("first {name}")).await.expect("save");
            store.save(name, Slot::Cursor, 1, name).await.expect("save");
            store.save(name, Slot::Health, 1, "well").await.expect("save");
        }
        for name in ["a", "b", "../a", "名", "a/b", "A.b"] {
            assert_eq!(store.load(name, Slot::Cursor).await.expect("load").as_deref(), Some(name));
            assert_eq!(store.load(name, Slot::Health).await.expect("load").as_deref(), Some("well"));
        }
        assert!(!folder.path().join("deep/a.cursor").exists());
    }
}
