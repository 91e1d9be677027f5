//! The loop on the memory driver: faults, rebalances, ticks, and conservation whatever happens.

mod conservation;
mod faults;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use jiff::Timestamp;

use super::*;
use crate::{
    driver::publish,
    memory,
    stage::Outcome,
    topics::{Record, Topic},
    verdict::{DeadReason, DropReason},
};

/// What a [`Judge`] does, set from outside.
#[derive(Debug, Default)]
struct Script {
    /// So many calls fail before one succeeds.
    faults: u32,
    checkpoint_faults: u32,
    tick_faults: u32,
    fenced: Option<i32>,
    panic: bool,
    /// Offsets to start from.
    start: BTreeMap<i32, i64>,
    ticks: Vec<(Timestamp, Vec<i32>)>,
    checkpoints: Vec<BTreeMap<i32, i64>>,
    assigned: Vec<Vec<i32>>,
    revoked: Vec<i32>,
    seen: Vec<(i32, i64)>,
    tick_record: Option<Record>,
}

/// Judges by the first letter of the payload: `e` emits (so many as the digit behind it), `d` drops, anything else is
/// dead.
#[derive(Debug, Clone)]
struct Judge(Arc<Mutex<Script>>, &'static str);

fn judge(name: &'static str) -> (Judge, Arc<Mutex<Script>>) {
    let script = Arc::new(Mutex::new(Script::default()));
    (Judge(Arc::clone(&script), name), script)
}

fn retry(what: &str) -> Fault {
    Fault::Retry { what: what.into(), source: None }
}

impl Stage for Judge {
    fn name(&self) -> &'static str {
        self.1
    }

    fn input(&self) -> Topic {
        Topic::Mentions
    }

    async fn assigned(&mut self, partitions: &[i32]) -> Result<BTreeMap<i32, i64>, Fault> {
        let mut script = self.0.lock().unwrap();
        script.assigned.push(partitions.to_vec());
        Ok(script.start.clone())
    }

    fn revoked(&mut self, partitions: &[i32]) {
        self.0.lock().unwrap().revoked.extend(partitions);
    }

    async fn process(&mut self, batch: &[Message]) -> Result<Vec<Outcome>, Fault> {
        let mut script = self.0.lock().unwrap();
        assert!(!script.panic, "scripted panic");
        if script.faults > 0 {
            script.faults -= 1;
            return Err(retry("store away"));
        }
        if let Some(partition) = script.fenced.take() {
            return Err(Fault::Fenced(partition));
        }
        script.seen.extend(batch.iter().map(|m| (m.partition, m.offset)));
        Ok(batch.iter().map(outcome).collect())
    }

    async fn checkpoint(&mut self, next: &BTreeMap<i32, i64>) -> Result<(), Fault> {
        let mut script = self.0.lock().unwrap();
        if script.checkpoint_faults > 0 {
            script.checkpoint_faults -= 1;
            return Err(retry("store away"));
        }
        script.checkpoints.push(next.clone());
        Ok(())
    }

    async fn tick(&mut self, now: Timestamp, caught_up: &[i32]) -> Result<Vec<Record>, Fault> {
        let mut script = self.0.lock().unwrap();
        if script.tick_faults > 0 {
            script.tick_faults -= 1;
            return Err(retry("store away"));
        }
        script.ticks.push((now, caught_up.to_vec()));
        Ok(script.tick_record.take().into_iter().collect())
    }
}

fn outcome(message: &Message) -> Outcome {
    match &message.payload[..] {
        [b'e', n, ..] => Outcome::emitted((0..*n - b'0').map(|i| hit(message, i)).collect()),
        [b'd', ..] => Outcome::dropped(DropReason::NoMatch),
        _ => Outcome::dead(DeadReason::InvalidJson, "no such letter"),
    }
}

fn hit(message: &Message, i: u8) -> Record {
    Record {
        topic: Topic::Hits,
        key: message.key.clone(),
        payload: [&message.payload[..], b"#", &[b'0' + i]].concat().into(),
        headers: vec![("schema".into(), "1".into())],
    }
}

fn mention(key: &str, payload: &str) -> Record {
    Record {
        topic: Topic::Mentions,
        key: Bytes::copy_from_slice(key.as_bytes()),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
        headers: vec![("schema".into(), "1".into())],
    }
}

fn clock() -> Arc<crate::ManualClock> {
    Arc::new(crate::ManualClock::at("2026-09-10T01:33:20Z".parse().unwrap()))
}

fn bus(clock: &Arc<crate::ManualClock>, partitions: i32) -> memory::Bus {
    let config = memory::Config { partitions, ..memory::Config::default() };
    memory::Bus::new(config, Arc::clone(clock) as Arc<dyn Clock>)
}

fn stepped(judge: Judge, bus: &memory::Bus, clock: &Arc<crate::ManualClock>) -> Loop<Judge> {
    let settings = LoopSettings { max_batch: 7, ..LoopSettings::stepped() };
    Loop::new(judge, bus, Arc::clone(clock) as Arc<dyn Clock>, settings).unwrap()
}

/// Steps until nothing is left to do.
async fn settle(stage: &mut Loop<Judge>) {
    for _ in 0..10_000 {
        if stage.step().await.unwrap().idle {
            return;
        }
    }
    panic!("never idle");
}

fn value(name: &str) -> f64 {
    let families = prometheus::gather();
    let family =
        families.iter().find(|f| f.name() == name).unwrap_or_else(|| panic!("{name} is not exported"));
    family.get_metric().iter().map(|m| m.get_counter().get_value() + m.get_gauge().get_value()).sum()
}
