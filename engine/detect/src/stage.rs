//! The thin stage around [`Detector`]: bytes to hits, findings to records, checkpoints on time. Refuses to decide
//! anything about a monitor itself.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use tocsin_bus::{
    Clock, DeadReason, DropReason, Fault, Message, Outcome, Payload, Record, Stage, Topic, Verdict,
};
use tocsin_rules::{Finding, Hit, Rulebook};
use tracing::{error, info};

use crate::{
    checkpoint::Checkpoints,
    detector::{Detector, Observed},
    error::Error,
    metrics,
    recall::RECALLED,
    sequence::{Sequence, Taken},
};

/// Messages whose monitors' state is fetched at once: what that brings in fits the second level of the cache.
const AHEAD: usize = 32;

/// Puts a new rulebook in force; the stage takes it up before its next batch or tick.
#[derive(Debug, Clone)]
pub struct RulebookHandle(Arc<ArcSwap<Rulebook>>);

impl RulebookHandle {
    /// Replaces the rulebook.
    pub fn swap(&self, rulebook: Arc<Rulebook>) {
        self.0.store(rulebook);
    }
}

/// Detection as a stage: reads hits, writes findings.
#[derive(Debug)]
pub struct DetectStage<C> {
    checkpoints: C,
    clock: Arc<dyn Clock>,
    handle: RulebookHandle,
    rulebook: Arc<Rulebook>,
    partitions: BTreeMap<i32, Owned>,
    skew: Option<SignedDuration>,
    rebuilt: bool,
    hold: SignedDuration,
}

#[derive(Debug)]
struct Owned {
    detector: Detector,
    sequence: Sequence,
    epoch: u64,
    next: Option<i64>,
}

impl Owned {
    /// Judges a hit, or holds it back and judges those whose turn has come.
    fn judge(&mut self, hit: Hit, recalled: bool, hold: i64) -> Observed {
        if recalled {
            return self.detector.recall(&hit);
        }
        if hold == 0 && self.sequence.len() == 0 || !self.detector.knows(&hit.monitor) {
            return self.detector.observe(&hit);
        }
        let mut observed = match self.sequence.take(hit, hold) {
            // Taken into state.
            Taken::Held => Observed { verdict: Verdict::Emitted, findings: Vec::new() },
            Taken::Known => {
                Observed { verdict: Verdict::Dropped(DropReason::Duplicate), findings: Vec::new() }
            }
            Taken::Passed(hit) => self.detector.observe(&hit),
        };
        observed.findings.extend(self.release(hold, None));
        observed
    }

    fn release(&mut self, hold: i64, passed: Option<i64>) -> Vec<Finding> {
        let mut findings = Vec::new();
        while let Some(hit) = self.sequence.next(hold, passed) {
            findings.extend(self.detector.observe(&hit).findings);
        }
        findings
    }

    fn is_changed(&self) -> bool {
        self.detector.is_changed() || self.sequence.is_changed()
    }
}

impl<C: Checkpoints> DetectStage<C> {
    /// Owns nothing until partitions are assigned.
    pub fn new(rulebook: Arc<Rulebook>, checkpoints: C, clock: Arc<dyn Clock>) -> Self {
        metrics::seed();
        let handle = RulebookHandle(Arc::new(ArcSwap::new(Arc::clone(&rulebook))));
        Self {
            checkpoints,
            clock,
            handle,
            rulebook,
            partitions: BTreeMap::new(),
            skew: None,
            rebuilt: false,
            hold: SignedDuration::ZERO,
        }
    }

    /// Does not believe an `observed_at` more than `span` after the broker's time of the message: one source with a
    /// clock of 2099 would otherwise make every other hit late. For live streams, not for replays.
    #[must_use]
    pub fn with_skew_guard(mut self, span: SignedDuration) -> Self {
        self.skew = Some(span);
        self
    }

