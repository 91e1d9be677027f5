//! How a tale is written: `t.at("10:00", finding(High))`, `t.expect(page("a", First, "10:00..10:01"))`. Refuses times
//! that run backwards.

use jiff::{SignedDuration, Timestamp};
use tocsin_rules::{Level, Rulebook};

use crate::{
    command::Command,
    delivery::{Delivery, PageReason},
    fixtures,
    incident::Incident,
    silence::Matcher,
};

/// What happens and what is expected.
pub(super) struct Tale {
    pub(super) book: Rulebook,
    pub(super) start: Timestamp,
    pub(super) steps: Vec<(Timestamp, Action)>,
    pub(super) expected: Vec<Expected>,
    pub(super) allowed_errors: Vec<&'static str>,
    pub(super) end: Timestamp,
}

/// Something that happens.
pub(super) enum Action {
    Finding(Found),
    Command(Asked),
    Rulebook(Box<dyn Fn(&mut Rulebook)>),
    /// Every process ends and others take over the data.
    Restart,
    /// A process takes up due timers and pages, and dies with them in hand.
    DieInHand,
    /// No process runs until then.
    Down(Timestamp),
    /// How a channel answers from now on.
    Channel(&'static str, Answers),
    /// Made by somebody: name, what it means, until when.
    Silence(&'static str, Matcher, Timestamp),
    /// Ended by hand.
    EndSilence(&'static str),
    Check(&'static str, fn(&Incident) -> bool),
    /// At the same time, in no order.
    Together(Vec<Action>),
}

/// How a channel answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answers {
    Takes,
    Down,
    Refuses,
    /// It takes the message and its answer is lost.
    Mute,
}

impl Answers {
    pub(super) fn delivery(self) -> Delivery {
        match self {
            Self::Takes => Delivery::Delivered { provider_id: None },
            Self::Down => Delivery::Retry { after: None },
            Self::Refuses => Delivery::PermanentConfig { detail: "key unknown".to_owned() },
            Self::Mute => Delivery::Unknown,
        }
    }
}

/// Detection speaks.
pub(super) struct Found {
    pub(super) level: Level,
    pub(super) monitor: &'static str,
    pub(super) id: Option<&'static str>,
    pub(super) category: Option<&'static str>,
}

/// A person asks.
pub(super) struct Asked {
    pub(super) who: &'static str,
    pub(super) command: Command,
    pub(super) monitor: &'static str,
    /// Sends this many versions behind the present one.
    pub(super) behind: Option<u64>,
    /// The operation id, where it matters.
    pub(super) op: Option<&'static str>,
    /// Part of the refusal that is expected.
    pub(super) refused: Option<&'static str>,
    /// Whether either outcome will do: it races something.
    pub(super) may_be_refused: bool,
}

/// One page that is expected, once.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub(super) to: &'static str,
    pub(super) reason: PageReason,
    pub(super) monitor: &'static str,
    pub(super) channel: &'static str,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

/// `10:05`, `10:05:30`, `+1d 10:05` (a day later) or a whole instant; UTC, on the day of the fixtures.
pub(super) fn when(text: &str) -> Timestamp {
    if text.contains('T') {
        return text.parse().unwrap();
    }
    match text.strip_prefix('+').and_then(|rest| rest.split_once("d ")) {
        Some((days, clock)) => {
            fixtures::at(clock) + SignedDuration::from_hours(24 * days.parse::<i64>().unwrap())
        }
        None => fixtures::at(text),
    }
}

impl Default for Tale {
    fn default() -> Self {
        let mut book = fixtures::rulebook();
        // Tasks have tales of their own; in the others nothing falls overdue.
        book.plans.iter_mut().for_each(|plan| plan.steps.clear());
        Self {
            book,
            start: when("08:00"),
            steps: Vec::new(),
            expected: Vec::new(),
            allowed_errors: Vec::new(),
            end: when("20:00"),
        }
    }
}

impl Tale {
    /// Changes the rulebook the tale begins with.
    pub(super) fn with(&mut self, change: impl FnOnce(&mut Rulebook)) {
        change(&mut self.book);
    }

    /// The clock stands here at first; nothing runs before.
    pub(super) fn starts(&mut self, at: &str) {
        self.start = when(at);
        self.end = self.start + SignedDuration::from_hours(12);
    }

    pub(super) fn at(&mut self, clock: &str, action: impl Into<Action>) {
        let at = when(clock);
        let last = self.steps.last().map_or(self.start, |(at, _)| *at);
        assert!(last <= at, "{clock} is told after {last}");
        self.steps.push((at, action.into()));
        self.end = self.end.max(at + SignedDuration::from_hours(2));
    }

    pub(super) fn expect(&mut self, expected: Expected) {
        self.end = self.end.max(expected.until + SignedDuration::from_hours(2));
        self.expected.push(expected);
    }

    /// Plays on until then: whatever still comes is a surprise.
    pub(super) fn until(&mut self, clock: &str) {
        self.end = when(clock);
    }

    /// An error in the log that says so is part of the tale.
    pub(super) fn errors_say(&mut self, text: &'static str) {
        self.allowed_errors.push(text);
    }
}

/// Detection moves the level of monitor `m0`; what kind of transition it is follows from the level before.
pub(super) fn finding(level: Level) -> Found {
    Found { level, monitor: "m0", id: None, category: None }
}

pub(super) fn recovery() -> Found {
    finding(Level::None)
}

impl Found {
    pub(super) fn on(self, monitor: &'static str) -> Self {
        Self { monitor, ..self }
    }

    pub(super) fn named(self, id: &'static str) -> Self {
        Self { id: Some(id), ..self }
    }

    pub(super) fn about(self, category: &'static str) -> Self {
        Self { category: Some(category), ..self }
    }
}

/// `who` asks for `command` on the newest incident of `m0`.
pub(super) fn asks(who: &'static str, command: Command) -> Asked {
    Asked { who, command, monitor: "m0", behind: None, op: None, refused: None, may_be_refused: false }
}

pub(super) fn acknowledge(who: &'static str) -> Asked {
    asks(who, Command::Acknowledge)
}

pub(super) fn resolve(who: &'static str) -> Asked {
    asks(who, Command::Resolve { summary: None })
}

impl Asked {
    pub(super) fn on(self, monitor: &'static str) -> Self {
        Self { monitor, ..self }
    }

    pub(super) fn refused(self, because: &'static str) -> Self {
        Self { refused: Some(because), ..self }
    }

    pub(super) fn or_refused(self) -> Self {
        Self { may_be_refused: true, ..self }
    }

    pub(super) fn of_versions_ago(self, behind: u64) -> Self {
        Self { behind: Some(behind), ..self }
    }

    pub(super) fn with_operation(self, op: &'static str) -> Self {
        Self { op: Some(op), ..self }
    }
}

impl From<Found> for Action {
    fn from(found: Found) -> Self {
        Self::Finding(found)
    }
}

impl From<Asked> for Action {
    fn from(asked: Asked) -> Self {
        Self::Command(asked)
    }
}

/// The rulebook is edited while everything runs.
pub(super) fn edit(change: impl Fn(&mut Rulebook) + 'static) -> Action {
    Action::Rulebook(Box::new(change))
}

pub(super) fn down_until(clock: &str) -> Action {
    Action::Down(when(clock))
}

pub(super) fn channel(id: &'static str, answers: Answers) -> Action {
    Action::Channel(id, answers)
}

/// Incidents of `m0` up to a level are silent until then.
pub(super) fn silence(name: &'static str, up_to: Level, until: &str) -> Action {
    let matcher = Matcher { monitor: Some("m0".to_owned()), category: None, platform: None, up_to };
    Action::Silence(name, matcher, when(until))
}

pub(super) fn silence_of(name: &'static str, matcher: Matcher, until: &str) -> Action {
    Action::Silence(name, matcher, when(until))
}

pub(super) fn end_silence(name: &'static str) -> Action {
    Action::EndSilence(name)
}

/// The newest incident of `m0` is as said.
pub(super) fn holds(what: &'static str, check: fn(&Incident) -> bool) -> Action {
    Action::Check(what, check)
}

/// A page to `to` on the pager, once, within `window`: `10:00..10:01`, both included, or one moment.
pub(super) fn page(to: &'static str, reason: PageReason, window: &str) -> Expected {
    let (from, until) = match window.split_once("..") {
        Some((from, until)) => (when(from), when(until)),
        None => (when(window), when(window) + SignedDuration::from_millis(999)),
    };
    Expected { to, reason, monitor: "m0", channel: "pager", from, until }
}

impl Expected {
    pub(super) fn of(self, monitor: &'static str) -> Self {
        Self { monitor, ..self }
    }

    pub(super) fn by(self, channel: &'static str) -> Self {
        Self { channel, ..self }
    }
}
