//! Picking entries and articles out of HTML by CSS selectors. Pure. Refuses selectors that are none at start, so that
//! nothing is found later only because nothing is there.

use jiff::{Timestamp, tz::TimeZone};
use scraper::{ElementRef, Html, Selector};
use serde::Deserialize;
use tocsin_rules::mention::MAX_TEXT;
use url::Url;

use super::ago;
use crate::{feed::parse::Entry, html, privacy};

/// Most entries of one list.
const MOST: usize = 500;

/// A selector, with `@attribute` after it when the value stands in one: `time@datetime`, `@href` alone for the item itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Pick {
    /// None: the element itself.
    selector: Option<Selector>,
    attribute: Option<String>,
}

impl TryFrom<String> for Pick {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (selector, attribute) = match text.rsplit_once('@') {
            Some((selector, attribute)) => (selector.trim(), Some(attribute.trim().to_owned())),
            None => (text.trim(), None),
        };
        if attribute.as_ref().is_some_and(String::is_empty) || (selector.is_empty() && attribute.is_none()) {
            return Err(format!("`{text}` picks nothing"));
        }
        let selector = (!selector.is_empty())
            .then(|| Selector::parse(selector).map_err(|_| format!("`{selector}` is no CSS selector")))
            .transpose()?;
        Ok(Self { selector, attribute })
    }
}

impl Pick {
    fn element<'a>(&self, within: ElementRef<'a>) -> Option<ElementRef<'a>> {
        match &self.selector {
            Some(selector) => within.select(selector).next(),
            None => Some(within),
        }
    }

    /// Readable text of the first element, or the attribute's value.
    fn text(&self, within: ElementRef<'_>) -> Option<String> {
        let element = self.element(within)?;
        let text = match &self.attribute {
            Some(name) => element.value().attr(name)?.trim().to_owned(),
            None => html::to_text(&element.inner_html()),
        };
        (!text.is_empty()).then_some(text)
    }

    /// The address it points to.
    fn link(&self, within: ElementRef<'_>, base: &Url) -> Option<String> {
        let element = self.element(within)?;
        let href = element.value().attr(self.attribute.as_deref().unwrap_or("href"))?;
        privacy::public_url(base.join(href.trim()).ok()?.as_str())
    }
}

/// Where an entry stands in a list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    /// Each entry.
    item: Pick,
    /// Its link, within the entry.
    #[serde(default = "anchor")]
    link: Pick,
    #[serde(default)]
    title: Option<Pick>,
    #[serde(default)]
    text: Option<Pick>,
    #[serde(default)]
    date: Option<Pick>,
    #[serde(default)]
    author: Option<Pick>,
}

fn anchor() -> Pick {
    Pick { selector: Selector::parse("a[href]").ok(), attribute: None }
}

/// Where the parts of an article stand on its own page.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Detail {
    text: Pick,
    #[serde(default)]
    title: Option<Pick>,
    #[serde(default)]
    date: Option<Pick>,
    #[serde(default)]
    author: Option<Pick>,
}

/// How dates are read.
pub(super) struct Reading<'a> {
    pub(super) zone: &'a TimeZone,
    pub(super) now: Timestamp,
}

impl Reading<'_> {
    fn date(&self, pick: Option<&Pick>, within: ElementRef<'_>) -> Option<Timestamp> {
        ago::parse(&pick?.text(within)?, self.zone, self.now)
    }
}

impl List {
    /// Entries of a page, in its order; how many elements there were that say nothing.
    pub(super) fn entries(&self, page: &str, base: &Url, reading: &Reading<'_>) -> (Vec<Entry>, usize) {
        let document = Html::parse_document(page);
        let Some(items) = &self.item.selector else { return (Vec::new(), 0) };
        let (mut entries, mut mute) = (Vec::new(), 0);
        for item in document.select(items).take(MOST) {
            let of = |pick: &Option<Pick>| pick.as_ref().and_then(|pick| pick.text(item));
            let title =
                of(&self.title).or_else(|| self.link.element(item).map(|a| html::to_text(&a.inner_html())));
            let title = title.filter(|title| !title.is_empty());
            let text = of(&self.text).unwrap_or_default();
            let link = self.link.link(item, base);
            if title.is_none() && text.is_empty() {
                mute += 1;
                continue;
            }
            entries.push(Entry {
                guid: link.clone(),
                link,
                title,
                text: cut(text),
                published: reading.date(self.date.as_ref(), item),
                author: of(&self.author),
                language: None,
            });
        }
        (entries, mute)
    }
}

