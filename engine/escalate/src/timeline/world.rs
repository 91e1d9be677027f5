//! The world a tale is played in: a store, one or several workers over it, two channels, one clock. Everything due is
//! done at its own time. Refuses to let the clock run past anything that is still to do.

use std::{collections::HashMap, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tocsin_bus::{Clock as _, ManualClock};
use tocsin_rules::{Level, Rulebook, Transition};
use tokio::task::JoinSet;

use super::{
    diff::{Line, What},
    log::Errors,
    recorder::Recorder,
    tale::{Action, Asked, Found, Tale},
};
use crate::{
    channel::Registry,
    command::CommandError,
    courier::Courier,
    desk::Desk,
    fixtures,
    incident::Incident,
    store::{Store, embedded::Embedded, tests::server::Server},
};

/// Where a tale is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Embedded,
    Redis,
    /// Three workers over one Redis.
    RedisByThree,
}

/// Looks at one instant that may change anything before it is called a loop.
const LOOKS: usize = 1_000;

/// A worker: desk and courier of one process.
#[derive(Clone)]
struct Worker {
    desk: Desk,
    courier: Arc<Courier>,
}

pub(super) struct World {
    way: Way,
    clock: ManualClock,
    rulebook: Arc<ArcSwap<Rulebook>>,
    workers: Vec<Worker>,
    pager: Arc<Recorder>,
    mail: Arc<Recorder>,
    errors: Errors,
    lines: Vec<Line>,
    /// Level of each monitor as detection last said, episode number.
    levels: HashMap<&'static str, (Level, u32)>,
    said: u32,
    generation: u32,
    server: Option<Server>,
    dir: tempfile::TempDir,
}

