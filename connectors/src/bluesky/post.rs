//! One record of `app.bsky.feed.post` as a mention. The text is the author's; of an embedded link card only the headline
//! is taken, as title. Refuses a record that is no post, naming the field; never quotes it.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use tocsin_rules::{Author, Kind, Mention, Op, Platform, Rejection, RejectionReason, Verified};

use crate::{
    decode::checked,
    item::refuse,
    privacy,
    record::{blank, language, own},
    scalar,
};

/// Collection of posts.
pub const POSTS: &str = "app.bsky.feed.post";

/// What a post record says; what is not read here may be of any shape.
#[derive(Deserialize)]
struct Post<'a> {
    #[serde(borrow, default)]
    text: Cow<'a, str>,
    #[serde(borrow, default, rename = "createdAt")]
    created_at: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    langs: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reply: Option<&'a RawValue>,
    #[serde(borrow, default)]
    embed: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(borrow)]
    root: Strong<'a>,
    #[serde(borrow)]
    parent: Strong<'a>,
}

#[derive(Deserialize)]
struct Strong<'a> {
    #[serde(borrow)]
    uri: Cow<'a, str>,
}

/// `images`, `video`, `external`, `record`, or `recordWithMedia`, which nests two of them.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Embed<'a> {
    #[serde(borrow)]
    external: Option<External<'a>>,
    #[serde(borrow)]
    record: Option<Quoted<'a>>,
    #[serde(borrow)]
    media: Option<Media<'a>>,
    #[serde(borrow)]
    images: Vec<Image<'a>>,
    #[serde(borrow)]
    alt: Cow<'a, str>,
    video: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Media<'a> {
    #[serde(borrow)]
    external: Option<External<'a>>,
    #[serde(borrow)]
    images: Vec<Image<'a>>,
    #[serde(borrow)]
    alt: Cow<'a, str>,
    video: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct External<'a> {
    #[serde(borrow, default)]
    title: Cow<'a, str>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Image<'a> {
    #[serde(borrow)]
    alt: Cow<'a, str>,
}

/// `{uri, cid}`, or `{record: {uri, cid}}` beside media.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Quoted<'a> {
    #[serde(borrow)]
    uri: Option<Cow<'a, str>>,
    #[serde(borrow)]
    record: Option<Strong<'a>>,
}

/// Where a record stands and when the network saw it.
pub(crate) struct Place<'a> {
    pub(crate) did: &'a str,
    pub(crate) rkey: &'a str,
    /// When the server witnessed it.
    pub(crate) witnessed_at: Timestamp,
    pub(crate) seen_at: Timestamp,
    pub(crate) source: &'static str,
}

impl Place<'_> {
    /// `at://did/app.bsky.feed.post/rkey`.
    pub(crate) fn uri(&self) -> String {
        format!("at://{}/{POSTS}/{}", self.did, self.rkey)
    }

    fn url(&self) -> String {
        format!("https://bsky.app/profile/{}/post/{}", self.did, self.rkey)
    }
}

/// Reads one post record.
pub(crate) fn mention(record: &str, place: &Place<'_>, op: Op) -> Result<Mention, Rejection> {
    let post: Post<'_> = serde_json::from_str(record).map_err(|_| explain(record))?;
    let reply = post.reply.and_then(|reply| serde_json::from_str::<Reply<'_>>(reply.get()).ok());
    let langs = post.langs.and_then(|langs| serde_json::from_str::<Vec<Cow<'_, str>>>(langs.get()).ok());
    let embed =
        post.embed.and_then(|embed| serde_json::from_str::<Embed<'_>>(embed.get()).ok()).unwrap_or_default();
    let said_at = post.created_at.and_then(|at| scalar::instant_text(at.trim()).ok());
    let title = [embed.external.as_ref(), embed.media.as_ref().and_then(|media| media.external.as_ref())]
        .into_iter()
        .flatten()
        .map(|external| external.title.trim())
        .find(|title| !title.is_empty())
        .map(str::to_owned);
    let text = if post.text.trim().is_empty() { described(&embed) } else { post.text.into_owned() };
    let quoted = embed
        .record
        .as_ref()
        .and_then(|quoted| quoted.uri.as_ref().or(quoted.record.as_ref().map(|strong| &strong.uri)));
    let kind = if reply.is_some() { Kind::Comment } else { Kind::Post };
    checked(Mention {
        text,
        title,
        // Several languages in one post: none is declared for the whole.
        lang: langs.and_then(|langs| match &langs[..] {
            [one] => language(one),
            _ => None,
        }),
        url: Some(place.url()),
        author: Some(Author {
            key: privacy::author_key(place.did),
            name: None,
            followers: None,
            verified: Verified::None,
        }),
        thread: reply.as_ref().map(|reply| own(Platform::Bluesky, &reply.root.uri)),
        parent: reply.as_ref().map(|reply| own(Platform::Bluesky, &reply.parent.uri)),
        repost_of: quoted.map(|uri| own(Platform::Bluesky, uri)),
        op,
        ..blank(
            Platform::Bluesky,
            kind,
            &place.uri(),
            // The client's clock may say anything: the past is believed (imports of old posts), the future is not.
            said_at.map_or(place.witnessed_at, |at| at.min(place.witnessed_at)),
            place.seen_at,
            place.source,
        )
    })
}

/// What stands for the text of a post that has none: the descriptions of its pictures, else a word for what it shows.
fn described(embed: &Embed<'_>) -> String {
    let media = embed.media.as_ref();
    let images = || embed.images.iter().chain(media.iter().flat_map(|media| &media.images));
    let mut said: Vec<&str> = images().map(|image| image.alt.trim()).collect();
    said.push(embed.alt.trim());
    said.extend(media.map(|media| media.alt.trim()));
    said.retain(|alt| !alt.is_empty());
    if !said.is_empty() {
        return said.join("\n");
    }
    if images().next().is_some() {
        return "[image]".to_owned();
    }
    if embed.video.is_some() || media.is_some_and(|media| media.video.is_some()) {
        return "[video]".to_owned();
    }
    if embed.record.is_some() { "[quote]".to_owned() } else { String::new() }
}

/// Why a record is no post. Read a second time, since the parser's own words would quote it.
fn explain(record: &str) -> Rejection {
    match serde_json::from_str::<serde_json::Value>(record) {
        Err(_) => refuse(RejectionReason::InvalidJson, "commit.record", "not JSON"),
        Ok(value) if !value.is_object() => {
            refuse(RejectionReason::InvalidField, "commit.record", "not an object")
        }
        Ok(value) => {
            let field =
                if value.get("text").is_some_and(|text| !text.is_string()) { "text" } else { "createdAt" };
            refuse(RejectionReason::InvalidField, format!("commit.record.{field}"), "expected text")
        }
    }
}
