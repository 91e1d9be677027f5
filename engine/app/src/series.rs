//! What a replay saw over time: every threshold of every monitor as CSV, and points for a picture. Sampled at whole steps
//! of event time, before whatever arrives at that instant. Refuses to touch the drill: with or without it, the lines
//! printed are the same.

mod plot;

use std::{collections::BTreeMap, fs::File, io::BufWriter, path::Path, sync::Arc};

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use tocsin_detect::Overview;
use tocsin_rules::{Condition, Rulebook};

use crate::{drill::Drill, report::Report};

/// After this long without a mention nothing is left in most windows: no more samples until the next one.
const QUIET: SignedDuration = SignedDuration::from_hours(48);

/// Takes samples.
pub struct Series {
    rulebook: Arc<Rulebook>,
    step: i64,
    table: Option<csv::Writer<BufWriter<File>>>,
    /// By monitor; only when a picture is wanted.
    points: Option<BTreeMap<String, Vec<(Timestamp, Overview)>>>,
    /// Next instant to sample, seconds since 1970.
    next: Option<i64>,
    /// Time of the last mention fed.
    last: Option<Timestamp>,
}

impl Series {
    /// Creates the table, so that a wrong path is told before the replay.
    pub fn open(
        rulebook: &Arc<Rulebook>,
        step: SignedDuration,
        table: Option<&Path>,
        plotted: bool,
    ) -> anyhow::Result<Self> {
        let table = table.map(|path| {
            let file = File::create(path).with_context(|| path.display().to_string())?;
            let mut table = csv::Writer::from_writer(BufWriter::new(file));
            table.write_record(["at", "monitor", "threshold", "window", "value", "limit", "met", "level"])?;
            anyhow::Ok(table)
        });
        Ok(Self {
            rulebook: rulebook.clone(),
            step: step.as_secs().max(1),
            table: table.transpose()?,
            points: plotted.then(BTreeMap::new),
            next: None,
            last: None,
        })
    }

    /// Samples every step up to a mention's arrival.
    pub async fn before(
        &mut self,
        arrival: Timestamp,
        drill: &mut Drill,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        self.sample_until(arrival, drill, report).await?;
        self.last = Some(arrival);
        Ok(())
    }

    /// Samples on until everything has calmed down, at most `limit` after the last mention.
    pub async fn run_out(
        &mut self,
        drill: &mut Drill,
        report: &mut Report,
        limit: SignedDuration,
    ) -> anyhow::Result<()> {
        let Some(last) = self.last else { return Ok(()) };
        let end = last.saturating_add(limit)?;
        while let Some(next) = self.next.and_then(|next| Timestamp::from_second(next).ok()) {
            let quiet = drill.flow().detect().next_deadline().is_none_or(|due| due > end);
            if next > end || quiet {
                return Ok(());
            }
            self.sample_until(next.saturating_add(SignedDuration::from_secs(1))?, drill, report).await?;
        }
        Ok(())
    }

    async fn sample_until(
        &mut self,
        until: Timestamp,
        drill: &mut Drill,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let step = self.step;
        let first_after = |at: Timestamp| (at.as_second().div_euclid(step) + 1) * step;
        let mut next = self.next.unwrap_or_else(|| first_after(until));
        while next <= until.as_second() {
            if self.last.is_some_and(|last| next - last.as_second() > QUIET.as_secs()) {
                next = first_after(until);
                break;
            }
            let at = Timestamp::from_second(next)?;
            drill.settle_before(at, report).await?;
            self.sample(at, drill)?;
            next += step;
        }
        self.next = Some(next);
        Ok(())
    }

    fn sample(&mut self, at: Timestamp, drill: &Drill) -> anyhow::Result<()> {
        // a drill has one partition
        let Some(detector) = drill.flow().detect().detector(0) else { return Ok(()) };
        for monitor in &self.rulebook.monitors {
            let Some(overview) = detector.overview(&monitor.id, at) else { continue };
            if let Some(points) = &mut self.points {
                points.entry(monitor.id.clone()).or_default().push((at, overview));
            }
            let Some(table) = &mut self.table else { continue };
            let values = detector.values(&monitor.id, at);
            for (value, threshold) in values.iter().zip(&self.rulebook.detection.thresholds) {
                table.write_record([
                    at.to_string().as_str(),
                    &monitor.id,
                    &value.threshold,
                    &window(&threshold.condition).map_or_else(String::new, |seconds| seconds.to_string()),
                    &value.value.to_string(),
                    &value.limit.to_string(),
                    if value.met { "true" } else { "false" },
                    overview.level.as_str(),
                ])?;
            }
        }
        Ok(())
    }

    /// Writes what is left and the picture.
    pub fn close(self, plot: Option<&Path>) -> anyhow::Result<()> {
        if let Some(mut table) = self.table {
            table.flush().context("--series")?;
        }
        if let (Some(path), Some(points)) = (plot, self.points) {
            let name = |id: &str| self.rulebook.monitor(id).map_or_else(|| id.to_owned(), |m| m.name.clone());
            let panels: Vec<_> = points.into_iter().map(|(id, points)| (name(&id), points)).collect();
            let picture = plot::svg(panels, self.step);
            std::fs::write(path, picture).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }
}

/// Seconds a threshold looks back; none for one that looks at other thresholds.
fn window(condition: &Condition) -> Option<u64> {
    match condition {
        Condition::Window { window_seconds, .. }
        | Condition::Ratio { window_seconds, .. }
        | Condition::Surprise { window_seconds, .. }
        | Condition::Surge { window_seconds, .. }
        | Condition::Flatline { window_seconds, .. }
        | Condition::AnyMention { window_seconds, .. }
        | Condition::Growth { window_seconds, .. } => Some(*window_seconds),
        Condition::KOf { .. } => None,
    }
}
