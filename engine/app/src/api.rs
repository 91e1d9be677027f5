//! A running console as the command line asks it. Refuses redirects, and to print an address that may carry a secret.

use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;

use crate::cli::Reach;

/// One console.
pub struct Console {
    base: String,
    token: Option<String>,
    client: Client,
}

impl Console {
    /// Reads the token; asks nothing yet.
    pub fn open(reach: &Reach) -> anyhow::Result<Self> {
        let token = match &reach.token_file {
            Some(path) => {
                let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
                Some(text.trim().to_owned())
            }
            None => None,
        };
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(60))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { base: reach.url.trim_end_matches('/').to_owned(), token, client })
    }

    /// A request to a path of the API.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }
}

/// The answer, if it is a good one; else what the console said.
pub async fn answer(request: RequestBuilder) -> anyhow::Result<Response> {
    let response =
        request.send().await.map_err(reqwest::Error::without_url).context("the console did not answer")?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body: Value = response.json().await.unwrap_or(Value::Null);
    let word = |name: &str| body.get(name).and_then(Value::as_str);
    bail!("{status}: {}", word("detail").or(word("title")).unwrap_or("no reason given"))
}

/// Ids are `sNN-hex`; anything else is encoded so that it cannot leave its path segment.
pub fn segment(id: &str) -> String {
    id.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

/// `?a=b&c=d`, every value encoded.
pub fn query(pairs: &[(&str, String)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", segment(value))).collect();
    format!("?{}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_one_path_segment() {
        assert_eq!(segment("s07-3fa9c2d1e8"), "s07-3fa9c2d1e8");
        assert_eq!(segment("../x?y#z"), "%2E%2E%2Fx%3Fy%23z");
    }
}
