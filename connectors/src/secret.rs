//! Credentials of the services we ask: read from a file each time a source opens, never printed.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::Error;

/// A token, key or password. `Debug` hides it; there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// From memory (tests, tokens a service hands out).
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself: for a header or a signature, never for a message.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A setting such as `token_file: /run/secrets/x`: where a [`Token`] lies.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct TokenFile(PathBuf);

impl TokenFile {
    /// At this path.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Reads it; white space around it is not part of it.
    ///
    /// # Errors
    /// [`Error::Credential`] when it cannot be read or is empty: names the file, never the content.
    pub fn read(&self) -> Result<Token, Error> {
        match std::fs::read_to_string(&self.0) {
            Ok(text) if !text.trim().is_empty() => Ok(Token(text.trim().to_owned())),
            Ok(_) => Err(Error::Credential(format!("{} is empty", self.0.display()).into())),
            Err(fault) => Err(Error::Credential(format!("{}: {fault}", self.0.display()).into())),
        }
    }
}
