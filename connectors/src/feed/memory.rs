//! What is known of one feed between two polls: validators and, of every entry lately seen, hashes of its name, its link
//! with title, and its content, so that an entry is brought once, an edited one as an update, and one under a new name
//! (some sites rewrite every guid at each build) not at all.

use std::collections::HashMap;

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use super::parse::Entry;
use crate::http::Validators;

/// Entries kept beyond those of the newest document, so that one that drops out and returns is not new.
const KEPT: usize = 100;
/// Bytes of an entry in the cursor.
const WIDTH: usize = 28;

/// State of one feed; part of the cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Memory {
    #[serde(rename = "v", skip_serializing_if = "Validators::is_empty")]
    pub(crate) validators: Validators,
    /// Newest document first.
    #[serde(
        rename = "k",
        serialize_with = "pack",
        deserialize_with = "unpack",
        skip_serializing_if = "Vec::is_empty"
    )]
    known: Vec<Known>,
    /// Its guids were seen to change while link and title stayed.
    #[serde(rename = "u", skip_serializing_if = "is_false")]
    unstable: bool,
    /// A document of it was read.
    #[serde(rename = "s", skip_serializing_if = "is_false")]
    pub(crate) seen: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// One entry, by hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    /// What its mention is called.
    id: u64,
    /// Of the guid; 0 without one.
    guid: u64,
    /// Of link and title.
    link: u64,
    content: u32,
}

/// What an entry is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Novelty {
    /// Never seen; its mention's name.
    New(u64),
    /// Seen, and since edited.
    Edited(u64),
    /// Seen as it is.
    Same,
}

impl Memory {
    /// Judges the entries of a document and remembers them.
    pub(crate) fn take(&mut self, feed: &Url, entries: &[&Entry]) -> Vec<Novelty> {
        let guids: Vec<u64> = entries.iter().map(|entry| guid_hash(feed, entry)).collect();
        // A name several entries bear names none of them.
        let mut borne: HashMap<u64, usize> = HashMap::new();
        for guid in &guids {
            *borne.entry(*guid).or_default() += 1;
        }
        let by_guid: HashMap<u64, usize> = index(&self.known, |known| known.guid);
        let by_link: HashMap<u64, usize> = index(&self.known, |known| known.link);
        let mute = content_of("", "");
        let mut renamed = 0;
        let (mut newest, mut novelties) =
            (Vec::with_capacity(entries.len()), Vec::with_capacity(entries.len()));
        for (entry, guid) in entries.iter().zip(guids) {
            let guid = if borne.get(&guid) == Some(&1) { guid } else { 0 };
            let (link, content) = (link_hash(feed, entry), content_hash(entry));
            let known = match by_guid.get(&guid).filter(|_| guid != 0).or(by_link.get(&link)) {
                Some(at) => self.known[*at],
                None => {
                    let id = if guid == 0 || self.unstable { link } else { guid };
                    newest.push(Known { id, guid, link, content });
                    novelties.push(Novelty::New(id));
                    continue;
                }
            };
            renamed += usize::from(known.guid != guid && known.guid != 0 && guid != 0);
            newest.push(Known { id: known.id, guid, link, content });
            novelties.push(match known.content {
                same if same == content => Novelty::Same,
                // It was refused then: the first words it has make it new.
                before if before == mute => Novelty::New(known.id),
                _ => Novelty::Edited(known.id),
            });
        }
        self.unstable |= renamed >= 2;
        self.seen = true;
        let limit = newest.len() + KEPT;
        let current: std::collections::HashSet<u64> = newest.iter().map(|known| known.id).collect();
        newest.extend(self.known.iter().filter(|known| !current.contains(&known.id)));
        newest.truncate(limit);
        self.known = newest;
        novelties
    }
}

fn index(known: &[Known], key: impl Fn(&Known) -> u64) -> HashMap<u64, usize> {
    known.iter().enumerate().rev().map(|(at, known)| (key(known), at)).filter(|(key, _)| *key != 0).collect()
}

fn hash(parts: &[&str]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    // 0 stands for none.
    u64::from_le_bytes(first).max(1)
}

fn guid_hash(feed: &Url, entry: &Entry) -> u64 {
    entry.guid.as_deref().map_or(0, |guid| hash(&["guid", feed.host_str().unwrap_or_default(), guid]))
}

fn link_hash(feed: &Url, entry: &Entry) -> u64 {
    let host = feed.host_str().unwrap_or_default();
    let link = entry.link.as_deref().map(canonical).unwrap_or_default();
    // Without a link the words must do, without words what else tells it apart.
    let text = match link.is_empty() {
        true if entry.is_mute() => {
            let date = entry.published.map(|at| at.to_string());
            format!("{}\0{}", entry.guid.as_deref().unwrap_or_default(), date.unwrap_or_default())
        }
        true => entry.text.clone(),
        false => String::new(),
    };
    hash(&["link", host, &link, entry.title.as_deref().unwrap_or_default(), &text])
}

fn content_hash(entry: &Entry) -> u32 {
    content_of(entry.title.as_deref().unwrap_or_default(), &entry.text)
}

