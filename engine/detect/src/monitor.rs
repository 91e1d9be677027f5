//! [`MonitorState`]: everything remembered of one monitor, and how a mention enters, changes and leaves it.
//! Refuses to grade; see [`crate::assess`].

use tocsin_rules::Hit;

use crate::{
    criteria::{Criteria, HOUR, What},
    evidence::Evidence,
    history::{History, hour_of},
    ledger::{Forgotten, Ledger},
    record::Record,
    standing::Standing,
    tally::{Folded, Tally},
};

/// State of one monitor.
#[derive(Debug, Clone)]
pub(crate) struct MonitorState {
    pub(crate) ledger: Ledger,
    /// One a window of the criteria.
    pub(crate) tallies: Vec<Tally>,
    /// Bucket the windows end with.
    pub(crate) current: i64,
    pub(crate) forgotten: Forgotten,
    pub(crate) history: History,
    pub(crate) evidence: Evidence,
    pub(crate) standing: Standing,
    /// By threshold: cut-off hour, revision of the history, baseline.
    pub(crate) baselines: Vec<Option<(u32, u64, Option<f64>)>>,
    /// Changed since the last checkpoint.
    pub(crate) changed: bool,
    /// Size of the state as last written.
    pub(crate) bytes: usize,
    /// Deadline under which the detector has it queued.
    pub(crate) queued: Option<i64>,
}

/// Changing tallies needs the windows beside them.
macro_rules! windows_holding {
    ($state:ident, $criteria:ident, $bucket:expr) => {
        $state
            .tallies
            .iter_mut()
            .zip(&$criteria.windows)
            .filter(|(_, window)| $bucket > $state.current - window.buckets)
            .map(|(tally, _)| tally)
    };
}

impl MonitorState {
    pub(crate) fn new(criteria: &Criteria, now: i64) -> Self {
        let mut history = History::default();
        history.track(criteria, now);
        Self {
            ledger: Ledger::default(),
            tallies: criteria.windows.iter().map(|window| Tally::new(criteria, window)).collect(),
            current: criteria.bucket(now),
            forgotten: Forgotten::default(),
            history,
            evidence: Evidence::default(),
            standing: Standing::default(),
            baselines: vec![None; criteria.thresholds.len()],
            changed: true,
            bytes: 0,
            queued: None,
        }
    }

    /// Moves every window up to `now`.
    pub(crate) fn slide(&mut self, now: i64, criteria: &Criteria) {
        let target = criteria.bucket(now);
        if target <= self.current {
            return;
        }
        for (tally, window) in self.tallies.iter_mut().zip(&criteria.windows) {
            let (old, new) = (self.current - window.buckets, target - window.buckets);
            for bucket in self.ledger.between(old, new) {
                bucket.records.iter().for_each(|record| tally.remove(record));
                if let Some(folded) = &bucket.folded {
                    tally.remove_folded(folded, criteria);
                }
            }
        }
        self.current = target;
        self.ledger.expire(target - criteria.longest(), &mut self.forgotten);
    }

    /// True when a mention of that event time would lie in no window.
    pub(crate) fn is_past(&self, at: u32, criteria: &Criteria) -> bool {
        criteria.bucket(i64::from(at)) <= self.current - criteria.longest()
    }

    /// Counts a mention not counted before.
    pub(crate) fn count(&mut self, mut record: Record, hit: &Hit, now: i64, criteria: &Criteria) {
        record.slots = criteria.slots_of(&record);
        let (id, hour) = (record.id, hour_of(i64::from(record.at)));
        self.history.add(&record, criteria, now);
        self.enter(record, criteria);
        self.note_peaks(hour, criteria);
        self.evidence.offer(id, hit);
    }

    /// Puts a record into windows and ledger.
    pub(crate) fn enter(&mut self, record: Record, criteria: &Criteria) {
        let bucket = criteria.bucket(i64::from(record.at));
        windows_holding!(self, criteria, bucket).for_each(|tally| tally.add(&record));
        self.ledger.insert(bucket, record);
        while let Some((bucket, record)) = self.ledger.fold_one(criteria) {
            windows_holding!(self, criteria, bucket).for_each(|tally| tally.forget(&record));
            self.forgotten.note(record.id);
        }
    }

    /// Puts totals without single facts back into windows and ledger.
    pub(crate) fn enter_folded(&mut self, at: i64, folded: Folded, criteria: &Criteria) {
        let bucket = criteria.bucket(at);
        if bucket > self.current - criteria.longest() {
            windows_holding!(self, criteria, bucket).for_each(|tally| tally.add_folded(&folded, criteria));
            self.ledger.insert_folded(bucket, folded);
        }
    }

    /// Takes a counted mention out of windows and history.
    fn leave(&mut self, id: u64, criteria: &Criteria) -> Option<Record> {
        let (bucket, record) = self.ledger.remove(id)?;
        windows_holding!(self, criteria, bucket).for_each(|tally| tally.remove(&record));
        self.history.remove(&record, criteria);
        Some(record)
    }

