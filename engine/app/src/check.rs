//! `tocsin check`: configuration and rulebook compiled, every fault printed at once, and every lint of the rulebook. Exit
//! 2 when there is a fault, or a warning that was not to be. Refuses to contact anything: it works where the engine does
//! not run.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use serde::Serialize;
use tocsin_bus::{Clock, SystemClock};
use tocsin_connectors::Item;
use tocsin_rules::{
    Faults, Rulebook,
    lint::{self, LIMIT, Lint, Severity},
    rulebook::{Part, Places, Spot},
};
use tocsin_score::{Patience, RuleSet, Scorer};

use crate::{
    cli,
    config::{Config, Invalid, secret_from},
    parts, replay, rules, sentiment,
};

/// Fewest recorded posts of which a rate says anything.
const FEWEST: u64 = 100;

/// One thing that must be mended.
#[derive(Debug, Serialize)]
struct Wrong {
    /// Where in the rulebook; none for a setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Spot>,
    message: String,
}

/// What was found.
#[derive(Debug, Default, Serialize)]
struct Report {
    ok: bool,
    summary: Option<String>,
    faults: Vec<Wrong>,
    lints: Vec<Lint>,
    /// What part of the recorded posts each monitor finds.
    #[serde(skip_serializing_if = "Option::is_none")]
    sample: Option<Sample>,
}

/// Match rates on recorded posts.
#[derive(Debug, Serialize)]
struct Sample {
    posts: u64,
    refused: u64,
    /// Why the first was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    monitors: Vec<Found>,
}

#[derive(Debug, Serialize)]
struct Found {
    id: String,
    count: u64,
    rate: f64,
}

impl From<String> for Wrong {
    fn from(message: String) -> Self {
        Self { place: None, message }
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// Checks and says what would run.
#[expect(clippy::print_stdout, reason = "the result is this command's output")]
pub fn run(options: &cli::Check) -> anyhow::Result<()> {
    let report = examine(options)?;
    if options.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        report.lints.iter().for_each(|lint| println!("{lint}"));
        if let Some(sample) = &report.sample {
            print!("{}", table(sample));
        }
        if let (true, Some(summary)) = (report.ok, &report.summary) {
            println!("ok: {summary}{}", counted(&report.lints));
        }
    }
    if report.ok {
        return Ok(());
    }
    Err(Invalid(report.faults.iter().map(ToString::to_string).collect()).into())
}

/// How many warnings and notes, for the last line.
fn counted(lints: &[Lint]) -> String {
    let of = |severity| lints.iter().filter(|lint| lint.severity == severity).count();
    match (of(Severity::Warning), of(Severity::Note)) {
        (0, 0) => String::new(),
        (warnings, notes) => format!("; {warnings} warnings, {notes} notes"),
    }
}

fn examine(options: &cli::Check) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let mut files: Vec<PathBuf> = options.rulebook.clone();
    let mut config = None;
    if let Some(path) = &options.config {
        match Config::load(path) {
            Ok(loaded) => {
                if files.is_empty() {
                    files.clone_from(&loaded.rulebook.files);
                }
                config = Some(loaded);
            }
            Err(Invalid(more)) => report.faults.extend(more.into_iter().map(Wrong::from)),
        }
    }
    let loaded = match rules::load_with_places(&files) {
        Ok(loaded) => Some(loaded),
        Err(error) => {
            report.faults.extend(of_rulebook(error));
            None
        }
    };
    if let Some(config) = &config {
        let zone = loaded.as_ref().map(|(book, _)| book.time_zone.as_str());
        report.faults.extend(settings(config, zone.unwrap_or("Asia/Shanghai")).into_iter().map(Wrong::from));
    }
    if let Some((book, places)) = loaded {
        if let Some(config) = &config {
            if let Err(error) = sentiment::categories(config.score.categories.as_deref(), &book) {
                report.faults.push(format!("{error:#}").into());
            }
            report.faults.extend(rules::unreachable(&book, &config.channels).into_iter().map(Wrong::from));
        }
        rulebook(&mut report, book, &places, options)?;
    }
    let warnings = report.lints.iter().filter(|lint| lint.severity == Severity::Warning).count();
    if options.deny_warnings && warnings > 0 {
        report.faults.push(format!("{warnings} warnings, and --deny-warnings was given").into());
    }
    report.ok = report.faults.is_empty();
    Ok(report)
}

fn of_rulebook(error: anyhow::Error) -> Vec<Wrong> {
    match error.downcast::<Faults>() {
        Ok(Faults(faults)) => faults
            .into_iter()
            .map(|fault| {
                let tocsin_rules::Fault { file, line, column, path, message } = fault;
                Wrong { place: Some(Spot { file, line, column, path }), message }
            })
            .collect(),
        Err(other) => vec![format!("{other:#}").into()],
    }
}