impl World {
    pub(super) async fn raise(way: Way, tale: &Tale) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let server = match way {
            Way::Embedded => None,
            Way::Redis | Way::RedisByThree => Some(Server::start(dir.path())?),
        };
        let clock = ManualClock::at(tale.start);
        let mut world = Self {
            way,
            rulebook: Arc::new(ArcSwap::from_pointee(tale.book.clone())),
            workers: Vec::new(),
            pager: Recorder::new(clock.clone()),
            mail: Recorder::new(clock.clone()),
            clock,
            errors: Errors::default(),
            lines: Vec::new(),
            levels: HashMap::new(),
            said: 0,
            generation: 0,
            server,
            dir,
        };
        world.start().await;
        Some(world)
    }

    /// Starts the processes over the data there is.
    async fn start(&mut self) {
        self.workers.clear();
        self.generation += 1;
        let count = if self.way == Way::RedisByThree { 3 } else { 1 };
        for number in 0..count {
            let store: Arc<dyn Store> = match &self.server {
                Some(server) => Arc::new(server.connect().await),
                None => {
                    Arc::new(Embedded::open(&self.dir.path().join("incidents"), self.clock.now()).unwrap())
                }
            };
            let desk = Desk::new(store, self.rulebook.clone(), Arc::new(self.clock.clone()));
            let mut channels = Registry::default();
            channels.insert("pager", self.pager.clone());
            channels.insert("mail", self.mail.clone());
            let courier = Arc::new(Courier::new(desk.clone(), channels, format!("worker-{number}")));
            self.workers.push(Worker { desk, courier });
        }
    }

    /// Plays it to its end; what happened, in order.
    pub(super) async fn play(mut self, tale: Tale) -> Vec<Line> {
        let _heard = tracing::subscriber::set_default(self.errors.clone());
        let mut steps = tale.steps.into_iter().peekable();
        loop {
            let now = self.clock.now();
            // What a dying process takes with it must not be done before it dies.
            let dying = matches!(steps.peek(), Some((at, Action::DieInHand)) if *at == now);
            if !dying {
                self.settle().await;
            }
            let due = self.workers[0].desk.next_due().await.unwrap();
            // What is due and cannot be done now (somebody else has it) is looked at again a second later.
            let due = due.map(|due| due.max(now + Duration::from_secs(u64::from(due <= now))));
            let step = steps.peek().map(|(at, _)| *at);
            match (due, step) {
                (_, Some(step)) if due.is_none_or(|due| step <= due) => {
                    self.clock.advance_to(step);
                    let Some((_, action)) = steps.next() else { break };
                    // Whatever falls due at this very moment has its turn before and after.
                    if !matches!(action, Action::DieInHand) {
                        self.settle().await;
                    }
                    self.act(action).await;
                }
                (Some(due), _) if due <= tale.end => self.clock.advance_to(due),
                _ => break,
            }
        }
        self.clock.advance_to(tale.end);
        self.settle().await;
        self.lines
    }

    /// Does everything due now, all workers at once, until nothing happens any more.
    async fn settle(&mut self) {
        let now = self.clock.now();
        for look in 0.. {
            assert!(look < LOOKS, "something at {now} never ends");
            let mut done = JoinSet::new();
            for worker in self.workers.clone() {
                done.spawn(async move { worker.desk.fire_timers(now).await.unwrap() });
            }
            let fired: usize = done.join_all().await.into_iter().sum();
            let mut done = JoinSet::new();
            for worker in self.workers.clone() {
                done.spawn(async move { worker.courier.deliver_due(now).await.unwrap() });
            }
            let sent: usize = done.join_all().await.into_iter().sum();
            self.note_what_came();
            if fired + sent == 0 {
                return;
            }
        }
    }

    fn note_what_came(&mut self) {
        for (name, channel) in [("pager", &self.pager), ("mail", &self.mail)] {
            for (at, page) in channel.take() {
                self.lines.push(Line { at, what: What::Paged(name.to_owned(), Box::new(page)) });
            }
        }
        let at = self.clock.now();
        self.lines.extend(self.errors.take().into_iter().map(|text| Line { at, what: What::Logged(text) }));
    }

    fn tell(&mut self, what: What) {
        self.lines.push(Line { at: self.clock.now(), what });
    }

    async fn act(&mut self, action: Action) {
        match action {
            Action::Finding(found) => {
                let worker = self.workers[0].clone();
                let (finding, text) = self.finding(&found);
                self.tell(What::Told(text));
                worker.desk.finding(&finding).await.unwrap();
            }
            Action::Command(asked) => {
                let desk = self.workers[self.workers.len() - 1].desk.clone();
                self.said += 1;
                let what = carry_out(desk, asked, self.said).await;
                self.tell(what);
            }
            Action::Rulebook(change) => {
                let mut book = (**self.rulebook.load()).clone();
                change(&mut book);
                self.rulebook.store(Arc::new(book));
                self.tell(What::Told("the rulebook is edited".to_owned()));
            }
            Action::Restart => {
                self.tell(What::Told("restart".to_owned()));
                self.start().await;
            }
            Action::DieInHand => {
                let store = self.workers[0].desk.store().clone();
                let now = self.clock.now();
                let lease = Duration::from_secs(30);
                let timers = store.claim_timers(now, 256, lease).await.unwrap().len();
                let pages = store.claim_pages(now, "worker-0", 256, lease).await.unwrap().len();
                drop(store);
                self.tell(What::Told(format!(
                    "a process dies with {timers} timers and {pages} pages in hand"
                )));
                self.start().await;
            }
            Action::Down(until) => {
                self.tell(What::Told(format!("nothing runs until {until}")));
                self.clock.advance_to(until);
            }
            Action::Channel(id, answers) => {
                let channel = if id == "pager" { &self.pager } else { &self.mail };
                channel.answers(answers);
                self.tell(What::Told(format!("{id}: {answers:?}")));
            }
            Action::Silence(name, matcher, until) => {
                let by = fixtures::person_acting("a");
                let desk = &self.workers[0].desk;
                desk.add_silence(matcher, until, "a launch", &by, name).await.unwrap();
                self.tell(What::Told(format!("silence `{name}` until {until}")));
            }
            Action::EndSilence(name) => {
                let by = fixtures::person_acting("b");
                let id = blake3::hash(name.as_bytes()).to_hex()[..10].to_owned();
                self.workers[0].desk.expire_silence(&id, &by).await.unwrap();
                self.tell(What::Told(format!("silence `{name}` is ended")));
            }
            Action::Check(what, check) => {
                let found = self.workers[0].desk.store().newest_of("m0").await.unwrap();
                match found {
                    Some(incident) if check(&incident) => self.tell(What::Told(format!("it holds: {what}"))),
                    found => self.tell(What::Wrong(format!("it does not hold: {what}: {found:?}"))),
                }
            }
            Action::Together(actions) => self.act_together(actions).await,
        }
    }

    async fn act_together(&mut self, actions: Vec<Action>) {
        let now = self.clock.now();
        let mut racers = JoinSet::new();
        for worker in self.workers.clone() {
            racers.spawn(async move {
                worker.desk.fire_timers(now).await.unwrap();
                What::Told("timers were looked at".to_owned())
            });
        }
        for (place, action) in actions.into_iter().enumerate() {
            let desk = self.workers[place % self.workers.len()].desk.clone();
            match action {
                Action::Command(asked) => {
                    self.said += 1;
                    let said = self.said;
                    racers.spawn(async move { carry_out(desk, asked, said).await });
                }
                Action::Finding(found) => {
                    let (finding, text) = self.finding(&found);
                    racers.spawn(async move {
                        desk.finding(&finding).await.unwrap();
                        What::Told(text)
                    });
                }
                _ => panic!("only findings and commands race"),
            }
        }
        for what in racers.join_all().await {
            self.tell(what);
        }
    }

    fn finding(&mut self, found: &Found) -> (tocsin_rules::Finding, String) {
        let (level, episode) = self.levels.get(found.monitor).copied().unwrap_or((Level::None, 0));
        let transition = match found.level.cmp(&level) {
            _ if found.level == Level::None => Transition::Recovered,
            _ if level == Level::None => Transition::Opened,
            std::cmp::Ordering::Less => Transition::Lowered,
            _ => Transition::Raised,
        };
        let episode = episode + u32::from(transition == Transition::Opened);
        self.levels.insert(found.monitor, (found.level, episode));
        self.said += 1;
        let id = found.id.map_or_else(|| format!("finding-{}", self.said), str::to_owned);
        let mut finding = fixtures::finding(&id, transition, found.level, self.clock.now());
        finding.monitor = found.monitor.to_owned();
        finding.monitor_name = format!("Brand {}", found.monitor.trim_start_matches('m'));
        finding.episode = format!("{} {episode}", found.monitor);
        finding.categories = found.category.iter().map(|id| ((*id).to_owned(), 9)).collect();
        let text = format!("{}: {transition} to {}", found.monitor, found.level.as_str());
        (finding, text)
    }
}

