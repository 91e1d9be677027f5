//! A small rulebook, findings and a fake pager for the tests of this crate. Refuses to be compiled into anything else.

use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tocsin_bus::ManualClock;
use tocsin_rules::{
    Category, Contact, Detection, Finding, Impact, Language, Level, Likelihood, Matrix, Monitor, MonitorKind,
    Person, Plan, Policy, PolicyStep, Query, Reason, Role, Roster, Rulebook, Step, Target, Team, Transition,
    Wording, team::Rotation,
};

use crate::{
    channel::{BoxFuture, Channel, Kind, News, Registry},
    command::{Actor, Via},
    courier::Courier,
    delivery::{Delivery, Page},
    desk::Desk,
    store::{Store, embedded::Embedded},
};

/// Test instants: `at("10:05")` or `at("10:05:30")` on the day everything happens, UTC.
pub(crate) fn at(clock: &str) -> Timestamp {
    let seconds = if clock.len() == 5 { ":00" } else { "" };
    format!("2026-09-10T{clock}{seconds}Z").parse().unwrap()
}

fn person(id: &str, roles: &[Role]) -> Person {
    let contact = |channel: &str| Contact { channel: channel.to_owned(), address: format!("{id}@{channel}") };
    Person {
        id: id.to_owned(),
        name: id.to_uppercase(),
        roles: roles.to_vec(),
        contacts: vec![contact("pager"), contact("mail")],
        language: Language::En,
    }
}

fn step(id: &str, role: Role, deadline_seconds: u64, after: &[&str], approvals: u8) -> Step {
    Step {
        id: id.to_owned(),
        title: Wording::same(id),
        role,
        deadline_seconds,
        after: after.iter().map(|id| (*id).to_owned()).collect(),
        template: None,
        approvals,
        note: None,
    }
}

fn plan(level: Level, steps: Vec<Step>) -> Plan {
    Plan {
        id: format!("{}-plan", level.as_str()),
        name: Wording::same(level.as_str()),
        level,
        categories: Vec::new(),
        self_confirming: level == Level::High,
        policy: level.as_str().to_owned(),
        steps,
        report_every_seconds: 0,
        watch_seconds: 7_200,
        reply_within_seconds: 0,
        escalate_overdue_seconds: 0,
    }
}

fn policy(id: &str, rungs: &[(Target, u64)], repeat: u32) -> Policy {
    let step = |(target, wait_seconds): &(Target, u64)| PolicyStep {
        targets: vec![target.clone()],
        wait_seconds: *wait_seconds,
        all: false,
    };
    Policy {
        id: id.to_owned(),
        steps: rungs.iter().map(step).collect(),
        repeat,
        remind_seconds: 0,
        take_back_seconds: 0,
    }
}

/// Team `care` with a, b and c on call in that order; monitors `m0` to `m31`.
pub(crate) fn rulebook() -> Rulebook {
    use Role::{Commander, CustomerCare, Legal, Operations, Spokesperson};
    let monitor = |number: usize| Monitor {
        id: format!("m{number}"),
        name: format!("Brand {number}"),
        kind: MonitorKind::Brand,
        query: Query::Term("brand".to_owned()),
        platforms: Vec::new(),
        languages: Vec::new(),
        owner: "care".to_owned(),
        ceiling: Level::High,
    };
    let on_call = |n, wait| (Target::OnCall(n), wait);
    Rulebook {
        version: "0".repeat(16),
        name: Wording::same("test"),
        time_zone: "Asia/Shanghai".to_owned(),
        monitors: (0..32).map(monitor).collect(),
        lists: Vec::new(),
        categories: vec![Category {
            id: "data_leak".to_owned(),
            name: Wording::same("data leak"),
            query: Query::Term("leak".to_owned()),
        }],
        detection: Detection {
            bucket_seconds: 60,
            max_age_seconds: 21_600,
            allowed_lateness_seconds: 600,
            cool_down_seconds: 1_800,
            thresholds: Vec::new(),
            impact: Vec::new(),
            likelihood: Vec::new(),
            matrix: Matrix([[Level::Low; 4]; 4]),
        },
        plans: vec![
            plan(Level::Low, Vec::new()),
            plan(Level::Medium, vec![step("verify", Operations, 3_600, &[], 0)]),
            plan(
                Level::High,
                vec![
                    step("verify", Operations, 1_800, &[], 0),
                    step("draft", Spokesperson, 3_600, &["verify"], 2),
                    step("publish", Spokesperson, 5_400, &["draft"], 0),
                ],
            ),
        ],
        policies: vec![
            policy("low", &[], 0),
            policy("medium", &[on_call(0, 900), on_call(1, 900)], 0),
            policy("high", &[on_call(0, 300), on_call(1, 300), (Target::Team("care".to_owned()), 600)], 1),
        ],
        teams: vec![Team {
            id: "care".to_owned(),
            name: "Care".to_owned(),
            people: vec![
                person("a", &[Commander, CustomerCare]),
                person("b", &[Operations]),
                person("c", &[Spokesperson, Legal]),
            ],
            roster: Some(Roster {
                time_zone: "Asia/Shanghai".to_owned(),
                rotation: Rotation::Weekly,
                handover: jiff::civil::time(9, 0, 0, 0),
                start: jiff::civil::date(2026, 9, 7),
                order: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
                layers: Vec::new(),
                overrides: Vec::new(),
            }),
            quiet_hours: None,
            working_hours: None,
        }],
        templates: Vec::new(),
        quiet_hours: None,
    }
}

