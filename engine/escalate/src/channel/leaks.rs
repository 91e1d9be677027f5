//! No secret of any adapter reaches an error, a log line, a metric, the record of a page or the incident of a broken
//! channel, whatever goes wrong: nobody listening, TLS that is none, silence, and a refusal that echoes everything.

use std::{
    collections::BTreeMap,
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

use arc_swap::ArcSwap;
use tocsin_bus::Clock;
use tocsin_rules::{Contact, Level, Transition};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinSet,
};

use super::{Config, Registry, receiver};
use crate::{
    courier::Courier,
    desk::Desk,
    fixtures::{at, finding, rulebook},
    render::samples,
    store::{Filter, Store, embedded::Embedded},
};

/// Part of every secret below.
const CANARY: &str = "CANARY";

/// Kind, a contact's address, settings; `BASE` is the other end.
const ADAPTERS: &[(&str, &str, &str)] = &[
    ("pagerduty", "", r#""routing_key":"CANARYabcdefabcdefabcdefabcdef99","url":"BASE/v2/enqueue""#),
    (
        "email",
        "li@example.com",
        r#""host":"127.0.0.1","port":PORT,"tls":"none","from":"t@example.com","username":"u","password":"CANARY-mail","timeout_seconds":1"#,
    ),
    (
        "webhook",
        "",
        r#""url":"BASE/CANARY-path?key=CANARY-query","signing_key":"CANARY-signing-key","old_signing_key":"CANARY-old-signing-key""#,
    ),
    ("opsgenie", "", r#""url":"BASE","api_key":"CANARY-genie-key""#),
    ("alertmanager", "", r#""urls":["BASE/CANARY-prefix"],"token":"CANARY-proxy-token""#),
    ("dingtalk", "", r#""url":"BASE/robot/send?access_token=CANARY-token","secret":"SECCANARY0123456789""#),
    ("feishu", "", r#""url":"BASE/open-apis/bot/v2/hook/CANARY-hook","secret":"CANARY-feishu-secret""#),
    ("wecom", "", r#""url":"BASE/cgi-bin/webhook/send?key=CANARY-wecom-key""#),
    ("slack", "", r#""webhook_url":"BASE/services/T0/B0/CANARYslackwebhook""#),
    ("slack", "C1", r#""bot_token":"xoxb-CANARY-bot-token","api_url":"BASE/api/chat.postMessage""#),
    ("telegram", "7", r#""token":"123456:CANARYtelegramtoken","api_url":"BASE""#),
    ("ntfy", "", r#""url":"BASE","topic":"CANARY-topic","token":"tk_CANARYntfytoken""#),
    ("teams", "", r#""url":"BASE/workflows/CANARY-workflow?sig=CANARY-signature""#),
];

/// What is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Nobody.
    Closed,
    /// Somebody who never answers.
    Silent,
    /// Says back everything it was sent, with this status.
    Echo(u16),
    /// Speaks no TLS where TLS is wanted.
    Plain,
}

const ENDS: [End; 6] = [End::Closed, End::Silent, End::Echo(200), End::Echo(400), End::Echo(401), End::Plain];

/// Serves the end; answers its port.
async fn serve(end: End, tasks: &mut JoinSet<()>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    if end == End::Closed {
        return port;
    }
    tasks.spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            if end == End::Silent {
                open.push(stream);
                continue;
            }
            let mut buffer = vec![0; 1 << 16];
            // An HTTP client speaks first; a mail client waits for the greeting.
            let heard = tokio::time::timeout(Duration::from_millis(100), stream.read(&mut buffer)).await;
            let heard = heard.ok().and_then(Result::ok).unwrap_or(0);
            let said = String::from_utf8_lossy(&buffer[..heard]).replace(['"', '\\', '\r', '\n'], " ");
            let End::Echo(status) = end else {
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
                continue;
            };
            if heard == 0 {
                let _ = stream.write_all(b"535 5.7.8 CANARY-mail is wrong\r\n").await;
                continue;
            }
            let words = ["message", "errmsg", "msg", "error", "description", "status"];
            let fields: Vec<String> = words.iter().map(|word| format!("\"{word}\":\"{said}\"")).collect();
            let body = format!("{{\"errcode\":310000,\"code\":19021,\"ok\":false,{}}}", fields.join(","));
            let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
        }
    });
    port
}

/// Every log line of this thread, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Sends a page over one adapter to one end; everything anybody could read afterwards.
async fn told(kind: &str, address: &str, settings: &str, end: End) -> String {
    let mut tasks = JoinSet::new();
    let port = serve(end, &mut tasks).await;
    let scheme = if end == End::Plain { "https" } else { "http" };
    let settings =
        settings.replace("BASE", &format!("{scheme}://127.0.0.1:{port}")).replace("PORT", &port.to_string());
    let list = match kind {
        "pagerduty" | "email" => "",
        _ => r#","allow_private_targets":["127.0.0.1"]"#,
    };
    let configs: BTreeMap<String, Config> =
        serde_json::from_str(&format!(r#"{{"c":{{"kind":"{kind}",{settings}{list}}}}}"#)).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(tocsin_bus::ManualClock::at(at("10:00")));
    let channels = Registry::build(&configs, &samples::renderer(), &clock).unwrap();
    let mut shown = format!("{configs:?} {channels:?}");
    let mut book = rulebook();
    for person in &mut book.teams[0].people {
        person.contacts = vec![Contact { channel: "c".into(), address: address.into() }];
    }
    let store: Arc<dyn Store> = Arc::new(Embedded::in_memory(at("08:00")).unwrap());
    let desk = Desk::new(store, Arc::new(ArcSwap::from_pointee(book)), clock.clone());
    let courier = Courier::new(desk.clone(), channels, "worker-1");
    desk.finding(&finding("f1", Transition::Opened, Level::High, at("10:00"))).await.unwrap();
    courier.deliver_due(clock.now()).await.unwrap();
    let incidents = desk.list(&Filter::default(), 10, None).await.unwrap().incidents;
    let mut tried = false;
    for incident in incidents {
        let pages = desk.pages(&incident.id).await.unwrap();
        tried |= pages.iter().any(|page| !page.attempts.is_empty());
        let delivered = pages.iter().any(|page| page.status == crate::store::PageStatus::Delivered);
        // Alertmanager says nothing when it takes an alert.
        assert!(
            !delivered || matches!((kind, end), ("alertmanager" | "webhook", End::Echo(200))),
            "{kind} {end:?}"
        );
        shown.push_str(&format!("{incident:?} {pages:?} {}", serde_json::to_string(&pages).unwrap()));
    }
    assert!(tried, "{kind} {end:?}: nothing was tried");
    tasks.abort_all();
    shown
}

#[tokio::test]
async fn no_secret_comes_out_whatever_goes_wrong() {
    receiver::tls();
    let log = Log::default();
    let lines = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || lines.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let mut running = JoinSet::new();
    for (kind, address, settings) in ADAPTERS {
        for end in ENDS {
            if *kind == "email" && end == End::Plain {
                continue;
            }
            running.spawn(async move {
                let shown = told(kind, address, settings, end).await;
                if let Some(at) = shown.find(CANARY) {
                    let from = shown.floor_char_boundary(at.saturating_sub(200));
                    let to = shown.floor_char_boundary(at + 60);
                    panic!("{kind} {end:?} tells: {}", &shown[from..to]);
                }
            });
        }
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("a page was refused for good") && log.contains("a page was not accepted"));
    let leaked = log.lines().find(|line| line.contains(CANARY));
    assert_eq!(leaked, None);
    let families = prometheus::gather();
    assert!(!families.is_empty());
    for family in families {
        for metric in family.get_metric() {
            let labels: Vec<&str> = metric.get_label().iter().map(|label| label.value()).collect();
            assert!(!labels.iter().any(|label| label.contains(CANARY)), "{} {labels:?}", family.name());
        }
    }
}
