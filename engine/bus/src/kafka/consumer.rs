//! A member of a Kafka group as the loop sees it: batches and group events from the fetching thread, orders back.
//! Discards what was fetched before a seek or for partitions that are gone.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool, mpsc as std_mpsc},
    thread::JoinHandle,
    time::Duration,
};

use futures_util::future::BoxFuture;
use rdkafka::{
    Offset, TopicPartitionList,
    config::FromClientConfigAndContext,
    consumer::{BaseConsumer, CommitMode, Consumer as _},
};
use tokio::sync::{mpsc, oneshot};

use super::{
    Config,
    broker_health::BrokerHealth,
    fetch::{Answer, Batch, Context, Fetcher, GroupEvent, Order, Pending},
};
use crate::{
    consumer_loop::metrics::StageMetrics,
    driver::{Consumer, Event},
    error::BusError,
    topics::{Message, Topic},
};

/// Batches fetched ahead of the loop.
const AHEAD: usize = 4;
/// One request to the broker that is waited for, at most.
const REQUEST: Duration = Duration::from_secs(10);
/// Leaving the group, at most; then the session time-out does it.
const LEAVE: Duration = Duration::from_secs(10);

pub(super) struct GroupConsumer {
    /// `None` once closed.
    client: Option<Arc<BaseConsumer<Context>>>,
    topic: String,
    orders: Option<std_mpsc::Sender<(Order, Answer)>>,
    events: mpsc::UnboundedReceiver<GroupEvent>,
    batches: mpsc::Receiver<Batch>,
    thread: Option<JoinHandle<()>>,
    /// Owned partitions: batches of an earlier state are stale for them.
    valid_from: BTreeMap<i32, u64>,
    /// Received beyond what the loop asked for.
    left_over: VecDeque<Message>,
    caught_up: BTreeSet<i32>,
    ends: BTreeMap<i32, i64>,
}

impl GroupConsumer {
    pub(super) fn join(
        config: &Config,
        group: &str,
        topic: Topic,
        health: BrokerHealth,
    ) -> Result<Self, BusError> {
        let name = config.topic(topic);
        let (events_in, events) = mpsc::unbounded_channel();
        let context = Context {
            group: group.to_owned(),
            topic: name.clone(),
            health,
            events: events_in,
            ends: Mutex::new(BTreeMap::new()),
            commit_failures: StageMetrics::of(group).commit_failures.clone(),
            pending: Mutex::new(Pending::default()),
            closing: AtomicBool::new(false),
        };
        let client: BaseConsumer<Context> =
            BaseConsumer::from_config_and_context(&config.consumer(group), context)
                .map_err(|e| BusError::Config(format!("Kafka consumer: {e}")))?;
        client.subscribe(&[&name]).map_err(|e| BusError::Broker(e.to_string()))?;
        let client = Arc::new(client);
        let (orders, orders_out) = std_mpsc::channel();
        let (batches_in, batches) = mpsc::channel(AHEAD);
        let fetcher = Fetcher::new(Arc::clone(&client), topic, orders_out, batches_in);
        let thread = std::thread::Builder::new()
            .name(format!("kafka-{group}"))
            .spawn(move || fetcher.run())
            .map_err(|e| BusError::Broker(format!("no thread for the consumer: {e}")))?;
        Ok(Self {
            client: Some(client),
            topic: name,
            orders: Some(orders),
            events,
            batches,
            thread: Some(thread),
            valid_from: BTreeMap::new(),
            left_over: VecDeque::new(),
            caught_up: BTreeSet::new(),
            ends: BTreeMap::new(),
        })
    }

    fn client(&self) -> Result<Arc<BaseConsumer<Context>>, BusError> {
        self.client.clone().ok_or(BusError::Closed)
    }

    async fn order(&mut self, order: Order) -> Result<u64, BusError> {
        let (answer, answered) = oneshot::channel();
        let orders = self.orders.as_ref().ok_or(BusError::Closed)?;
        orders.send((order, answer)).map_err(|_| BusError::Closed)?;
        answered.await.map_err(|_| BusError::Closed)?.map_err(|e| BusError::Broker(e.to_string()))
    }

