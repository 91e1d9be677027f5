//! The shipped presets with everything in them switched on, pointed at the stand-ins of this machine. Refuses to change what
//! an operator would not: addresses, credentials, folders and waits.

use std::{fmt::Write as _, path::Path, sync::Arc};

use anyhow::{Context as _, ensure};

use crate::{
    internet::{SECRET, Server, World},
    workspace,
};

/// An EncodingAESKey of 43 characters.
pub const AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

/// One source of a preset, as it will stand in the configuration.
#[derive(Debug)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    lines: Vec<String>,
}

/// Every source of both presets by name once, those left out taken in.
///
/// # Errors
/// When a preset is not there or a source says no name.
pub fn entries() -> anyhow::Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    for preset in ["consumer-brand.yaml", "app-company.yaml"] {
        let text = std::fs::read_to_string(workspace().join("deploy/presets").join(preset))?;
        let mut blocks: Vec<Vec<String>> = Vec::new();
        for line in text.lines() {
            let line = match line.trim_start().strip_prefix('#') {
                None => line.to_owned(),
                Some(left_out) if left_out.starts_with("- ") || setting(left_out) => {
                    format!("  {left_out}")
                }
                Some(_) => continue,
            };
            match line.starts_with("  - ") {
                true => blocks.push(vec![line]),
                false if line.starts_with("    ") => {
                    blocks.last_mut().context("a setting before the first source")?.push(line);
                }
                false => {}
            }
        }
        for lines in blocks {
            let text = lines.join("\n");
            let name = word(&text, "name: ").with_context(|| format!("{preset}: no name in {text}"))?;
            let kind = word(&text, "kind: ").unwrap_or_else(|| "tail".to_owned());
            if entries.iter().all(|entry| entry.name != name) {
                entries.push(Entry { name, kind, lines });
            }
        }
    }
    ensure!(entries.len() > 40, "only {} sources", entries.len());
    Ok(entries)
}

/// A setting of a source that is left out: its sentence would be indented further.
fn setting(left_out: &str) -> bool {
    left_out.starts_with("  ") && !left_out.starts_with("   ") && left_out.contains(": ")
}

fn word(text: &str, field: &str) -> Option<String> {
    let at = text.match_indices(field).map(|(at, _)| at).find(|at| {
        let before = text[..*at].trim_end_matches(' ').chars().next_back();
        matches!(before, Some('-' | '{' | ',' | '\n'))
    })?;
    let rest = &text[at + field.len()..];
    Some(rest.split([',', '}', '\n', ' ']).next().unwrap_or_default().trim_matches('"').to_owned())
}

/// Sources ready to run, and the servers they speak to.
#[derive(Debug)]
pub struct Presets {
    /// `sources:` of the configuration.
    pub yaml: String,
    /// Names and kinds.
    pub sources: Vec<(String, String)>,
    /// Stand-ins by the name of their source.
    pub servers: std::collections::BTreeMap<String, Server>,
}

impl Presets {
    /// Points every source at a server of its own in `world`, a foreign topic at `brokers`; `folder` holds secrets and
    /// files; the engine listens on `port`.
    ///
    /// # Errors
    /// When a preset cannot be read or a port is missing.
    pub fn new(folder: &Path, port: u16, brokers: &str, world: &Arc<World>) -> anyhow::Result<Self> {
        let mut presets =
            Self { yaml: "sources:\n".to_owned(), sources: Vec::new(), servers: Default::default() };
        for entry in entries()? {
            let base = match speaks_to(&entry.kind) {
                None => String::new(),
                Some(_) => {
                    let server = Server::start(&entry.name, &entry.kind, world)?;
                    let base = server.address().to_string();
                    presets.servers.insert(entry.name.clone(), server);
                    base
                }
            };
            presets
                .yaml
                .push_str(&entry.here(&base, folder, port)?.replace("kafka.brand.example:9092", brokers));
            presets.sources.push((entry.name, entry.kind));
        }
        Ok(presets)
    }
}