impl Detail {
    /// Completes an entry from its own page; false: the selector finds no text there.
    pub(super) fn complete(&self, entry: &mut Entry, page: &str, reading: &Reading<'_>) -> bool {
        let document = Html::parse_document(page);
        let root = document.root_element();
        let of = |pick: &Option<Pick>| pick.as_ref().and_then(|pick| pick.text(root));
        let Some(text) = self.text.text(root) else { return false };
        entry.text = cut(text);
        entry.title = of(&self.title).or(entry.title.take());
        entry.author = of(&self.author).or(entry.author.take());
        entry.published = reading.date(self.date.as_ref(), root).or(entry.published);
        true
    }
}

/// The watched part of a page that is no list: its text and title.
pub(super) fn whole(page: &str, part: Option<&Pick>) -> Option<(Option<String>, String)> {
    let document = Html::parse_document(page);
    let root = document.root_element();
    let title = Selector::parse("title").ok().and_then(|title| root.select(&title).next());
    let title = title.map(|title| html::to_text(&title.inner_html())).filter(|title| !title.is_empty());
    let body = Selector::parse("body").ok();
    let text = match part {
        Some(part) => part.text(root)?,
        None => html::to_text(&body.and_then(|body| root.select(&body).next())?.inner_html()),
    };
    (!text.is_empty()).then(|| (title, cut(text)))
}

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_TEXT) {
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list() -> List {
        let json = serde_json::json!({"item": "ul.news > li", "title": "a", "date": "time@datetime", "text": ".lead",
            "author": ".by"});
        serde_json::from_value(json).expect("selectors")
    }

    const PAGE: &str = r#"<html><head><title>新闻</title></head><body><ul class="news">
        <li><a href="/a/1?token=s3">召回公告</a><time datetime="2026-09-10 11:40">x</time><p class="lead">型号 <b>X1</b></p></li>
        <li><a href="https://b.example/2">第二条<img></a><span class=by>编辑部</span>
        <li></li></ul></body>"#;

    fn reading(zone: &TimeZone) -> Reading<'_> {
        Reading { zone, now: "2026-09-10T04:00:00Z".parse().expect("a time") }
    }

    #[test]
    fn a_list_yields_entries_with_links_made_whole() {
        let zone = TimeZone::get("Asia/Shanghai").expect("a zone");
        let base = Url::parse("https://a.example/news/").expect("an address");
        let (entries, mute) = list().entries(PAGE, &base, &reading(&zone));
        assert_eq!((entries.len(), mute), (2, 1));
        assert_eq!(entries[0].link.as_deref(), Some("https://a.example/a/1"));
        assert_eq!((entries[0].title.as_deref(), entries[0].text.as_str()), (Some("召回公告"), "型号 X1"));
        assert_eq!(entries[0].published, "2026-09-10T03:40:00Z".parse().ok());
        assert_eq!((entries[1].author.as_deref(), entries[1].published), (Some("编辑部"), None));
    }

    #[test]
    fn a_detail_completes_an_entry() {
        let zone = TimeZone::get("Asia/Shanghai").expect("a zone");
        let base = Url::parse("https://a.example/").expect("an address");
        let mut entry = list().entries(PAGE, &base, &reading(&zone)).0.remove(1);
        let detail = serde_json::json!({"text": "article", "title": "h1", "date": ".time"});
        let detail: Detail = serde_json::from_value(detail).expect("selectors");
        assert!(!detail.complete(&mut entry, "<p>moved</p>", &reading(&zone)));
        let page =
            "<h1>第二条（更新）</h1><span class=time>5分钟前</span><article><p>一</p><p>二</p></article>";
        assert!(detail.complete(&mut entry, page, &reading(&zone)));
        assert_eq!((entry.title.as_deref(), entry.text.as_str()), (Some("第二条（更新）"), "一\n二"));
        assert_eq!(entry.published, "2026-09-10T03:55:00Z".parse().ok());
    }

    #[test]
    fn selectors_that_are_none_are_refused_at_start() {
        for text in ["", "@", "li@", "ul >> ", ":nonsense("] {
            assert!(Pick::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(page in "[\\PC<>/a-z=\" ]{0,300}") {
            let base = Url::parse("https://a.example/").expect("an address");
            list().entries(&page, &base, &reading(&TimeZone::UTC));
            whole(&page, None);
        }
    }
}