    /// A known mention has new counters or an edited text.
    pub(crate) fn renew(&mut self, newer: Record, hit: &Hit, now: i64, criteria: &Criteria) {
        let id = newer.id;
        if let Some(mut record) = self.leave(id, criteria) {
            record.renew(newer);
            record.slots = criteria.slots_of(&record);
            self.history.add(&record, criteria, now);
            self.enter(record, criteria);
            self.evidence.offer(id, hit);
        }
    }

    /// Retracts a mention. False when there was nothing of it.
    pub(crate) fn retract(&mut self, id: u64, criteria: &Criteria) -> bool {
        let counted = self.leave(id, criteria).is_some();
        let shown = self.evidence.remove(id);
        if counted {
            // A second delivery of the original must not count it again.
            self.forgotten.note(id);
        }
        counted || shown
    }

    /// A late mention feeds the past only.
    pub(crate) fn feed_past(
        &mut self,
        mut record: Record,
        hit: &Hit,
        is_new: bool,
        now: i64,
        criteria: &Criteria,
    ) {
        let id = record.id;
        if is_new {
            record.slots = criteria.slots_of(&record);
            self.history.add(&record, criteria, now);
        }
        self.evidence.offer(id, hit);
        self.forgotten.note(id);
    }

    /// The next instant at which some window loses something that matters: without an episode nothing can fall, and only
    /// what waits for silence can come to hold.
    pub(crate) fn next_exit(&self, criteria: &Criteria) -> Option<i64> {
        let in_episode = self.standing.episode.is_some();
        criteria
            .windows
            .iter()
            .filter(|w| in_episode || w.wants_silence)
            .filter_map(|w| {
                Some(
                    (self.ledger.first_after(self.current - w.buckets)? + w.buckets)
                        * criteria.bucket_seconds,
                )
            })
            .min()
    }

    /// Windows, slots and thresholds have other meanings now: count everything remembered again.
    /// Buckets were `old_bucket_seconds` wide.
    pub(crate) fn rebuild(&mut self, old_bucket_seconds: i64, criteria: &Criteria, now: i64) {
        let old = std::mem::take(&mut self.ledger);
        self.current = criteria.bucket(now);
        self.tallies = criteria.windows.iter().map(|window| Tally::new(criteria, window)).collect();
        self.baselines = vec![None; criteria.thresholds.len()];
        self.history.track(criteria, now);
        for bucket in old.into_buckets() {
            if let Some(folded) = bucket.folded {
                self.enter_folded(bucket.index * old_bucket_seconds, *folded, criteria);
            }
            for mut record in bucket.records {
                if self.is_past(record.at, criteria) {
                    self.forgotten.note(record.id);
                    continue;
                }
                record.slots = criteria.slots_of(&record);
                self.enter(record, criteria);
            }
        }
    }

    /// What was matched within the longest window goes, to be counted anew; level, deadline and older hours stay.
    pub(crate) fn forget_mentions(&mut self, now: i64, criteria: &Criteria) {
        let mut history = std::mem::take(&mut self.history);
        history.forget_since(hour_of(now - criteria.longest() * criteria.bucket_seconds));
        history.track(criteria, now);
        let standing = std::mem::take(&mut self.standing);
        let queued = self.queued;
        *self = Self { history, standing, queued, ..Self::new(criteria, now) };
    }

    /// Baseline of one ratio threshold at `now`, from cache unless the hour or the past changed.
    pub(crate) fn baseline(
        &mut self,
        threshold: usize,
        what: What,
        seconds: i64,
        now: i64,
        criteria: &Criteria,
    ) -> Option<f64> {
        let mut start = now.saturating_sub(seconds);
        if let Some(episode) = &self.standing.episode {
            start = start.min(episode.onset);
        }
        let (cutoff, revision) = (hour_of(start), self.history.revision());
        if let Some(Some((at, of, baseline))) = self.baselines.get(threshold)
            && (*at, *of) == (cutoff, revision)
        {
            return *baseline;
        }
        let baseline = self.history.baseline(what, seconds, cutoff, criteria);
        if let Some(cached) = self.baselines.get_mut(threshold) {
            *cached = Some((cutoff, revision, baseline));
        }
        baseline
    }

    /// Distinct counts cannot be summed over hours, so the largest of the window nearest to an hour is kept.
    fn note_peaks(&mut self, hour: u32, criteria: &Criteria) {
        if criteria.peaks.is_empty() || i64::from(hour) != self.current * criteria.bucket_seconds / HOUR {
            return;
        }
        let of = |what| {
            criteria.peaks.iter().find(|(w, _)| *w == what).map_or(0.0, |(w, i)| self.tallies[*i].value(*w))
        };
        let (authors, platforms, copies) = (of(What::Authors), of(What::Platforms), of(What::Copies));
        self.history.peak(hour, authors, platforms, copies);
    }
}
