//! For tests of sources: a local server that speaks whatever dialect a test writes, one that sends raw bytes and cuts off,
//! a shelf in place of the bus, and the parts a source is opened with.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use axum::Router;
use tocsin_bus::{Clock, ManualClock, Record, SystemClock, Topic};
use tocsin_rules::{Finding, Mention};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinSet,
};
use url::Url;

use crate::{Cursor, FileCursors, Parts, Publish, PublishError, http, publish::Acknowledged};

/// A server on a free port of this machine; gone when dropped.
pub(crate) struct Server {
    /// `http://127.0.0.1:PORT/`
    pub(crate) url: Url,
    _running: JoinSet<()>,
}

impl Server {
    /// Serves a router.
    pub(crate) async fn start(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = url_of(&listener);
        let mut running = JoinSet::new();
        running.spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { url, _running: running }
    }

    /// Answers the n-th connection with the n-th bytes as they are (the last ones again and again), then closes it.
    pub(crate) async fn raw(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = url_of(&listener);
        let mut running = JoinSet::new();
        running.spawn(async move {
            for n in 0.. {
                let Ok((mut stream, _)) = listener.accept().await else { return };
                let mut request = vec![0; 16 * 1024];
                let _ = stream.read(&mut request).await;
                let answer = answers.get(n).or(answers.last()).map(Vec::as_slice).unwrap_or_default();
                let _ = stream.write_all(answer).await;
                let _ = stream.shutdown().await;
            }
        });
        Self { url, _running: running }
    }

    /// Address of a path.
    pub(crate) fn at(&self, path: &str) -> Url {
        self.url.join(path).expect("an address")
    }
}

fn url_of(listener: &TcpListener) -> Url {
    let address = listener.local_addr().expect("an address");
    Url::parse(&format!("http://{address}/")).expect("an address")
}

/// A client with short time-outs.
pub(crate) fn client() -> http::Client {
    let second = std::time::Duration::from_secs(1);
    let limits =
        http::Limits { connect: second, read: second, silence: second, total: 2 * second, body: 1024 * 1024 };
    http::Client::with_limits("tocsin-test/1.0", limits).expect("a client")
}

/// Parts of a source whose cursor lies in `folder`. The clock is the machine's: sources talk to a real socket.
pub(crate) fn parts(name: &str, folder: &std::path::Path) -> Parts {
    let store = Arc::new(FileCursors::open(folder.join("cursors")).expect("a store"));
    Parts {
        name: name.into(),
        clock: Arc::new(SystemClock::new()),
        http: client(),
        every: std::time::Duration::from_secs(60),
        cursor: Cursor::new(store, name, 1),
    }
}

/// A clock that stands at a time written out.
pub(crate) fn clock_at(text: &str) -> ManualClock {
    ManualClock::at(text.parse().expect("a time"))
}

/// In place of the bus: keeps what was published; refuses all when away.
#[derive(Default)]
pub(crate) struct Shelf {
    pub(crate) records: Mutex<Vec<Record>>,
    pub(crate) away: AtomicBool,
}

impl Publish for Shelf {
    fn publish<'a>(&'a self, records: &'a [Record]) -> Acknowledged<'a> {
        Box::pin(async move {
            if self.away.load(Ordering::Relaxed) {
                return Err(PublishError("no broker".to_owned()));
            }
            self.records.lock().expect("lock").extend_from_slice(records);
            Ok(Vec::new())
        })
    }
}

impl Shelf {
    fn of<T: serde::de::DeserializeOwned>(&self, topic: Topic) -> Vec<T> {
        let records = self.records.lock().expect("lock");
        let of_topic = records.iter().filter(|record| record.topic == topic);
        of_topic.map(|record| serde_json::from_slice(&record.payload).expect("JSON")).collect()
    }

    /// Mentions published.
    pub(crate) fn mentions(&self) -> Vec<Mention> {
        self.of(Topic::Mentions)
    }

    /// Findings published.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        self.of(Topic::Findings)
    }

    /// Dead letters published.
    pub(crate) fn letters(&self) -> usize {
        self.records.lock().expect("lock").iter().filter(|record| record.topic == Topic::DeadLetter).count()
    }
}

/// Lets `work` go on while a clock that only moves when told to is moved along in steps.
pub(crate) async fn while_time_passes<T>(
    clock: &ManualClock,
    step: std::time::Duration,
    work: impl Future<Output = T>,
) -> T {
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = tokio::task::yield_now() => clock.advance(step),
        }
    }
}

/// A mention of the platform `weibo` with this id.
pub(crate) fn mention(id: &str, clock: &dyn Clock) -> Mention {
    let json = format!(
        r#"{{"id":"weibo:{id}","platform":"weibo","text":"漏水","published_at":"2026-09-10T01:33:20Z"}}"#
    );
    Mention::parse(json.as_bytes(), clock.now()).expect("a mention")
}
