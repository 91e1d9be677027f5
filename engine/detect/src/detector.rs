//! [`Detector`]: windows, grades and findings of every monitor of one partition.
//!
//! A pure state machine: no I/O, no clock. Windows run on event time; lateness is judged by the watermark, the largest
//! event time of any hit of the partition that was in time; evaluation time may run ahead of it through
//! [`Detector::advance`]. Whatever falls due by passage of time is settled at its own due time and before a later hit
//! counts, so that findings do not depend on when somebody looked.

mod ahead;
mod checkpointing;
mod overview;
mod values;

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use rustc_hash::FxHashMap;
use tocsin_bus::{DropReason, Verdict};
use tocsin_rules::{Finding, Hit, Kind, Rulebook, mention::Op};

use crate::{
    assess::{self, Reading},
    board::identity,
    criteria::Criteria,
    monitor::MonitorState,
    recall,
    record::{KnownTags, Record, Word, event_seconds},
    report::{self, Change},
};

pub use overview::Overview;
pub use values::{Basis, Grade, ThresholdValue};

/// What became of one hit.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// The one verdict.
    pub verdict: Verdict,
    /// Changes of level it caused, in order; passage of time up to its event time included.
    pub findings: Vec<Finding>,
}

/// Detection state of one partition.
#[derive(Debug)]
pub struct Detector {
    rulebook: Arc<Rulebook>,
    criteria: Criteria,
    /// Monitor id to its place in the rulebook.
    index: FxHashMap<Word, usize>,
    /// By place in the rulebook; none until a first hit.
    states: Vec<Option<Box<MonitorState>>>,
    /// When time alone may change something, and of which monitor.
    due: BTreeSet<(i64, usize)>,
    /// When the last mention of a monitor leaves the longest window at the earliest, by place: nothing is judged then,
    /// but its memory is given back. One entry a monitor at most, as `sweeping` says.
    sweeps: BTreeSet<(i64, usize)>,
    sweeping: Vec<bool>,
    watermark: Option<i64>,
    /// Evaluation time; never before the watermark.
    now: Option<i64>,
    clock_changed: bool,
    /// Monitors whose stored state must go.
    removed: Vec<String>,
    readings: Vec<Reading>,
    tags: KnownTags,
}

fn index(rulebook: &Rulebook) -> FxHashMap<Word, usize> {
    rulebook
        .monitors
        .iter()
        .enumerate()
        .map(|(place, monitor)| (monitor.id.as_bytes().into(), place))
        .collect()
}

impl Detector {
    /// Empty state.
    pub fn new(rulebook: Arc<Rulebook>) -> Self {
        Self {
            criteria: Criteria::of(&rulebook),
            index: index(&rulebook),
            states: rulebook.monitors.iter().map(|_| None).collect(),
            sweeps: BTreeSet::new(),
            sweeping: vec![false; rulebook.monitors.len()],
            rulebook,
            due: BTreeSet::new(),
            watermark: None,
            now: None,
            clock_changed: false,
            removed: Vec::new(),
            readings: Vec::new(),
            tags: KnownTags::default(),
        }
    }

    /// Takes one hit in.
    ///
    /// A known id is a duplicate whatever its age; an update of a known id renews its facts, of an unknown one counts
    /// as new; a retraction takes evidence away. Only a mention that is counted moves time.
    pub fn observe(&mut self, hit: &Hit) -> Observed {
        self.judge(hit, false)
    }

    /// Takes in a hit of a monitor that is counted anew: it counts however far behind the partition it comes, as long as
    /// some window reaches back to it. What was too old when it was observed feeds the past only, as it always did.
    pub fn recall(&mut self, hit: &Hit) -> Observed {
        self.judge(hit, true)
    }

    fn judge(&mut self, hit: &Hit, recalled: bool) -> Observed {
        let mut findings = Vec::new();
        let verdict = match self.place(&hit.monitor) {
            None => Verdict::Dropped(DropReason::UnknownMonitor),
            Some(place) => match hit.subject.op {
                Op::Delete => self.retract(place, hit, &mut findings),
                Op::Create | Op::Update => self.take_in(place, hit, recalled, &mut findings),
            },
        };
        Observed { verdict, findings }
    }

    /// Place in the rulebook.
    fn place(&self, monitor: &str) -> Option<usize> {
        self.index.get(monitor.as_bytes()).copied()
    }

    /// State of a monitor that has some.
    fn state(&self, monitor: &str) -> Option<&MonitorState> {
        self.states.get(self.place(monitor)?)?.as_deref()
    }

