//! The source against a local server that speaks HTTP as feed hosts do.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use tocsin_bus::{Clock as _, ManualClock};
use tocsin_rules::Op;

use super::*;
use crate::{
    Fault, Opened, SourceSettings,
    testing::{self, Server, clock_at, while_time_passes},
};

/// A site whose feed can be changed, and which counts how often it was asked and answered in full.
#[derive(Default)]
struct Site {
    feed: Mutex<String>,
    asked: AtomicUsize,
    full: AtomicUsize,
}

fn rss(items: &[(&str, &str)]) -> String {
    let item = |(guid, title): &(&str, &str)| {
        format!(
            "<item><guid>{guid}</guid><title>{title}</title><pubDate>Thu, 10 Sep 2026 11:40:00</pubDate></item>"
        )
    };
    let items: String = items.iter().map(item).collect();
    format!("<rss version=\"2.0\"><channel><title>N</title>{items}</channel></rss>")
}

async fn serve(site: Arc<Site>) -> Server {
    let feed = get(move |headers: HeaderMap| {
        let site = site.clone();
        async move {
            site.asked.fetch_add(1, Ordering::Relaxed);
            let body = site.feed.lock().expect("lock").clone();
            let tag = format!("\"{}\"", body.len());
            if headers.get(header::IF_NONE_MATCH).is_some_and(|asked| *asked == *tag) {
                return StatusCode::NOT_MODIFIED.into_response();
            }
            site.full.fetch_add(1, Ordering::Relaxed);
            ([(header::ETAG, tag)], body).into_response()
        }
    });
    let limited = get(|| async { (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "120")]) });
    let router = Router::new()
        .route("/feed", feed)
        .route("/limited", limited)
        .route("/page", get(|| async { "<html>no feed</html>" }));
    Server::start(router).await
}

struct Stand {
    clock: ManualClock,
    folder: tempfile::TempDir,
    source: Feeds,
}

fn open(folder: &std::path::Path, clock: &ManualClock, feeds: &[Url]) -> Feeds {
    let settings = serde_json::json!({"feeds": feeds, "platform": "news", "verified": "media"});
    let settings: Settings = serde_json::from_value(settings).expect("settings");
    let mut parts = testing::parts("news", folder);
    parts.clock = Arc::new(clock.clone());
    parts.every = Duration::from_secs(300);
    settings.made(parts).expect("a source")
}

impl Stand {
    fn new(feeds: &[Url]) -> Self {
        let clock = clock_at("2026-09-10T04:00:00Z");
        let folder = tempfile::tempdir().expect("a folder");
        let source = open(folder.path(), &clock, feeds);
        Self { clock, folder, source }
    }

    /// One fetch; the clock goes on in small steps, since requests go over a real socket.
    async fn fetch(&mut self) -> Result<Batch, Error> {
        let now = self.clock.now();
        let step = Duration::from_micros(10);
        while_time_passes(&self.clock, step, async {
            tokio::time::timeout(Duration::from_secs(20), self.source.fetch(now)).await.expect("in time")
        })
        .await
    }

    /// Fetches until something comes or `rounds` are over; acknowledged. Ids and titles.
    async fn next(&mut self, rounds: usize) -> Vec<(String, String, Op)> {
        for _ in 0..rounds {
            let batch = self.fetch().await.expect("a batch");
            self.source.acknowledged().await.expect("acknowledged");
            let brought: Vec<_> = batch
                .items
                .into_iter()
                .filter_map(Item::mention)
                .map(|mention| (mention.id, mention.title.unwrap_or_default(), mention.op))
                .collect();
            if !brought.is_empty() {
                return brought;
            }
        }
        Vec::new()
    }
}

#[tokio::test]
async fn brings_entries_once_asks_conditionally_and_remembers_across_a_restart() {
    let site = Arc::new(Site::default());
    *site.feed.lock().expect("lock") = rss(&[("1", "漏水"), ("2", "起火")]);
    let server = serve(site.clone()).await;
    let mut stand = Stand::new(&[server.at("feed")]);
    // Not acknowledged: the same again, without asking again.
    let first = stand.fetch().await.expect("a batch");
    let again = stand.fetch().await.expect("a batch");
    assert_eq!((first.items.len(), &first.items), (2, &again.items));
    assert_eq!(site.asked.load(Ordering::Relaxed), 1);
    let Item::Mention(mention) = &first.items[0] else { panic!("{first:?}") };
    let author = mention.author.as_ref().expect("an author");
    assert_eq!((author.verified, author.name.as_deref()), (Verified::Media, Some("N")));
    assert_eq!(mention.source.as_deref(), Some("feed:news"));
    assert_eq!(mention.published_at, "2026-09-10T03:40:00Z".parse().expect("a time"));
    stand.source.acknowledged().await.expect("acknowledged");
    stand.clock.advance(Duration::from_secs(300));
    assert!(stand.next(2).await.is_empty());
    assert_eq!((site.asked.load(Ordering::Relaxed), site.full.load(Ordering::Relaxed)), (2, 1));
    stand.source = open(stand.folder.path(), &stand.clock, &[server.at("feed")]);
    assert!(stand.next(2).await.is_empty(), "the validators were kept too");
    assert_eq!(site.full.load(Ordering::Relaxed), 1);
    *site.feed.lock().expect("lock") = rss(&[("1", "漏水了"), ("2", "起火"), ("3", "召回")]);
    stand.clock.advance(Duration::from_secs(300));
    let ids: Vec<_> = first.items.into_iter().filter_map(Item::mention).map(|mention| mention.id).collect();
    let brought = stand.next(3).await;
    assert_eq!(brought[0], (ids[0].clone(), "漏水了".into(), Op::Update));
    assert_eq!((brought.len(), &brought[1].1, brought[1].2), (2, &"召回".to_owned(), Op::Create));
}

