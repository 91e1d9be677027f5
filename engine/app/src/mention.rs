//! `tocsin mention add`: what a person found, as a canonical mention, through the signed ingest. The screenshot never leaves
//! the machine; its hash does, so that it can be shown later to be the one. Refuses to send what ingest would refuse.

use std::{io::Write as _, path::Path, time::Duration};

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tocsin_bus::{Clock, SystemClock};
use tocsin_connectors::{
    Secret,
    ingest::{SIGNATURE_HEADER, TIMESTAMP_HEADER, sign},
    privacy, scalar,
};
use tocsin_rules::{Mention, Platform};

use crate::cli::{Add, MentionAction, Mentions};

/// Runs one action.
pub async fn run(options: Mentions) -> anyhow::Result<()> {
    let MentionAction::Add(options) = options.action;
    let now = SystemClock::new().now();
    let mention = made(&options, now)?;
    match &options.secret_file {
        Some(path) => send(&options.url, path, &mention, now).await,
        None => {
            let _ = writeln!(std::io::stdout(), "{mention}");
            Ok(())
        }
    }
}

/// The mention as canonical JSON, checked as ingest will check it.
fn made(options: &Add, now: Timestamp) -> anyhow::Result<Value> {
    let Some(platform) = Platform::from_word(&options.platform) else {
        let known: Vec<&str> = Platform::ALL.iter().map(|platform| platform.as_str()).collect();
        bail!("--platform: no `{}`; there are {}", options.platform, known.join(", "));
    };
    let published_at = match &options.published_at {
        Some(text) => {
            scalar::instant(&json!(text)).map_err(|bad| anyhow::anyhow!("--published-at: {}", bad.detail))?
        }
        None => now,
    };
    let id = match (&options.id, &options.link) {
        (Some(id), _) => id.clone(),
        // The same link added twice is one mention.
        (None, Some(link)) => format!("manual-{}", short(&[link])),
        (None, None) => format!("manual-{}", short(&[&options.text, &published_at.to_string()])),
    };
    let source = match &options.screenshot {
        Some(path) => {
            let picture = std::fs::read(path).with_context(|| path.display().to_string())?;
            format!("manual:sha256:{}", hex(&Sha256::digest(picture)))
        }
        None => "manual".to_owned(),
    };
    let mut mention = json!({
        "id": format!("{platform}:{id}"),
        "platform": platform,
        "kind": options.kind,
        "text": options.text,
        "published_at": published_at,
        "observed_at": now,
        "source": source,
        "metrics": {"views": options.views},
    });
    let mut set = |field: &str, value: Option<Value>| {
        if let (Some(fields), Some(value)) = (mention.as_object_mut(), value) {
            fields.insert(field.to_owned(), value);
        }
    };
    set("title", options.title.as_ref().map(|title| json!(title)));
    if let Some(link) = &options.link {
        let public = privacy::public_url(link).context("--link: not a web address")?;
        set("url", Some(json!(public)));
    }
    set("author", options.author.as_ref().map(|author| json!({"key": privacy::author_key(author)})));
    if let Err(rejection) = Mention::parse(mention.to_string().as_bytes(), now) {
        bail!("{rejection}");
    }
    Ok(mention)
}

async fn send(url: &str, secret: &Path, mention: &Value, now: Timestamp) -> anyhow::Result<()> {
    let secret = Secret::new(std::fs::read(secret).with_context(|| secret.display().to_string())?)?;
    let body = mention.to_string();
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(15))
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let response = client
        .post(format!("{}/api/v1/mentions", url.trim_end_matches('/')))
        .header(TIMESTAMP_HEADER, now.as_second().to_string())
        .header(SIGNATURE_HEADER, sign(&secret, now.as_second(), body.as_bytes()))
        .body(body)
        .send()
        .await
        .map_err(reqwest::Error::without_url)
        .context("the engine did not answer")?;
    let status = response.status();
    let answer: Value = response.json().await.map_err(reqwest::Error::without_url).unwrap_or(Value::Null);
    if !status.is_success() {
        bail!("{status}: {}", answer["detail"].as_str().unwrap_or("no reason given"));
    }
    let _ = writeln!(std::io::stdout(), "{}", mention["id"].as_str().unwrap_or_default());
    Ok(())
}

fn short(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    hex(&digest.finalize()[..8])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn add(arguments: &[&str]) -> Add {
        let line = ["tocsin", "mention", "add"].iter().chain(arguments);
        match Cli::try_parse_from(line).expect("a command").command {
            Command::Mention(Mentions { action: MentionAction::Add(add) }) => add,
            _ => panic!("another command"),
        }
    }

    #[test]
    fn a_found_post_becomes_a_mention_with_its_screenshots_hash() {
        let folder = tempfile::tempdir().expect("a folder");
        let picture = folder.path().join("a.png");
        std::fs::write(&picture, "abc").expect("writes");
        let picture = picture.display().to_string();
        let now = "2026-09-10T04:00:00Z".parse().expect("a time");
        let options = add(&[
            "--platform",
            "xiaohongshu",
            "--text",
            "漏水",
            "--link",
            "https://www.xiaohongshu.com/explore/6?xsec_token=s",
            "--published-at",
            "2026-09-10 11:40",
            "--author",
            "u1",
            "--screenshot",
            &picture,
        ]);
        let mention = made(&options, now).expect("a mention");
        // SHA-256 of "abc", from the standard.
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(mention["source"], format!("manual:sha256:{hash}"));
        assert_eq!(mention["url"], "https://www.xiaohongshu.com/explore/6");
        assert_eq!(mention["published_at"], "2026-09-10T03:40:00Z");
        assert_eq!(mention["author"]["key"], privacy::author_key("u1"));
        let again = made(&options, "2026-09-10T05:00:00Z".parse().expect("a time")).expect("a mention");
        assert_eq!(mention["id"], again["id"], "the same link is the same mention");
    }

    #[test]
    fn what_ingest_would_refuse_is_refused_here() {
        let now = "2026-09-10T04:00:00Z".parse().expect("a time");
        for arguments in [
            &["--platform", "myspace", "--text", "x"][..],
            &["--platform", "weibo", "--text", " "],
            &["--platform", "weibo", "--text", "x", "--link", "javascript:1"],
            &["--platform", "weibo", "--text", "x", "--published-at", "yesterday"],
            &["--platform", "weibo", "--text", "x", "--kind", "rumour"],
        ] {
            assert!(made(&add(arguments), now).is_err(), "{arguments:?}");
        }
    }
}
