//! Reads a topic of the engine from its beginning to its end, and writes to it what no connector would. Refuses to
//! join the engine's own consumer groups.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::ensure;
use tocsin_bus::{Driver as _, Event, Message, Record, SystemClock, Topic, kafka, publish};
use tocsin_rules::{Finding, Hit};

use crate::site::now;

/// A client of the topics with one prefix.
pub struct Topics {
    bus: kafka::Bus,
}

impl Topics {
    /// Connects; the topics are created with `partitions` where missing.
    ///
    /// # Errors
    /// Wrong settings.
    pub async fn open(brokers: &str, prefix: &str, partitions: i32) -> anyhow::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let config = kafka::Config {
            brokers: brokers.into(),
            topic_prefix: prefix.into(),
            group_prefix: format!("{prefix}.reader{}", NEXT.fetch_add(1, Ordering::Relaxed)),
            partitions,
            ..kafka::Config::default()
        };
        Ok(Self { bus: kafka::Bus::connect(config, Arc::new(SystemClock::new())).await? })
    }

    /// Everything that stands in the topic now.
    ///
    /// # Errors
    /// When the broker does not deliver it within 30 s.
    pub async fn read(&self, topic: Topic) -> anyhow::Result<Vec<Message>> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let group = format!("once{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let mut consumer = self.bus.consumer(&group, topic)?;
        let (mut assigned, mut found) = (BTreeSet::new(), Vec::new());
        let deadline = now() + Duration::from_secs(30);
        loop {
            ensure!(now() < deadline, "{} cannot be read to its end", topic.as_str());
            match consumer.poll(1_000, Duration::from_millis(100)).await? {
                Event::Assigned(partitions) => {
                    let from: BTreeMap<i32, Option<i64>> = partitions.iter().map(|p| (*p, Some(0))).collect();
                    consumer.start(&from).await?;
                    assigned.extend(partitions);
                }
                Event::Messages(batch) => found.extend(batch),
                Event::Revoked { .. } => {}
                Event::Idle => {
                    let ends: BTreeSet<i32> = consumer.caught_up().into_iter().collect();
                    if !assigned.is_empty() && assigned.is_subset(&ends) {
                        consumer.close().await?;
                        return Ok(found);
                    }
                }
            }
        }
    }

    /// The findings that stand there, by id, in the order of each monitor. Said twice is fine; said differently is not.
    ///
    /// # Errors
    /// When two findings of one id differ, or one cannot be read.
    pub async fn findings(&self) -> anyhow::Result<Vec<Finding>> {
        let mut kept: Vec<Finding> = Vec::new();
        for message in self.read(Topic::Findings).await? {
            let finding: Finding = serde_json::from_slice(&message.payload)?;
            match kept.iter().find(|known| known.id == finding.id) {
                None => kept.push(finding),
                Some(known) => ensure!(known == &finding, "two findings of one id:\n{known:?}\n{finding:?}"),
            }
        }
        kept.sort_by(|a, b| a.monitor.cmp(&b.monitor));
        Ok(kept)
    }

    /// What was found, byte for byte, by id. Said twice is fine; said differently is not.
    ///
    /// # Errors
    /// As [`Topics::findings`].
    pub async fn statements(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let mut kept: BTreeMap<String, String> = BTreeMap::new();
        for message in self.read(Topic::Findings).await? {
            let finding: Finding = serde_json::from_slice(&message.payload)?;
            let said = String::from_utf8(message.payload.to_vec())?;
            let known = kept.entry(finding.id).or_insert_with(|| said.clone());
            ensure!(*known == said, "two findings of one id:\n{known}\n{said}");
        }
        Ok(kept)
    }

    /// Puts hits on their topic, in this order.
    ///
    /// # Errors
    /// When the broker refuses one.
    pub async fn put_hits(&self, hits: &[Hit]) -> anyhow::Result<()> {
        let records = hits.iter().map(Record::of).collect::<Result<Vec<_>, _>>()?;
        for result in publish(&*self.bus.producer(), &records).await {
            result?;
        }
        Ok(())
    }

    /// Puts raw bytes on the topic of mentions.
    ///
    /// # Errors
    /// When the broker refuses one.
    pub async fn put(&self, payloads: &[Vec<u8>]) -> anyhow::Result<()> {
        let record = |payload: &Vec<u8>| Record {
            topic: Topic::Mentions,
            key: b"raw".to_vec().into(),
            payload: payload.clone().into(),
            headers: vec![("schema".into(), "1".into())],
        };
        let records: Vec<Record> = payloads.iter().map(record).collect();
        for result in publish(&*self.bus.producer(), &records).await {
            result?;
        }
        Ok(())
    }
}
