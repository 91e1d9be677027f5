//! The source against a local site: lists, articles, robots.txt, a new look, changes of one page.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, extract::Path, http::StatusCode, response::IntoResponse, routing::get};
use tocsin_bus::{Clock as _, ManualClock};

use super::*;
use crate::{
    Fault, SourceSettings as _,
    testing::{self, Server, clock_at, while_time_passes},
};

struct Site {
    list: Mutex<String>,
    robots: Mutex<(u16, String)>,
    articles: AtomicUsize,
}

fn list(entries: &[(&str, &str)]) -> String {
    let entry = |(path, title): &(&str, &str)| {
        format!("<li><a href=\"/a/{path}\">{title}</a> <i>2026-09-10 11:40</i></li>")
    };
    format!("<ul>{}</ul>", entries.iter().map(entry).collect::<String>())
}

async fn serve() -> (Arc<Site>, Server) {
    let site = Arc::new(Site {
        list: Mutex::new(list(&[("1", "召回公告"), ("2", "门店停电")])),
        robots: Mutex::new((404, String::new())),
        articles: AtomicUsize::new(0),
    });
    let (lists, robots, articles) = (site.clone(), site.clone(), site.clone());
    let router = Router::new()
        .route("/news", get(move || async move { lists.list.lock().expect("lock").clone() }))
        .route(
            "/robots.txt",
            get(move || async move {
                let (status, body) = robots.robots.lock().expect("lock").clone();
                (StatusCode::from_u16(status).expect("a status"), body)
            }),
        )
        .route(
            "/a/{id}",
            get(move |Path(id): Path<String>| async move {
                articles.articles.fetch_add(1, Ordering::Relaxed);
                match id.as_str() {
                    "broken" => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
                    _ => format!("<article><p>全文 {id}</p><script>x</script></article>").into_response(),
                }
            }),
        );
    let server = Server::start(router).await;
    (site, server)
}

struct Stand {
    clock: ManualClock,
    folder: tempfile::TempDir,
    settings: Settings,
    source: Page,
}

impl Stand {
    fn new(settings: serde_json::Value) -> Self {
        let settings: Settings = serde_json::from_value(settings).expect("settings");
        assert!(settings.check().is_empty());
        let clock = clock_at("2026-09-10T04:00:00Z");
        let folder = tempfile::tempdir().expect("a folder");
        let source = Self::open(&settings, folder.path(), &clock);
        Self { clock, folder, settings, source }
    }

    fn open(settings: &Settings, folder: &std::path::Path, clock: &ManualClock) -> Page {
        let mut parts = testing::parts("site", folder);
        parts.clock = Arc::new(clock.clone());
        parts.every = Duration::from_secs(600);
        settings.made(parts).expect("a source")
    }

    async fn fetch(&mut self) -> Result<Batch, Error> {
        let now = self.clock.now();
        let fetched = tokio::time::timeout(Duration::from_secs(20), self.source.fetch(now));
        while_time_passes(&self.clock, Duration::from_millis(1), fetched).await.expect("in time")
    }

    /// Everything one reading of the list leads to.
    async fn reading(&mut self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        loop {
            let batch = self.fetch().await.expect("a batch");
            self.source.acknowledged().await.expect("acknowledged");
            let words = |mention: Mention| (mention.title.unwrap_or_default(), mention.text);
            all.extend(batch.items.into_iter().filter_map(Item::mention).map(words));
            if !batch.more {
                self.clock.advance(Duration::from_secs(600));
                return all;
            }
        }
    }
}

fn settings(server: &Server) -> serde_json::Value {
    serde_json::json!({"url": server.at("news"), "list": {"item": "li", "title": "a", "date": "i"},
        "detail": {"text": "article"}, "platform": "forum", "entry_kind": "post"})
}