    fn retract(&mut self, place: usize, hit: &Hit, findings: &mut Vec<Finding>) -> Verdict {
        let (Some(state), Some(now)) = (self.states[place].as_mut(), self.now) else {
            return Verdict::Dropped(DropReason::NothingToRetract);
        };
        state.slide(now, &self.criteria);
        if !state.retract(identity(hit), &self.criteria) {
            return Verdict::Dropped(DropReason::NothingToRetract);
        }
        self.settle(place, now, Some(hit), findings);
        Verdict::Emitted
    }

    fn take_in(&mut self, place: usize, hit: &Hit, recalled: bool, findings: &mut Vec<Finding>) -> Verdict {
        let id = identity(hit);
        // A board is observed again and again: what is known of a topic is renewed.
        let is_update = hit.subject.op == Op::Update || hit.subject.kind == Kind::Topic;
        if let Some(state) = self.states[place].as_mut() {
            if state.ledger.contains(id) {
                let (true, Some(now)) = (is_update, self.now) else {
                    return Verdict::Dropped(DropReason::Duplicate);
                };
                state.slide(now, &self.criteria);
                state.renew(Record::of(hit, id, &mut self.tags), hit, now, &self.criteria);
                self.settle(place, now, Some(hit), findings);
                return Verdict::Emitted;
            }
            if state.ledger.has_forgotten(id) {
                if is_update && state.evidence.exhibits().iter().any(|e| e.id == id) {
                    state.evidence.offer(id, hit);
                    state.changed = true;
                    return Verdict::Dropped(DropReason::Late);
                }
                return Verdict::Dropped(DropReason::Duplicate);
            }
        }
        let at = i64::from(event_seconds(hit));
        let age = hit.subject.observed_at.as_second().saturating_sub(at);
        let behind = self.watermark.map_or(0, |watermark| watermark.saturating_sub(at));
        let is_behind = behind > self.criteria.lateness;
        let late = age > self.criteria.max_age || (is_behind && !recalled);
        if !late && !is_behind {
            self.pass(at, findings);
            if self.watermark.is_none_or(|watermark| at > watermark) {
                self.watermark = Some(at);
                self.clock_changed = true;
            }
        }
        let now = self.now.unwrap_or(at);
        let criteria = &self.criteria;
        let state = self.states[place].get_or_insert_with(|| Box::new(MonitorState::new(criteria, now)));
        let record = Record::of(hit, id, &mut self.tags);
        state.slide(now, criteria);
        state.changed = true;
        if late || state.is_past(record.at, criteria) {
            // Before the partition has a time of its own, the instant of observation says how far back a post lies.
            let seen = self.now.unwrap_or_else(|| hit.subject.observed_at.as_second());
            state.feed_past(record, hit, !is_update, seen, criteria);
            return Verdict::Dropped(DropReason::Late);
        }
        state.count(record, hit, now, criteria);
        self.settle(place, now, Some(hit), findings);
        Verdict::Emitted
    }

    /// Time passes up to `at` without hits. An instant already passed moves nothing; what is due by then (a rulebook has
    /// been swapped) is settled all the same.
    pub fn advance(&mut self, at: Timestamp) -> Vec<Finding> {
        let mut findings = Vec::new();
        // Before the first hit there is nothing that time could change.
        if let Some(now) = self.now {
            self.pass(at.as_second().max(now), &mut findings);
        }
        findings
    }

    /// Settles what falls due up to `until`, each at its time, and moves the evaluation time there.
    fn pass(&mut self, until: i64, findings: &mut Vec<Finding>) {
        while let Some(&(due, place)) = self.due.first().filter(|(due, _)| *due <= until) {
            self.due.pop_first();
            if let Some(state) = self.states[place].as_mut() {
                state.queued = None;
                state.changed = true;
                self.settle(place, due.max(self.now.unwrap_or(due)), None, findings);
            }
        }
        self.sweep(until);
        if self.now.is_none_or(|now| until > now) {
            self.now = Some(until);
            self.clock_changed = true;
        }
    }

    /// Lets go of what has left the longest window of monitors that nobody looks at any more.
    fn sweep(&mut self, until: i64) {
        while let Some(&(due, place)) = self.sweeps.first().filter(|(due, _)| *due <= until) {
            self.sweeps.remove(&(due, place));
            self.sweeping[place] = false;
            if let Some(state) = self.states[place].as_mut() {
                state.slide(until, &self.criteria);
                state.changed = true;
            }
            self.queue_sweep(place);
        }
    }

    fn queue_sweep(&mut self, place: usize) {
        let newest = self.states[place].as_ref().and_then(|state| state.ledger.newest());
        if let (false, Some(newest)) = (self.sweeping[place], newest) {
            self.sweeping[place] = true;
            let gone = (newest + self.criteria.longest()) * self.criteria.bucket_seconds;
            self.sweeps.insert((gone, place));
        }
    }