    /// Somebody recalls the mentions of monitors whose query is edited, so that what the old query matched can go at once.
    #[must_use]
    pub fn with_rebuilds(mut self) -> Self {
        self.rebuilt = true;
        self
    }

    /// Holds every hit back until the newest is `span` of event time ahead (or as much time has passed) and judges them in
    /// the order of their event time: findings are then the same to the byte whatever order hits come in, as long as none
    /// comes later than that. Alarms come as much later. At most the allowed lateness.
    #[must_use]
    pub fn with_hold(mut self, span: SignedDuration) -> Self {
        self.hold = span.max(SignedDuration::ZERO);
        self
    }

    /// For hot reload.
    pub fn handle(&self) -> RulebookHandle {
        self.handle.clone()
    }

    /// The detector of an owned partition, for `explain` and series.
    pub fn detector(&self, partition: i32) -> Option<&Detector> {
        self.partitions.get(&partition).map(|owned| &owned.detector)
    }

    /// When a tick next changes something, by the clock ticks are given: where a replay may jump to.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let owned = || self.partitions.values();
        let due = owned().filter_map(|owned| owned.detector.next_deadline()).min();
        let due = due.and_then(|due| due.checked_add(self.held_back()).ok());
        let held = owned().filter_map(|owned| owned.sequence.first()).min();
        let turn = held.and_then(|at| Timestamp::from_second(at + self.hold_seconds() + 1).ok());
        due.into_iter().chain(turn).min()
    }

    fn hold_seconds(&self) -> i64 {
        self.hold.min(self.held_back()).as_secs()
    }

    /// How far ticks stay behind the clock. A post that is seen this long after it was published still finds its windows
    /// where its own time puts them: without it a window shorter than a source's delay would never count that source, and
    /// what a hit leads to would depend on when ticks came.
    fn held_back(&self) -> SignedDuration {
        let seconds = self.rulebook.detection.allowed_lateness_seconds;
        SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
    }

    fn take_up_rulebook(&mut self) {
        let newest = self.handle.0.load_full();
        if Arc::ptr_eq(&newest, &self.rulebook) {
            return;
        }
        info!(version = %newest.version, "detection goes on under another rulebook");
        for owned in self.partitions.values_mut() {
            if self.rebuilt {
                owned.detector.swap_and_forget(Arc::clone(&newest));
            } else {
                owned.detector.swap(Arc::clone(&newest));
            }
        }
        self.rulebook = newest;
    }

    /// Loads a partition's state, unless it is held already. Returns the offset to start from.
    async fn own(&mut self, partition: i32) -> Result<Option<i64>, Fault> {
        if let Some(owned) = self.partitions.get(&partition) {
            return Ok(owned.next);
        }
        let found = self.checkpoints.open(partition).await?;
        let mut detector = Detector::new(Arc::clone(&self.rulebook));
        detector.restore_clock(&found.clock);
        let (mut sequence, hold) = (Sequence::default(), self.hold_seconds());
        for (monitor, state) in &found.monitors {
            if Sequence::is_own(monitor) {
                if let Err(fault) = sequence.restore(state, hold) {
                    error!(%fault, "hits held back cannot be read: they are lost");
                }
                continue;
            }
            match detector.restore(monitor, state) {
                Ok(()) => {}
                // A newer program's state is not ours to throw away: wait for an operator.
                Err(fault @ Error::NewerState { .. }) => return Err(fault.into()),
                Err(fault) => error!(%monitor, %fault, "state cannot be read: the monitor starts afresh"),
            }
        }
        info!(partition, next = ?found.next, monitors = found.monitors.len(), epoch = found.epoch, "state loaded");
        self.partitions.insert(partition, Owned { detector, sequence, epoch: found.epoch, next: found.next });
        Ok(found.next)
    }

    /// Has the state of the monitors at hand that these messages are keyed by.
    fn fetch<'m>(&self, messages: impl Iterator<Item = &'m Message> + Clone) {
        for (partition, owned) in &self.partitions {
            let own = messages.clone().filter(|message| message.partition == *partition);
            owned.detector.fetch(own.map(|message| message.key.as_ref()));
        }
    }

    fn observe_sizes(&self, now: Timestamp) {
        let detectors = || self.partitions.values().map(|owned| &owned.detector);
        metrics::MONITORS
            .set(i64::try_from(detectors().map(Detector::monitors).sum::<usize>()).unwrap_or(i64::MAX));
        metrics::STATE_BYTES
            .set(i64::try_from(detectors().map(Detector::state_bytes).sum::<usize>()).unwrap_or(i64::MAX));
        if let Some(oldest) = detectors().filter_map(Detector::watermark).min() {
            metrics::WATERMARK_DELAY.set(now.as_second().saturating_sub(oldest.as_second()).max(0));
        }
    }

    /// Writes one partition's changes and its next offset.
    async fn write(&mut self, partition: i32, next: Option<i64>) -> Result<(), Error> {
        let Some(owned) = self.partitions.get_mut(&partition) else { return Ok(()) };
        let next = next.or(owned.next);
        let mut delta = owned.detector.delta(next)?;
        delta.monitors.extend(owned.sequence.delta()?);
        let started = self.clock.elapsed();
        let written = self.checkpoints.write(partition, owned.epoch, &delta).await;
        let outcome = match &written {
            Ok(()) => "written",
            Err(Error::Fenced(_)) => "fenced",
            Err(_) => "failed",
        };
        metrics::CHECKPOINTS.with_label_values(&[outcome]).inc();
        written?;
        metrics::CHECKPOINT_SECONDS.observe(self.clock.elapsed().saturating_sub(started).as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "a size for a histogram")]
        metrics::CHECKPOINT_BYTES.observe(delta.bytes() as f64);
        owned.next = next;
        owned.detector.written(&delta);
        owned.sequence.written();
        Ok(())
    }
}

