//! [`MonitorState`]: everything remembered of one monitor, and how a mention enters, changes and leaves it.
//! Refuses to grade; see [`crate::assess`].

use tocsin_rules::Hit;

use crate::{
    board::{Board, is_named_in_title},
    criteria::{Criteria, HOUR, What},
    evidence::Evidence,
    growth::Growths,
    history::{History, hour_of, share_limit},
    ledger::Ledger,
    record::Record,
    standing::Standing,
    surge::Surges,
    tally::{Folded, Tallies},
};

/// Seconds for which an open episode keeps its baseline from before: three days.
const LASTING: i64 = 72 * HOUR;

/// State of one monitor.
#[derive(Debug, Clone)]
pub(crate) struct MonitorState {
    /// Bucket the windows end with.
    pub(crate) current: i64,
    pub(crate) ledger: Ledger,
    pub(crate) tallies: Tallies,
    pub(crate) history: History,
    pub(crate) board: Board,
    pub(crate) surges: Surges,
    pub(crate) growths: Growths,
    pub(crate) evidence: Evidence,
    pub(crate) standing: Standing,
    /// By threshold: what is usual, as last worked out.
    baselines: Vec<Option<Known>>,
    /// Changed since the last checkpoint.
    pub(crate) changed: bool,
    /// Size of the state as last written.
    pub(crate) bytes: usize,
    /// Deadline under which the detector has it queued.
    pub(crate) queued: Option<i64>,
}

/// What is usual of one threshold, and by what it was worked out.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// Cut-off hour, current hour, revision of the history.
    by: (u32, u32, u64),
    usual: Option<f64>,
    /// Value from which on it is improbable, for a surprise.
    limit: Option<f64>,
}

/// Windows that hold a bucket.
fn windows_holding(bucket: i64, current: i64, criteria: &Criteria) -> impl Iterator<Item = usize> {
    let windows = criteria.windows.iter().enumerate();
    windows.filter(move |(_, window)| bucket > current - window.buckets).map(|(index, _)| index)
}

impl MonitorState {
    pub(crate) fn new(criteria: &Criteria, now: i64) -> Self {
        let mut history = History::default();
        history.track(criteria, now);
        let mut surges = Surges::default();
        surges.watch(&criteria.surges);
        Self {
            current: criteria.bucket(now),
            ledger: Ledger::default(),
            tallies: Tallies::new(criteria),
            history,
            board: Board::default(),
            surges,
            growths: Growths::default(),
            evidence: Evidence::default(),
            standing: Standing::default(),
            baselines: Vec::new(),
            changed: true,
            bytes: 0,
            queued: None,
        }
    }

    /// Reads one word of each line of the cache this struct fills; of no meaning.
    pub(crate) fn fetch(&self) -> u64 {
        self.ledger.fetch()
            ^ self.tallies.fetch()
            ^ self.history.fetch()
            ^ self.surges.fetch()
            ^ self.current.unsigned_abs()
            ^ self.standing.changed_at.unsigned_abs()
            ^ self.queued.map_or(0, i64::unsigned_abs)
            ^ (self.evidence.exhibits().len() + self.baselines.len()) as u64
    }

    /// The same of what a hit will touch behind its pointers.
    pub(crate) fn fetch_behind(&self) -> u64 {
        self.evidence.fetch()
            ^ self.ledger.fetch_behind()
            ^ self.tallies.fetch_behind()
            ^ self.history.fetch_behind()
    }

    /// The same of the mentions that may leave a window.
    pub(crate) fn fetch_leaving(&self, criteria: &Criteria) -> u64 {
        let edges = criteria.windows.iter().map(|window| self.current - window.buckets);
        edges.fold(self.evidence.fetch_least(), |seen, edge| seen ^ self.ledger.fetch_after(edge))
    }

    /// Moves every window up to `now`.
    pub(crate) fn slide(&mut self, now: i64, criteria: &Criteria) {
        self.surges.judge(now, criteria.lateness);
        let target = criteria.bucket(now);
        if target <= self.current {
            return;
        }
        for (index, window) in criteria.windows.iter().enumerate() {
            let (old, new) = (self.current - window.buckets, target - window.buckets);
            for bucket in self.ledger.between(old, new) {
                bucket.records().for_each(|record| self.tallies.shift(index, record, false, criteria));
                if let Some(folded) = bucket.folded {
                    self.tallies.shift_folded(index, folded, false, criteria);
                }
            }
        }
        self.current = target;
        self.ledger.expire(target - criteria.longest());
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
        self.note_topic(&record, hit, now);
        self.surges.add(&record);
        self.enter(record, criteria);
        self.note_peaks(hour, criteria);
        self.evidence.offer(id, hit);
    }

