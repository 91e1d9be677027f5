//! The thread that owns a consumer client: polls it, gathers batches, and is the only one to change the assignment, so
//! that a batch always belongs to one state of it. Refuses to decide anything: it tells the loop and waits for orders.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, TryRecvError},
    },
    time::Duration,
};

use rdkafka::{
    ClientContext, Offset, Statistics, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext, RebalanceProtocol},
    error::{KafkaError, KafkaResult},
    types::{RDKafkaErrorCode, RDKafkaRespErr},
};
use tokio::sync::{mpsc, oneshot};

use super::{broker_health::BrokerHealth, message::Gathering};
use crate::topics::{Message, Topic};

/// Messages and bytes of one batch, at most.
const BATCH: (usize, usize) = (1_000, 4 << 20);
/// One wait for messages; orders are looked at in between.
const POLL: Duration = Duration::from_millis(10);
/// One wait for room when the loop is busy.
const ROOM: Duration = Duration::from_millis(1);
/// The loop has not taken a batch for so long: partitions are paused, so that the client can be polled (and the
/// membership kept) without reading on.
const STALL: u32 = 2_000;
const SEEK: Duration = Duration::from_secs(10);

/// Orders of the loop. The answer is the number from which batches follow the new state.
pub(super) enum Order {
    Start(BTreeMap<i32, Option<i64>>),
    Release(Vec<i32>),
    Seek(i32, i64),
    Pause(i32),
    Resume(i32, i64),
    Close,
}

pub(super) type Answer = oneshot::Sender<KafkaResult<u64>>;

/// What the group says.
#[derive(Debug)]
pub(super) enum GroupEvent {
    Assigned(Vec<i32>),
    Revoked { partitions: Vec<i32>, lost: bool },
    Fatal(String),
}

/// Messages fetched under one state of the assignment.
pub(super) struct Batch {
    pub(super) state: u64,
    pub(super) messages: Vec<Message>,
    /// Partitions whose end was reached after these messages.
    pub(super) caught_up: BTreeSet<i32>,
}

pub(super) struct Context {
    pub(super) group: String,
    pub(super) topic: String,
    pub(super) health: BrokerHealth,
    pub(super) events: mpsc::UnboundedSender<GroupEvent>,
    /// Ends of partitions by the statistics.
    pub(super) ends: Mutex<BTreeMap<i32, i64>>,
    pub(super) commit_failures: prometheus::IntCounter,
    pub(super) pending: Mutex<Pending>,
    pub(super) closing: AtomicBool,
}

/// Group events the loop has not answered.
#[derive(Default)]
pub(super) struct Pending {
    assign: BTreeSet<i32>,
    revoke: BTreeSet<i32>,
}

impl Context {
    fn pending(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn list(&self, partitions: impl IntoIterator<Item = (i32, Option<i64>)>) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in partitions {
            let mut element = list.add_partition(&self.topic, partition);
            if let Some(offset) = offset {
                // Only fails for offsets the client keeps for itself; then the committed one is used.
                let _ = element.set_offset(Offset::Offset(offset));
            }
        }
        list
    }
}

impl ClientContext for Context {
    fn stats(&self, statistics: Statistics) {
        self.health.statistics(&statistics);
        let Some(topic) = statistics.topics.get(&self.topic) else { return };
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        for partition in topic.partitions.values().filter(|p| p.partition >= 0 && p.hi_offset >= 0) {
            ends.insert(partition.partition, partition.hi_offset);
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.health.client_error(&self.group, &error, reason);
    }
}

impl ConsumerContext for Context {
    /// Tells the loop; the assignment changes when it orders so. Until then the member keeps its place in the group.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, err: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let partitions: Vec<i32> = list.elements().iter().map(|e| e.partition()).collect();
        let assigned = err == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if self.closing.load(Ordering::Acquire) || partitions.is_empty() {
            log_failure("rebalance", change(consumer, list, assigned));
            return;
        }
        let event = if assigned {
            self.pending().assign.extend(&partitions);
            GroupEvent::Assigned(partitions)
        } else {
            self.pending().revoke.extend(&partitions);
            GroupEvent::Revoked { partitions, lost: consumer.assignment_lost() }
        };
        let _ = self.events.send(event);
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        if let Err(error) = result {
            self.commit_failures.inc();
            tracing::warn!(group = self.group, %error, "offsets not committed; the next commit repairs it");
        }
    }
}

