//! Batches that are judged and whose records are on their way. A flight has landed when the broker has acknowledged
//! every record; only then do its offsets count as done and its verdicts get counted.

use std::{sync::Arc, time::Duration};

use super::{LoopSettings, dead_letter, metrics::StageMetrics};
use crate::{
    driver::Producer,
    error::SendError,
    ledger::RunId,
    receipt::Receipt,
    stage::Outcome,
    topics::{Message, Record, Topic},
    verdict::{DeadReason, Verdict},
};

/// Where a run of offsets belongs: partition, which assignment of it, which run.
pub(super) type Run = (i32, u64, RunId);

/// No message stands behind a record (it came from a tick).
const NONE: usize = usize::MAX;

pub(super) struct Flight {
    stage: &'static str,
    pub(super) runs: Vec<Run>,
    batch: Vec<Message>,
    pub(super) verdicts: Vec<Verdict>,
    records: Vec<Record>,
    /// Index into `batch` of each record's message.
    origin: Vec<usize>,
    /// Records to hand over, by index, in order.
    to_send: std::collections::VecDeque<usize>,
    receipt: Receipt,
    pub(super) bytes: usize,
    pub(super) landed: bool,
    attempt: u32,
    not_before: Duration,
}

/// What a look at a flight found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Every record is acknowledged.
    Landed,
    /// Records wait for the broker.
    Flying,
    /// Records wait for room.
    Blocked,
    /// The broker refused records; they go out again after a pause.
    Refused(String),
}

impl Flight {
    /// One batch with its outcomes, one each.
    pub(super) fn of(
        stage: &'static str,
        batch: Vec<Message>,
        outcomes: Vec<Outcome>,
        runs: Vec<Run>,
    ) -> Self {
        let mut flight = Self::empty(stage, batch, runs);
        for (i, outcome) in outcomes.into_iter().enumerate() {
            flight.verdicts.push(outcome.verdict);
            for record in outcome.records {
                flight.add(record, i);
            }
            if let Verdict::DeadLettered(reason) = outcome.verdict {
                let detail = outcome.detail.unwrap_or_default();
                let letter = dead_letter::of(stage, &flight.batch[i], reason, &detail);
                flight.add(letter, i);
            }
        }
        flight
    }

    /// Records of a tick.
    pub(super) fn of_tick(stage: &'static str, records: Vec<Record>) -> Self {
        let mut flight = Self::empty(stage, Vec::new(), Vec::new());
        for record in records {
            flight.add(record, NONE);
        }
        flight
    }

    fn empty(stage: &'static str, batch: Vec<Message>, runs: Vec<Run>) -> Self {
        Self {
            stage,
            runs,
            verdicts: Vec::with_capacity(batch.len()),
            batch,
            records: Vec::new(),
            origin: Vec::new(),
            to_send: std::collections::VecDeque::new(),
            receipt: Receipt::new(),
            bytes: 0,
            landed: false,
            attempt: 0,
            not_before: Duration::ZERO,
        }
    }

    fn add(&mut self, record: Record, origin: usize) {
        self.bytes += record.payload.len() + record.key.len();
        self.to_send.push_back(self.records.len());
        self.records.push(record);
        self.origin.push(origin);
    }

    pub(super) fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    pub(super) fn records(&self) -> usize {
        self.records.len()
    }

    /// Everything is handed over and waits for the broker.
    pub(super) fn is_sent(&self) -> bool {
        self.to_send.is_empty()
    }

    /// Hands over what it can and looks at what came back.
    pub(super) fn advance(
        &mut self,
        producer: &dyn Producer,
        settings: &LoopSettings,
        now: Duration,
        metrics: &Arc<StageMetrics>,
    ) -> State {
        if now < self.not_before {
            return State::Flying;
        }
        loop {
            while let Some(index) = self.to_send.front().copied() {
                let ticket = self.receipt.ticket(u32::try_from(index).unwrap_or(u32::MAX));
                match producer.enqueue(&self.records[index], ticket) {
                    Ok(()) => {}
                    Err((SendError::Full, ticket)) => {
                        ticket.withdraw();
                        return State::Blocked;
                    }
                    Err((error, ticket)) => ticket.failed(error),
                }
                self.to_send.pop_front();
            }
            if !self.receipt.is_settled() {
                return State::Flying;
            }
            let failed = self.receipt.take_failed();
            if failed.is_empty() {
                return State::Landed;
            }
            let mut refused = None;
            for (index, error) in failed {
                let index = index as usize;
                if error.is_retryable() {
                    metrics.retries.inc();
                    self.to_send.push_back(index);
                    refused = Some(error);
                } else {
                    self.too_large(index, &error);
                }
            }
            if let Some(error) = refused {
                self.not_before = now + settings.backoff(self.attempt, now.as_nanos() as u64);
                self.attempt += 1;
                return State::Refused(error.to_string());
            }
        }
    }

    /// Never a stall: a record the broker will not take becomes a dead letter, a dead letter gets shorter.
    fn too_large(&mut self, index: usize, error: &SendError) {
        let record = &self.records[index];
        let origin = self.origin[index];
        if record.topic == Topic::DeadLetter {
            match dead_letter::shorter(record) {
                Some(shorter) => {
                    self.records[index] = shorter;
                    self.to_send.push_back(index);
                }
                None => {
                    tracing::error!(stage = self.stage, %error, "dead letter lost: even its headers are too large")
                }
            }
            return;
        }
        let detail = format!("record for topic {}: {error}", record.topic.as_str());
        tracing::warn!(stage = self.stage, detail, "record becomes a dead letter");
        match self.batch.get(origin) {
            Some(message) => {
                if matches!(self.verdicts[origin], Verdict::DeadLettered(_)) {
                    return;
                }
                let letter = dead_letter::of(self.stage, message, DeadReason::TooLarge, &detail);
                self.verdicts[origin] = Verdict::DeadLettered(DeadReason::TooLarge);
                self.add(letter, origin);
            }
            None => {
                let source = Message {
                    topic: record.topic,
                    partition: -1,
                    offset: -1,
                    key: record.key.clone(),
                    payload: record.payload.clone(),
                    headers: record.headers.clone(),
                    timestamp: jiff::Timestamp::UNIX_EPOCH,
                };
                let letter = dead_letter::of(self.stage, &source, DeadReason::TooLarge, &detail);
                self.add(letter, NONE);
            }
        }
    }
}
