//! Sources that fail, wait, go blind and come back, under leases, on a clock that moves only when told to.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use jiff::Timestamp;
use serde::Deserialize;
use tocsin_bus::{Driver, ManualClock, Topic, memory};
use tocsin_rules::{Level, Transition};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    Batch, BusPublisher, Configured, FileCursors, Item, Kind, Opened, Parts, Profile, Rejected, SourceKind,
    SourceSettings,
    health::Rules,
    item::refuse,
    testing::{self, Shelf, clock_at, while_time_passes},
};

/// What the next fetches do; the last goes on for ever.
#[derive(Debug, Clone, Copy)]
enum Move {
    Away,
    Limited(i64),
    Unauthorised,
    Empty,
    Brings,
    Gap,
}

type Script = Arc<Mutex<VecDeque<Move>>>;

struct Scripted {
    script: Script,
    log: Arc<Mutex<Vec<(Timestamp, &'static str)>>>,
}

impl Source for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }

    fn kind(&self) -> SourceKind {
        SourceKind::new("scripted")
    }

    async fn fetch(&mut self, now: Timestamp) -> Result<Batch, Error> {
        let next = {
            let mut script = self.script.lock().expect("lock");
            if script.len() > 1 { script.pop_front() } else { script.front().copied() }
        };
        let said = |what| self.log.lock().expect("lock").push((now, what));
        match next.expect("a script") {
            Move::Away => {
                said("away");
                Err(Error::transient("away"))
            }
            Move::Limited(seconds) => {
                said("limited");
                let until = now.saturating_add(jiff::SignedDuration::from_secs(seconds)).expect("in range");
                Err(Error::RateLimited { until, what: "429".into() })
            }
            Move::Unauthorised => {
                said("unauthorised");
                Err(Error::Credential("401".into()))
            }
            Move::Empty => {
                said("empty");
                Ok(Batch::default())
            }
            Move::Gap => {
                said("gap");
                Ok(Batch {
                    notices: vec![crate::Notice::new(crate::NoticeKind::Gap, "36 h")],
                    ..Batch::default()
                })
            }
            Move::Brings => {
                said("brings");
                let rejection = refuse(tocsin_rules::RejectionReason::InvalidJson, "", "broken");
                let rejected = Rejected::at("in.jsonl", 7, rejection, b"{broken");
                let mention = testing::mention("1", &ManualClock::at(now));
                let items = vec![Item::Mention(Box::new(mention)), Item::Rejected(Box::new(rejected))];
                Ok(Batch { items, ..Batch::default() })
            }
        }
    }

    async fn acknowledged(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

#[derive(Debug, Deserialize)]
struct Settings {
    #[serde(skip)]
    script: Script,
    #[serde(skip)]
    log: Arc<Mutex<Vec<(Timestamp, &'static str)>>>,
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("scripted");
    const PROFILE: Profile = Profile::poll(Duration::from_secs(10), Duration::from_secs(300));

    fn open(&self, _: Parts) -> Result<Opened, Error> {
        Ok(Opened::source(Scripted { script: self.script.clone(), log: self.log.clone() }))
    }
}

static KIND: Kind = Kind::of::<Settings>();

struct Stand {
    clock: ManualClock,
    shelf: Arc<Shelf>,
    cursors: Arc<FileCursors>,
    health: Health,
    script: Script,
    log: Arc<Mutex<Vec<(Timestamp, &'static str)>>>,
    _folder: tempfile::TempDir,
}

impl Stand {
    fn new(moves: &[Move]) -> Self {
        let clock = clock_at("2026-09-10T02:00:00Z");
        let folder = tempfile::tempdir().expect("a folder");
        let cursors = Arc::new(FileCursors::open(folder.path()).expect("a store"));
        let health = Self::health(&clock);
        let script = Arc::new(Mutex::new(moves.iter().copied().collect()));
        Self { clock, shelf: Arc::default(), cursors, health, script, log: Arc::default(), _folder: folder }
    }

    fn health(clock: &ManualClock) -> Health {
        let rules =
            Rules { blind_after: Some(Duration::from_secs(300)), silent_after: None, level: Level::Medium };
        Health::new("scripted", SourceKind::new("scripted"), rules, clock.now())
    }

    fn goes_on_with(&self, moves: &[Move]) {
        *self.script.lock().expect("lock") = moves.iter().copied().collect();
    }

    /// Runs the source for so long, then stops it.
    async fn run(&self, span: Duration) {
        let settings = Settings { script: self.script.clone(), log: self.log.clone() };
        let configured = Configured::made("scripted", &KIND, settings);
        let keeper = Keeper { configured, health: self.health.clone(), seed: 1 };
        let shared = Shared {
            publisher: self.shelf.clone(),
            cursors: self.cursors.clone(),
            http: testing::client(),
            clock: Arc::new(self.clock.clone()),
            authors: crate::privacy::AuthorKey::default(),
            holder: "here".into(),
        };
        let stop = CancellationToken::new();
        let kept = keep(keeper, shared, stop.clone());
        let until = async {
            self.clock.sleep(span).await;
            stop.cancel();
        };
        while_time_passes(&self.clock, Duration::from_secs(1), async { tokio::join!(kept, until) }).await;
    }

    fn said(&self) -> Vec<&'static str> {
        self.log.lock().expect("lock").iter().map(|(_, what)| *what).collect()
    }

    fn told(&self) -> Vec<Transition> {
        self.shelf.findings().iter().map(|finding| finding.transition).collect()
    }

    fn state(&self) -> crate::State {
        self.health.report(self.clock.now()).state
    }
}

#[tokio::test]
async fn backs_off_publishes_and_lets_the_cursor_move_last() {
    let clock = clock_at("2026-09-10T02:00:00Z");
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let bus = memory::Bus::new(memory::Config::default(), shared.clone());
    let publisher = BusPublisher::new(bus.producer(), shared.clone(), Duration::from_secs(10));
    let script = Arc::new(Mutex::new([Move::Away, Move::Brings].into_iter().collect()));
    let mut source = Scripted { script, log: Arc::default() };
    assert!(matches!(round(&mut source, &publisher, &*shared).await, Err(Error::Transient(_))));
    let done = round(&mut source, &publisher, &*shared).await.expect("a round");
    assert_eq!(done, Round { published: 1, rejected: 1, more: false });
    assert_eq!(bus.kept(Topic::Mentions).len(), 1);
    let letters = bus.kept(Topic::DeadLetter);
    assert_eq!(letters.len(), 1);
    let header = |name| letters[0].header(name);
    assert_eq!(
        (header("reason"), header("source_file"), header("source_line"), &letters[0].payload[..]),
        (Some("invalid_json"), Some("in.jsonl"), Some("7"), &b"{broken"[..])
    );
}

#[tokio::test]
async fn polls_at_its_pace_and_waits_longer_after_faults() {
    let stand = Stand::new(&[Move::Away, Move::Away, Move::Brings, Move::Empty]);
    stand.run(Duration::from_secs(60)).await;
    let said = stand.said();
    assert_eq!(said[..4], ["away", "away", "brings", "empty"]);
    assert!((4..=9).contains(&said.len()), "{said:?}");
    assert_eq!((stand.shelf.mentions().len(), stand.shelf.letters()), (1, 1));
    assert_eq!(stand.state(), crate::State::Ok);
    assert!(stand.told().is_empty());
    let report = stand.health.report(stand.clock.now());
    assert_eq!((report.published, report.rejected, report.failures["transient"]), (1, 1, 2));
}

#[tokio::test]
async fn a_stated_wait_is_kept() {
    let stand = Stand::new(&[Move::Limited(120), Move::Empty]);
    stand.run(Duration::from_secs(100)).await;
    assert_eq!(stand.said(), ["limited"]);
    assert_eq!(stand.state(), crate::State::Degraded);
    stand.goes_on_with(&[Move::Gap, Move::Empty]);
    stand.run(Duration::from_secs(30)).await;
    let report = stand.health.report(stand.clock.now());
    assert_eq!(report.state, crate::State::Degraded, "a gap stays visible");
    assert!(report.reason.expect("a reason").en.contains("36 h"));
}

#[tokio::test]
async fn blindness_is_told_once_and_so_is_its_end_across_a_restart() {
    let mut stand = Stand::new(&[Move::Empty, Move::Away]);
    stand.run(Duration::from_secs(200)).await;
    assert!(stand.told().is_empty(), "not yet");
    stand.run(Duration::from_secs(900)).await;
    assert_eq!(stand.told(), [Transition::Opened]);
    assert_eq!(stand.state(), crate::State::Blind);
    let opened = stand.shelf.findings().remove(0);
    assert_eq!((opened.monitor.as_str(), opened.level), ("source:scripted", Level::Medium));
    assert!(opened.reasons[0].wording.zh.contains("失明") && opened.reasons[0].wording.en.contains("away"));
    // The process ends and another begins: the same blindness goes on, and is not told again.
    stand.health = Stand::health(&stand.clock);
    stand.run(Duration::from_secs(900)).await;
    assert_eq!(stand.told(), [Transition::Opened]);
    stand.goes_on_with(&[Move::Empty]);
    stand.health = Stand::health(&stand.clock);
    stand.run(Duration::from_secs(60)).await;
    assert_eq!(stand.told(), [Transition::Opened, Transition::Recovered]);
    let recovered = stand.shelf.findings().remove(1);
    assert_eq!((recovered.episode, recovered.level), (opened.episode, Level::None));
    stand.run(Duration::from_secs(60)).await;
    assert_eq!(stand.told().len(), 2);
}

#[tokio::test]
async fn a_refused_credential_blinds_at_once_and_is_told_after_a_minute() {
    let stand = Stand::new(&[Move::Unauthorised, Move::Unauthorised, Move::Empty]);
    stand.run(Duration::from_secs(30)).await;
    assert_eq!(stand.state(), crate::State::Blind);
    assert!(stand.told().is_empty());
    stand.goes_on_with(&[Move::Unauthorised, Move::Unauthorised, Move::Unauthorised, Move::Empty]);
    stand.run(Duration::from_secs(100)).await;
    assert_eq!(stand.told(), [Transition::Opened]);
    let reason = stand.shelf.findings()[0].reasons[0].clone();
    assert!(reason.wording.zh.contains("凭据"), "{reason:?}");
    stand.run(Duration::from_secs(300)).await;
    assert_eq!(stand.told(), [Transition::Opened, Transition::Recovered]);
}

#[tokio::test]
async fn a_bus_that_is_away_keeps_the_news_of_blindness_until_it_is_back() {
    let stand = Stand::new(&[Move::Away]);
    stand.shelf.away.store(true, std::sync::atomic::Ordering::Relaxed);
    stand.run(Duration::from_secs(400)).await;
    assert!(stand.told().is_empty());
    stand.shelf.away.store(false, std::sync::atomic::Ordering::Relaxed);
    stand.run(Duration::from_secs(320)).await;
    assert_eq!(stand.told(), [Transition::Opened]);
}
