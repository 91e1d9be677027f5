//! WeChat's message encryption (AES-256-CBC under an EncodingAESKey) and its two signatures. Refuses in a fixed order:
//! the signature first, then what does not decrypt, then a length out of bounds, then another account's AppId. Never
//! says which bytes were wrong.

use aes::cipher::{BlockModeDecrypt, KeyIvInit, inout::InOutBuf};
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::{Error, digest, privacy::hex};

/// A key of 43 characters holds 258 bits: the last character may carry two spare ones, which the standard engine refuses.
const KEY_ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);
/// Characters of an EncodingAESKey.
const KEY_LENGTH: usize = 43;
/// Padding block: twice that of AES.
const PADDING_BLOCK: usize = 32;
/// Random bytes and length in front of the message.
const HEAD: usize = 20;

/// A decoded EncodingAESKey. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct AesKey([u8; 32]);

impl AesKey {
    /// From the 43 characters of the account's settings.
    ///
    /// # Errors
    /// [`Error::Options`] when it is anything else.
    pub(crate) fn decode(key: &str) -> Result<Self, Error> {
        let wrong = || Error::options("an EncodingAESKey has 43 characters of A-Z, a-z and 0-9");
        let key = key.trim();
        if key.len() != KEY_LENGTH {
            return Err(wrong());
        }
        let bytes = KEY_ENGINE.decode(key).map_err(|_| wrong())?;
        bytes.try_into().map(Self).map_err(|_| wrong())
    }

    /// The message inside, if it was encrypted under this key for this AppId.
    pub(crate) fn open(&self, encrypted: &str, app_id: &str) -> Result<Vec<u8>, Sealed> {
        let mut bytes = base64::engine::general_purpose::STANDARD
            .decode(encrypted.trim())
            .map_err(|_| Sealed::NotDecryptable)?;
        if bytes.is_empty() || bytes.len() % PADDING_BLOCK != 0 {
            return Err(Sealed::NotDecryptable);
        }
        let (blocks, _) = InOutBuf::from(bytes.as_mut_slice()).into_chunks();
        cbc::Decryptor::<aes::Aes256>::new_from_slices(&self.0, &self.0[..16])
            .map_err(|_| Sealed::NotDecryptable)?
            .decrypt_blocks_inout(blocks);
        let pad = usize::from(bytes.last().copied().unwrap_or_default());
        if !(1..=PADDING_BLOCK).contains(&pad)
            || bytes[bytes.len() - pad..].iter().any(|byte| usize::from(*byte) != pad)
        {
            return Err(Sealed::NotDecryptable);
        }
        bytes.truncate(bytes.len() - pad);
        let length = bytes.get(HEAD - 4..HEAD).and_then(|b| <[u8; 4]>::try_from(b).ok());
        let length = length.map(u32::from_be_bytes).and_then(|length| usize::try_from(length).ok());
        let end = length.and_then(|length| HEAD.checked_add(length)).filter(|end| *end <= bytes.len());
        let end = end.ok_or(Sealed::BadLength)?;
        if !digest::same(&bytes[end..], app_id.as_bytes()) {
            return Err(Sealed::OtherAccount);
        }
        bytes.truncate(end);
        bytes.drain(..HEAD);
        Ok(bytes)
    }
}

impl std::fmt::Debug for AesKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AesKey(…)")
    }
}

/// Why a signed message did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Sealed {
    #[error("not encrypted under a key of this account")]
    NotDecryptable,
    #[error("the length inside is out of bounds")]
    BadLength,
    #[error("encrypted for another AppId")]
    OtherAccount,
}

/// Hex SHA-1 over the byte-sorted, joined parts: token, timestamp, nonce and, for `msg_signature`, the encrypted text.
pub(crate) fn signature(parts: &mut [&[u8]]) -> String {
    parts.sort_unstable();
    hex(&digest::sha1(parts))
}

#[cfg(test)]
pub(super) mod tests {
    use aes::cipher::BlockModeEncrypt;
    use proptest::prelude::*;

    use super::*;

    /// Encrypts as the platform does.
    pub(crate) fn seal(key: &str, random: &[u8; 16], message: &[u8], app_id: &str) -> String {
        let key = AesKey::decode(key).expect("a key");
        let mut bytes = random.to_vec();
        bytes.extend(u32::try_from(message.len()).expect("short").to_be_bytes());
        bytes.extend(message);
        bytes.extend(app_id.as_bytes());
        let pad = PADDING_BLOCK - bytes.len() % PADDING_BLOCK;
        bytes.extend(std::iter::repeat_n(u8::try_from(pad).expect("small"), pad));
        encrypt(&key, bytes)
    }

    fn encrypt(key: &AesKey, mut bytes: Vec<u8>) -> String {
        let (blocks, _) = InOutBuf::from(bytes.as_mut_slice()).into_chunks();
        cbc::Encryptor::<aes::Aes256>::new_from_slices(&key.0, &key.0[..16])
            .expect("sizes")
            .encrypt_blocks_inout(blocks);
        digest::base64(&bytes)
    }

