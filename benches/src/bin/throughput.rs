//! Throughput of the scoring core on one thread, and of the whole score stage through a real Kafka, each against bare
//! parsing in the same run. `throughput [--kafka HOST:PORT] [--mentions N] [--rounds N]`.

use std::{hint::black_box, sync::Arc, time::Duration};

use anyhow::Context as _;
use jiff::Timestamp;
use tocsin_benches::{corpus, rounds};
use tocsin_bus::{Clock, Driver, Event, Loop, LoopSettings, Record, SystemClock, Topic, kafka, publish};
use tocsin_rules::{
    Mention, Rulebook,
    matcher::{Matcher, Scratch},
    normal::Normal,
};
use tocsin_score::{ScoreStage, Scorer};

const MONITORS: usize = 1_000;
const ONE_IN: usize = 10;

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "the table is this program's output")]
async fn main() -> anyhow::Result<()> {
    let options = Options::read()?;
    let clock = SystemClock::new();
    let start: Timestamp = "2026-09-10T01:00:00Z".parse()?;
    let rulebook = Arc::new(corpus::rulebook(MONITORS)?);
    let payloads: Vec<Vec<u8>> = corpus::mentions(options.mentions, MONITORS, ONE_IN, start)
        .iter()
        .map(serde_json::to_vec)
        .collect::<Result<_, _>>()?;
    let bytes = payloads.iter().map(Vec::len).sum::<usize>() / payloads.len().max(1);
    println!(
        "{} mentions of {bytes} bytes, {MONITORS} monitors of ten terms, one mention in {ONE_IN} matches",
        payloads.len()
    );

    one_thread(&clock, &payloads, &rulebook, options.rounds, start)?;
    if let Some(brokers) = &options.kafka {
        through_kafka(brokers, &payloads, &rulebook, options.rounds, start).await?;
    }
    Ok(())
}

/// Each row adds one part of the work to the row above, all for every mention; the last row is what the stage does.
#[expect(clippy::print_stdout, reason = "the table is this program's output")]
fn one_thread(
    clock: &dyn Clock,
    payloads: &[Vec<u8>],
    rulebook: &Arc<Rulebook>,
    rounds: usize,
    start: Timestamp,
) -> anyhow::Result<()> {
    let mut bare = Rulebook::clone(rulebook);
    bare.categories.clear();
    let bare = Arc::new(bare);
    let matcher = Matcher::new(&bare)?;
    let (mut normal, mut scratch) = (Normal::new(), Scratch::new());
    let (mut mood, mut categories) = (Scorer::new(bare)?, Scorer::new(rulebook.clone())?);
    let (mut whole, mut lazy) = (Scorer::new(rulebook.clone())?, Scorer::new(rulebook.clone())?);
    let rates = rounds::alternate(
        clock,
        rounds,
        &mut [
            &mut || payloads.iter().filter(|p| black_box(Mention::parse(p, start)).is_ok()).count(),
            &mut || {
                score(payloads, start, |mention| {
                    normal.set(mention);
                    drop(black_box(matcher.scan(mention, "zh", &normal, &mut scratch)));
                })
            },
            &mut || score(payloads, start, |mention| drop(black_box(mood.score_apart(mention)))),
            &mut || score(payloads, start, |mention| drop(black_box(categories.score_apart(mention)))),
            &mut || score(payloads, start, |mention| drop(black_box(whole.score_whole(mention)))),
            &mut || score(payloads, start, |mention| drop(black_box(lazy.score(mention)))),
        ],
    );
    println!("{:<68} {:>12} {:>7} {:>9}", "one thread", "mentions/s", "ratio", "µs each");
    for (name, rate) in [
        "parse into Mention",
        "+ normalise, match monitors",
        "+ language, sentiment",
        "+ categories",
        "+ clusters of near-duplicates",
        "as the stage does it: sentiment and clusters where a monitor matched",
    ]
    .iter()
    .zip(&rates)
    {
        println!("{name:<68} {:>12.0} {:>7.3} {:>9.2}", rate.0, rate.0 / rates[0].0, 1e6 / rate.0);
    }
    Ok(())
}