async fn carry_out(desk: Desk, asked: Asked, said: u32) -> What {
    let text = format!("{} asks to {}", asked.who, asked.command.as_str());
    let Some(incident) = desk.store().newest_of(asked.monitor).await.unwrap() else {
        return What::Wrong(format!("{text}: {} has no incident", asked.monitor));
    };
    let seen = asked.behind.map(|behind| incident.version - behind);
    let op = asked.op.map_or_else(|| format!("said-{said}"), str::to_owned);
    let by = fixtures::person_acting(asked.who);
    let answer: Result<Incident, CommandError> =
        desk.command(&incident.id, &asked.command, &by, &op, seen).await;
    match (answer, asked.refused) {
        (Ok(_), None) => What::Told(text),
        (Err(CommandError::Store(fault)), _) => What::Wrong(format!("{text}: {fault}")),
        (Err(fault), None) if asked.may_be_refused => What::Told(format!("{text}: refused: {fault}")),
        (Err(fault), Some(because)) if fault.to_string().contains(because) => {
            What::Told(format!("{text}: refused as expected: {fault}"))
        }
        (Err(fault), _) => What::Wrong(format!("{text}: {fault}")),
        (Ok(_), Some(because)) => What::Wrong(format!("{text} should be refused: {because}")),
    }
}