    fn group_event(&mut self, event: GroupEvent) -> Result<Event, BusError> {
        match event {
            GroupEvent::Assigned(partitions) => Ok(Event::Assigned(partitions)),
            GroupEvent::Revoked { partitions, lost } => {
                for partition in &partitions {
                    self.forget(*partition);
                }
                Ok(Event::Revoked { partitions, lost })
            }
            GroupEvent::Fatal(what) => Err(BusError::Broker(what)),
        }
    }

    fn forget(&mut self, partition: i32) {
        self.valid_from.remove(&partition);
        self.left_over.retain(|m| m.partition != partition);
        self.caught_up.remove(&partition);
        self.ends.remove(&partition);
    }

    /// From now on only what is fetched under `state` or later counts.
    fn begin(&mut self, partition: i32, state: u64) {
        self.forget(partition);
        self.valid_from.insert(partition, state);
    }

    /// Takes a batch in; stale messages are left out.
    fn take_in(&mut self, batch: Batch) -> Vec<Message> {
        let Batch { state, mut messages, caught_up } = batch;
        let fresh = |p: i32| self.valid_from.get(&p).is_some_and(|from| *from <= state);
        messages.retain(|m| fresh(m.partition));
        let caught_up: Vec<i32> = caught_up.into_iter().filter(|p| fresh(*p)).collect();
        let mut last = None;
        for message in &messages {
            let end = message.offset + 1;
            if last != Some(message.partition) {
                self.caught_up.remove(&message.partition);
                last = Some(message.partition);
            }
            let known = self.ends.entry(message.partition).or_insert(end);
            *known = (*known).max(end);
        }
        self.caught_up.extend(caught_up);
        messages
    }

    /// Messages there are right now, at most `max`.
    fn available(&mut self, max: usize) -> Vec<Message> {
        let mut messages = Vec::new();
        while messages.len() < max {
            if self.left_over.is_empty() {
                let Ok(batch) = self.batches.try_recv() else { break };
                let batch = self.take_in(batch);
                if messages.is_empty() && batch.len() <= max {
                    messages = batch;
                } else {
                    self.left_over.extend(batch);
                }
            }
            let room = (max - messages.len()).min(self.left_over.len());
            messages.extend(self.left_over.drain(..room));
        }
        messages
    }
}

