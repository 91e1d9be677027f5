//! The console over a real desk on the embedded store, the ready pack and the local pager; time moves by hand.

mod access;
mod api;
mod crawl;
mod dossier;
mod links;
mod pages;
mod replies;
mod rooms;
mod silences;
mod sources;

use std::{sync::Mutex, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tocsin_bus::ManualClock;
use tocsin_escalate::{
    Embedded, Taken,
    channel::{Channel, Registry, Secret, local},
    courier::Courier,
    render,
};
use tocsin_rules::{
    Author, Finding, Impact, Kind, Level, Likelihood, Metrics, Op, Platform, Reason, Subject, Transition,
    Verified, Wording, rulebook::CONSUMER_BRAND,
};
use tower::ServiceExt;

use super::*;

/// Tokens of the test house, by rank.
pub(super) const TOKENS: [(&str, Rank); 4] = [
    ("viewer-token", Rank::Viewer),
    ("officer-token", Rank::Officer),
    ("commander-token", Rank::Commander),
    ("admin-token", Rank::Admin),
];

/// What a stranger writes.
pub(super) const HOSTILE: &str =
    "<script>alert('x')</script> @所有人 \" onmouseover=\"alert(1) \u{202e}倒 https://evil.example";

pub(super) struct House {
    pub(super) router: Router,
    pub(super) desk: Desk,
    pub(super) rulebook: Arc<ArcSwap<Rulebook>>,
    pub(super) clock: ManualClock,
    pub(super) courier: Courier,
    pub(super) local: Arc<Local>,
    pub(super) readiness: Readiness,
    pub(super) signer: Signer,
    pub(super) config: Config,
    /// What the connect stage says of its sources.
    pub(super) reports: Arc<Mutex<Result<Vec<Value>, String>>>,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|v| v.to_str().unwrap()).unwrap_or_default()
    }
}

pub(super) fn guarded() -> Config {
    let token = |(token, role): &(&str, Rank)| Token {
        name: role.as_str().into(),
        role: *role,
        sha256: Sha256::digest(token.as_bytes()).iter().map(|b| format!("{b:02x}")).collect(),
    };
    Config {
        tokens: TOKENS.iter().map(token).collect(),
        session_key: Secret::new("s".repeat(32)),
        ..Config::default()
    }
}

impl House {
    pub(super) fn new(config: Config) -> Self {
        let now: Timestamp = "2026-09-10T01:30:00Z".parse().unwrap();
        let clock = ManualClock::at(now);
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let rulebook = Rulebook::load(&[("consumer-brand.yaml", CONSUMER_BRAND)]).unwrap();
        let rulebook = Arc::new(ArcSwap::from_pointee(rulebook));
        let store = Arc::new(Embedded::in_memory(now).unwrap());
        let desk = Desk::new(store, rulebook.clone(), shared.clone());
        let signer = Signer::new(vec![("k1".into(), Secret::new("l".repeat(32)))]).unwrap();
        let settings =
            render::Config { base_url: Some("https://tocsin.example.com".into()), ..Default::default() };
        let renderer = Arc::new(Renderer::new(&settings, Some(signer.clone())).unwrap());
        let local = Arc::new(Local::new(&local::Config::default(), renderer.clone()));
        let mut channels = Registry::default();
        channels.insert("local", local.clone() as Arc<dyn Channel>);
        let courier = Courier::new(desk.clone(), channels, "test");
        let readiness = Readiness::default();
        let one = serde_json::json!({"name": "news", "kind": "feed", "state": "ok"});
        let reports = Arc::new(Mutex::new(Ok(vec![one])));
        let told = reports.clone();
        let parts = Parts {
            desk: desk.clone(),
            rulebook: rulebook.clone(),
            clock: shared,
            renderer,
            signer: Some(signer.clone()),
            local: Some(local.clone()),
            readiness: readiness.clone(),
            sources: Some(Sources::new(move || {
                let told = told.lock().unwrap().clone();
                Box::pin(async move { told })
            })),
        };
        let router = router(&config, parts).unwrap();
        Self { router, desk, rulebook, clock, courier, local, readiness, signer, config, reports }
    }

