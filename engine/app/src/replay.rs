//! `tocsin replay`: a back-test or drill. Recorded mentions run through the whole logic in event time and every
//! finding, incident and page comes out as a JSON line. Refuses to contact a real channel; same input, same output.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use tocsin_bus::{Clock as _, SystemClock};
use tocsin_connectors::{FieldMap, Item, file};
use tocsin_escalate::render;
use tocsin_rules::Mention;

use crate::{
    cli::{self, Format, Speed},
    drill::Drill,
    report::Report,
    rules,
    sentiment::Judges,
    series::Series,
};

/// How long after the last mention the clock runs on, at most, for recoveries, deadlines and escalations to show.
const RUN_OUT: SignedDuration = SignedDuration::from_hours(48);

/// Reads, sorts by arrival, plays, prints.
pub async fn run(options: cli::Replay) -> anyhow::Result<()> {
    let rulebook = Arc::new(rules::load(&options.rules)?);
    let judges = Judges::of_command(&options.sentiment, &rulebook)?;
    let mut report = Report::to_stdout();
    let mut mentions = Vec::new();
    for item in read_all(&options.input)? {
        match item? {
            Item::Mention(mention) => mentions.push(*mention),
            Item::Rejected(rejected) => {
                report.rejected(rejected.reason.as_str());
                tracing::warn!(record = %rejected, "record refused");
            }
        }
    }
    sort_by_arrival(&mut mentions);
    let start = mentions.first().map_or(Timestamp::UNIX_EPOCH, |m| m.observed_at);
    let zone = rulebook.time_zone.clone();
    let pages = render::Config { time_zone: zone, ..render::Config::default() };
    let mut series = match (&options.series, &options.plot) {
        (None, None) => None,
        (table, plot) => Some(Series::open(&rulebook, options.step, table.as_deref(), plot.is_some())?),
    };
    let mut drill = Drill::judged_by(rulebook, start, &pages, judges)?;
    play_beside(&mut drill, &mut report, &mentions, options.speed, series.as_mut()).await?;
    if let Some(series) = &mut series {
        series.run_out(&mut drill, &mut report, RUN_OUT).await?;
    }
    drill.run_out(&mut report, RUN_OUT).await?;
    drill.summary(&mut report)?;
    if let Some(series) = series {
        series.close(options.plot.as_deref())?;
    }
    Ok(())
}

/// Every record of the input files, in order.
pub fn read_all(input: &cli::Input) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Item>>> {
    read_files(&input.files, input.format, input.map.as_deref())
}

/// As [`read_all`], of files given apart.
pub fn read_files(
    files: &[PathBuf],
    format: Format,
    map: Option<&str>,
) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Item>> + use<>> {
    let options = file::ReadOptions {
        format: match format {
            Format::Auto => file::Format::Auto,
            Format::Mention => file::Format::Mention,
            Format::Mediacrawler => file::Format::Mediacrawler,
            Format::Jsonl => file::Format::Jsonl,
            Format::Csv => file::Format::Csv,
        },
        map: map.map(FieldMap::parse).transpose().context("--map")?,
        seen_at: None,
    };
    let readers = files
        .iter()
        .map(|path| file::read(path, &options).with_context(|| path.display().to_string()))
        .collect::<anyhow::Result<Vec<_>>>()?;
    Ok(readers.into_iter().flatten().map(|item| Ok(item?)))
}

/// The order in which an engine would have seen them.
pub fn sort_by_arrival(mentions: &mut [Mention]) {
    mentions
        .sort_by(|a, b| (a.observed_at, a.published_at, &a.id).cmp(&(b.observed_at, b.published_at, &b.id)));
}

/// Feeds mentions at their time of arrival.
pub async fn play(
    drill: &mut Drill,
    report: &mut Report,
    mentions: &[Mention],
    speed: Speed,
) -> anyhow::Result<()> {
    play_beside(drill, report, mentions, speed, None).await
}

/// As [`play`], with series taken on the way.
async fn play_beside(
    drill: &mut Drill,
    report: &mut Report,
    mentions: &[Mention],
    speed: Speed,
    mut series: Option<&mut Series>,
) -> anyhow::Result<()> {
    let pace = SystemClock::new();
    let started = pace.elapsed();
    let first = mentions.first().map_or(Timestamp::UNIX_EPOCH, |m| m.observed_at);
    for mention in mentions {
        if let Speed::Times(times) = speed {
            let due = Duration::try_from(mention.observed_at.duration_since(first)).unwrap_or_default();
            let due = started + due.div_f64(times);
            pace.sleep(due.saturating_sub(pace.elapsed())).await;
        }
        report.read();
        if let Some(series) = series.as_deref_mut() {
            series.before(mention.observed_at, drill, report).await?;
        }
        drill.feed(mention, report).await?;
    }
    Ok(())
}