/// The settings that hold a platform's address where it is not in the preset; none: the source opens no connection.
fn speaks_to(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "feed" | "page" | "mastodon" | "mastodon_stream" => &[],
        "weibo_mentions" | "douyin_comments" | "bilibili_videos" => &["api"],
        "reddit" => &["address", "login"],
        "youtube_lease" => &["hub"],
        "bluesky_jetstream" | "bluesky_search" | "x_stream" | "hackernews" | "youtube_comments" | "gdelt"
        | "brandwatch" | "talkwalker_stream" | "talkwalker_search" | "dataminr" | "meltwater_search" => {
            &["address"]
        }
        _ => return None,
    })
}

impl Entry {
    fn here(&self, base: &str, folder: &Path, port: u16) -> anyhow::Result<String> {
        let own = folder.display();
        let mut text = self.lines.join("\n");
        text = text.replace("https://tocsin.example", &format!("http://127.0.0.1:{port}"));
        for host in hosts(&text) {
            text = text.replace(&host, &format!("http://{base}"));
        }
        for before in ["path: ", "path: \""] {
            text = text.replace(&format!("{before}/data/"), &format!("{before}{own}/data/"));
        }
        text = text.replace(".xlsx", ".csv");
        text = text.replace("enabled: false", "enabled: true");
        if let Some(at) = text.find("/etc/tocsin/") {
            let end = text[at..].find([' ', '\n']).map_or(text.len(), |end| at + end);
            let list = folder.join(&text[at + "/etc/tocsin/".len()..end]);
            std::fs::write(&list, format!("# one\nhttp://{base}/feed.xml\n"))?;
            text.replace_range(at..end, &list.display().to_string());
        }
        while let Some(at) = text.find("/run/secrets/") {
            let end = text[at..].find([' ', '\n', '}', ',']).map_or(text.len(), |end| at + end);
            let secret = folder.join(&text[at + "/run/secrets/".len()..end]);
            let held = if secret.ends_with("wechat-aes-key") { AES_KEY } else { SECRET };
            std::fs::write(&secret, held)?;
            text.replace_range(at..end, &secret.display().to_string());
        }
        let scheme = if self.kind == "bluesky_jetstream" { "ws" } else { "http" };
        let mut more: Vec<String> = speaks_to(&self.kind)
            .unwrap_or_default()
            .iter()
            .map(|field| format!("{field}: \"{scheme}://{base}\""))
            .collect();
        let text = self.often(text, &mut more);
        Ok(match text.trim_end().strip_suffix('}') {
            // one line in braces
            Some(open) if text.starts_with("  - {") => {
                more.insert(0, open.to_owned());
                format!("{}}}\n", more.join(", "))
            }
            _ => more.iter().fold(format!("{text}\n"), |mut text, line| {
                let _ = writeln!(text, "    {line}");
                text
            }),
        })
    }

    /// What is asked in rounds is asked as often as its platform allows, at most every second.
    fn often(&self, text: String, more: &mut Vec<String>) -> String {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("every_seconds:"));
        if speaks_to(&self.kind).is_some() || matches!(self.kind.as_str(), "tail" | "table") {
            let seconds = match self.kind.as_str() {
                "brandwatch" => 21,
                "gdelt" => 6,
                "bilibili_videos" => 5,
                _ => 1,
            };
            more.push(format!("every_seconds: {seconds}"));
        }
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// `https://….example` of a text.
fn hosts(text: &str) -> Vec<String> {
    let mut hosts: Vec<String> = text
        .match_indices("https://")
        .filter_map(|(at, _)| {
            let end = text[at..].find(".example")? + at + ".example".len();
            (!text[at..end].contains([' ', '\n', '"'])).then(|| text[at..end].to_owned())
        })
        .collect();
    hosts.dedup();
    hosts
}
