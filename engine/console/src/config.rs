//! Settings of the console: who may come in, and how sessions are kept. Refuses tokens in the clear: only their SHA-256
//! is ever configured.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tocsin_escalate::channel::Secret;

/// What somebody may do. Each includes those before it. Roles in an incident (legal, spokesperson) are not
/// permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rank {
    /// Reads.
    Viewer,
    /// Acknowledges, confirms, works on steps, takes notes.
    Officer,
    /// Assigns roles, changes the level, resolves, dismisses, reviews.
    Commander,
    /// Everything.
    Admin,
}

impl Rank {
    /// The word in configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Officer => "officer",
            Self::Commander => "commander",
            Self::Admin => "admin",
        }
    }
}

/// One bearer token. Make one with at least 256 random bits: `openssl rand -hex 32`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Who holds it, as shown in histories.
    pub name: String,
    /// What it allows.
    pub role: Rank,
    /// SHA-256 of the token, 64 hex digits: `printf %s TOKEN | sha256sum`.
    pub sha256: String,
}

/// Settings of the console.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Who may come in.
    pub tokens: Vec<Token>,
    /// Signs session cookies, at least 32 characters; without it nobody can log in to the pages.
    pub session_key: Secret,
    /// File holding `session_key`.
    pub session_key_file: Option<PathBuf>,
    /// How long a login lasts, hours.
    pub session_hours: u32,
    /// Cookies go over HTTPS only. False for plain HTTP on loopback.
    pub secure_cookies: bool,
    /// `/metrics` without a token, where the network already keeps strangers out.
    pub open_metrics: bool,
    /// Ways back from providers, to acknowledge where a page was read.
    pub replies: crate::replies::Config,
    /// Everybody on this machine is let in with this rank, without login. Set by `tocsin demo` alone, which listens on
    /// loopback alone.
    #[serde(skip)]
    pub demo: Option<Rank>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tokens: Vec::new(),
            session_key: Secret::default(),
            session_key_file: None,
            session_hours: 12,
            secure_cookies: true,
            open_metrics: false,
            replies: crate::replies::Config::default(),
            demo: None,
        }
    }
}

/// The settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("console.{field}: {detail}")]
pub struct SetupError {
    /// Where.
    pub field: String,
    /// What is wrong and what was meant.
    pub detail: String,
}

impl Config {
    /// Everybody on this machine is an officer.
    pub fn demo() -> Self {
        Self { demo: Some(Rank::Officer), secure_cookies: false, open_metrics: true, ..Self::default() }
    }

    /// Reads `session_key_file` through `read`.
    ///
    /// # Errors
    /// The file cannot be read, or the key is given both ways.
    pub fn read_secrets(
        &mut self,
        read: &dyn Fn(&Path) -> std::io::Result<String>,
    ) -> Result<(), SetupError> {
        self.replies.read_secrets(read).map_err(|(field, detail)| fault(&field, &detail))?;
        let Some(path) = &self.session_key_file else { return Ok(()) };
        if !self.session_key.is_empty() {
            return Err(fault("session_key_file", "the key is given both directly and as a file: keep one"));
        }
        let text = read(path).map_err(|e| {
            fault("session_key_file", &format!("cannot read {}: {}", path.display(), e.kind()))
        })?;
        self.session_key = Secret::new(text.trim_end());
        Ok(())
    }

    /// Checks what can be checked without running.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn validate(&self) -> Result<(), SetupError> {
        for (at, token) in self.tokens.iter().enumerate() {
            let digits = token.sha256.len() == 64 && token.sha256.bytes().all(|b| b.is_ascii_hexdigit());
            if !digits {
                return Err(fault(
                    &format!("tokens[{at}].sha256"),
                    "must be 64 hex digits: `printf %s TOKEN | sha256sum`",
                ));
            }
            let named = !token.name.is_empty()
                && token.name.chars().all(|c| c.is_alphanumeric() || "-_. @".contains(c));
            if !named || token.name.len() > 64 {
                let detail = "must be 1 to 64 letters, digits, blanks or any of - _ . @";
                return Err(fault(&format!("tokens[{at}].name"), detail));
            }
            if self.tokens.iter().skip(at + 1).any(|t| t.name == token.name) {
                return Err(fault(&format!("tokens[{at}].name"), &format!("{} is given twice", token.name)));
            }
        }
        if !self.session_key.is_empty() && self.session_key.expose().len() < 32 {
            return Err(fault("session_key", "must have at least 32 characters"));
        }
        if self.tokens.is_empty() && self.demo.is_none() {
            return Err(fault("tokens", "without a token nobody can come in: name at least one"));
        }
        if let Some((field, detail)) = self.replies.fault() {
            return Err(fault(&field, &detail));
        }
        if !(1..=168).contains(&self.session_hours) {
            return Err(fault("session_hours", "must be 1 to 168"));
        }
        Ok(())
    }
}

fn fault(field: &str, detail: &str) -> SetupError {
    SetupError { field: field.to_owned(), detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(name: &str, sha256: &str) -> Token {
        Token { name: name.into(), role: Rank::Viewer, sha256: sha256.into() }
    }

    #[test]
    fn faults_name_their_place() {
        let good = "a".repeat(64);
        let with = |tokens| Config { tokens, ..Config::default() };
        let table = [
            (Config::default(), "console.tokens"),
            (with(vec![token("a", "xyz")]), "console.tokens[0].sha256"),
            (with(vec![token("a\n", &good)]), "console.tokens[0].name"),
            (with(vec![token("a", &good), token("a", &good)]), "console.tokens[0].name"),
            (Config { session_key: Secret::new("short"), ..Config::demo() }, "console.session_key"),
            (Config { session_hours: 0, ..Config::demo() }, "console.session_hours"),
        ];
        for (config, place) in table {
            let error = config.validate().unwrap_err().to_string();
            assert!(error.starts_with(place), "{error}");
        }
        assert_eq!(Config::demo().validate(), Ok(()));
        assert!(serde_json::from_str::<Config>(r#"{"demo":"admin"}"#).is_err(), "no file can open the doors");
    }
}