fn content_of(title: &str, text: &str) -> u32 {
    u32::try_from(hash(&[title, text]) >> 32).unwrap_or_default()
}

/// A link without scheme, fragment and the parameters that only tell where it was found.
fn canonical(link: &str) -> String {
    let Ok(url) = Url::parse(link) else { return link.to_owned() };
    let tracks = |name: &str| name.starts_with("utm_") || matches!(name, "fbclid" | "gclid" | "spm" | "from");
    let kept: Vec<String> = url
        .query_pairs()
        .filter(|(name, _)| !tracks(name))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("{}{}?{}", url.host_str().unwrap_or_default(), url.path().trim_end_matches('/'), kept.join("&"))
}

fn pack<S: Serializer>(known: &[Known], serializer: S) -> Result<S::Ok, S::Error> {
    let mut bytes = Vec::with_capacity(known.len() * WIDTH);
    for one in known {
        for number in [one.id, one.guid, one.link] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&one.content.to_le_bytes());
    }
    serializer.serialize_str(&BASE64_STANDARD_NO_PAD.encode(bytes))
}

fn unpack<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Known>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = BASE64_STANDARD_NO_PAD.decode(text).map_err(serde::de::Error::custom)?;
    let number =
        |bytes: &[u8]| bytes.iter().rev().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
    let entry = |bytes: &[u8]| Known {
        id: number(&bytes[..8]),
        guid: number(&bytes[8..16]),
        link: number(&bytes[16..24]),
        content: u32::try_from(number(&bytes[24..])).unwrap_or_default(),
    };
    Ok(bytes.chunks_exact(WIDTH).map(entry).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(guid: Option<&str>, link: Option<&str>, title: &str, text: &str) -> Entry {
        Entry {
            guid: guid.map(str::to_owned),
            link: link.map(str::to_owned),
            title: Some(title.to_owned()),
            text: text.to_owned(),
            published: None,
            author: None,
            language: None,
        }
    }

    fn take(memory: &mut Memory, entries: &[Entry]) -> Vec<Novelty> {
        let feed = Url::parse("https://news.example/rss").expect("an address");
        memory.take(&feed, &entries.iter().collect::<Vec<_>>())
    }

    #[test]
    fn an_entry_is_new_once_edited_when_it_changed_and_the_same_under_a_new_name() {
        let mut memory = Memory::default();
        let first = take(&mut memory, &[entry(Some("1"), Some("https://a.example/1"), "漏水", "x")]);
        let Novelty::New(id) = first[0] else { panic!("{first:?}") };
        let text = serde_json::to_string(&memory).expect("JSON");
        let mut memory: Memory = serde_json::from_str(&text).expect("JSON");
        for (one, expected) in [
            (entry(Some("1"), Some("https://a.example/1"), "漏水", "x"), Novelty::Same),
            (entry(Some("1"), Some("https://a.example/1"), "漏水了", "x"), Novelty::Edited(id)),
            (
                entry(Some("build-2"), Some("http://a.example/1/?utm_source=rss#top"), "漏水了", "x"),
                Novelty::Same,
            ),
            (entry(None, Some("https://a.example/1"), "漏水了", "y"), Novelty::Edited(id)),
        ] {
            assert_eq!(take(&mut memory, std::slice::from_ref(&one)), [expected], "{one:?}");
        }
    }

    #[test]
    fn a_name_borne_by_all_names_none() {
        let mut memory = Memory::default();
        let two = |text: &str| {
            [
                entry(Some("x"), Some("https://a.example/1"), "one", text),
                entry(Some("x"), Some("https://a.example/2"), "two", text),
            ]
        };
        let first = take(&mut memory, &two("a"));
        assert!(matches!(first[..], [Novelty::New(a), Novelty::New(b)] if a != b), "{first:?}");
        assert_eq!(take(&mut memory, &two("a")), [Novelty::Same; 2]);
    }

    #[test]
    fn what_dropped_out_and_returns_is_not_new_and_memory_is_bounded() {
        let mut memory = Memory::default();
        let one = |n: usize| entry(Some(&n.to_string()), None, &format!("title {n}"), "");
        take(&mut memory, &[one(0)]);
        for n in 1..=KEPT {
            take(&mut memory, &[one(n)]);
        }
        assert_eq!(take(&mut memory, &[one(0)]), [Novelty::Same]);
        for n in 1000..3000 {
            take(&mut memory, &[one(n)]);
        }
        assert!(memory.known.len() <= KEPT + 1);
    }

    #[test]
    fn guids_that_keep_changing_stop_naming_mentions() {
        let mut memory = Memory::default();
        let page = |build: &str| {
            [1, 2].map(|n| {
                let link = format!("https://a.example/{n}");
                entry(Some(&format!("{build}-{n}")), Some(&link), &format!("t{n}"), "")
            })
        };
        take(&mut memory, &page("a"));
        take(&mut memory, &page("b"));
        assert!(memory.unstable);
        let third = entry(Some("c-3"), Some("https://a.example/3"), "t3", "");
        let feed = Url::parse("https://news.example/rss").expect("an address");
        assert_eq!(take(&mut memory, std::slice::from_ref(&third)), [Novelty::New(link_hash(&feed, &third))]);
    }
}