#[tokio::test]
async fn an_entry_without_words_is_refused_once_whenever_it_comes_and_new_when_it_has_some() {
    let site = Arc::new(Site::default());
    *site.feed.lock().expect("lock") = rss(&[("1", "漏水"), ("2", "")]);
    let server = serve(site.clone()).await;
    let mut stand = Stand::new(&[server.at("feed")]);
    let mut seen = Vec::new();
    for feed in [
        &[("1", "漏水"), ("2", "")][..],
        &[("1", "漏水"), ("2", ""), ("3", "")],
        &[("1", "漏水"), ("2", ""), ("3", ""), ("4", "起火")],
        &[("1", "漏水"), ("2", ""), ("3", "召回通知"), ("4", "起火")],
        &[("1", "漏水"), ("2", ""), ("3", "召回通知"), ("4", "")],
    ] {
        *site.feed.lock().expect("lock") = rss(feed);
        let mut round = Vec::new();
        for _ in 0..2 {
            let batch = stand.fetch().await.expect("a batch");
            stand.source.acknowledged().await.expect("acknowledged");
            round.extend(batch.items.into_iter().map(|item| match item {
                Item::Mention(mention) => format!("{} {}", mention.op, mention.title.unwrap_or_default()),
                Item::Rejected(rejected) => {
                    format!("{} {:?} {}", rejected.reason, rejected.field, rejected.line)
                }
            }));
        }
        seen.push(round);
        stand.clock.advance(Duration::from_secs(300));
    }
    assert_eq!(
        seen,
        [
            vec!["create 漏水", "missing_field \"title\" 2"],
            vec!["missing_field \"title\" 3"],
            vec!["create 起火"],
            vec!["create 召回通知"],
            vec!["missing_field \"title\" 4"],
        ]
    );
}

#[tokio::test]
async fn one_feed_that_fails_makes_it_partial_and_all_failing_is_a_fault() {
    let site = Arc::new(Site::default());
    *site.feed.lock().expect("lock") = rss(&[("1", "漏水")]);
    let server = serve(site.clone()).await;
    let mut stand = Stand::new(&[server.at("gone"), server.at("feed")]);
    let mut notice = None;
    for _ in 0..6 {
        let batch = stand.fetch().await.expect("a batch");
        stand.source.acknowledged().await.expect("acknowledged");
        notice = batch.notices.into_iter().next().or(notice);
        stand.clock.advance(Duration::from_secs(1));
    }
    let notice = notice.expect("a notice");
    assert_eq!(notice.kind, NoticeKind::Partial);
    assert!(notice.detail.starts_with("1 of 2 feeds"), "{}", notice.detail);
    for (path, fault) in [("gone", Fault::Refused), ("limited", Fault::RateLimited)] {
        let mut alone = Stand::new(&[server.at(path)]);
        assert_eq!(alone.fetch().await.expect_err("a fault").fault(), fault, "{path}");
    }
    let mut page = Stand::new(&[server.at("page")]);
    let batch = page.fetch().await.expect("a batch");
    assert!(matches!(&batch.items[..], [Item::Rejected(rejected)] if rejected.field == "feed"), "{batch:?}");
    page.source.acknowledged().await.expect("acknowledged");
    page.clock.advance(Duration::from_secs(60));
    assert_eq!(
        page.fetch().await.expect_err("a fault").fault(),
        Fault::Transient,
        "refused once, failing still"
    );
}

#[tokio::test]
async fn a_feed_longer_than_is_read_says_so_as_long_as_it_is() {
    let site = Arc::new(Site::default());
    let guids: Vec<String> = (0..1_003).map(|n| n.to_string()).collect();
    let items: Vec<(&str, &str)> = guids.iter().map(|guid| (guid.as_str(), "漏水")).collect();
    *site.feed.lock().expect("lock") = rss(&items);
    let server = serve(site.clone()).await;
    let mut stand = Stand::new(&[server.at("feed")]);
    let batch = stand.fetch().await.expect("a batch");
    assert_eq!(batch.items.len(), 1_000);
    let [notice] = batch.notices.as_slice() else { panic!("{:?}", batch.notices) };
    assert!(notice.kind == NoticeKind::Sample && notice.detail.starts_with("3 entries of"), "{notice:?}");
    stand.source.acknowledged().await.expect("acknowledged");
    *site.feed.lock().expect("lock") = rss(&items[..2]);
    stand.clock.advance(Duration::from_secs(300));
    assert!(stand.next(2).await.is_empty());
    assert_eq!(stand.fetch().await.expect("a batch").notices, []);
}

#[tokio::test]
async fn settings_name_their_faults() {
    let settings = serde_json::json!({"feeds": ["ftp://x.example/"], "time_zone": "Mars/Olympus"});
    let settings: Settings = serde_json::from_value(settings).expect("settings");
    let faults = settings.check();
    assert!(faults[0].starts_with("time_zone: ") && faults[1].starts_with("feeds[0]: "), "{faults:?}");
    let empty: Settings = serde_json::from_value(serde_json::json!({})).expect("settings");
    assert_eq!(empty.check().len(), 1);
    let folder = tempfile::tempdir().expect("a folder");
    let list = folder.path().join("feeds.txt");
    std::fs::write(
        &list,
        "# news\nhttps://a.example/rss # local\n\nhttps://a.example/rss\nhttps://b.example/rss\n",
    )
    .expect("writes");
    let settings: Settings =
        serde_json::from_value(serde_json::json!({"feeds_file": list})).expect("settings");
    assert_eq!(settings.made(testing::parts("news", folder.path())).expect("a source").feeds.len(), 2);
    assert!(matches!(settings.open(testing::parts("news", folder.path())), Ok(Opened::Source(_))));
}