/// Does not believe an observation from the future.
fn guard(skew: Option<SignedDuration>, hit: &mut Hit, stamped: Timestamp) {
    if let Some(span) = skew
        && hit.subject.observed_at > stamped.saturating_add(span).unwrap_or(stamped)
    {
        hit.subject.observed_at = stamped;
    }
}

/// Findings as records.
fn publish(findings: &[Finding]) -> Result<Vec<Record>, Fault> {
    findings
        .iter()
        .map(|finding| {
            metrics::FINDINGS.with_label_values(&[finding.level.as_str(), finding.transition.as_str()]).inc();
            Record::of(finding).map_err(|e| Fault::Retry {
                what: "a finding cannot be encoded".to_owned(),
                source: Some(e.into()),
            })
        })
        .collect()
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Emitted => "emitted",
        Verdict::Dropped(reason) => reason.as_str(),
        Verdict::DeadLettered(reason) => reason.as_str(),
    }
}

fn parse(message: &Message) -> Result<Hit, Outcome> {
    if let Some(schema) = message.header("schema")
        && schema.parse::<u16>().is_ok_and(|schema| schema > Hit::SCHEMA)
    {
        return Err(Outcome::dead(
            DeadReason::UnknownSchema,
            format!("schema {schema}, read up to {}", Hit::SCHEMA),
        ));
    }
    serde_json::from_slice(&message.payload).map_err(|fault| {
        // Line and column only: the message of a JSON fault may repeat text.
        let place = format!("line {} column {}", fault.line(), fault.column());
        Outcome::dead(DeadReason::InvalidJson, format!("not a hit: {place}"))
    })
}

