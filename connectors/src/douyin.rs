//! Douyin's open platform: comments under videos, through whichever of its three comment interfaces the application has
//! been granted. There is no comment event: comments are polled. Refuses to put the token into an address.

mod comments;
mod pull;

use serde::Deserialize;

use comments::{Meaning, NoPage, Page, SOURCE, Under, read};
pub(crate) use pull::Settings;

/// Header that carries the token.
pub(crate) const TOKEN_HEADER: &str = "access-token";
/// Most comments of one page.
pub(crate) const COUNT: u64 = 50;

/// Which interface lists the comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Interface {
    /// Own videos of an enterprise account (scope `video.comment`; closed to new applications).
    OwnVideos,
    /// Videos found by keyword search (scope `video.search.comment`).
    Search,
    /// Videos linked with a mini-app (scope `ma.item.comment`).
    MiniApp,
}

impl Interface {
    /// Path below `https://open.douyin.com`; `None` where the interface lists no replies.
    pub(crate) fn path(self, replies: bool) -> Option<&'static str> {
        match (self, replies) {
            (Self::OwnVideos, false) => Some("/video/comment/list/"),
            (Self::OwnVideos, true) => Some("/video/comment/reply/list/"),
            (Self::Search, false) => Some("/video/search/comment/list/"),
            (Self::Search, true) => Some("/video/search/comment/reply/list/"),
            (Self::MiniApp, false) => Some("/api/apps/v1/item/list_comment/"),
            (Self::MiniApp, true) => None,
        }
    }

    /// Query of a page. Ids look like base64: whoever builds the address must encode `+`, `/` and `=`.
    pub(crate) fn query(
        self,
        open_id: Option<&str>,
        under: Under<'_>,
        cursor: i64,
    ) -> Vec<(&'static str, String)> {
        let item = if self == Self::Search { "sec_item_id" } else { "item_id" };
        let mut query = vec![
            (item, under.video.to_owned()),
            ("cursor", cursor.to_string()),
            ("count", COUNT.to_string()),
        ];
        if let Some(comment) = under.comment {
            query.push(("comment_id", comment.to_owned()));
        }
        if let Some(open_id) = open_id {
            query.push(("open_id", open_id.to_owned()));
        }
        if self.is_newest_first() {
            query.push(("sort_type", "time".to_owned()));
        }
        query
    }

    /// Whether the order can be asked for: a walk then ends at the last comment known.
    pub(crate) fn is_newest_first(self) -> bool {
        self == Self::MiniApp
    }
}

#[cfg(test)]
mod tests;