fn change(consumer: &BaseConsumer<Context>, list: &TopicPartitionList, assigned: bool) -> KafkaResult<()> {
    match (matches!(consumer.rebalance_protocol(), RebalanceProtocol::Eager), assigned) {
        (true, true) => consumer.assign(list),
        (true, false) => consumer.unassign(),
        (false, true) => consumer.incremental_assign(list),
        (false, false) => consumer.incremental_unassign(list),
    }
}

fn log_failure(what: &str, result: KafkaResult<()>) {
    if let Err(error) = result {
        tracing::warn!(what, %error, "Kafka consumer");
    }
}

pub(super) struct Fetcher {
    pub(super) consumer: Arc<BaseConsumer<Context>>,
    pub(super) orders: Receiver<(Order, Answer)>,
    pub(super) batches: mpsc::Sender<Batch>,
    pub(super) gathering: Gathering,
    /// Batches the loop has not had room for.
    pub(super) outbox: VecDeque<Batch>,
    pub(super) caught_up: BTreeSet<i32>,
    /// Number of the state of the assignment.
    pub(super) state: u64,
    /// Partitions paused by the loop.
    pub(super) paused: BTreeSet<i32>,
}

impl Fetcher {
    pub(super) fn new(
        consumer: Arc<BaseConsumer<Context>>,
        topic: Topic,
        orders: Receiver<(Order, Answer)>,
        batches: mpsc::Sender<Batch>,
    ) -> Self {
        let gathering = Gathering::new(topic);
        Self {
            consumer,
            orders,
            batches,
            gathering,
            outbox: VecDeque::new(),
            caught_up: BTreeSet::new(),
            state: 0,
            paused: BTreeSet::new(),
        }
    }

    /// Runs until ordered to close or the loop is gone.
    pub(super) fn run(mut self) {
        loop {
            match self.orders.try_recv() {
                Ok((Order::Close, answer)) => {
                    self.close();
                    let _ = answer.send(Ok(self.state));
                    return;
                }
                Ok((order, answer)) => self.obey(order, answer),
                Err(TryRecvError::Disconnected) => return self.close(),
                Err(TryRecvError::Empty) => {
                    self.gather();
                    if !self.deliver() {
                        return self.close();
                    }
                }
            }
        }
    }

    /// Takes what the client has, waiting a moment for the first.
    fn gather(&mut self) {
        let mut wait = POLL;
        let consumer = Arc::clone(&self.consumer);
        while self.gathering.len() < BATCH.0 && self.gathering.bytes() < BATCH.1 {
            match consumer.poll(wait) {
                Some(Ok(message)) => {
                    self.caught_up.remove(&rdkafka::Message::partition(&message));
                    self.gathering.push(&message);
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    self.caught_up.insert(partition);
                }
                Some(Err(error)) => self.complain(&error),
                None => return,
            }
            wait = Duration::ZERO;
        }
    }

