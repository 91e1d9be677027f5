//! Minimising personal data at the edge: author ids become hashes, names are masked, access values leave links.
//! Refuses links that are not plain web links.

use std::sync::Arc;

use hmac::{Hmac, Mac as _};
use sha2::{Digest, Sha256};
use tocsin_rules::Mention;
use url::Url;

use crate::{Error, Item};

/// Key of an author: the first 16 hex digits of SHA-256 over the platform's user id as text. MediaCrawler's
/// `creator_hash` is the same, so both of its dialects name one author alike.
pub fn author_key(user_id: &str) -> String {
    hex(&Sha256::digest(user_id.as_bytes())[..8])
}

/// Whether a key is already such a hash.
pub fn is_author_key(key: &str) -> bool {
    key.len() == 16 && key.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The operator's secret under which author keys leave the edge. Without it anybody who knows a user id can work out its
/// key; with it only who holds the secret can. Applied once to every mention on its way to the bus, over the unkeyed hash,
/// so that one author is one key whichever source or dialect brought them.
#[derive(Clone, Default)]
pub struct AuthorKey(Option<Arc<[u8]>>);

impl AuthorKey {
    /// Shortest secret, bytes.
    const SHORTEST: usize = 16;

    /// Under this secret; white space around it is not part of it.
    ///
    /// # Errors
    /// [`Error::Options`] when it is shorter than 16 bytes.
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, Error> {
        let secret = secret.as_ref().trim_ascii();
        if secret.len() < Self::SHORTEST {
            return Err(Error::options("the secret of author keys needs at least 16 bytes"));
        }
        Ok(Self(Some(secret.into())))
    }

    /// The key that leaves the edge for one from [`author_key`].
    pub fn keyed(&self, key: &str) -> String {
        let Some(secret) = &self.0 else { return key.to_owned() };
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length");
        mac.update(key.as_bytes());
        hex(&mac.finalize().into_bytes()[..8])
    }

    /// Keys the author of a mention, if it has one.
    pub(crate) fn apply(&self, mention: &mut Mention) {
        if self.0.is_some()
            && let Some(author) = mention.author.as_mut().filter(|author| !author.key.is_empty())
        {
            author.key = self.keyed(&author.key);
        }
    }

    /// The same for all items of a batch.
    pub(crate) fn apply_all(&self, items: &mut [Item]) {
        for item in items {
            if let Item::Mention(mention) = item {
                self.apply(mention);
            }
        }
    }
}

impl std::fmt::Debug for AuthorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "AuthorKey(…)" } else { "AuthorKey(none)" })
    }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// A masked name: one character becomes `*`, two keep the first, more keep first and last. Masking twice changes
/// nothing.
pub fn mask(name: &str) -> Option<String> {
    let name = name.trim();
    let mut letters = name.chars();
    let first = letters.next()?;
    Some(match (letters.next_back(), letters.next()) {
        (None, _) => "*".to_owned(),
        (Some(_), None) => format!("{first}*"),
        (Some(last), Some(_)) => format!("{first}***{last}"),
    })
}

/// Query parameters that grant access or tell who shared a link.
const SECRET_PARAMETERS: &[&str] = &[
    "a_bogus",
    "access_key",
    "api_key",
    "apikey",
    "app_secret",
    "auth",
    "authorization",
    "code",
    "jwt",
    "key",
    "mstoken",
    "pass_ticket",
    "passwd",
    "password",
    "pwd",
    "secret",
    "session",
    "session_id",
    "sessionid",
    "sid",
    "sig",
    "sign",
    "signature",
    "ticket",
    "token",
    "uin",
    "verifyfp",
    "x-bogus",
    "xsec_source",
];

fn is_secret(parameter: &str) -> bool {
    let name = parameter.to_lowercase();
    SECRET_PARAMETERS.contains(&name.as_str()) || name.ends_with("_token") || name.ends_with("-token")
}