/// Summary, lints and match rates of a rulebook without a fault of its own.
fn rulebook(
    report: &mut Report,
    book: Rulebook,
    places: &Places,
    options: &cli::Check,
) -> anyhow::Result<()> {
    report.summary = Some(format!(
        "{}: {} monitors, {} categories, {} thresholds, {} plans, {} teams; version {}",
        book.name.en,
        book.monitors.len(),
        book.categories.len(),
        book.detection.thresholds.len(),
        book.plans.len(),
        book.teams.len(),
        book.version,
    ));
    report.lints = lint::lint(&book, places);
    let book = Arc::new(book);
    let compiled = match RuleSet::compile(book.clone()) {
        Ok(compiled) => Arc::new(compiled),
        Err(fault) => {
            report.faults.push(fault.to_string().into());
            return Ok(());
        }
    };
    if !options.sample.is_empty() {
        let sample = measure(&book, Scorer::with_rules(compiled)?, options)?;
        report.lints.extend(measured_too_broad(&sample, places));
        report.sample = Some(sample);
    }
    Ok(())
}

/// What part of recorded posts each monitor finds.
fn measure(book: &Rulebook, mut scorer: Scorer, options: &cli::Check) -> anyhow::Result<Sample> {
    let mut counts = vec![0_u64; book.monitors.len()];
    let at: HashMap<&str, usize> =
        book.monitors.iter().enumerate().map(|(at, monitor)| (monitor.id.as_str(), at)).collect();
    let (mut posts, mut refused, mut reason) = (0_u64, 0, None);
    for item in replay::read_files(&options.sample, options.format, options.map.as_deref())? {
        let mention = match item? {
            Item::Mention(mention) => *mention,
            Item::Rejected(rejected) => {
                refused += 1;
                reason.get_or_insert_with(|| rejected.to_string());
                continue;
            }
        };
        posts += 1;
        for (id, _) in scorer.score(&mention).monitors {
            if let Some(count) = at.get(&*id).and_then(|at| counts.get_mut(*at)) {
                *count += 1;
            }
        }
    }
    let of = |(monitor, count): (&tocsin_rules::Monitor, u64)| Found {
        id: monitor.id.clone(),
        count,
        rate: rate(count, posts),
    };
    Ok(Sample { posts, refused, reason, monitors: book.monitors.iter().zip(counts).map(of).collect() })
}

/// `count` of `all`; nothing of nothing is nothing.
#[expect(clippy::cast_precision_loss, reason = "a share for people to read")]
pub fn rate(count: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { count as f64 / all as f64 }
}

fn measured_too_broad(sample: &Sample, places: &Places) -> Vec<Lint> {
    let broad = sample.monitors.iter().filter(|found| sample.posts >= FEWEST && found.rate > LIMIT);
    broad
        .map(|found| Lint {
            code: lint::Code::TooBroad,
            severity: Severity::Warning,
            part: Part::Monitor,
            id: found.id.clone(),
            spot: places.of_part(Part::Monitor, &found.id).cloned(),
            message: format!(
                "this finds {} of the {} recorded posts ({:.1} %), more than {:.0} %",
                found.count,
                sample.posts,
                found.rate * 100.0,
                LIMIT * 100.0
            ),
            fix: "add a word that must be there too; a sample that was collected by the same words says nothing".to_owned(),
        })
        .collect()
}

fn table(sample: &Sample) -> String {
    let mut lines =
        format!("of {} recorded posts ({} more refused) are found:\n", sample.posts, sample.refused);
    if let Some(reason) = &sample.reason {
        lines.push_str(&format!("  the first refused: {reason}\n"));
    }
    for Found { id, count, rate } in &sample.monitors {
        lines.push_str(&format!("  {count:>8}  {:>6.2} %  {id}\n", rate * 100.0));
    }
    if sample.posts < FEWEST {
        lines.push_str(&format!("  below {FEWEST} posts no rate is judged\n"));
    }
    lines
}

/// What a running engine would refuse of the settings, by its own making of the parts.
fn settings(config: &Config, time_zone: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if let Err(error) = sentiment::open(&config.score.sentiment, Patience::Unlimited) {
        faults.push(format!("{error:#}"));
    }
    if let Some(path) = &config.store.redis.url_file
        && let Err(Invalid(more)) = secret_from("store.redis.url_file", path)
    {
        faults.extend(more);
    }
    if let Err(Invalid(more)) = parts::ingest_secrets(config) {
        faults.extend(more);
    }
    let read = |path: &std::path::Path| std::fs::read_to_string(path);
    let mut console = config.console.clone();
    if let Err(fault) = console.read_secrets(&read) {
        faults.push(fault.to_string());
    }
    if let Err(fault) = console.validate() {
        faults.push(fault.to_string());
    }
    let signer = parts::signer(config).unwrap_or_else(|error| {
        faults.push(format!("{error:#}"));
        None
    });
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    match parts::renderer(config, time_zone, signer) {
        Ok(renderer) => {
            if let Err(Invalid(more)) = parts::channels(config, &renderer, &clock) {
                faults.extend(more);
            }
        }
        Err(error) => faults.push(format!("{error:#}")),
    }
    faults
}
