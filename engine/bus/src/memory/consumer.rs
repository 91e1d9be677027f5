//! A member of a group on the memory bus. Dropping it without [`Consumer::close`] is what a killed process looks like.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures_util::future::BoxFuture;

use super::{Shared, log::MemberId};
use crate::{
    driver::{Consumer, Event},
    error::BusError,
    topics::Topic,
};

pub(super) struct MemberConsumer {
    shared: Arc<Shared>,
    group: (String, Topic),
    id: MemberId,
    /// Told as assigned, not started yet.
    offered: BTreeSet<i32>,
    /// Started: next offset to deliver.
    positions: BTreeMap<i32, i64>,
    paused: BTreeSet<i32>,
    /// Told as revoked, not released yet.
    leaving: BTreeSet<i32>,
    closed: bool,
}

impl MemberConsumer {
    pub(super) fn join(shared: Arc<Shared>, group: &str, topic: Topic) -> Self {
        let id = shared.log().join(group, topic);
        shared.changed.notify_waiters();
        Self {
            shared,
            group: (group.to_owned(), topic),
            id,
            offered: BTreeSet::new(),
            positions: BTreeMap::new(),
            paused: BTreeSet::new(),
            leaving: BTreeSet::new(),
            closed: false,
        }
    }

    fn owns(&self, partition: i32) -> bool {
        self.positions.contains_key(&partition) || self.offered.contains(&partition)
    }

    /// What there is right now.
    fn look(&mut self, max: usize) -> Option<Event> {
        let shared = Arc::clone(&self.shared);
        let mut log = shared.log();
        let partitions = log.config.partitions;
        let group = log.groups.entry(self.group.clone()).or_default();
        let revoked: Vec<i32> = (0..partitions)
            .filter(|p| self.owns(*p) && group.target(*p, partitions) != Some(self.id))
            .collect();
        if !revoked.is_empty() {
            for p in &revoked {
                self.offered.remove(p);
                self.positions.remove(p);
                self.paused.remove(p);
                self.leaving.insert(*p);
            }
            return Some(Event::Revoked { partitions: revoked, lost: false });
        }
        let offered: Vec<i32> = (0..partitions)
            .filter(|p| {
                !self.owns(*p)
                    && !self.leaving.contains(p)
                    && group.target(*p, partitions) == Some(self.id)
                    && !group.owners.contains_key(p)
            })
            .collect();
        if !offered.is_empty() {
            for p in &offered {
                group.owners.insert(*p, self.id);
                self.offered.insert(*p);
            }
            return Some(Event::Assigned(offered));
        }
        let mut active = self.positions.clone();
        active.retain(|p, _| !self.paused.contains(p));
        let mut messages = Vec::new();
        while messages.len() < max {
            let Some(message) = log.next(self.group.1, &active).cloned() else { break };
            active.insert(message.partition, message.offset + 1);
            self.positions.insert(message.partition, message.offset + 1);
            log.read(&self.group, message.partition, message.offset + 1);
            messages.push(message);
        }
        drop(log);
        if messages.is_empty() {
            return None;
        }
        shared.changed.notify_waiters();
        Some(Event::Messages(messages))
    }

    fn leave(&mut self) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        let mut log = self.shared.log();
        if let Some(group) = log.groups.get_mut(&self.group) {
            group.members.remove(&self.id);
            group.owners.retain(|_, owner| *owner != self.id);
        }
        drop(log);
        self.shared.changed.notify_waiters();
    }

    fn go_to(&mut self, partition: i32, offset: i64) {
        if self.owns(partition) {
            let offset = self.shared.log().begin(&self.group, partition, Some(offset));
            self.positions.insert(partition, offset);
        }
    }
}

impl Drop for MemberConsumer {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Consumer for MemberConsumer {
    fn poll(&mut self, max: usize, wait: Duration) -> BoxFuture<'_, Result<Event, BusError>> {
        Box::pin(async move {
            if self.closed {
                return Err(BusError::Closed);
            }
            let shared = Arc::clone(&self.shared);
            let looking = async {
                loop {
                    let changed = shared.changed.notified();
                    tokio::pin!(changed);
                    changed.as_mut().enable();
                    if let Some(event) = self.look(max) {
                        return event;
                    }
                    if wait.is_zero() {
                        return Event::Idle;
                    }
                    changed.await;
                }
            };
            if wait.is_zero() {
                return Ok(looking.await);
            }
            Ok(tokio::time::timeout(wait, looking).await.unwrap_or(Event::Idle))
        })
    }

    fn start(&mut self, from: &BTreeMap<i32, Option<i64>>) -> BoxFuture<'_, Result<(), BusError>> {
        for (partition, offset) in from {
            if self.offered.remove(partition) {
                let offset = self.shared.log().begin(&self.group, *partition, *offset);
                self.positions.insert(*partition, offset);
            }
        }
        Box::pin(async { Ok(()) })
    }

    fn release(&mut self, partitions: &[i32]) -> BoxFuture<'_, Result<(), BusError>> {
        {
            let mut log = self.shared.log();
            let group = log.groups.entry(self.group.clone()).or_default();
            for p in partitions {
                if self.leaving.remove(p) && group.owners.get(p) == Some(&self.id) {
                    group.owners.remove(p);
                }
            }
        }
        self.shared.changed.notify_waiters();
        Box::pin(async { Ok(()) })
    }

    fn seek(&mut self, partition: i32, offset: i64) -> BoxFuture<'_, Result<(), BusError>> {
        self.go_to(partition, offset);
        Box::pin(async { Ok(()) })
    }

    fn pause(&mut self, partition: i32) -> BoxFuture<'_, Result<(), BusError>> {
        self.paused.insert(partition);
        Box::pin(async { Ok(()) })
    }

    fn committed(&mut self, partition: i32) -> BoxFuture<'_, Result<Option<i64>, BusError>> {
        let log = self.shared.log();
        let committed = log.groups.get(&self.group).and_then(|g| g.committed.get(&partition)).copied();
        Box::pin(async move { Ok(committed) })
    }

    fn resume(&mut self, partition: i32, offset: i64) -> BoxFuture<'_, Result<(), BusError>> {
        self.paused.remove(&partition);
        self.go_to(partition, offset);
        Box::pin(async { Ok(()) })
    }

    fn commit(&mut self, next: &BTreeMap<i32, i64>, _wait: bool) -> BoxFuture<'_, Result<(), BusError>> {
        let mut log = self.shared.log();
        // A member may commit what it holds or is about to release, as on Kafka.
        let owned: BTreeMap<i32, i64> = next
            .iter()
            .filter(|(p, _)| self.owns(**p) || self.leaving.contains(p))
            .map(|(p, o)| (*p, *o))
            .collect();
        log.commit(&self.group, &owned);
        drop(log);
        self.shared.changed.notify_waiters();
        Box::pin(async { Ok(()) })
    }

    fn caught_up(&self) -> Vec<i32> {
        let log = self.shared.log();
        let at_end = |(p, next): &(&i32, &i64)| **next >= log.end(self.group.1, **p);
        self.positions.iter().filter(at_end).map(|(p, _)| *p).collect()
    }

    fn ends(&self) -> BTreeMap<i32, i64> {
        let log = self.shared.log();
        self.positions.keys().map(|p| (*p, log.end(self.group.1, *p))).collect()
    }

    fn close(&mut self) -> BoxFuture<'_, Result<(), BusError>> {
        self.leave();
        Box::pin(async { Ok(()) })
    }
}
