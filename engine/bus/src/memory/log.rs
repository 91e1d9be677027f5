//! Topics, partitions, groups and their offsets, behind one lock. Pure state: no waiting here.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;

use super::Config;
use crate::{
    error::SendError,
    partition::partition_of,
    topics::{Message, Record, Topic},
};

/// A member of a group.
pub(super) type MemberId = u64;

#[derive(Debug)]
pub(super) struct Log {
    pub(super) config: Config,
    topics: BTreeMap<Topic, Vec<Partition>>,
    pub(super) groups: BTreeMap<(String, Topic), Group>,
    /// Order of publication over all topics: readers merge partitions by it, so the order does not hang on the number
    /// of partitions.
    sequence: u64,
    members: MemberId,
}

#[derive(Debug, Default)]
struct Partition {
    /// Offset of the first kept message.
    start: i64,
    kept: VecDeque<(u64, Message)>,
}

impl Partition {
    fn end(&self) -> i64 {
        self.start + self.kept.len() as i64
    }

    fn get(&self, offset: i64) -> Option<&(u64, Message)> {
        self.kept.get(usize::try_from(offset - self.start).ok()?)
    }
}

/// A consumer group on one topic.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) committed: BTreeMap<i32, i64>,
    /// Furthest offset handed to a member: what back-pressure counts from.
    read: BTreeMap<i32, i64>,
    pub(super) members: BTreeSet<MemberId>,
    /// Who owns a partition until it is released.
    pub(super) owners: BTreeMap<i32, MemberId>,
}

impl Group {
    /// Partition `p` of `n` should belong to this member.
    pub(super) fn target(&self, partition: i32, partitions: i32) -> Option<MemberId> {
        let count = self.members.len() as i64;
        let index = i64::from(partition) * count / i64::from(partitions.max(1));
        self.members.iter().nth(usize::try_from(index).ok()?).copied()
    }
}

impl Log {
    pub(super) fn new(config: Config) -> Self {
        let config =
            Config { partitions: config.partitions.max(1), capacity: config.capacity.max(1), ..config };
        let topics = Topic::ALL
            .into_iter()
            .map(|t| (t, (0..config.partitions).map(|_| Partition::default()).collect()))
            .collect();
        Self { config, topics, groups: BTreeMap::new(), sequence: 0, members: 0 }
    }

    fn partition(&self, topic: Topic, partition: i32) -> Option<&Partition> {
        self.topics.get(&topic)?.get(usize::try_from(partition).ok()?)
    }

    pub(super) fn append(&mut self, record: &Record, now: Timestamp) -> Result<(), SendError> {
        let size = record.key.len() + record.payload.len();
        if size > self.config.max_record_bytes {
            return Err(SendError::TooLarge { size });
        }
        let index = if record.key.is_empty() {
            i32::try_from(self.sequence % u64::from(self.config.partitions.unsigned_abs())).unwrap_or(0)
        } else {
            partition_of(&record.key, self.config.partitions)
        };
        let readers = self.groups.iter().filter(|((_, t), _)| *t == record.topic);
        let slowest = readers.map(|(_, g)| g.read.get(&index).copied().unwrap_or(0)).min();
        let capacity = self.config.capacity;
        let Some(partition) =
            self.topics.get_mut(&record.topic).and_then(|t| t.get_mut(usize::try_from(index).ok()?))
        else {
            return Err(SendError::Failed { topic: record.topic, what: "no such topic".into() });
        };
        match slowest {
            Some(read) if partition.end() - read.max(partition.start) >= capacity as i64 => {
                return Err(SendError::Full);
            }
            // Nobody reads this topic: keep the newest, as retention would.
            None if partition.kept.len() >= capacity => {
                partition.kept.pop_front();
                partition.start += 1;
            }
            _ => {}
        }
        let message = Message {
            topic: record.topic,
            partition: index,
            offset: partition.end(),
            key: record.key.clone(),
            payload: record.payload.clone(),
            headers: record.headers.clone(),
            timestamp: now,
        };
        partition.kept.push_back((self.sequence, message));
        self.sequence += 1;
        Ok(())
    }

    pub(super) fn join(&mut self, group: &str, topic: Topic) -> MemberId {
        self.members += 1;
        let group = self.groups.entry((group.to_owned(), topic)).or_default();
        group.members.insert(self.members);
        self.members
    }

    /// Next message in order of publication among the given partitions, each at its position.
    pub(super) fn next(&self, topic: Topic, positions: &BTreeMap<i32, i64>) -> Option<&Message> {
        let heads = positions.iter().filter_map(|(p, offset)| self.partition(topic, *p)?.get(*offset));
        heads.min_by_key(|(sequence, _)| *sequence).map(|(_, message)| message)
    }

    /// Notes that the group has read up to `next`.
    pub(super) fn read(&mut self, group: &(String, Topic), partition: i32, next: i64) {
        if let Some(group) = self.groups.get_mut(group) {
            let read = group.read.entry(partition).or_insert(next);
            *read = (*read).max(next);
        }
    }

    /// Where a member starts: the wanted offset, else the committed one, else the earliest; never outside what is
    /// kept.
    pub(super) fn begin(&self, group: &(String, Topic), partition: i32, wanted: Option<i64>) -> i64 {
        let committed = || self.groups.get(group)?.committed.get(&partition).copied();
        let Some(kept) = self.partition(group.1, partition) else { return 0 };
        wanted.or_else(committed).unwrap_or(kept.start).clamp(kept.start, kept.end())
    }

    pub(super) fn end(&self, topic: Topic, partition: i32) -> i64 {
        self.partition(topic, partition).map_or(0, Partition::end)
    }

    /// Commits, and forgets what every group of the topic has committed.
    pub(super) fn commit(&mut self, group: &(String, Topic), next: &BTreeMap<i32, i64>) {
        if let Some(group) = self.groups.get_mut(group) {
            group.committed.extend(next);
        }
        for partition in next.keys() {
            let groups = self.groups.iter().filter(|((_, t), _)| *t == group.1);
            let Some(done) = groups.map(|(_, g)| g.committed.get(partition).copied().unwrap_or(0)).min()
            else {
                continue;
            };
            let kept =
                self.topics.get_mut(&group.1).and_then(|t| t.get_mut(usize::try_from(*partition).ok()?));
            if let Some(kept) = kept {
                while kept.start < done && kept.kept.pop_front().is_some() {
                    kept.start += 1;
                }
            }
        }
    }

    pub(super) fn kept(&self, topic: Topic) -> Vec<Message> {
        let mut all: Vec<&(u64, Message)> =
            self.topics.get(&topic).into_iter().flatten().flat_map(|p| &p.kept).collect();
        all.sort_unstable_by_key(|(sequence, _)| *sequence);
        all.into_iter().map(|(_, message)| message.clone()).collect()
    }

    pub(super) fn published(&self, topic: Topic) -> u64 {
        self.topics.get(&topic).into_iter().flatten().map(|p| p.end().unsigned_abs()).sum()
    }

    pub(super) fn unread(&self, group: &str, topic: Topic) -> usize {
        let Some(group) = self.groups.get(&(group.to_owned(), topic)) else { return 0 };
        let left = (0..self.config.partitions).map(|p| {
            let read = group.read.get(&p).or(group.committed.get(&p)).copied().unwrap_or(0);
            self.end(topic, p) - read.max(self.partition(topic, p).map_or(0, |x| x.start))
        });
        usize::try_from(left.sum::<i64>()).unwrap_or(0)
    }
}