fn score(payloads: &[Vec<u8>], start: Timestamp, mut each: impl FnMut(&Mention)) -> usize {
    payloads.iter().filter_map(|p| Mention::parse(p, start).ok()).map(|mention| each(&mention)).count()
}

/// Consume and parse, against consume → hits produced and acknowledged → committed; fresh topics each run.
#[expect(clippy::print_stdout, reason = "the table is this program's output")]
async fn through_kafka(
    brokers: &str,
    payloads: &[Vec<u8>],
    rulebook: &Arc<Rulebook>,
    rounds: usize,
    start: Timestamp,
) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let config = |group: String| kafka::Config {
        brokers: brokers.to_owned(),
        topic_prefix: format!("bench{}", std::process::id()),
        group_prefix: group,
        partitions: 4,
        replication: 1,
        ..kafka::Config::default()
    };
    let bus = kafka::Bus::connect(config("fill".into()), clock.clone()).await?;
    let producer = bus.producer();
    for chunk in payloads.chunks(10_000) {
        let records: Vec<Record> = chunk
            .iter()
            .map(|p| Record::of(&Mention::parse(p, start).context("a mention")?).context("a record"))
            .collect::<anyhow::Result<_>>()?;
        for sent in publish(&*producer, &records).await {
            sent?;
        }
    }
    let (mut bare, mut whole) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let bus = kafka::Bus::connect(config(format!("bare{round}")), clock.clone()).await?;
        let mut consumer = bus.consumer("bare", Topic::Mentions)?;
        let (mut seen, mut from) = (0, Duration::ZERO);
        while seen < payloads.len() {
            match consumer.poll(1_000, Duration::from_millis(100)).await? {
                Event::Assigned(partitions) => {
                    consumer.start(&partitions.into_iter().map(|p| (p, None)).collect()).await?;
                }
                Event::Messages(messages) => {
                    if seen == 0 {
                        from = clock.elapsed();
                    }
                    seen += messages
                        .iter()
                        .filter(|m| black_box(Mention::parse(&m.payload, start)).is_ok())
                        .count();
                }
                _ => {}
            }
        }
        bare.push(seen as f64 / (clock.elapsed() - from).as_secs_f64());
        consumer.close().await?;

        let bus = kafka::Bus::connect(config(format!("whole{round}")), clock.clone()).await?;
        let stage = ScoreStage::new(rulebook.clone(), clock.clone())?;
        let mut scoring = Loop::new(stage, &bus, clock.clone(), LoopSettings::default())?;
        let (mut judged, mut from) = (0, Duration::ZERO);
        while judged < payloads.len() {
            let progress = scoring.step().await?;
            if judged == 0 && progress.judged > 0 {
                from = clock.elapsed();
            }
            judged += progress.judged;
        }
        scoring.drain().await?;
        whole.push(judged as f64 / (clock.elapsed() - from).as_secs_f64());
    }
    // the first round warms up
    let (bare, whole) = (rounds::median(bare.split_off(1)), rounds::median(whole.split_off(1)));
    println!("\n{:<68} {:>12} {:>7}", "through Kafka, one consumer", "mentions/s", "ratio");
    println!("{:<68} {bare:>12.0} {:>7.3}", "consume, parse", 1.0);
    println!(
        "{:<68} {whole:>12.0} {:>7.3}",
        "consume, score, hits produced and acknowledged, committed",
        whole / bare
    );
    Ok(())
}

struct Options {
    kafka: Option<String>,
    mentions: usize,
    rounds: usize,
}

impl Options {
    fn read() -> anyhow::Result<Self> {
        let mut options = Self { kafka: None, mentions: 100_000, rounds: 5 };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let value = words.next().with_context(|| format!("{word} needs a value"))?;
            match word.as_str() {
                "--kafka" => options.kafka = Some(value),
                "--mentions" => options.mentions = value.parse()?,
                "--rounds" => options.rounds = value.parse()?,
                _ => anyhow::bail!("unknown option {word}: --kafka HOST:PORT, --mentions N, --rounds N"),
            }
        }
        Ok(options)
    }
}