    /// Puts a record into windows and ledger.
    pub(crate) fn enter(&mut self, record: Record, criteria: &Criteria) {
        let bucket = criteria.bucket(i64::from(record.at));
        for window in windows_holding(bucket, self.current, criteria) {
            self.tallies.shift(window, &record, true, criteria);
        }
        self.ledger.insert(bucket, record);
        while let Some((bucket, record)) = self.ledger.fold_one(criteria) {
            for window in windows_holding(bucket, self.current, criteria) {
                self.tallies.forget(window, &record, criteria);
            }
        }
    }

    /// Puts totals without single facts back into windows and ledger.
    pub(crate) fn enter_folded(&mut self, at: i64, folded: Folded, criteria: &Criteria) {
        let bucket = criteria.bucket(at);
        if bucket > self.current - criteria.longest() {
            for window in windows_holding(bucket, self.current, criteria) {
                self.tallies.shift_folded(window, &folded, true, criteria);
            }
            self.ledger.insert_folded(bucket, folded);
        }
    }

    /// Takes a counted mention out of windows and history.
    fn leave(&mut self, id: u64, criteria: &Criteria) -> Option<Record> {
        let (bucket, record) = self.ledger.remove(id, |at| criteria.bucket(i64::from(at)))?;
        for window in windows_holding(bucket, self.current, criteria) {
            self.tallies.shift(window, &record, false, criteria);
        }
        self.history.remove(&record, criteria);
        self.surges.remove(&record);
        Some(record)
    }

    fn note_topic(&mut self, record: &Record, hit: &Hit, now: i64) {
        if record.is_topic() && is_named_in_title(hit) {
            self.board.note(record.id, record.at, !hit.categories.is_empty(), now);
        }
    }

    /// A known mention has new counters or an edited text.
    pub(crate) fn renew(&mut self, newer: Record, hit: &Hit, now: i64, criteria: &Criteria) {
        let id = newer.id;
        if let Some(mut record) = self.leave(id, criteria) {
            let before = record.engagement();
            record.renew(newer);
            if !criteria.growth_windows.is_empty() {
                self.growths.observe(&record, before, hit.subject.observed_at.as_second());
            }
            record.slots = criteria.slots_of(&record);
            self.history.add(&record, criteria, now);
            self.note_topic(&record, hit, now);
            self.surges.add(&record);
            self.enter(record, criteria);
            self.evidence.offer(id, hit);
        }
    }