    pub(crate) const TOKEN: &str = "listen-token-2026";
    pub(crate) const APP_ID: &str = "wx0a1b2c3d4e5f6789";
    /// Ends in `G`, so its last character carries spare bits.
    pub(crate) const KEY: &str = "Qw3RtYuIoPaSdFgHjKlZxCvBnM0987654321AbCdEfG";
    pub(crate) const MESSAGE: &str = "<xml><ToUserName><![CDATA[gh_11aa22bb33cc]]></ToUserName><FromUserName><![CDATA[oTEST0000000000000000000001]]></FromUserName><CreateTime>1789000000</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[你们的门店今天又停电了，没人处理吗]]></Content><MsgId>24500000000000001</MsgId></xml>";
    pub(crate) const ENCRYPT: &str = "6o4Au4Hv4plM1bAd1rw05ThAiXcCMzCF+dUuq2gzX/Eduq9HEQTL8UU1JTlNc0DKMXI4QoGefKUkTtYQeb+PnD9aPe9QcCik6stvpkaIzoOLbKAGGJ6nnWsiEQUJsiqH0jSJ8I836nm+9WXKpc7NwDin3bK2XUvN4aY41Mmbc3Wf5S5BZI90w0yUx2/KG8x1jynWyjuGvPpXHgyipzpfwM8sjDr1jDaoU5JIgrajAB1UFidO3auaPC1kMsJ+woQXSKMxTfLgwdpsml8wDM958cQibVHcoBdUfQW9ZzG2pQz8maCd4yrPT59GMV4PLT3fqMAVIukm7bfxhL2HZeoRv7jlNxs9tgA2ZEssEA9JJDvh1VHmkC71LKo6v9PQmnPOjc8FqZbT2Y7HJL/MhK8n1Vdcm7Iz8oqrQM4HAt/dOrW3Q5pGvAEV1TSNu5KszmWycRdi6JphWDUYl/YwMDLXnSDifQJGEOsX8uN9eFSIc3GjsR23IUpblUhqp3z5ReF3";

    #[test]
    fn opens_the_known_message() {
        let key = AesKey::decode(KEY).expect("a key");
        assert_eq!(hex(&key.0), "430dd1b58b88a0f6927458078ca959c42bc19ccd3df3beb9e37db501b09d11f1");
        assert_eq!(
            key.open(ENCRYPT, APP_ID).map(|m| String::from_utf8(m).expect("text")),
            Ok(MESSAGE.to_owned())
        );
        assert_eq!(key.open(ENCRYPT, "wx0000000000000000"), Err(Sealed::OtherAccount));
        assert_eq!(seal(KEY, b"0123456789abcdef", MESSAGE.as_bytes(), APP_ID), ENCRYPT);
        assert_eq!(
            signature(&mut [TOKEN.as_bytes(), b"1789000000", b"520131400"]),
            "25170b06d1e569af1000599b297c3e9387275cd0"
        );
        assert_eq!(
            signature(&mut [TOKEN.as_bytes(), b"1789000000", b"520131400", ENCRYPT.as_bytes()]),
            "d4eb942e53af28ae4f0cdd7e19e58bd081e3c11d"
        );
    }

    #[test]
    fn keys_are_43_characters_and_never_printed() {
        for wrong in ["", &KEY[1..], &format!("{KEY}="), &KEY.replace('Q', "-"), &"中".repeat(43)] {
            assert!(AesKey::decode(wrong).is_err(), "{wrong}");
        }
        assert_eq!(format!("{:?}", AesKey::decode(KEY)), "Ok(AesKey(…))");
    }

    #[test]
    fn refuses_cut_foreign_and_lying_messages() {
        let key = AesKey::decode(KEY).expect("a key");
        let lying = |length: u32, rest: usize| {
            let mut bytes = vec![b'r'; 16];
            bytes.extend(length.to_be_bytes());
            bytes.extend(vec![b'm'; rest]);
            let pad = PADDING_BLOCK - bytes.len() % PADDING_BLOCK;
            bytes.extend(std::iter::repeat_n(u8::try_from(pad).expect("small"), pad));
            encrypt(&key, bytes)
        };
        let raw = |bytes: Vec<u8>| encrypt(&key, bytes);
        for (case, encrypted, expected) in [
            ("empty", String::new(), Sealed::NotDecryptable),
            ("not base64", "???".to_owned(), Sealed::NotDecryptable),
            ("cut", ENCRYPT[..64].to_owned(), Sealed::NotDecryptable),
            ("half a block", digest::base64(&[0; 16]), Sealed::NotDecryptable),
            ("pad 0", raw(vec![0; 32]), Sealed::NotDecryptable),
            ("pad 33", raw(vec![33; 64]), Sealed::NotDecryptable),
            ("uneven pad", raw([vec![7; 31], vec![9]].concat()), Sealed::NotDecryptable),
            ("only padding", raw(vec![32; 32]), Sealed::BadLength),
            ("no room for a length", raw([vec![b'r'; 14], vec![18; 18]].concat()), Sealed::BadLength),
            ("length over the end", lying(u32::MAX, 40), Sealed::BadLength),
            ("length one over", lying(41, 40), Sealed::BadLength),
            ("no AppId left", lying(40, 40), Sealed::OtherAccount),
        ] {
            assert_eq!(key.open(&encrypted, APP_ID), Err(expected), "{case}");
        }
        let other = AesKey::decode(&KEY.replace('Q', "R")).expect("a key");
        assert!(other.open(ENCRYPT, APP_ID).is_err());
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_and_garbage_never_panics(message: Vec<u8>, random: [u8; 16], garbage: Vec<u8>) {
            let key = AesKey::decode(KEY).expect("a key");
            let sealed = seal(KEY, &random, &message, APP_ID);
            prop_assert_eq!(key.open(&sealed, APP_ID), Ok(message));
            let _ = key.open(&digest::base64(&garbage), APP_ID);
            let _ = key.open(&encrypt(&key, [garbage.clone(), vec![0; (32 - garbage.len() % 32) % 32]].concat()), APP_ID);
        }
    }
}
