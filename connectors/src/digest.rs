//! Digests and MACs as platforms sign with them, and their comparison in constant time. Refuses to print a secret, and to
//! tell how much of a signature was right. Several schemes here are weak by today's measure (SHA-1, MD5 over a
//! concatenation): they are the platforms' choice, never ours.

use base64::Engine;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{Token, privacy::hex};

/// SHA-1 of the parts, one after the other.
pub(crate) fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut hash = Sha1::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

/// SHA-256 of the parts, one after the other.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

/// MD5 of the parts, one after the other.
pub(crate) fn md5(parts: &[&[u8]]) -> [u8; 16] {
    use md5::Digest as _;
    let mut hash = md5::Md5::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

/// HMAC-SHA1 of the parts, one after the other.
pub(crate) fn hmac_sha1(key: &Token, parts: &[&[u8]]) -> [u8; 20] {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha1>::new_from_slice(key.expose().as_bytes()).expect("any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// HMAC-SHA256 of the parts, one after the other.
pub(crate) fn hmac_sha256(key: &Token, parts: &[&[u8]]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).expect("any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// Standard base64 with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Whether two texts or digests are the same; takes as long whatever differs. Only a difference in length shows.
pub(crate) fn same(claimed: &[u8], expected: &[u8]) -> bool {
    claimed.ct_eq(expected).into()
}

/// Whether `claimed` is this digest in hex, of either case.
pub(crate) fn is_hex_of(claimed: &str, digest: &[u8]) -> bool {
    same(claimed.trim().to_ascii_lowercase().as_bytes(), hex(digest).as_bytes())
}

/// Whether `claimed` is this digest in base64.
pub(crate) fn is_base64_of(claimed: &str, digest: &[u8]) -> bool {
    same(claimed.trim().as_bytes(), base64(digest).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Token {
        Token::new(text)
    }

    #[test]
    fn known_answers() {
        // RFC 2202 and RFC 4231, case 2; RFC 1321; FIPS 180.
        let (key, data) = (secret("Jefe"), &[b"what do ya want ".as_slice(), b"for nothing?"]);
        assert_eq!(hex(&hmac_sha1(&key, data)), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        assert_eq!(
            hex(&hmac_sha256(&key, data)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(hex(&md5(&[b"message ", b"digest"])), "f96b697d7cb7938d525a2f31aaf161d0");
        assert_eq!(hex(&sha1(&[b"a", b"bc"])), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(
            hex(&sha256(&[b"ab", b"c"])),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn comparisons_hold_only_for_the_whole_digest() {
        let digest = md5(&[b"x"]);
        let right = hex(&digest);
        assert!(is_hex_of(&right, &digest) && is_hex_of(&right.to_uppercase(), &digest));
        assert!(is_base64_of(&base64(&digest), &digest));
        for wrong in ["", &right[1..], &format!("{right}0"), &right.replace(&right[..1], "g"), "中"] {
            assert!(!is_hex_of(wrong, &digest) && !is_base64_of(wrong, &digest), "{wrong}");
        }
    }
}
