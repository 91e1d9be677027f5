//! A drill: a [`Flow`] over the memory bus and the embedded store, whose every channel is a local pager. What replays
//! and the demo play on. Refuses real channels by construction: it never builds one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use tocsin_bus::{Clock, Consumer, Driver as _, Event, LoopSettings, ManualClock, Topic, memory};
use tocsin_detect::MemoryCheckpoints;
use tocsin_escalate::{
    Acknowledgement, Courier, Desk, Embedded, Page, State,
    channel::{Local, Registry, local},
    render::{self, Renderer},
};
use tocsin_rules::{Finding, Level, Mention, Rulebook};

use crate::{
    flow::{Flow, Parts},
    report::Report,
    sentiment::Judges,
};

/// A running drill.
pub struct Drill {
    flow: Flow<MemoryCheckpoints>,
    findings: Box<dyn Consumer>,
    pager: Arc<Local>,
    paged: Arc<Mutex<Vec<Page>>>,
    reported: BTreeMap<String, Reported>,
    changes: tokio::sync::broadcast::Receiver<tocsin_escalate::Changed>,
}

/// What of an incident was last printed.
type Reported = (State, Level, Option<Acknowledgement>, Option<Timestamp>);

impl Drill {
    /// Starts at `start`, everything empty; `linear` judges mood.
    pub fn start(
        rulebook: Arc<Rulebook>,
        start: Timestamp,
        renderer: &render::Config,
    ) -> anyhow::Result<Self> {
        Self::judged_by(rulebook, start, renderer, Judges::default())
    }

    /// Starts at `start` with these models.
    pub fn judged_by(
        rulebook: Arc<Rulebook>,
        start: Timestamp,
        renderer: &render::Config,
        judges: Judges,
    ) -> anyhow::Result<Self> {
        let manual = ManualClock::at(start);
        let clock: Arc<dyn Clock> = Arc::new(manual.clone());
        let bus =
            memory::Bus::new(memory::Config { partitions: 1, ..memory::Config::default() }, clock.clone());
        let store = Arc::new(Embedded::in_memory(start)?);
        let desk = Desk::new(store, Arc::new(ArcSwap::from(rulebook.clone())), clock.clone());

        let paged: Arc<Mutex<Vec<Page>>> = Arc::default();
        let kept = paged.clone();
        let renderer = Arc::new(Renderer::new(renderer, None)?);
        let pager =
            Arc::new(Local::new(&local::Config::default(), renderer).with_callback(Arc::new(move |shown| {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(shown.page.clone());
            })));
        let mut registry = Registry::default();
        for channel in channels_of(&rulebook) {
            registry.insert_local(&channel, pager.clone());
        }
        let courier = Courier::new(desk.clone(), registry, "drill");
        let changes = desk.changes();
        let findings = bus.consumer("report", Topic::Findings)?;
        let parts = Parts {
            bus: Arc::new(bus),
            checkpoints: MemoryCheckpoints::default(),
            desk,
            courier,
            clock: manual,
            rulebook,
            settings: LoopSettings::stepped(),
        };
        let flow = Flow::judged_by(parts, judges)?;
        Ok(Self { flow, findings, pager, paged, reported: BTreeMap::new(), changes })
    }

    /// One mention arrives, at its time.
    pub async fn feed(&mut self, mention: &Mention, report: &mut Report) -> anyhow::Result<()> {
        self.advance_to(mention.observed_at, report).await?;
        self.flow.publish(mention).await?;
        self.flow.settle().await?;
        self.tell(report).await
    }

    /// What is due before `to` happens, each at its instant, and the clock stays at the last of them: looking at a drill
    /// on the way changes nothing about it.
    pub async fn settle_before(&mut self, to: Timestamp, report: &mut Report) -> anyhow::Result<()> {
        while let Some(due) = self.flow.next_due().await?.filter(|due| *due < to) {
            self.flow.step_to(due).await?;
            self.tell(report).await?;
        }
        Ok(())
    }

    /// Time passes; everything due on the way happens at its instant.
    pub async fn advance_to(&mut self, to: Timestamp, report: &mut Report) -> anyhow::Result<()> {
        self.settle_before(to, report).await?;
        self.flow.step_to(to).await?;
        self.tell(report).await
    }

    /// Lets time pass until nothing more is due, at most `limit`.
    pub async fn run_out(&mut self, report: &mut Report, limit: SignedDuration) -> anyhow::Result<()> {
        let end = self.now().saturating_add(limit)?;
        while let Some(due) = self.flow.next_due().await?.filter(|due| *due <= end) {
            self.flow.step_to(due).await?;
            self.tell(report).await?;
        }
        Ok(())
    }

    /// The drill's clock.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(self.flow.clock().clone())
    }

    /// The drill's now.
    pub fn now(&self) -> Timestamp {
        self.flow.clock().now()
    }

    /// The commands' entry, for a console beside the drill.
    pub fn desk(&self) -> &Desk {
        self.flow.desk()
    }

    /// Where pages are shown.
    pub fn pager(&self) -> &Arc<Local> {
        &self.pager
    }

    /// Detection's side, for explanations.
    pub fn flow(&self) -> &Flow<MemoryCheckpoints> {
        &self.flow
    }

    /// The last line.
    pub fn summary(&self, report: &mut Report) -> anyhow::Result<()> {
        report.summary(self.now(), &self.flow.mention_verdicts(), &self.flow.hit_verdicts())
    }

    /// Prints what is new: findings, then incidents, then pages.
    async fn tell(&mut self, report: &mut Report) -> anyhow::Result<()> {
        let now = self.now();
        for finding in self.new_findings().await? {
            report.finding(&finding)?;
        }
        let mut changed = BTreeSet::new();
        while let Ok(change) = self.changes.try_recv() {
            changed.insert(change.incident);
        }
        for id in changed {
            let incident = self.flow.desk().show(&id).await?;
            let standing: Reported =
                (incident.state, incident.level, incident.acknowledged.clone(), incident.recovered_at);
            let known = self.reported.insert(id, standing.clone());
            if known.as_ref() != Some(&standing) {
                report.incident(now, &incident, known.is_none())?;
            }
        }
        let pages = std::mem::take(&mut *self.paged.lock().unwrap_or_else(PoisonError::into_inner));
        for page in pages {
            report.page(now, &page)?;
        }
        Ok(())
    }

    async fn new_findings(&mut self) -> anyhow::Result<Vec<Finding>> {
        let mut new = Vec::new();
        loop {
            match self.findings.poll(1_000, Duration::ZERO).await? {
                Event::Assigned(partitions) => {
                    self.findings.start(&partitions.into_iter().map(|p| (p, None)).collect()).await?;
                }
                Event::Revoked { partitions, .. } => self.findings.release(&partitions).await?,
                Event::Messages(messages) => {
                    let mut next = BTreeMap::new();
                    for message in messages {
                        next.insert(message.partition, message.offset + 1);
                        new.push(serde_json::from_slice(&message.payload)?);
                    }
                    self.findings.commit(&next, true).await?;
                }
                Event::Idle => return Ok(new),
            }
        }
    }
}

/// Every channel that a person of the rulebook names.
pub(crate) fn channels_of(rulebook: &Rulebook) -> BTreeSet<String> {
    let people = rulebook.teams.iter().flat_map(|team| &team.people);
    people.flat_map(|person| &person.contacts).map(|contact| contact.channel.clone()).collect()
}