    /// Opens an incident and delivers its first page; its id.
    pub(super) async fn incident(&self) -> String {
        self.incident_of("qinghe", Level::High).await
    }

    pub(super) async fn incident_of(&self, monitor: &str, level: Level) -> String {
        let Taken::Applied(incident) = self.desk.finding(&self.finding(monitor, level)).await.unwrap() else {
            panic!("nothing opened")
        };
        self.courier.deliver_due(self.clock.now()).await.unwrap();
        incident.id
    }

    fn finding(&self, monitor: &str, level: Level) -> Finding {
        let now = self.clock.now();
        let names = [("qinghe", "青禾"), ("qinghe-peach-tea", "青禾白桃茶"), ("industry", "即饮茶行业")];
        let name = names.iter().find(|(id, _)| *id == monitor).unwrap().1;
        let reason = |id: &str, zh: &str, en: &str, value, limit, window_seconds| Reason {
            threshold: id.into(),
            wording: Wording { zh: zh.into(), en: en.into() },
            value,
            limit,
            window_seconds,
        };
        let posts = [
            (
                "喝了青禾白桃茶全家拉肚子，客服还不理人，退款也不给，已经去医院了。",
                Platform::Weibo,
                Some(10_244),
            ),
            (HOSTILE, Platform::Xiaohongshu, None),
        ];
        let subject = |(text, platform, reposts): (&str, Platform, Option<u64>)| Subject {
            id: format!("{}:{}", platform.as_str(), text.len()),
            platform,
            kind: Kind::Post,
            excerpt: text.into(),
            url: Some(if reposts.is_some() {
                "https://weibo.com/1/a".into()
            } else {
                "javascript:alert(1)".into()
            }),
            author: Some(Author {
                key: "479a753d69fa67de".into(),
                name: Some("<b>财***报".into()),
                followers: Some(2_300_000),
                verified: Verified::Media,
            }),
            published_at: now,
            observed_at: now,
            thread: None,
            repost_of: None,
            metrics: Metrics { reposts, ..Metrics::default() },
            region: None,
            sample_cap: None,
            op: Op::Create,
        };
        Finding {
            id: format!("f-{monitor}"),
            monitor: monitor.into(),
            monitor_name: name.into(),
            at: now,
            episode: format!("e-{monitor}"),
            onset: now,
            transition: Transition::Opened,
            level,
            impact: Impact::Severe,
            likelihood: Likelihood::Likely,
            reasons: vec![
                reason("neg-1h", "负面提及", "Negative mentions", 86.0, 40.0, 3600),
                reason("share-1h", "负面占比", "Negative share", 0.725, 0.5, 3600),
                reason("repost", "单条转发", "Reposts of one post", 10_244.0, 10_000.0, 0),
            ],
            categories: vec![("safety".into(), 31)],
            evidence: posts.map(subject).to_vec(),
            sampled: true,
            tipped_observed_at: Some(now),
            tipped_published_at: Some(now),
            drill: None,
        }
    }

    /// The acknowledge link of the newest page on the pager, without the host.
    pub(super) fn link(&self) -> String {
        let link = self.local.shown()[0].rendered.link.clone().unwrap();
        link.strip_prefix("https://tocsin.example.com").unwrap().to_owned()
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 22).await.unwrap();
        Answer {
            status: head.status,
            headers: head.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// A request with these headers; a body is JSON for the API and a form elsewhere.
    pub(super) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost:8080");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let form = method == "POST" && !path.starts_with("/api");
        if (form || !body.is_empty()) && !headers.iter().any(|(n, _)| *n == "content-type") {
            let kind = if form { "application/x-www-form-urlencoded" } else { "application/json" };
            request = request.header("content-type", kind);
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// As somebody with a bearer token.
    pub(super) async fn bearer(&self, token: &str, method: &str, path: &str, body: &str) -> Answer {
        self.ask(method, path, &[("authorization", &format!("Bearer {token}"))], body).await
    }

    /// Logs in on the pages; the cookie to send.
    pub(super) async fn log_in(&self, token: &str) -> String {
        let own = [("sec-fetch-site", "same-origin")];
        let answer = self.ask("POST", "/login", &own, &format!("token={token}")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        answer.header("set-cookie").split(';').next().unwrap().to_owned()
    }

    pub(super) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}
