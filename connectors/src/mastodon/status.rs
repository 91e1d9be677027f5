//! One status as a mention. Identity is `uri`, the same on every instance; a content warning is the title. Refuses to
//! take what is not public; bots only where the configuration wants them.

use jiff::Timestamp;
use tocsin_rules::{Kind, Mention, Metrics, Op, Platform, Rejection, Verified};

use crate::{
    decode::{self, checked},
    html,
    record::{Parsed, Record, Skip, author, blank, own},
};

/// Source word.
pub const SOURCE: &str = "mastodon";

/// Most statuses a timeline page holds.
pub const PAGE: u32 = 40;

/// One page of a timeline, newest first.
#[derive(Debug, PartialEq)]
pub struct Page {
    /// Its statuses.
    pub parsed: Parsed,
    /// Instance ids, as given: what `since_id`, `min_id` and `max_id` take.
    pub ids: Vec<String>,
    uris: Vec<Option<String>>,
}

impl Page {
    /// Instance ids with the uris of what everybody may read.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        let pairs = self.ids.iter().zip(&self.uris);
        pairs.filter_map(|(id, uri)| Some((id.clone(), uri.clone()?))).collect()
    }
}

/// Reads a page of `/api/v1/timelines/…`.
///
/// # Errors
/// When the answer is no list.
pub fn page(bytes: &[u8], bots: bool, seen_at: Timestamp) -> Result<Page, Rejection> {
    let answer = decode::value(bytes)?;
    let statuses = answer.as_array().ok_or_else(|| {
        crate::item::refuse(tocsin_rules::RejectionReason::InvalidJson, "", "the answer is not a list")
    })?;
    Ok(Page {
        parsed: Parsed::of_list(SOURCE, statuses, |status| mention(status, Op::Create, bots, seen_at)),
        ids: statuses.iter().filter_map(|status| Record(status).word("/id")).collect(),
        uris: statuses
            .iter()
            .map(Record)
            .filter(|status| status.at("/id").is_some())
            .map(|status| status.word("/uri").filter(|_| status.text("/visibility") == Some("public")))
            .collect(),
    })
}

/// Reads one status. What it answers is named by its id on this instance only, so a comment has no parent here.
pub(crate) fn mention(
    status: Record<'_>,
    op: Op,
    bots: bool,
    seen_at: Timestamp,
) -> Result<Result<Mention, Skip>, Rejection> {
    let uri = status.required("/uri")?;
    if status.text("/visibility") != Some("public") {
        return Ok(Err(Skip::NotPublic));
    }
    if status.is_true("/account/bot") && !bots {
        return Ok(Err(Skip::Bot));
    }
    let published_at = status.time("/created_at")?;
    let boosted = status.inner("/reblog");
    if boosted.is_some_and(|boosted| boosted.text("/visibility") != Some("public")) {
        return Ok(Err(Skip::NotPublic));
    }
    // A boost has no words of its own: what it passes on is what it says.
    let words = boosted.unwrap_or(status);
    let text = words.text("/content").map(html::to_text).unwrap_or_default();
    let title = words.decoded("/spoiler_text");
    let text = if text.is_empty() && title.is_none() { described(words) } else { text };
    // The account's own address is the same on every instance; `acct` and `id` are not.
    let account = status.word("/account/uri").or_else(|| status.word("/account/url"));
    let name = status.text("/account/display_name").or_else(|| status.text("/account/username"));
    let quoted = status
        .inner("/quote")
        .and_then(|quote| quote.word("/quoted_status/uri").or_else(|| quote.word("/uri")));
    checked(Mention {
        text,
        title,
        lang: words.language("/language"),
        url: status.link("/url").or_else(|| status.link("/uri")),
        author: author(account, name, status.count("/account/followers_count"), verified(status)),
        repost_of: boosted
            .and_then(|boosted| boosted.word("/uri"))
            .or(quoted)
            .map(|uri| own(Platform::Mastodon, &uri)),
        metrics: Metrics {
            likes: status.count("/favourites_count"),
            comments: status.count("/replies_count"),
            reposts: status.count("/reblogs_count"),
            views: None,
            favorites: None,
        },
        op,
        ..blank(
            Platform::Mastodon,
            if status.at("/in_reply_to_id").is_some() { Kind::Comment } else { Kind::Post },
            &uri,
            // Remote servers declare the time: the future is not believed.
            published_at.min(seen_at),
            seen_at,
            SOURCE,
        )
    })
    .map(Ok)
}

/// What stands for the text of a status that has none.
fn described(status: Record<'_>) -> String {
    let media = status.list("/media_attachments");
    let said: Vec<&str> = media.iter().filter_map(|media| Record(media).text("/description")).collect();
    if !said.is_empty() {
        return said.join("\n");
    }
    let options: Vec<&str> =
        status.list("/poll/options").iter().filter_map(|option| Record(option).text("/title")).collect();
    if !options.is_empty() {
        return options.join("\n");
    }
    match media.first().map(|media| Record(media).text("/type").unwrap_or("media")) {
        Some("video" | "gifv") => "[video]".to_owned(),
        Some("audio") => "[audio]".to_owned(),
        Some(_) => "[image]".to_owned(),
        None => String::new(),
    }
}

/// Groups are organisations; a verified link of a profile proves the link, not who it is.
fn verified(status: Record<'_>) -> Verified {
    if status.is_true("/account/group") { Verified::Organisation } else { Verified::None }
}

#[cfg(test)]
mod tests;
