//! MediaCrawler output of all seven platforms, contents and comments, in both dialects: raw user ids (until 2025) and
//! hashed authors (2026). Reads files users made themselves; ships nothing of the tool, whose licence forbids
//! commercial use. Refuses to keep what identifies a person: raw ids, profiles, IP regions, access tokens.

mod shape;

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::Value;
use tocsin_rules::{Author, Kind, Mention, Metrics, Op, Platform, Rejection, RejectionReason, Verified};

use crate::{
    decode::{Fields, checked},
    entity,
    item::refuse,
    privacy, scalar,
};
use shape::{Entry, Shape};
pub(crate) use shape::{PlatformHint, is};

/// Connector that brought the mention.
pub const SOURCE: &str = "file:mediacrawler";
/// Notes the tool fetches per keyword unless told otherwise: volume is a sample.
pub const NOTES_CAP: u32 = 15;
/// Comments it fetches per note.
pub const COMMENTS_CAP: u32 = 10;

/// Reads one record.
pub(crate) fn mention(
    fields: &Fields,
    hint: Option<PlatformHint>,
    seen_at: Option<Timestamp>,
) -> Result<Mention, Rejection> {
    let shape = shape::recognise(fields, hint).ok_or_else(|| {
        refuse(RejectionReason::InvalidField, "", "neither a content nor a comment of the seven platforms")
    })?;
    let record = Record { fields, shape };
    let id = record.required(shape.id_field())?;
    let (title, text) = record.words();
    let published_at = record.published_at()?;
    let observed_at = match fields.get("last_modify_ts").map(scalar::instant) {
        Some(Ok(seen)) => seen,
        _ => seen_at.unwrap_or(published_at),
    };
    let own = |id: &str| format!("{}:{id}", shape.platform);
    let (thread, parent) = match shape.thread_field() {
        None => (own(&id), None),
        Some(field) => {
            let thread = record.required(field)?;
            // Top-level comments say "", "0" or 0; Weibo's name themselves.
            let parent = record
                .word("parent_comment_id")
                .filter(|parent| parent != "0" && *parent != id)
                .unwrap_or_else(|| thread.clone());
            (own(&thread), Some(own(&parent)))
        }
    };
    checked(Mention {
        id: own(&id),
        platform: shape.platform,
        kind: record.kind(),
        text,
        title,
        lang: None,
        url: record.url(),
        author: record.author(),
        published_at,
        observed_at,
        thread: Some(thread),
        parent,
        repost_of: None,
        metrics: record.metrics(),
        region: None,
        source: Some(SOURCE.to_owned()),
        sample_cap: Some(if shape.entry == Entry::Comment { COMMENTS_CAP } else { NOTES_CAP }),
        op: Op::Create,
    })
}

struct Record<'a> {
    fields: &'a Fields,
    shape: Shape,
}