impl Consumer for GroupConsumer {
    fn poll(&mut self, max: usize, wait: Duration) -> BoxFuture<'_, Result<Event, BusError>> {
        Box::pin(async move {
            let mut sleep = None;
            loop {
                if let Ok(event) = self.events.try_recv() {
                    return self.group_event(event);
                }
                if max > 0 {
                    let messages = self.available(max);
                    if !messages.is_empty() {
                        return Ok(Event::Messages(messages));
                    }
                }
                if wait.is_zero() {
                    return Ok(Event::Idle);
                }
                let sleep = sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(wait)));
                tokio::select! {
                    biased;
                    event = self.events.recv() => return self.group_event(event.ok_or(BusError::Closed)?),
                    batch = self.batches.recv(), if max > 0 => {
                        let messages = self.take_in(batch.ok_or(BusError::Closed)?);
                        self.left_over.extend(messages);
                    }
                    () = sleep => return Ok(Event::Idle),
                }
            }
        })
    }

    fn start(&mut self, from: &BTreeMap<i32, Option<i64>>) -> BoxFuture<'_, Result<(), BusError>> {
        let from = from.clone();
        Box::pin(async move {
            if from.is_empty() {
                return Ok(());
            }
            let partitions: Vec<i32> = from.keys().copied().collect();
            let state = self.order(Order::Start(from)).await?;
            for partition in partitions {
                self.begin(partition, state);
            }
            Ok(())
        })
    }

    fn release(&mut self, partitions: &[i32]) -> BoxFuture<'_, Result<(), BusError>> {
        let partitions = partitions.to_vec();
        Box::pin(async move {
            for partition in &partitions {
                self.forget(*partition);
            }
            self.order(Order::Release(partitions)).await.map(drop)
        })
    }

    fn seek(&mut self, partition: i32, offset: i64) -> BoxFuture<'_, Result<(), BusError>> {
        Box::pin(async move {
            let state = self.order(Order::Seek(partition, offset)).await?;
            self.begin(partition, state);
            Ok(())
        })
    }

    fn pause(&mut self, partition: i32) -> BoxFuture<'_, Result<(), BusError>> {
        Box::pin(async move {
            self.forget(partition);
            self.order(Order::Pause(partition)).await.map(drop)
        })
    }

    fn committed(&mut self, partition: i32) -> BoxFuture<'_, Result<Option<i64>, BusError>> {
        Box::pin(async move {
            let client = self.client()?;
            let mut list = TopicPartitionList::new();
            list.add_partition(&self.topic, partition);
            let asked = tokio::task::spawn_blocking(move || client.committed_offsets(list, REQUEST));
            let list = asked
                .await
                .map_err(|e| BusError::Broker(e.to_string()))?
                .map_err(|e| BusError::Broker(e.to_string()))?;
            Ok(list.elements().first().and_then(|e| match e.offset() {
                Offset::Offset(offset) => Some(offset),
                _ => None,
            }))
        })
    }

    fn resume(&mut self, partition: i32, offset: i64) -> BoxFuture<'_, Result<(), BusError>> {
        Box::pin(async move {
            let state = self.order(Order::Resume(partition, offset)).await?;
            self.begin(partition, state);
            Ok(())
        })
    }

    fn commit(&mut self, next: &BTreeMap<i32, i64>, wait: bool) -> BoxFuture<'_, Result<(), BusError>> {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in next {
            let mut element = list.add_partition(&self.topic, *partition);
            // Only fails for offsets the client keeps for itself, which ours are not.
            let _ = element.set_offset(Offset::Offset(*offset));
        }
        Box::pin(async move {
            let client = self.client()?;
            let committed = if wait {
                let asked = tokio::task::spawn_blocking(move || client.commit(&list, CommitMode::Sync));
                tokio::time::timeout(REQUEST, asked)
                    .await
                    .map_err(|_| BusError::Broker("committing offsets took too long".into()))?
                    .map_err(|e| BusError::Broker(e.to_string()))?
            } else {
                client.commit(&list, CommitMode::Async)
            };
            committed.map_err(|e| BusError::Broker(e.to_string()))
        })
    }

    fn caught_up(&self) -> Vec<i32> {
        let waiting = |p: &i32| self.left_over.iter().any(|m| m.partition == *p);
        self.caught_up.iter().filter(|p| !waiting(p)).copied().collect()
    }

    fn ends(&self) -> BTreeMap<i32, i64> {
        let mut ends = self.ends.clone();
        if let Some(client) = &self.client {
            let heard = client.context().ends.lock().unwrap_or_else(PoisonError::into_inner);
            for (partition, end) in heard.iter().filter(|(p, _)| self.valid_from.contains_key(p)) {
                let known = ends.entry(*partition).or_insert(*end);
                *known = (*known).max(*end);
            }
        }
        ends
    }

    fn close(&mut self) -> BoxFuture<'_, Result<(), BusError>> {
        Box::pin(async move {
            // The thread's handle on the client must be the last: dropping it leaves the group, which blocks.
            self.client = None;
            let asked = self.order(Order::Close).await.map(drop);
            self.orders = None;
            self.batches.close();
            if let Some(thread) = self.thread.take() {
                let joined = tokio::task::spawn_blocking(move || thread.join());
                if tokio::time::timeout(LEAVE, joined).await.is_err() {
                    tracing::warn!(
                        topic = self.topic,
                        "leaving the group took too long; its time-out does it"
                    );
                }
            }
            match asked {
                Err(BusError::Closed) => Ok(()),
                asked => asked,
            }
        })
    }
}
