//! A provider's stand-in on loopback: records what it gets, answers by its rule or as scripted. Rules speak the real
//! dialects and keep the real limits; each stands with the tests of its channel.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
};
use jiff::Timestamp;
use serde_json::Value;
use tocsin_bus::{Clock, ManualClock};

use super::receiver;
use crate::{
    delivery::{Page, PageReason},
    render::samples,
};

/// One request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) raw: Bytes,
    pub(crate) body: Value,
    pub(crate) at: Timestamp,
}

impl Seen {
    pub(crate) fn query(&self) -> BTreeMap<String, String> {
        let query = self.uri.query().unwrap_or_default();
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// One answer. Status 0 never comes.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl ToString) -> Self {
        Self { status, headers: Vec::new(), body: body.to_string() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

type Rule = Box<dyn FnMut(&Seen) -> Reply + Send>;

struct Inner {
    clock: ManualClock,
    rule: Mutex<Rule>,
    script: Mutex<VecDeque<Reply>>,
    seen: Mutex<Vec<(Seen, Reply)>>,
}

/// The stand-in.
#[derive(Clone)]
pub(crate) struct StandIn {
    inner: Arc<Inner>,
    pub(crate) base: String,
}

async fn take(
    State(inner): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    raw: Bytes,
) -> (StatusCode, HeaderMap, String) {
    let body = serde_json::from_slice(&raw).unwrap_or(Value::Null);
    let seen = Seen { method, uri, headers, raw, body, at: inner.clock.now() };
    let scripted = inner.script.lock().unwrap().pop_front();
    let reply = scripted.unwrap_or_else(|| (inner.rule.lock().unwrap())(&seen));
    inner.seen.lock().unwrap().push((seen, reply.clone()));
    if reply.status == 0 {
        std::future::pending::<()>().await;
    }
    let mut headers = HeaderMap::new();
    for (name, value) in reply.headers {
        headers.insert(name, value.parse().unwrap());
    }
    (StatusCode::from_u16(reply.status).unwrap(), headers, reply.body)
}

impl StandIn {
    pub(crate) async fn start(
        clock: &ManualClock,
        rule: impl FnMut(&Seen) -> Reply + Send + 'static,
    ) -> Self {
        receiver::tls();
        let inner = Arc::new(Inner {
            clock: clock.clone(),
            rule: Mutex::new(Box::new(rule)),
            script: Mutex::default(),
            seen: Mutex::default(),
        });
        let router = Router::new()
            .fallback(take)
            .with_state(inner.clone())
            .layer(axum::extract::DefaultBodyLimit::max(4 << 20));
        Self { inner, base: receiver::serve(router).await }
    }

    /// The next requests get these answers, whatever they are.
    pub(crate) fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        self.inner.script.lock().unwrap().extend(replies);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.inner.seen.lock().unwrap().iter().map(|(seen, _)| seen.clone()).collect()
    }

    pub(crate) fn replies(&self) -> Vec<(Seen, Reply)> {
        self.inner.seen.lock().unwrap().clone()
    }

    pub(crate) fn last(&self) -> Seen {
        self.seen().pop().expect("a request")
    }
}

/// The clock of the sample page.
pub(crate) fn manual() -> ManualClock {
    ManualClock::at(samples::at("2026-09-10T01:40:00Z"))
}

/// Counts in a sliding window of a provider.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) limit: usize,
    pub(crate) span: Duration,
    taken: VecDeque<Timestamp>,
}

impl Window {
    pub(crate) fn new(limit: usize, seconds: u64) -> Self {
        Self { limit, span: Duration::from_secs(seconds), taken: VecDeque::new() }
    }

    /// Whether one more fits at `now`; it is counted then.
    pub(crate) fn fits(&mut self, now: Timestamp) -> bool {
        while self
            .taken
            .front()
            .is_some_and(|first| now.duration_since(*first) >= self.span.try_into().unwrap())
        {
            self.taken.pop_front();
        }
        let fits = self.taken.len() < self.limit;
        if fits {
            self.taken.push_back(now);
        }
        fits
    }
}

/// The sample page in each language for every reason a person reads: `zh_first`, `en_first`, ….
pub(crate) fn pages(address: &str) -> Vec<(String, Page)> {
    let reasons = [
        PageReason::First,
        PageReason::Escalated,
        PageReason::LevelRaised,
        PageReason::Overdue,
        PageReason::Recovered,
    ];
    let mut pages = Vec::new();
    for (word, language) in [("zh", tocsin_rules::Language::Zh), ("en", tocsin_rules::Language::En)] {
        for reason in reasons {
            let mut page = Page { reason, language, ..samples::page() };
            page.contact.address = address.to_owned();
            page.drill = (reason == PageReason::LevelRaised).then(|| "spring".to_owned());
            if reason == PageReason::Recovered {
                page.level = tocsin_rules::Level::Medium;
            }
            pages.push((format!("{word}_{}", reason.as_str()), page));
        }
    }
    pages
}

/// A page whose every free text is as long and as hostile as it may come.
pub(crate) fn monstrous(language: tocsin_rules::Language, address: &str) -> Page {
    let mut page = Page { language, ..samples::page() };
    page.contact.address = address.to_owned();
    let hostile = "@all @所有人 <!channel> <at user_id=\"all\"></at> [点我](https://evil.example) **\"引号\"** \u{202e}倒 \\ `x` ";
    // Whoever writes the rulebook may link; strangers may not.
    let operators = hostile.replace("https://", "");
    page.snapshot.monitor_name = "名".repeat(3_000);
    page.snapshot.title = samples::wording(&operators.repeat(20), &operators.repeat(20));
    page.snapshot.next_steps[0].title = samples::wording(&operators.repeat(200), &"\"step\" ".repeat(3_000));
    page.snapshot.reasons[0].wording = samples::wording(&operators.repeat(300), &operators.repeat(300));
    let post = &mut page.snapshot.evidence[0];
    post.excerpt = hostile.repeat(100);
    post.author.as_mut().unwrap().name = Some(hostile.repeat(10));
    let post = post.clone();
    page.snapshot.evidence = vec![post; 3];
    page
}

/// What may never be cut, and what may never be in any text a stranger had a part in.
pub(crate) fn is_whole_and_harmless(text: &str, page: &Page) {
    let level = crate::render::words::level(page.level, page.language);
    assert!(text.contains(level), "no level in {text}");
    assert!(text.contains(&page.incident), "no incident in {text}");
    assert!(text.contains("https://tocsin.example.com/"), "no link in {text}");
    for mass in ["@all", "@所有人", "<!channel>", "<at user_id", "https://evil", "\u{202e}"] {
        assert!(!text.contains(mass), "{mass} in {text}");
    }
}

/// `count` pages of medium level on as many incidents.
pub(crate) fn many(count: usize, address: &str) -> Vec<Page> {
    let page = |number: usize| {
        let mut page = samples::page();
        page.id = format!("{number:032x}");
        page.incident = format!("s07-{number:010x}");
        page.level = tocsin_rules::Level::Medium;
        page.contact.address = address.to_owned();
        page.snapshot.monitor_name = format!("北辰手机 {number} 号监测项 @all [x](y)");
        page
    };
    (0..count).map(page).collect()
}