    fn complain(&self, error: &KafkaError) {
        let context = self.consumer.context();
        if matches!(error, KafkaError::MessageConsumptionFatal(_)) {
            let _ = context.events.send(GroupEvent::Fatal(error.to_string()));
        } else if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            tracing::warn!(group = context.group, %error, "Kafka consumer");
        }
    }

    /// What was gathered so far becomes a batch.
    fn pack(&mut self) {
        if self.gathering.len() > 0 || !self.caught_up.is_empty() {
            self.outbox.push_back(Batch {
                state: self.state,
                messages: self.gathering.take(),
                caught_up: std::mem::take(&mut self.caught_up),
            });
        }
    }

    /// Passes batches on, obeying orders while there is no room. `false`: the loop is gone.
    fn deliver(&mut self) -> bool {
        self.pack();
        if self.outbox.is_empty() {
            return true;
        }
        self.consumer.context().health.up();
        let mut waited = 0;
        while let Some(batch) = self.outbox.pop_front() {
            match self.batches.try_send(batch) {
                Ok(()) => continue,
                Err(mpsc::error::TrySendError::Closed(_)) => return false,
                Err(mpsc::error::TrySendError::Full(back)) => self.outbox.push_front(back),
            }
            match self.orders.recv_timeout(ROOM) {
                Ok((Order::Close, answer)) => {
                    self.close();
                    let _ = answer.send(Ok(self.state));
                    return false;
                }
                Ok((order, answer)) => self.obey(order, answer),
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => {}
            }
            waited += 1;
            if waited == STALL {
                self.hold(true);
            }
            if waited >= STALL {
                self.gather();
                self.pack();
            }
        }
        if waited >= STALL {
            self.hold(false);
        }
        true
    }

    /// Pauses or resumes all that the loop has not paused itself.
    fn hold(&self, hold: bool) {
        let Ok(assigned) = self.consumer.assignment() else { return };
        let mut list = TopicPartitionList::new();
        for element in assigned.elements() {
            if !self.paused.contains(&element.partition()) {
                list.add_partition(element.topic(), element.partition());
            }
        }
        let result = if hold { self.consumer.pause(&list) } else { self.consumer.resume(&list) };
        log_failure("pausing for back-pressure", result);
    }

    fn obey(&mut self, order: Order, answer: Answer) {
        // What was gathered belongs to the state before.
        self.pack();
        self.state += 1;
        let result = match order {
            Order::Start(from) => self.start(&from),
            Order::Release(partitions) => self.release(&partitions),
            Order::Seek(partition, offset) => self.seek(partition, offset),
            Order::Pause(partition) => {
                self.paused.insert(partition);
                self.consumer.pause(&self.consumer.context().list([(partition, None)]))
            }
            Order::Resume(partition, offset) => self.seek(partition, offset).and_then(|()| {
                self.paused.remove(&partition);
                self.consumer.resume(&self.consumer.context().list([(partition, None)]))
            }),
            Order::Close => Ok(()),
        };
        let _ = answer.send(result.map(|()| self.state));
    }

    fn seek(&self, partition: i32, offset: i64) -> KafkaResult<()> {
        self.consumer.seek(&self.consumer.context().topic, partition, Offset::Offset(offset), SEEK)
    }

    /// The answer to an assignment covers all of it: what the loop does not start yet is assigned and paused.
    fn start(&mut self, from: &BTreeMap<i32, Option<i64>>) -> KafkaResult<()> {
        let context = Arc::clone(self.consumer.context());
        let pending = std::mem::take(&mut context.pending().assign);
        if !pending.is_empty() {
            let list = context.list(pending.iter().map(|p| (*p, from.get(p).copied().flatten())));
            change(&self.consumer, &list, true)?;
        }
        let held: Vec<i32> = pending.iter().filter(|p| !from.contains_key(p)).copied().collect();
        if !held.is_empty() {
            self.paused.extend(&held);
            self.consumer.pause(&context.list(held.iter().map(|p| (*p, None))))?;
        }
        for (partition, offset) in from.iter().filter(|(p, _)| !pending.contains(p)) {
            if self.paused.remove(partition) {
                if let Some(offset) = offset {
                    self.seek(*partition, *offset)?;
                }
                self.consumer.resume(&context.list([(*partition, None)]))?;
            }
        }
        Ok(())
    }

    fn release(&mut self, partitions: &[i32]) -> KafkaResult<()> {
        let context = Arc::clone(self.consumer.context());
        let released: Vec<i32> = {
            let mut pending = context.pending();
            partitions.iter().filter(|p| pending.revoke.remove(p)).copied().collect()
        };
        for partition in partitions {
            self.paused.remove(partition);
        }
        if released.is_empty() {
            return Ok(());
        }
        change(&self.consumer, &context.list(released.iter().map(|p| (*p, None))), false)
    }

    /// Answers what is pending, then leaves; the client's own drop does the leaving.
    fn close(&self) {
        let context = self.consumer.context();
        context.closing.store(true, Ordering::Release);
        let Pending { assign, revoke } = std::mem::take(&mut *context.pending());
        if !assign.is_empty() {
            log_failure(
                "closing",
                change(&self.consumer, &context.list(assign.iter().map(|p| (*p, None))), true),
            );
        }
        if !revoke.is_empty() {
            log_failure(
                "closing",
                change(&self.consumer, &context.list(revoke.iter().map(|p| (*p, None))), false),
            );
        }
    }
}
