//! Messages as the platform signs and encrypts them. Tests only.

use super::cipher::signature;
pub(crate) use super::cipher::tests::{APP_ID, ENCRYPT, KEY, MESSAGE, TOKEN};

/// Query string of a callback.
pub(crate) fn query(token: &str, timestamp: &str, nonce: &str, encrypted: Option<&str>) -> String {
    let parts = [token.as_bytes(), timestamp.as_bytes(), nonce.as_bytes()];
    let mut query =
        format!("signature={}&timestamp={timestamp}&nonce={nonce}", signature(&mut parts.clone()));
    if let Some(text) = encrypted {
        let signed = signature(&mut [parts[0], parts[1], parts[2], text.as_bytes()]);
        query += &format!("&encrypt_type=aes&msg_signature={signed}");
    }
    query
}

/// Body of safe mode.
pub(crate) fn safe(encrypted: &str) -> String {
    format!("<xml><ToUserName><![CDATA[gh]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>")
}
