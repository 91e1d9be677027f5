//! Which platform and which kind of entry a MediaCrawler record is, told by its field names; the folder it lies in
//! decides only what they leave open. Refuses creator profiles: they are about a person, not something published.

use std::path::Path;

use tocsin_rules::Platform;

use crate::{decode::Fields, scalar};

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// A note, video, answer, thread.
    Content,
    /// A comment under one.
    Comment,
    /// A Bilibili feed entry.
    Dynamic,
}

/// Platform and entry of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) platform: Platform,
    pub(super) entry: Entry,
}

/// The platform a path `…/{xhs,dy,ks,bili,wb,tieba,zhihu}/…` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlatformHint(Platform);

impl PlatformHint {
    /// The innermost folder that names a platform.
    pub(crate) fn of_path(path: &Path) -> Option<Self> {
        let folders = path.parent()?.components().rev();
        folders.filter_map(|part| part.as_os_str().to_str()).find_map(|name| {
            Some(Self(match name {
                "xhs" => Platform::Xiaohongshu,
                "dy" | "douyin" => Platform::Douyin,
                "ks" | "kuaishou" => Platform::Kuaishou,
                "bili" | "bilibili" => Platform::Bilibili,
                "wb" | "weibo" => Platform::Weibo,
                "tieba" => Platform::Tieba,
                "zhihu" => Platform::Zhihu,
                _ => return None,
            }))
        })
    }
}

/// Whether a record is MediaCrawler's at all: every record says when the crawler saw it.
pub(crate) fn is(fields: &Fields) -> bool {
    fields.contains_key("last_modify_ts") && recognise(fields, None).is_some()
}

/// Platform and entry, if the record is one we read.
pub(super) fn recognise(fields: &Fields, hint: Option<PlatformHint>) -> Option<Shape> {
    let has = |names: &[&str]| names.iter().any(|name| fields.contains_key(*name));
    let entry = if has(&["comment_id"]) {
        Entry::Comment
    } else if has(&["dynamic_id"]) {
        Entry::Dynamic
    } else {
        Entry::Content
    };
    let platform = if entry == Entry::Dynamic {
        Platform::Bilibili
    } else if has(&["aweme_id"]) {
        Platform::Douyin
    } else if has(&["content_id"]) {
        Platform::Zhihu
    } else if has(&["video_id"]) {
        video_platform(fields, entry, hint)
    } else if has(&["note_id"]) {
        if has(&["tieba_name", "tieba_id", "tieba_link", "total_replay_num"]) {
            Platform::Tieba
        } else if has(&["create_date_time", "comments_count", "shared_count", "comment_like_count"]) {
            Platform::Weibo
        } else if has(&["desc", "note_url", "collected_count", "like_count", "pictures"]) {
            Platform::Xiaohongshu
        } else {
            hint?.0
        }
    } else {
        return None;
    };
    Some(Shape { platform, entry })
}

/// Bilibili and Kuaishou share `video_id`.
fn video_platform(fields: &Fields, entry: Entry, hint: Option<PlatformHint>) -> Platform {
    let has = |names: &[&str]| names.iter().any(|name| fields.contains_key(*name));
    if has(&["viewd_count", "video_play_url"]) {
        return Platform::Kuaishou;
    }
    if has(&[
        "video_play_count",
        "video_danmaku",
        "video_coin_count",
        "disliked_count",
        "parent_comment_id",
        "sign",
    ]) {
        return Platform::Bilibili;
    }
    if let Some(PlatformHint(platform @ (Platform::Bilibili | Platform::Kuaishou))) = hint {
        return platform;
    }
    // Kuaishou's comments have no likes and no parent, and its times are milliseconds.
    const MILLISECONDS: u64 = 100_000_000_000;
    let milliseconds = fields.get("create_time").and_then(scalar::counter).is_some_and(|t| t >= MILLISECONDS);
    if milliseconds || (entry == Entry::Comment && !has(&["like_count"])) {
        Platform::Kuaishou
    } else {
        Platform::Bilibili
    }
}

impl Shape {
    pub(super) fn id_field(self) -> &'static str {
        match self.entry {
            Entry::Comment => "comment_id",
            Entry::Dynamic => "dynamic_id",
            Entry::Content => self.content_id(),
        }
    }

    /// What a comment stands under; `None` for contents.
    pub(super) fn thread_field(self) -> Option<&'static str> {
        (self.entry == Entry::Comment).then(|| self.content_id())
    }

    fn content_id(self) -> &'static str {
        match self.platform {
            Platform::Douyin => "aweme_id",
            Platform::Zhihu => "content_id",
            Platform::Bilibili | Platform::Kuaishou => "video_id",
            _ => "note_id",
        }
    }

    /// Where the body stands, in order of preference.
    pub(super) fn body_fields(self) -> &'static [&'static str] {
        match (self.entry, self.platform) {
            (Entry::Comment, _) | (_, Platform::Weibo) => &["content"],
            (Entry::Dynamic, _) => &["text"],
            (_, Platform::Zhihu) => &["content_text", "desc"],
            _ => &["desc"],
        }
    }

    /// Where the time stands, in order of preference.
    pub(super) fn time_fields(self) -> &'static [&'static str] {
        match (self.entry, self.platform) {
            (Entry::Dynamic, _) => &["pub_ts"],
            (_, Platform::Tieba) | (Entry::Comment, Platform::Zhihu) => &["publish_time"],
            (Entry::Content, Platform::Zhihu) => &["created_time", "updated_time"],
            (Entry::Content, Platform::Xiaohongshu) => &["time"],
            (_, Platform::Weibo) => &["create_time", "create_date_time"],
            _ => &["create_time"],
        }
    }

    /// Where the public link stands.
    pub(super) fn url_fields(self) -> &'static [&'static str] {
        match (self.entry, self.platform) {
            (Entry::Content, Platform::Xiaohongshu | Platform::Weibo) | (_, Platform::Tieba) => &["note_url"],
            (Entry::Content, Platform::Douyin) => &["aweme_url"],
            (Entry::Content, Platform::Kuaishou | Platform::Bilibili) => &["video_url"],
            (Entry::Content, Platform::Zhihu) => &["content_url"],
            _ => &[],
        }
    }
}
