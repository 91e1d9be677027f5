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