impl<C: Checkpoints> Stage for DetectStage<C> {
    fn name(&self) -> &'static str {
        "detect"
    }

    fn input(&self) -> Topic {
        Topic::Hits
    }

    async fn assigned(&mut self, partitions: &[i32]) -> Result<BTreeMap<i32, i64>, Fault> {
        self.take_up_rulebook();
        let mut start = BTreeMap::new();
        for &partition in partitions {
            // Whoever assigns anew means a new ownership: what is held may be stale.
            self.partitions.remove(&partition);
            if let Some(next) = self.own(partition).await? {
                start.insert(partition, next);
            }
        }
        Ok(start)
    }

    fn revoked(&mut self, partitions: &[i32]) {
        for partition in partitions {
            self.partitions.remove(partition);
        }
    }

    async fn process(&mut self, batch: &[Message]) -> Result<Vec<Outcome>, Fault> {
        self.take_up_rulebook();
        let hold = self.hold_seconds();
        // A partition fenced off at a checkpoint is not taken up here: its messages would go on after a hole.
        if let Some(message) = batch.iter().find(|message| !self.partitions.contains_key(&message.partition))
        {
            return Err(Fault::Fenced(message.partition));
        }
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut verdicts: Vec<(Verdict, u64)> = Vec::new();
        for (index, message) in batch.iter().enumerate() {
            if index % AHEAD == 0 {
                self.fetch(batch.iter().skip(index).take(AHEAD));
            }
            let outcome = match (parse(message), self.partitions.get_mut(&message.partition)) {
                (Err(dead), _) => dead,
                // What the checkpoint holds already.
                (Ok(_), Some(owned)) if owned.next.is_some_and(|next| message.offset < next) => {
                    Outcome::dropped(DropReason::Duplicate)
                }
                (Ok(mut hit), Some(owned)) => {
                    guard(self.skew, &mut hit, message.timestamp);
                    let observed = owned.judge(hit, message.header(RECALLED).is_some(), hold);
                    let records = publish(&observed.findings)?;
                    Outcome { verdict: observed.verdict, records, detail: None }
                }
                (Ok(_), None) => {
                    return Err(Fault::Retry { what: "partition is not owned".to_owned(), source: None });
                }
            };
            match verdicts.iter_mut().find(|(verdict, _)| *verdict == outcome.verdict) {
                Some((_, count)) => *count += 1,
                None => verdicts.push((outcome.verdict, 1)),
            }
            outcomes.push(outcome);
        }
        for (verdict, count) in verdicts {
            metrics::HITS.with_label_values(&[word(verdict)]).inc_by(count);
        }
        Ok(outcomes)
    }

    async fn checkpoint(&mut self, next: &BTreeMap<i32, i64>) -> Result<(), Fault> {
        let owned: Vec<i32> = self
            .partitions
            .iter()
            .filter(|(partition, owned)| next.contains_key(partition) || owned.is_changed())
            .map(|(partition, _)| *partition)
            .collect();
        let mut first_fault = None;
        for partition in owned {
            match self.write(partition, next.get(&partition).copied()).await {
                Ok(()) => {}
                Err(Error::Fenced(_)) => drop(self.partitions.remove(&partition)),
                Err(fault) => drop(first_fault.get_or_insert(fault)),
            }
        }
        // Each lost partition is told of, one a call, before anything is tried again.
        if let Some(lost) = next.keys().find(|partition| !self.partitions.contains_key(partition)) {
            return Err(Fault::Fenced(*lost));
        }
        first_fault.map_or(Ok(()), |fault| Err(fault.into()))
    }

    async fn tick(&mut self, now: Timestamp, caught_up: &[i32]) -> Result<Vec<Record>, Fault> {
        self.take_up_rulebook();
        let mut records = Vec::new();
        let passed = now.checked_sub(self.held_back()).unwrap_or(Timestamp::MIN);
        let hold = self.hold_seconds();
        for partition in caught_up {
            if let Some(owned) = self.partitions.get_mut(partition) {
                records.extend(publish(&owned.release(hold, Some(now.as_second() - hold - 1)))?);
                records.extend(publish(&owned.detector.advance(passed))?);
            }
        }
        self.observe_sizes(now);
        Ok(records)
    }
}

#[cfg(test)]
mod tests;
