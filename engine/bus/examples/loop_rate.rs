//! How fast the loop consumes, publishes and has acknowledged on a real broker, next to a bare consumer:
//! `loop_rate HOST:PORT [messages]`. One hit in `HIT_EVERY` mentions; payloads of about 600 bytes.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measuring tool: it prints, and ends on a fault"
)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tocsin_bus::{
    Clock, Driver, DropReason, Event, Fault, Loop, LoopSettings, Message, Outcome, Record, Stage,
    SystemClock, Topic, kafka, publish,
};

const HIT_EVERY: usize = 4;

struct Pass(Arc<AtomicUsize>);

impl Stage for Pass {
    fn name(&self) -> &'static str {
        "looprate"
    }

    fn input(&self) -> Topic {
        Topic::Mentions
    }

    fn is_stateless(&self) -> bool {
        true
    }

    async fn process(&mut self, batch: &[Message]) -> Result<Vec<Outcome>, Fault> {
        let start = self.0.fetch_add(batch.len(), Ordering::Relaxed);
        let judge = |(i, m): (usize, &Message)| {
            if (start + i).is_multiple_of(HIT_EVERY) {
                Outcome::emitted(vec![record(Topic::Hits, &m.key, m.payload.clone())])
            } else {
                Outcome::dropped(DropReason::NoMatch)
            }
        };
        Ok(batch.iter().enumerate().map(judge).collect())
    }
}

fn record(topic: Topic, key: &[u8], payload: bytes::Bytes) -> Record {
    Record { topic, key: key.to_vec().into(), payload, headers: vec![("schema".into(), "1".into())] }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut args = std::env::args().skip(1);
    let brokers = args.next().unwrap_or_else(|| "localhost:9092".into());
    let messages: usize = args.next().map_or(600_000, |n| n.parse().unwrap());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let prefix = format!("rate{}", std::process::id());
    let config = kafka::Config {
        brokers,
        topic_prefix: prefix.clone(),
        group_prefix: prefix,
        partitions: 4,
        ..kafka::Config::default()
    };
    let bus = kafka::Bus::connect(config, Arc::clone(&clock)).await.unwrap();
    let payload = bytes::Bytes::from(
        "大疆发布会现场的消息，据悉续航又翻车了。{\"likes\":12345,\"id\":\"weibo:52\"}".repeat(6),
    );
    let start = clock.elapsed();
    for chunk in 0..messages.div_ceil(10_000) {
        let records: Vec<Record> = (0..10_000)
            .map(|i| record(Topic::Mentions, format!("k{}", chunk * 7 + i).as_bytes(), payload.clone()))
            .collect();
        assert!(publish(&*bus.producer(), &records).await.iter().all(Result::is_ok));
    }
    println!("filled: {messages} of {} bytes in {:?}", payload.len(), clock.elapsed() - start);

    let mut bare = bus.consumer("bare", Topic::Mentions).unwrap();
    let (mut seen, mut start) = (0, None);
    while seen < messages {
        match bare.poll(1_000, Duration::from_millis(100)).await.unwrap() {
            Event::Assigned(p) => bare.start(&p.into_iter().map(|p| (p, None)).collect()).await.unwrap(),
            Event::Messages(m) => {
                start.get_or_insert_with(|| clock.elapsed());
                seen += m.len();
            }
            _ => {}
        }
    }
    rate("driver alone", messages, clock.elapsed() - start.unwrap());
    bare.close().await.unwrap();

    let count = Arc::new(AtomicUsize::new(0));
    let mut stage =
        Loop::new(Pass(Arc::clone(&count)), &bus, Arc::clone(&clock), LoopSettings::default()).unwrap();
    while stage.step().await.unwrap().judged == 0 {}
    let start = clock.elapsed();
    while count.load(Ordering::Relaxed) < messages {
        stage.step().await.unwrap();
    }
    stage.drain().await.unwrap();
    rate("consume, judge, 1 hit in 4 produced, acknowledged, committed", messages, clock.elapsed() - start);
}

fn rate(what: &str, messages: usize, took: Duration) {
    println!("{what}: {:.0} messages/s ({took:?})", messages as f64 / took.as_secs_f64());
}