/// A link fit to be stored and shown: http or https, without user, password and access values. `None` for anything else.
pub fn public_url(link: &str) -> Option<String> {
    let link = link.trim();
    let mut url = Url::parse(link).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let fragment_leaks = url.fragment().is_some_and(|f| {
        url::form_urlencoded::parse(f.as_bytes())
            .any(|(name, _)| is_secret(name.rsplit('?').next().unwrap_or(&name)))
    });
    let query_leaks = url.query_pairs().any(|(name, _)| is_secret(&name));
    let names_user = !url.username().is_empty() || url.password().is_some();
    if !fragment_leaks && !query_leaks && !names_user {
        return Some(link.to_owned());
    }
    if fragment_leaks {
        url.set_fragment(None);
    }
    if names_user {
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
    }
    if query_leaks {
        let kept: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| !is_secret(name))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        if kept.is_empty() {
            url.set_query(None);
        } else {
            url.query_pairs_mut().clear().extend_pairs(kept);
        }
    }
    Some(url.into())
}

/// Minimises a canonical mention whose sender may not have: an unhashed author key also means an unmasked name.
pub(crate) fn minimise(mention: &mut Mention) {
    mention.url = mention.url.take().and_then(|link| public_url(&link));
    if let Some(author) = &mut mention.author
        && !is_author_key(&author.key)
    {
        // No key is no author: a hash of nothing would make all of them one.
        if !author.key.is_empty() {
            author.key = author_key(&author.key);
        }
        author.name = author.name.take().and_then(|name| mask(&name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn author_keys_join_both_dialects() {
        assert_eq!(author_key("5f00000000000000010001aa"), "479a753d69fa67de");
        assert!(is_author_key("479a753d69fa67de"));
        assert!(!is_author_key("5f00000000000000010001aa") && !is_author_key("479A753D69FA67DE"));
    }

    #[test]
    fn a_secret_changes_keys_and_joins_both_dialects_still() {
        let secret = AuthorKey::new("a secret of some length").expect("long enough");
        let (raw, hashed) = (author_key("5f00000000000000010001aa"), "479a753d69fa67de");
        assert_eq!(secret.keyed(&raw), secret.keyed(hashed));
        assert_ne!(secret.keyed(hashed), hashed);
        // printf 479a753d69fa67de | openssl dgst -sha256 -hmac 'a secret of some length' | cut -c1-16
        assert_eq!(secret.keyed(hashed), "65e50d4919711f49");
        assert_eq!(AuthorKey::default().keyed(hashed), hashed);
        assert!(AuthorKey::new("short").is_err());
        assert_eq!(format!("{secret:?}"), "AuthorKey(…)");
    }

    #[test]
    fn masks_once_and_for_all() {
        for (name, masked) in [
            ("小", Some("*")),
            ("小鱼", Some("小*")),
            ("小黄鱼", Some("小***鱼")),
            ("Archie阿奇学长", Some("A***长")),
            ("小***鱼", Some("小***鱼")),
            ("小*", Some("小*")),
            ("*", Some("*")),
            ("  ", None),
        ] {
            assert_eq!(mask(name).as_deref(), masked, "{name}");
        }
    }

    #[test]
    fn links_lose_what_grants_access() {
        for (link, public) in [
            ("https://a.example/x?id=1&q=%E4%B8%AD", Some("https://a.example/x?id=1&q=%E4%B8%AD")),
            (
                "https://www.xiaohongshu.com/explore/66?xsec_token=ABC&xsec_source=pc_search",
                Some("https://www.xiaohongshu.com/explore/66"),
            ),
            ("https://a.example/?id=1&Access_Token=s3", Some("https://a.example/?id=1")),
            ("https://a.example/p#access_token=s3", Some("https://a.example/p")),
            ("https://user:pw@a.example/p", Some("https://a.example/p")),
            ("javascript:alert(1)", None),
            ("/relative", None),
            ("", None),
        ] {
            assert_eq!(public_url(link).as_deref(), public, "{link}");
        }
    }
}