/// A finding on monitor `m0`, episode `e1`.
pub(crate) fn finding(id: &str, transition: Transition, level: Level, at: Timestamp) -> Finding {
    Finding {
        id: id.to_owned(),
        monitor: "m0".to_owned(),
        monitor_name: "Brand 0".to_owned(),
        at,
        episode: "e1".to_owned(),
        onset: at,
        transition,
        level,
        impact: Impact::Major,
        likelihood: Likelihood::Likely,
        reasons: vec![Reason {
            threshold: "negative".to_owned(),
            wording: Wording::same("negative mentions"),
            value: 40.0,
            limit: 30.0,
            window_seconds: 300,
        }],
        categories: Vec::new(),
        evidence: Vec::new(),
        sampled: false,
        tipped_observed_at: Some(at),
        tipped_published_at: Some(at),
        drill: None,
    }
}

pub(crate) fn person_acting(who: &str) -> Actor {
    Actor { who: who.to_owned(), via: Via::Console }
}

type Answer = Box<dyn FnMut(&Page) -> Delivery + Send>;

/// A pager that keeps what it was sent, and answers as told.
pub(crate) struct Pager {
    pub(crate) sent: Mutex<Vec<Page>>,
    answer: Mutex<Answer>,
    hangs: bool,
    /// What it was told, in order.
    pub(crate) told: Mutex<Vec<News>>,
    /// Answers to what it is told, the last first; then it accepts. None: it keeps no state.
    tells: Option<Mutex<Vec<Delivery>>>,
}

impl std::fmt::Debug for Pager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pager")
    }
}

impl Pager {
    pub(crate) fn accepting() -> Arc<Self> {
        Self::answering(|_| Delivery::Delivered { provider_id: None })
    }

    pub(crate) fn answering(answer: impl FnMut(&Page) -> Delivery + Send + 'static) -> Arc<Self> {
        Arc::new(Self::with(answer))
    }

    pub(crate) fn hanging() -> Arc<Self> {
        Arc::new(Self { hangs: true, ..Self::with(|_| Delivery::Unknown) })
    }

    /// Accepts pages and keeps a state of its own; answers to what it is told with `tells`, the last first, and then
    /// accepts that too.
    pub(crate) fn keeping_state(tells: Vec<Delivery>) -> Arc<Self> {
        let accepting = Self::with(|_| Delivery::Delivered { provider_id: None });
        Arc::new(Self { tells: Some(Mutex::new(tells)), ..accepting })
    }

    fn with(answer: impl FnMut(&Page) -> Delivery + Send + 'static) -> Self {
        Self {
            sent: Mutex::default(),
            answer: Mutex::new(Box::new(answer)),
            hangs: false,
            told: Mutex::default(),
            tells: None,
        }
    }

    /// What came in since the last look, as `person reason channel`.
    pub(crate) fn take(&self) -> Vec<String> {
        let sent = std::mem::take(&mut *self.sent.lock().unwrap());
        sent.iter()
            .map(|page| format!("{} {} {}", page.to, page.reason.as_str(), page.contact.channel))
            .collect()
    }
}

impl Channel for Pager {
    fn kind(&self) -> Kind {
        Kind::Local
    }

    fn send<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Delivery> {
        Box::pin(async move {
            self.sent.lock().unwrap().push(page.clone());
            if self.hangs {
                std::future::pending::<()>().await;
            }
            (self.answer.lock().unwrap())(page)
        })
    }

    fn keeps_state(&self) -> bool {
        self.tells.is_some()
    }

    fn tell<'a>(&'a self, _incident: &'a str, news: News) -> BoxFuture<'a, Delivery> {
        Box::pin(async move {
            self.told.lock().unwrap().push(news);
            let scripted = self.tells.as_ref().and_then(|tells| tells.lock().unwrap().pop());
            scripted.unwrap_or(Delivery::Delivered { provider_id: None })
        })
    }
}

/// A whole house in memory: store, desk, courier, a pager and a mail channel, and the clock over them.
pub(crate) struct House {
    pub(crate) clock: ManualClock,
    pub(crate) desk: Desk,
    pub(crate) courier: Arc<Courier>,
    pub(crate) pager: Arc<Pager>,
    pub(crate) mail: Arc<Pager>,
}

impl House {
    pub(crate) fn new(rulebook: Rulebook) -> Self {
        let store = Arc::new(Embedded::in_memory(at("08:00")).unwrap());
        Self::over(store, rulebook, Pager::accepting(), Pager::accepting())
    }

    pub(crate) fn over(
        store: Arc<dyn Store>,
        rulebook: Rulebook,
        pager: Arc<Pager>,
        mail: Arc<Pager>,
    ) -> Self {
        let clock = ManualClock::at(at("08:00"));
        let desk = Desk::new(store, Arc::new(ArcSwap::from_pointee(rulebook)), Arc::new(clock.clone()));
        let mut channels = Registry::default();
        channels.insert("pager", pager.clone());
        channels.insert("mail", mail.clone());
        let courier = Arc::new(Courier::new(desk.clone(), channels, "worker-1"));
        Self { clock, desk, courier, pager, mail }
    }

    /// Lives until `clock`, doing everything due at its own time.
    pub(crate) async fn until(&self, clock: &str) {
        let end = at(clock);
        loop {
            let now = tocsin_bus::Clock::now(&self.clock);
            self.desk.fire_timers(now).await.unwrap();
            self.courier.deliver_due(now).await.unwrap();
            match self.desk.next_due().await.unwrap() {
                Some(due) if due <= end => self.clock.advance_to(due.max(now)),
                _ => break,
            }
        }
        self.clock.advance_to(end);
    }
}
