//! What Redis may do to us: lose a request, lose its answer after carrying it out, fail over to a replica that lacks the last
//! writes. On real servers. The life of one incident must come out the same.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Child, Command as Process, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tocsin_bus::{Clock, ManualClock};
use tocsin_rules::{Level, Transition};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    task::JoinSet,
};

use super::cases;
use crate::{
    audit,
    channel::Registry,
    command::{Command, CommandError},
    courier::Courier,
    delivery::PageReason,
    desk::Desk,
    fixtures::{Pager, at, finding, person_acting, rulebook},
    incident::{Incident, State},
    store::{
        Committed, PageStatus, Store, StoreError,
        redis::{Config, Redis, Time},
    },
};

/// A server with a socket and, for replication, a port.
struct Server {
    child: Child,
    socket: PathBuf,
    port: u16,
}

impl Server {
    fn start(dir: &Path, name: &str, of: Option<u16>) -> Option<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (data, socket) = (dir.join(name), dir.join(format!("{name}.sock")));
        std::fs::create_dir_all(&data).unwrap();
        let mut command = Process::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""]);
        command.args(["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"]);
        command.args(["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"]);
        command.arg("--unixsocket").arg(&socket).arg("--dir").arg(&data);
        if let Some(of) = of {
            command.arg("--replicaof").arg("127.0.0.1").arg(of.to_string());
        }
        match command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
            Ok(child) => Some(Self { child, socket, port }),
            Err(fault) => {
                eprintln!("SKIPPED: this case needs redis-server, which does not start here: {fault}");
                None
            }
        }
    }

    async fn ask(&self, words: &[&str]) -> String {
        let client = ::redis::Client::open(format!("redis+unix://{}", self.socket.display())).unwrap();
        for _ in 0..400 {
            if let Ok(mut connection) = client.get_multiplexed_async_connection().await {
                let mut command = ::redis::cmd(words[0]);
                command.arg(&words[1..]);
                return command.query_async(&mut connection).await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("redis-server does not answer");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn word(info: &str, name: &str) -> String {
    info.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
}

/// Until the replica has everything the primary had when asked.
async fn replicated(primary: &Server, replica: &Server) {
    let wanted: u64 =
        word(&primary.ask(&["INFO", "replication"]).await, "master_repl_offset:").parse().unwrap();
    for _ in 0..1_000 {
        let info = replica.ask(&["INFO", "replication"]).await;
        let has: u64 = word(&info, "slave_repl_offset:").parse().unwrap_or(0);
        if word(&info, "master_link_status:") == "up" && has >= wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the replica does not follow");
}

async fn connect(socket: &Path, journal: Option<PathBuf>) -> Redis {
    let config =
        Config { time: Time::Caller, journal, ..Config::at(format!("redis+unix://{}", socket.display())) };
    for _ in 0..400 {
        if let Ok(store) = Redis::connect(&config).await {
            return store;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("redis-server does not answer");
}

/// Two servers, one address; what was written after the replica last heard is lost with the first.
struct Pair {
    dir: tempfile::TempDir,
    primary: Option<Server>,
    replica: Server,
}

impl Pair {
    async fn start() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let primary = Server::start(dir.path(), "primary", None)?;
        primary.ask(&["PING"]).await;
        let replica = Server::start(dir.path(), "replica", Some(primary.port))?;
        replicated(&primary, &replica).await;
        Some(Self { dir, primary: Some(primary), replica })
    }

    fn address(&self) -> PathBuf {
        self.dir.path().join("primary.sock")
    }

    fn journal(&self) -> Option<PathBuf> {
        Some(self.dir.path().join("journal"))
    }

    /// From now on the replica hears nothing more, and will be the one to answer.
    async fn part(&self) {
        replicated(self.primary.as_ref().unwrap(), &self.replica).await;
        self.replica.ask(&["REPLICAOF", "NO", "ONE"]).await;
    }

    fn fail_over(&mut self) {
        self.primary = None;
        std::fs::rename(self.dir.path().join("replica.sock"), self.address()).unwrap();
    }
}

const LEASE: Duration = Duration::from_secs(60);
/// How long a process may wait for its clock before it is killed.
const PATIENCE: Duration = Duration::from_millis(700);
/// Of the requests of a life, each so many-th is lost; all of them (1) take a minute.
const STRIDE: usize = 5;

fn delivered(claim: &crate::store::Claim) -> crate::store::Settlement {
    let mut record = claim.record.clone();
    record.status = PageStatus::Delivered;
    crate::store::Settlement { record, again_at: at("10:02") }
}

/// Six incidents, of which the replica knows five and of them no acknowledgement, note or receipt.
async fn lives_before_the_failover(pair: &Pair, store: &Redis) -> Vec<Incident> {
    for number in 0..5 {
        let opened = store.commit(&cases::opening(number), &format!("op-{number}"), at("10:00")).await;
        assert_eq!(opened.unwrap(), Committed::Applied);
    }
    pair.part().await;
    let taken = cases::acknowledged(store, 0).await;
    assert_eq!(store.commit(&taken, "ack-0", at("10:02")).await.unwrap(), Committed::Applied);
    let noted = cases::noted(store, 1).await;
    assert_eq!(store.commit(&noted, "note-1", at("10:02")).await.unwrap(), Committed::Applied);
    let again = cases::noted(store, 1).await;
    assert_eq!(store.commit(&again, "note-1-again", at("10:02")).await.unwrap(), Committed::Applied);
    assert_eq!(store.commit(&cases::opening(6), "op-6", at("10:00")).await.unwrap(), Committed::Applied);
    for claim in store.claim_pages(at("10:02"), "w", 100, LEASE).await.unwrap() {
        assert!(store.settle_page(&claim, &delivered(&claim), at("10:02")).await.unwrap());
    }
    let mut lives = Vec::new();
    for number in [0, 1, 2, 3, 4, 6] {
        lives.push(store.load(&cases::opening(number).incident.id).await.unwrap().unwrap());
    }
    lives
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_failover_lost_is_written_again() {
    let Some(mut pair) = Pair::start().await else { return };
    let store = connect(&pair.address(), pair.journal()).await;
    let lives = lives_before_the_failover(&pair, &store).await;
    pair.fail_over();
    // The first thing asked of the new server finds it whole: nobody is paged for what was taken.
    let due = cases::patiently(|| store.claim_timers(at("10:06"), 100, LEASE)).await;
    let due: Vec<&str> = due.iter().map(|timer| timer.incident.as_str()).collect();
    assert_eq!(due.len(), 5, "{due:?}");
    assert!(!due.contains(&lives[0].id.as_str()), "it was acknowledged");
    for life in &lives {
        let found = store.load(&life.id).await.unwrap().unwrap();
        assert_eq!(&found, life);
        let history = store.audit(&life.id).await.unwrap();
        assert_eq!(audit::verify(&history, &found), Ok(()));
        let pages = store.pages(&life.id).await.unwrap();
        assert!(
            !pages.is_empty() && pages.iter().all(|page| page.status == PageStatus::Delivered),
            "{pages:?}"
        );
    }
    assert!(store.claim_pages(at("10:06"), "w", 100, LEASE).await.unwrap().is_empty(), "all had left");
    // The operations are known again, and another process has nothing to add.
    let again = store.commit(&cases::opening(6), "op-6", at("10:06")).await.unwrap();
    assert!(matches!(again, Committed::AlreadyApplied(_)));
    let other = connect(&pair.address(), pair.journal()).await;
    assert_eq!(other.claim_timers(at("10:06"), 100, LEASE).await.unwrap(), []);
    assert_eq!(other.load(&lives[1].id).await.unwrap().as_ref(), Some(&lives[1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_journal_the_loss_is_what_the_replica_did_not_hear() {
    let Some(mut pair) = Pair::start().await else { return };
    let store = connect(&pair.address(), None).await;
    let lives = lives_before_the_failover(&pair, &store).await;
    pair.fail_over();
    let due = cases::patiently(|| store.claim_timers(at("10:06"), 100, LEASE)).await;
    assert_eq!(due.len(), 5);
    assert!(due.iter().any(|timer| timer.incident == lives[0].id), "the acknowledgement came undone");
    assert_eq!(store.load(&lives[5].id).await.unwrap(), None, "the newest is gone");
    assert_eq!(store.claim_pages(at("10:06"), "w", 100, LEASE).await.unwrap().len(), 5, "all leave again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_histories_part_the_stores_stands_and_the_rest_is_mended() {
    let Some(mut pair) = Pair::start().await else { return };
    let store = connect(&pair.address(), pair.journal()).await;
    let lives = lives_before_the_failover(&pair, &store).await;
    pair.fail_over();
    // Another host, without this journal, is quicker.
    let quicker = connect(&pair.address(), None).await;
    let noted = cases::noted(&quicker, 0).await;
    assert_eq!(quicker.commit(&noted, "note-0", at("10:03")).await.unwrap(), Committed::Applied);
    cases::patiently(|| store.claim_timers(at("10:06"), 100, LEASE)).await;
    let stands = store.load(&lives[0].id).await.unwrap().unwrap();
    assert_eq!(stands, noted.incident);
    assert!(
        stands.acknowledged.is_none()
            && audit::verify(&store.audit(&stands.id).await.unwrap(), &stands).is_ok()
    );
    for life in &lives[1..] {
        assert_eq!(store.load(&life.id).await.unwrap().as_ref(), Some(life));
    }
}

/// What happens to the request of this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    RequestLost,
    AnswerLost,
}

/// Passes requests on to a server, except one.
struct Wire {
    socket: PathBuf,
    passed: Arc<AtomicUsize>,
    fate: Arc<Mutex<Option<(usize, Fate)>>>,
    _running: JoinSet<()>,
}

impl Wire {
    fn start(dir: &Path, server: &Path) -> Self {
        let socket = dir.join("wire.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let (passed, fate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(None)));
        let (server, counted, doomed) = (server.to_owned(), passed.clone(), fate.clone());
        let mut running = JoinSet::new();
        running.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = UnixStream::connect(&server).await else { continue };
                connections.spawn(pass(client, server, counted.clone(), doomed.clone()));
            }
        });
        Self { socket, passed, fate, _running: running }
    }
}

async fn pass(
    mut client: UnixStream,
    mut server: UnixStream,
    passed: Arc<AtomicUsize>,
    fate: Arc<Mutex<Option<(usize, Fate)>>>,
) {
    let (mut request, mut answer) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    let mut lost = false;
    loop {
        tokio::select! {
            read = client.read(&mut request) => {
                let Ok(read @ 1..) = read else { return };
                let number = passed.fetch_add(1, Ordering::SeqCst);
                let doom = fate.lock().unwrap().filter(|(doomed, _)| *doomed == number).map(|(_, fate)| fate);
                match doom {
                    Some(Fate::RequestLost) => return,
                    Some(Fate::AnswerLost) => lost = true,
                    None => {}
                }
                if server.write_all(&request[..read]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut answer) => {
                let Ok(read @ 1..) = read else { return };
                // It was carried out, and nobody hears of it.
                if lost || client.write_all(&answer[..read]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// A process: killed with whatever it held when a fault meets it, and started again.
struct Worker {
    wire: PathBuf,
    clock: ManualClock,
    pager: Arc<Pager>,
    alive: Option<(Desk, Arc<Courier>)>,
    /// Times it was started.
    starts: usize,
}

impl Worker {
    async fn parts(&mut self) -> (Desk, Arc<Courier>) {
        if let Some(parts) = &self.alive {
            return parts.clone();
        }
        self.starts += 1;
        let store: Arc<dyn Store> = Arc::new(connect(&self.wire, None).await);
        let rulebook = Arc::new(ArcSwap::from_pointee(rulebook()));
        let desk = Desk::new(store, rulebook, Arc::new(self.clock.clone()));
        let mut channels = Registry::default();
        channels.insert("pager", self.pager.clone());
        channels.insert("mail", self.pager.clone());
        let courier = Arc::new(Courier::new(desk.clone(), channels, "worker"));
        self.alive = Some((desk.clone(), courier.clone()));
        (desk, courier)
    }

    /// As the loops do: what failed is done again, by a new process.
    async fn survive<T>(&mut self, mut work: impl AsyncFnMut(&Desk, &Courier) -> Result<T, StoreError>) -> T {
        for _ in 0..5 {
            let (desk, courier) = self.parts().await;
            // The courier waits by its clock before it records again; this one dies in that wait.
            match tokio::time::timeout(PATIENCE, work(&desk, &courier)).await {
                Ok(Ok(done)) => return done,
                Ok(Err(_)) | Err(_) => self.alive = None,
            }
        }
        panic!("it never gets through");
    }

    /// Timers and pages at their times.
    async fn until(&mut self, clock: &str) {
        let end = at(clock);
        loop {
            let now = self.clock.now();
            let due: Option<Timestamp> = self
                .survive(async |desk, courier| {
                    desk.fire_timers(now).await?;
                    courier.deliver_due(now).await?;
                    desk.next_due().await
                })
                .await;
            match due {
                Some(due) if due <= end => self.clock.advance_to(due.max(now)),
                _ => break,
            }
        }
        self.clock.advance_to(end);
    }

    async fn order(&mut self, id: &str, command: &Command, op: &str) {
        self.survive(async |desk, _| match desk.command(id, command, &person_acting("b"), op, None).await {
            Ok(_) => Ok(()),
            Err(CommandError::Store(fault)) => match fault.downcast::<StoreError>() {
                Ok(fault) => Err(*fault),
                Err(other) => panic!("{other}"),
            },
            Err(other) => panic!("{op}: {other}"),
        })
        .await;
    }

    /// High at ten, nobody there; the second takes it at 10:06, it is noted on and resolved.
    async fn life(&mut self) -> Incident {
        self.clock.advance_to(at("10:00"));
        let opened = finding("f1", Transition::Opened, Level::High, at("10:00"));
        self.survive(async |desk, _| desk.finding(&opened).await.map(|_| ())).await;
        let id = Incident::id_for("m0", "e1");
        self.until("10:06").await;
        self.order(&id, &Command::Acknowledge, "ack").await;
        self.order(&id, &Command::Note { text: "on it".to_owned() }, "note").await;
        self.until("10:20").await;
        self.order(&id, &Command::Resolve { summary: None }, "resolve").await;
        self.until("10:30").await;
        self.survive(async |desk, _| desk.store().load(&id).await).await.unwrap()
    }
}

/// What must come out the same whatever was lost on the way.
#[derive(Debug, PartialEq)]
struct Outcome {
    state: State,
    version: u64,
    history: Vec<String>,
    pages: Vec<(String, PageReason, PageStatus)>,
    /// Sent, by page.
    sent: BTreeMap<String, usize>,
}

async fn run(server: &Server, wire: &Wire, doom: Option<(usize, Fate)>) -> (Outcome, usize, usize) {
    server.ask(&["FLUSHALL"]).await;
    wire.passed.store(0, Ordering::SeqCst);
    *wire.fate.lock().unwrap() = doom;
    let mut worker = Worker {
        wire: wire.socket.clone(),
        clock: ManualClock::at(at("08:00")),
        pager: Pager::accepting(),
        alive: None,
        starts: 0,
    };
    let incident = worker.life().await;
    *wire.fate.lock().unwrap() = None;
    let (desk, _) = worker.parts().await;
    let history = desk.store().audit(&incident.id).await.unwrap();
    assert_eq!(audit::verify(&history, &incident), Ok(()), "{doom:?}");
    let pages = desk.store().pages(&incident.id).await.unwrap();
    let mut sent = BTreeMap::new();
    for page in worker.pager.sent.lock().unwrap().iter() {
        *sent.entry(page.id.clone()).or_insert(0) += 1;
    }
    let outcome = Outcome {
        state: incident.state,
        version: incident.version,
        history: history.into_iter().map(|entry| entry.what).collect(),
        pages: pages.into_iter().map(|record| (record.page.to, record.page.reason, record.status)).collect(),
        sent,
    };
    (outcome, wire.passed.load(Ordering::SeqCst), worker.starts)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_killed_at_any_request_or_answer_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let Some(server) = Server::start(dir.path(), "primary", None) else { return };
    let wire = Wire::start(dir.path(), &server.socket);
    server.ask(&["PING"]).await;
    // Scripts are known to the server from then on: the number of requests stays.
    run(&server, &wire, None).await;
    let (undisturbed, requests, _) = run(&server, &wire, None).await;
    assert_eq!((undisturbed.state, undisturbed.pages.len()), (State::Resolved, 4), "{undisturbed:?}");
    assert!(undisturbed.sent.values().all(|times| *times == 1));
    assert!(requests > 100, "{requests}");
    let mut doubled = 0;
    for number in (0..requests).step_by(STRIDE) {
        for fate in [Fate::RequestLost, Fate::AnswerLost] {
            let lived = run(&server, &wire, Some((number, fate)));
            let lived = tokio::time::timeout(Duration::from_secs(20), lived).await;
            let (outcome, _, starts) = lived.unwrap_or_else(|_| panic!("{number} {fate:?}: it hangs"));
            assert!(starts <= 3, "{number} {fate:?}: one fault, at most one restart more");
            let more: usize = outcome.sent.values().map(|times| times - 1).sum();
            assert!(more <= 1, "{number} {fate:?}: {outcome:?}");
            doubled += more;
            let same = Outcome { sent: undisturbed.sent.clone(), ..outcome };
            assert_eq!(same, undisturbed, "{number} {fate:?}");
        }
    }
    println!("{requests} requests, each lost and each answer lost: {doubled} pages sent twice, none lost");
}