    /// Retracts a mention. False when there was nothing of it.
    pub(crate) fn retract(&mut self, id: u64, criteria: &Criteria) -> bool {
        let counted = self.leave(id, criteria).is_some();
        let shown = self.evidence.remove(id);
        self.board.remove(id);
        self.growths.remove(id);
        if counted {
            // A second delivery of the original must not count it again.
            self.ledger.note(id);
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
        self.note_topic(&record, hit, now);
        self.evidence.offer(id, hit);
        if !record.is_topic() {
            self.ledger.note(id);
        }
    }

    /// The next instant at which something that matters changes by itself: without an episode nothing can fall, and only
    /// what waits for silence or, as `awaits_surge` says, for a bucket to be judged can come to hold.
    pub(crate) fn next_exit(&self, now: i64, awaits_surge: bool, criteria: &Criteria) -> Option<i64> {
        let in_episode = self.standing.episode.is_some();
        let others = [
            self.board.next_exit(&criteria.board_windows, now).filter(|_| in_episode),
            (in_episode || awaits_surge)
                .then(|| self.surges.next_change(&criteria.surge_windows, now, criteria.lateness))
                .flatten(),
            self.growths.next_exit(&criteria.growth_windows, now).filter(|_| in_episode),
            self.next_look_at_silence(now, criteria),
        ];
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
            .chain(others.into_iter().flatten())
            .min()
    }

    /// Windows, slots and thresholds have other meanings now: count everything remembered again.
    /// Buckets were `old_bucket_seconds` wide.
    pub(crate) fn rebuild(&mut self, old_bucket_seconds: i64, criteria: &Criteria, now: i64) {
        let old = self.ledger.clear();
        self.current = criteria.bucket(now);
        self.tallies = Tallies::new(criteria);
        self.baselines = Vec::new();
        self.history.track(criteria, now);
        self.surges.watch(&criteria.surges);
        for (index, folded, records) in old {
            if let Some(folded) = folded {
                self.enter_folded(index * old_bucket_seconds, folded, criteria);
            }
            for mut record in records {
                if self.is_past(record.at, criteria) {
                    self.ledger.note(record.id);
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

    fn know(&mut self, threshold: usize, known: Known, criteria: &Criteria) {
        // Most monitors never come near a limit that has to be worked out.
        if self.baselines.is_empty() {
            self.baselines = vec![None; criteria.thresholds.len()];
        }
        if let Some(cached) = self.baselines.get_mut(threshold) {
            *cached = Some(known);
        }
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
        let by = self.learned_by(seconds, now);
        if let Some(Some(known)) = self.baselines.get(threshold)
            && (known.by.0, known.by.2) == (by.0, by.2)
        {
            return known.usual;
        }
        let usual = self.history.baseline(what, seconds, by.0, criteria);
        self.know(threshold, Known { by, usual, limit: None }, criteria);
        usual
    }

    /// What is usual at this time of day, and the value from which on it is improbable: 10 to the minus `surprise`.
    /// None while too little is known.
    pub(crate) fn improbable(
        &mut self,
        threshold: usize,
        (what, window): (What, usize),
        surprise: f64,
        now: i64,
        criteria: &Criteria,
    ) -> Option<(f64, f64)> {
        let seconds = criteria.windows[window].seconds;
        let by = self.learned_by(seconds, now);
        let known = match self.baselines.get(threshold) {
            Some(Some(known)) if known.by == by => *known,
            _ => {
                let (usual, limit) = match what {
                    What::Share => (self.history.usual_share(by.0), None),
                    _ => match self.history.usual(what, seconds, now, by.0, criteria) {
                        Some(usual) => (Some(usual.centre), Some(usual.limit(surprise))),
                        None => (None, None),
                    },
                };
                let known = Known { by, usual, limit };
                self.know(threshold, known, criteria);
                known
            }
        };
        let usual = known.usual?;
        let limit = known.limit.unwrap_or_else(|| share_limit(usual, self.tallies.volume(window), surprise));
        Some((usual, limit))
    }

    /// How improbable it is that a window holds nothing.
    pub(crate) fn silence(&mut self, threshold: usize, window: usize, now: i64, criteria: &Criteria) -> f64 {
        let by = self.learned_by(criteria.windows[window].seconds, now);
        if let Some(Some(known)) = self.baselines.get(threshold)
            && known.by == by
        {
            return known.limit.unwrap_or(0.0);
        }
        let seconds = criteria.windows[window].seconds;
        let usual = self.history.usual(What::Volume, seconds, now, by.0, criteria);
        let (usual, limit) = (usual.map(|u| u.centre), usual.map(|u| u.silence()));
        self.know(threshold, Known { by, usual, limit }, criteria);
        limit.unwrap_or(0.0)
    }

    /// While a window is silent, what is usual changes with the hour; after a week silence is the usual.
    fn next_look_at_silence(&self, now: i64, criteria: &Criteria) -> Option<i64> {
        let silent = criteria.flatlines.iter().any(|window| self.tallies.volume(*window) == 0);
        let recent = now < self.history.newest()? + 8 * 24 * HOUR;
        (silent && recent).then(|| (now.div_euclid(HOUR) + 1) * HOUR)
    }

    /// By what a baseline is learned: hours before the window and before an open episode, which is not its own
    /// yardstick; but a change that has lasted for [`LASTING`] is the new normal.
    fn learned_by(&self, seconds: i64, now: i64) -> (u32, u32, u64) {
        let mut start = now.saturating_sub(seconds);
        if let Some(episode) = &self.standing.episode {
            start = start.min(episode.onset.max(start - LASTING));
        }
        (hour_of(start), hour_of(now), self.history.revision())
    }

    /// Distinct counts cannot be summed over hours, so the largest of the window nearest to an hour is kept.
    fn note_peaks(&mut self, hour: u32, criteria: &Criteria) {
        if criteria.peaks.is_empty() || i64::from(hour) != self.current * criteria.bucket_seconds / HOUR {
            return;
        }
        let of = |what| {
            criteria
                .peaks
                .iter()
                .find(|(w, _)| *w == what)
                .map_or(0.0, |(w, i)| self.tallies.value(*i, *w, criteria))
        };
        let (authors, platforms, copies) = (of(What::Authors), of(What::Platforms), of(What::Copies));
        self.history.peak(hour, authors, platforms, copies);
    }
}
