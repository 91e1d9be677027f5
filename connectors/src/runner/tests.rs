//! The loop against a source that fails, and against the real memory bus.

use std::sync::Mutex;

use jiff::Timestamp;
use tocsin_bus::{Driver, ManualClock, Topic, memory};

use super::*;
use crate::{Batch, BusPublisher, SourceKind};

/// Fails twice, then yields two records once.
struct Flaky {
    log: Arc<Mutex<Vec<&'static str>>>,
    calls: usize,
    stop: CancellationToken,
}

impl Source for Flaky {
    fn name(&self) -> &str {
        "flaky"
    }

    fn kind(&self) -> SourceKind {
        SourceKind::Tail
    }

    async fn fetch(&mut self, now: Timestamp) -> Result<Batch, Error> {
        self.calls += 1;
        if self.calls <= 2 {
            self.log.lock().expect("lock").push("fault");
            return Err(Error::Options("away"));
        }
        self.log.lock().expect("lock").push("fetch");
        let good = br#"{"id":"weibo:1","platform":"weibo","text":"x","published_at":"2026-09-10T01:33:20Z"}"#;
        let mention = tocsin_rules::Mention::parse(good, now).expect("a mention");
        let rejection = refuse(tocsin_rules::RejectionReason::InvalidJson, "", "broken");
        let rejected = Rejected::at("in.jsonl", 7, rejection, b"{broken");
        let items = vec![Item::Mention(Box::new(mention)), Item::Rejected(Box::new(rejected))];
        Ok(Batch { items, more: false, lag_bytes: Some(0) })
    }

    async fn acknowledged(&mut self) -> Result<(), Error> {
        self.log.lock().expect("lock").push("acknowledged");
        self.stop.cancel();
        Ok(())
    }
}

#[tokio::test]
async fn backs_off_publishes_and_lets_the_cursor_move_last() {
    let clock = ManualClock::at("2026-09-10T02:00:00Z".parse().expect("a time"));
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let bus = memory::Bus::new(memory::Config::default(), shared.clone());
    let publisher = Arc::new(BusPublisher::new(bus.producer(), shared.clone(), Duration::from_secs(10)));
    let log = Arc::new(Mutex::new(Vec::new()));
    let stop = CancellationToken::new();
    let source = Flaky { log: log.clone(), calls: 0, stop: stop.clone() };
    let pace = Pace {
        poll: Duration::from_secs(1),
        backoff: Backoff::new(Duration::from_secs(1), Duration::from_secs(60), 1),
    };
    let running = run(source, publisher, shared, pace, stop);
    tokio::pin!(running);
    let ticking = async {
        loop {
            clock.advance(Duration::from_millis(250));
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = &mut running => {}
        () = ticking => {}
    }
    assert_eq!(*log.lock().expect("lock"), ["fault", "fault", "fetch", "acknowledged"]);
    assert_eq!(bus.kept(Topic::Mentions).len(), 1);
    let letters = bus.kept(Topic::DeadLetter);
    assert_eq!(letters.len(), 1);
    let header = |name| letters[0].header(name);
    assert_eq!(
        (header("reason"), header("source_file"), header("source_line"), &letters[0].payload[..]),
        (Some("invalid_json"), Some("in.jsonl"), Some("7"), &b"{broken"[..])
    );
    assert!(metrics::FAILURES.with_label_values(&["flaky"]).get() >= 2);
}
