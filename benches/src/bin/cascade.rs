//! Throughput of the score stage with a cascade beside linear alone, in full batches (a stream that lags), taking turns in one
//! run: with as many wanted of BERT as it serves, with ten times as many, and with every matched mention.
//! `cascade --model DIR [--mentions N] [--rounds N]`.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use clap::Parser;
use jiff::Timestamp;
use tocsin_benches::{corpus, rounds::median};
use tocsin_bus::{Clock, Message, Record, Stage, SystemClock, Topic};
use tocsin_rules::{Author, Mention, Rulebook};
use tocsin_score::{
    Cascade, Patience, ScoreStage,
    bert::{Bert, Config},
    cascade::{BertSettings, Settings},
};

const MONITORS: usize = 1_000;
/// One mention in so many matches a monitor.
const ONE_IN: usize = 10;
const BATCH: usize = 1_000;
/// Followers that make a mention wanted.
const MANY: u64 = 1_000_000;

#[derive(Parser)]
struct Options {
    /// Folder of the BERT model.
    #[arg(long)]
    model: PathBuf,
    /// Mentions of one turn.
    #[arg(long, default_value_t = 100_000)]
    mentions: usize,
    /// Turns of each contender.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the table is this program's output")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let start: Timestamp = "2026-09-10T01:00:00Z".parse()?;
    let rulebook = Arc::new(corpus::rulebook(MONITORS)?);
    let mentions = corpus::mentions(options.mentions, MONITORS, ONE_IN, start);
    let bert = BertSettings { model: options.model.clone(), ..BertSettings::default() };
    let settings = Settings { limit: 0.0, followers: MANY, bert: Some(bert), ..Settings::default() };

    let served = served(&options.model, &mentions, &clock)?;
    let plain = messages(&mentions, usize::MAX, start)?;
    let (linear, _) = turn(&rulebook, &plain, Cascade::linear(), &clock).await?;
    // wanted of all mentions when BERT serves as fast as linear reads
    let share = served / linear;
    println!(
        "BERT serves {served:.0} texts/s, linear {linear:.0} mentions/s; {MONITORS} monitors, one in {ONE_IN} matches"
    );
    println!(
        "{:<34} {:>9} {:>12} {:>12} {:>7} {:>9}",
        "wanted of BERT", "wanted", "linear/s", "cascade/s", "ratio", "answered"
    );
    for (name, every) in [
        ("as many as it serves", (1.0 / share).round() as usize),
        ("ten times as many", (0.1 / share).round() as usize),
        ("every matched mention", 1),
    ] {
        let messages = messages(&mentions, every.max(1), start)?;
        let (mut alone, mut both, mut answered) = (Vec::new(), Vec::new(), 0);
        for round in 0..=options.rounds {
            let (linear, _) = turn(&rulebook, &messages, Cascade::linear(), &clock).await?;
            let cascade = Cascade::open(&settings, Patience::Bounded { full_batch: BATCH / 2 })?;
            let (rate, by_bert) = turn(&rulebook, &messages, cascade, &clock).await?;
            // the first round warms up
            if round > 0 {
                alone.push(linear);
                both.push(rate);
                answered += by_bert;
            }
        }
        let (alone, both) = (median(alone), median(both));
        let wanted = options.mentions / ONE_IN.max(every);
        println!(
            "{name:<34} {wanted:>9} {alone:>12.0} {both:>12.0} {:>7.3} {:>9}",
            both / alone,
            answered / options.rounds.max(1)
        );
    }
    Ok(())
}

/// Texts a second that the BERT thread judges when it has nothing else to do.
fn served(model: &PathBuf, mentions: &[Mention], clock: &Arc<dyn Clock>) -> anyhow::Result<f64> {
    let bert = Bert::load(&Config::at(model), clock.clone())?;
    let texts: Vec<&str> = mentions.iter().take(64).map(|m| m.text.as_str()).collect();
    bert.judge_all(&texts)?;
    let start = clock.elapsed();
    bert.judge_all(&texts)?;
    Ok(texts.len() as f64 / (clock.elapsed() - start).as_secs_f64())
}

/// The mentions as messages; the first matched one of every `every` mentions comes from a far-reaching author.
fn messages(mentions: &[Mention], every: usize, start: Timestamp) -> anyhow::Result<Vec<Message>> {
    let mut due = 0;
    let message = |(offset, mention): (usize, &Mention)| {
        let mut mention = mention.clone();
        let named = (0..MONITORS).any(|n| mention.text.contains(&corpus::brand(n)));
        let wanted = every != usize::MAX && offset >= due && named;
        if wanted {
            due = (offset / every + 1) * every;
        }
        let followers = Some(if wanted { MANY } else { 10 });
        mention.author = Some(Author { followers, ..mention.author.unwrap_or_default() });
        let record = Record::of(&mention).context("a record")?;
        Ok(Message {
            topic: Topic::Mentions,
            partition: 0,
            offset: offset as i64,
            key: record.key,
            payload: record.payload,
            headers: record.headers,
            timestamp: start,
        })
    };
    mentions.iter().enumerate().map(message).collect()
}

/// Mentions a second through a fresh stage, and those whose mood BERT judged.
async fn turn(
    rulebook: &Arc<Rulebook>,
    messages: &[Message],
    cascade: Cascade,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<(f64, usize)> {
    let mut stage = ScoreStage::new(rulebook.clone(), clock.clone())?.with_sentiment(cascade);
    let mut outcomes = Vec::with_capacity(messages.len());
    let start = clock.elapsed();
    for batch in messages.chunks(BATCH) {
        outcomes.extend(stage.process(batch).await?);
    }
    let rate = messages.len() as f64 / (clock.elapsed() - start).as_secs_f64();
    let by_bert = |payload: &[u8]| payload.windows(17).any(|w| w == br#""model":"cascade""#);
    let answered = outcomes.iter().filter(|o| o.records.first().is_some_and(|r| by_bert(&r.payload))).count();
    Ok((rate, answered))
}