    /// Brings windows to `now`, grades, states a change of level and queues the next deadline.
    fn settle(&mut self, place: usize, now: i64, tip: Option<&Hit>, findings: &mut Vec<Finding>) {
        let (Some(state), Some(monitor)) = (self.states[place].as_mut(), self.rulebook.monitors.get(place))
        else {
            return;
        };
        let criteria = &self.criteria;
        state.changed = true;
        state.slide(now, criteria);
        assess::read(state, now, criteria, &mut self.readings);
        let assessment = assess::assess(&self.readings, monitor.ceiling, criteria);
        let grade = (assessment.impact, assessment.likelihood);
        if let Some(transition) = state.standing.judge(now, assessment.level, grade, criteria.cool_down) {
            // A hit's change bears the watermark, not the evaluation time, so that ticks leave no trace in its id.
            let at = if tip.is_some() { self.watermark.unwrap_or(now) } else { now };
            let change = Change { transition, at, assessment, tip };
            findings.push(report::state_change(state, monitor, &change, criteria, &mut self.readings));
        }
        self.queue(place, now);
    }

    /// Queues the next deadline by the readings in hand.
    fn queue(&mut self, place: usize, now: i64) {
        self.queue_sweep(place);
        let Some(state) = self.states[place].as_mut() else { return };
        let cooled = state.standing.deadline(self.criteria.cool_down);
        let awaits_surge = self.criteria.awaits_surge(&self.readings);
        let next = [state.next_exit(now, awaits_surge, &self.criteria), cooled].into_iter().flatten().min();
        if state.queued != next {
            if let Some(old) = state.queued {
                self.due.remove(&(old, place));
            }
            if let Some(new) = next {
                self.due.insert((new, place));
            }
            state.queued = next;
        }
    }

    /// The earliest event time at which time passing alone may change something.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.due.first().and_then(|(due, _)| Timestamp::from_second(*due).ok())
    }

    /// Goes on under another rulebook: windows are counted again from the mentions remembered; levels are judged anew
    /// at the next hit or deadline. State of monitors that are gone is dropped; an incident of theirs stays with people.
    pub fn swap(&mut self, rulebook: Arc<Rulebook>) {
        let old_bucket_seconds = self.criteria.bucket_seconds;
        let old_rulebook = std::mem::replace(&mut self.rulebook, rulebook);
        let old_states = std::mem::take(&mut self.states);
        self.criteria = Criteria::of(&self.rulebook);
        self.index = index(&self.rulebook);
        self.states = self.rulebook.monitors.iter().map(|_| None).collect();
        self.due.clear();
        self.sweeps.clear();
        self.sweeping = vec![false; self.rulebook.monitors.len()];
        let now = self.now.unwrap_or(0);
        for (monitor, state) in old_rulebook.monitors.iter().zip(old_states) {
            let Some(mut state) = state else { continue };
            match self.place(&monitor.id) {
                None => self.removed.push(monitor.id.clone()),
                Some(place) => {
                    state.rebuild(old_bucket_seconds, &self.criteria, now);
                    state.queued = Some(now);
                    self.due.insert((now, place));
                    self.states[place] = Some(state);
                }
            }
        }
    }

    /// As [`Detector::swap`]; of monitors that ask something else, what the old query matched within the longest window
    /// goes, and is expected through [`Detector::recall`]. A level stands until its cool-down is over.
    pub fn swap_and_forget(&mut self, rulebook: Arc<Rulebook>) {
        let old = Arc::clone(&self.rulebook);
        self.swap(Arc::clone(&rulebook));
        let now = self.now.unwrap_or(0);
        for id in recall::changed(&old, &rulebook) {
            let place = self.place(id);
            if let Some(state) = place.and_then(|place| self.states[place].as_mut()) {
                state.forget_mentions(now, &self.criteria);
            }
        }
    }

    /// Whether the rulebook has this monitor.
    pub fn knows(&self, monitor: &str) -> bool {
        self.place(monitor).is_some()
    }

    /// Monitors with state.
    pub fn monitors(&self) -> usize {
        self.states.iter().flatten().count()
    }

    /// Mentions remembered one by one.
    pub fn mentions(&self) -> usize {
        self.states.iter().flatten().map(|state| state.ledger.len()).sum()
    }

    /// Largest event time of a hit that was in time.
    pub fn watermark(&self) -> Option<Timestamp> {
        self.watermark.and_then(|at| Timestamp::from_second(at).ok())
    }
}

#[cfg(test)]
mod pack;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
