//! [`Secret`]: a credential that does not print. Refuses `Debug`, `Display` and serialisation of its value.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, Serializer};
use subtle::ConstantTimeEq;

use super::Fault;

/// A credential. Shown as `***` everywhere; compared in constant time.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a credential.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The credential itself: only where it is put on the wire.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl std::fmt::Display for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

/// Fills `secret` from `file` when the latter is set; both at once is a fault.
pub(crate) fn from_file(
    field: &'static str,
    secret: &mut Secret,
    file: Option<&PathBuf>,
    read: &dyn Fn(&Path) -> std::io::Result<String>,
) -> Result<(), Fault> {
    let Some(path) = file else { return Ok(()) };
    if !secret.is_empty() {
        return Err(Fault(field, "given both directly and as a file: keep one".into()));
    }
    let text =
        read(path).map_err(|e| Fault(field, format!("cannot read {}: {}", path.display(), e.kind())))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(Fault(field, format!("{} is empty", path.display())));
    }
    *secret = Secret::new(text);
    Ok(())
}

/// Settings whose secrets may stand in files of their own.
pub(crate) trait SecretFiles {
    /// Fills every secret that is given as a file.
    fn read_secrets(&mut self, read: &dyn Fn(&Path) -> std::io::Result<String>) -> Result<(), Fault>;
}

/// Implements [`SecretFiles`] for settings with pairs of `secret / file`.
macro_rules! secret_files {
    ($config:ty: $($secret:ident / $file:ident),+ $(,)?) => {
        impl $crate::channel::secret::SecretFiles for $config {
            fn read_secrets(
                &mut self,
                read: &dyn Fn(&std::path::Path) -> std::io::Result<String>,
            ) -> Result<(), $crate::channel::Fault> {
                $($crate::channel::secret::from_file(
                    stringify!($file), &mut self.$secret, self.$file.as_ref(), read,
                )?;)+
                Ok(())
            }
        }
    };
}
pub(crate) use secret_files;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_prints() {
        let secret = Secret::new("hunter2");
        let shown = format!("{secret} {secret:?} {}", serde_json::to_string(&secret).unwrap());
        assert_eq!(shown, "*** *** \"***\"");
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn files_are_read_once_and_trimmed() {
        let path = PathBuf::from("/run/secrets/key");
        let read = |_: &Path| Ok("abc\n".to_owned());
        let mut secret = Secret::default();
        from_file("key", &mut secret, Some(&path), &read).unwrap();
        assert_eq!(secret, Secret::new("abc"));
        let fault = from_file("key", &mut secret, Some(&path), &read).unwrap_err();
        assert!(fault.1.contains("both"));
        let gone = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
        let fault = from_file("key", &mut Secret::default(), Some(&path), &gone).unwrap_err();
        assert!(fault.1.contains("/run/secrets/key"), "{}", fault.1);
    }
}