#[tokio::test]
async fn a_list_leads_to_articles_each_once_across_a_restart() {
    let (site, server) = serve().await;
    let mut stand = Stand::new(settings(&server));
    let first = stand.fetch().await.expect("a batch");
    let again = stand.fetch().await.expect("a batch");
    assert_eq!((first.items.len(), &first.items), (2, &again.items), "not acknowledged: the same again");
    let Item::Mention(mention) = &first.items[0] else { panic!("{first:?}") };
    assert_eq!((mention.platform, mention.kind), (Platform::Forum, Kind::Post));
    assert_eq!((mention.title.as_deref(), mention.text.as_str()), (Some("召回公告"), "全文 1"));
    assert_eq!(mention.published_at, "2026-09-10T03:40:00Z".parse().expect("a time"));
    stand.source.acknowledged().await.expect("acknowledged");
    stand.clock.advance(Duration::from_secs(600));
    stand.source = Stand::open(&stand.settings, stand.folder.path(), &stand.clock);
    assert!(stand.reading().await.is_empty());
    *site.list.lock().expect("lock") = list(&[("3", "新帖"), ("1", "召回公告"), ("2", "门店停电")]);
    assert_eq!(stand.reading().await, [("新帖".to_owned(), "全文 3".to_owned())]);
    assert_eq!(site.articles.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn many_new_entries_come_in_several_batches_and_a_broken_article_as_listed() {
    let (site, server) = serve().await;
    let names: Vec<String> = (0..10).map(|n| n.to_string()).chain(["broken".to_owned()]).collect();
    let entries: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
    *site.list.lock().expect("lock") = list(&entries);
    let mut stand = Stand::new(settings(&server));
    let first = stand.fetch().await.expect("a batch");
    assert_eq!((first.items.len(), first.more), (DETAILS, true));
    stand.source.acknowledged().await.expect("acknowledged");
    let rest = stand.reading().await;
    assert_eq!(rest.len(), 7);
    assert_eq!(rest[6], ("broken".to_owned(), String::new()));
}

#[tokio::test]
async fn robots_txt_decides() {
    let (site, server) = serve().await;
    for (status, body, fault) in [
        (200, "User-agent: *\nDisallow: /news", Some(Fault::Robots)),
        (500, "", Some(Fault::Transient)),
        (200, "User-agent: *\nDisallow: /\nUser-agent: tocsin\nAllow: /", None),
        (403, "", None),
    ] {
        *site.robots.lock().expect("lock") = (status, body.to_owned());
        let mut stand = Stand::new(settings(&server));
        assert_eq!(stand.fetch().await.err().map(|error| error.fault()), fault, "{status} {body}");
    }
    *site.robots.lock().expect("lock") = (200, "User-agent: *\nDisallow: /a/2".to_owned());
    let mut stand = Stand::new(settings(&server));
    let batch = stand.fetch().await.expect("a batch");
    assert_eq!(batch.items.len(), 2, "the entry comes as the list shows it");
    assert_eq!(batch.notices.len(), 1);
    assert_eq!(site.articles.load(Ordering::Relaxed), 5);
}

#[tokio::test]
async fn a_new_look_is_a_fault_and_not_a_quiet_day() {
    let (site, server) = serve().await;
    let mut stand = Stand::new(settings(&server));
    assert_eq!(stand.reading().await.len(), 2);
    *site.list.lock().expect("lock") = "<div>brand new</div>".to_owned();
    assert_eq!(stand.fetch().await.expect_err("a fault").fault(), Fault::Refused);
}

#[tokio::test]
async fn changes_of_one_page_are_told_from_its_first_reading_on() {
    let (site, server) = serve().await;
    let page = |text: &str| format!("<title>声明</title><nav>{}</nav><main>{text}</main>", text.len());
    *site.list.lock().expect("lock") = page("第一版");
    let mut stand = Stand::new(serde_json::json!({"url": server.at("news"), "watch": "main"}));
    assert!(stand.reading().await.is_empty());
    assert!(stand.reading().await.is_empty());
    *site.list.lock().expect("lock") = page("第二版");
    assert_eq!(stand.reading().await, [("声明".to_owned(), "第二版".to_owned())]);
    assert!(stand.reading().await.is_empty());
}

#[test]
fn settings_that_contradict_each_other() {
    let both = serde_json::json!({"url": "x", "list": {"item": "li"}, "watch": "main", "time_zone": "x"});
    let settings: Settings = serde_json::from_value(both).expect("settings");
    assert_eq!(settings.check().len(), 3);
    let bad = serde_json::json!({"url": "https://a.example/", "list": {"item": ">>"}});
    assert!(
        serde_json::from_value::<Settings>(bad).expect_err("a fault").to_string().contains("CSS selector")
    );
}
