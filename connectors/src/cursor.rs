//! Where a source has got to, kept across restarts. The file store replaces a cursor in one step: a crash leaves the
//! old one or the new one, never half of one.

use std::{
    fs::{self, File},
    future::Future,
    io::{self, Write},
    path::{Path, PathBuf},
    pin::Pin,
};

use crate::Error;

/// Future of a cursor operation.
pub type Stored<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// Keeps cursors by source name. Their text means something only to the source.
pub trait CursorStore: Send + Sync {
    /// The cursor last saved, if any.
    fn load<'a>(&'a self, source: &'a str) -> Stored<'a, Option<String>>;

    /// Replaces the cursor; resolves when it would survive a crash.
    fn save<'a>(&'a self, source: &'a str, cursor: &'a str) -> Stored<'a, ()>;
}

/// Cursors as files of one folder, `<source>.cursor`.
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
        fs::create_dir_all(&folder).map_err(|source| Error::Cursor { path: folder.clone(), source })?;
        Ok(Self { folder })
    }

    fn path(&self, source: &str) -> PathBuf {
        let mut name = String::with_capacity(source.len());
        for byte in source.bytes() {
            if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
                name.push(char::from(byte));
            } else {
                name.push_str(&format!("%{byte:02x}"));
            }
        }
        self.folder.join(format!("{name}.cursor"))
    }
}

impl CursorStore for FileCursors {
    fn load<'a>(&'a self, source: &'a str) -> Stored<'a, Option<String>> {
        let path = self.path(source);
        Box::pin(async move {
            match fs::read_to_string(&path) {
                Ok(cursor) => Ok(Some(cursor)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(source) => Err(Error::Cursor { path, source }),
            }
        })
    }

    fn save<'a>(&'a self, source: &'a str, cursor: &'a str) -> Stored<'a, ()> {
        let path = self.path(source);
        Box::pin(
            async move { replace(&path, cursor.as_bytes()).map_err(|source| Error::Cursor { path, source }) },
        )
    }
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("cursor.new");
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
        assert_eq!(store.load("a").await.expect("load"), None);
        for name in ["a", "b", "../a", "名", "a/b", "A.b"] {
            store.save(name, &format!("first {name}")).await.expect("save");
            store.save(name, name).await.expect("save");
        }
        for name in ["a", "b", "../a", "名", "a/b", "A.b"] {
            assert_eq!(store.load(name).await.expect("load").as_deref(), Some(name));
        }
        assert!(!folder.path().join("deep/a.cursor").exists());
    }
}