impl Record<'_> {
    /// A value that says something; `"None"` is what Python makes of an absent one.
    fn word(&self, field: &str) -> Option<String> {
        self.fields.get(field).and_then(scalar::word).filter(|word| word != "None")
    }

    fn required(&self, field: &str) -> Result<String, Rejection> {
        self.word(field)
            .filter(|word| word != "0")
            .ok_or_else(|| refuse(RejectionReason::MissingField, field, "absent or empty"))
    }

    fn text(&self, field: &str) -> Option<Cow<'_, str>> {
        let text = self.fields.get(field)?.as_str()?;
        (!text.trim().is_empty() && text != "None").then(|| entity::decode(text))
    }

    fn first_text(&self, fields: &[&str]) -> Option<Cow<'_, str>> {
        fields.iter().find_map(|field| self.text(field))
    }

    /// Title and body. Where one repeats the beginning of the other (a caption given twice, a title cut from the
    /// body) only the longer is kept, so that no word counts twice.
    fn words(&self) -> (Option<String>, String) {
        let title = match self.shape.entry {
            Entry::Comment => None,
            _ => self.text("title"),
        };
        let body = self.first_text(self.shape.body_fields()).map(|body| self.without_unfold(body));
        match (title, body) {
            (Some(title), Some(body)) => {
                let (short_title, short_body) = (bare(&title), bare(&body));
                if short_body.starts_with(short_title) {
                    (None, body.into_owned())
                } else if short_title.starts_with(short_body) {
                    (None, title.into_owned())
                } else {
                    (Some(title.into_owned()), body.into_owned())
                }
            }
            (title, Some(body)) => (title.map(Cow::into_owned), body.into_owned()),
            (Some(title), None) => (Some(title.into_owned()), String::new()),
            (None, None) => (None, self.picture_only().unwrap_or_default().to_owned()),
        }
    }

    /// Weibo cuts a long post and puts its button's word there; nobody wrote it.
    fn without_unfold<'t>(&self, body: Cow<'t, str>) -> Cow<'t, str> {
        let cut = match self.shape.platform {
            Platform::Weibo => body.trim_end().strip_suffix("全文").filter(|cut| cut.ends_with(['.', '…'])),
            _ => None,
        };
        cut.map(str::to_owned).map_or(body, Cow::Owned)
    }

    /// A post of pictures or a clip alone is marked as the platforms themselves show it.
    fn picture_only(&self) -> Option<&'static str> {
        if ["video_url", "video_play_url", "video_download_url"].iter().any(|f| self.word(f).is_some()) {
            return Some("[视频]");
        }
        ["pictures", "image_list", "note_download_url"]
            .iter()
            .any(|f| self.word(f).is_some())
            .then_some("[图片]")
    }

    fn published_at(&self) -> Result<Timestamp, Rejection> {
        let fields = self.shape.time_fields();
        let present = fields.iter().filter_map(|name| Some((*name, self.fields.get(*name)?)));
        let mut fault = None;
        for (name, value) in present.filter(|(name, _)| self.word(name).is_some()) {
            match scalar::instant(value) {
                Ok(instant) => return Ok(instant),
                Err(bad) => fault = fault.or(Some(refuse(bad.reason, name, bad.detail))),
            }
        }
        Err(fault.unwrap_or_else(|| refuse(RejectionReason::MissingField, fields[0], "absent or empty")))
    }

    fn kind(&self) -> Kind {
        let says = |field: &str, word: &str| self.word(field).as_deref() == Some(word);
        match (self.shape.entry, self.shape.platform) {
            (Entry::Comment, _) => Kind::Comment,
            (Entry::Dynamic, _) => Kind::Post,
            (_, Platform::Xiaohongshu) if says("type", "video") => Kind::Video,
            // A Douyin entry of this type is a set of pictures.
            (_, Platform::Douyin) if says("aweme_type", "68") => Kind::Post,
            (_, Platform::Douyin | Platform::Kuaishou | Platform::Bilibili) => Kind::Video,
            (_, Platform::Zhihu) => match self.word("content_type").as_deref() {
                Some("answer") => Kind::Answer,
                Some("zvideo") => Kind::Video,
                _ => Kind::Article,
            },
            _ => Kind::Post,
        }
    }

    fn url(&self) -> Option<String> {
        self.shape.url_fields().iter().find_map(|field| privacy::public_url(&self.word(field)?))
    }

    fn author(&self) -> Option<Author> {
        let key = match self.word("creator_hash") {
            Some(hash) if privacy::is_author_key(&hash) => hash,
            Some(other) => privacy::author_key(&other),
            None => privacy::author_key(&["user_id", "user_link"].iter().find_map(|field| self.word(field))?),
        };
        let name = ["nickname", "user_nickname", "user_name"].iter().find_map(|field| self.word(field));
        let name = name.and_then(|name| privacy::mask(&name));
        Some(Author { key, name, followers: None, verified: Verified::None })
    }

    fn metrics(&self) -> Metrics {
        let first = |fields: &[&str]| {
            fields
                .iter()
                .find_map(|field| self.fields.get(*field))
                .and_then(|value: &Value| scalar::counter(value))
        };
        let comments: &[&str] = match self.shape.entry {
            Entry::Comment => &["sub_comment_count"],
            _ => &["comment_count", "comments_count", "video_comment", "total_replay_num", "total_comments"],
        };
        Metrics {
            likes: first(&["liked_count", "like_count", "comment_like_count", "voteup_count", "total_liked"]),
            comments: first(comments),
            reposts: first(&["share_count", "shared_count", "video_share_count", "total_forwards"]),
            views: first(&["viewd_count", "video_play_count"]),
            favorites: first(&["collected_count", "video_favorite_count"]),
        }
    }
}

/// Without surrounding space and the ellipsis a cut leaves behind.
fn bare(text: &str) -> &str {
    text.trim().trim_end_matches(['…', '.']).trim_end()
}

#[cfg(test)]
mod tests;
