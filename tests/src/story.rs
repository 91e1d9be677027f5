//! A story told to the whole engine: "at 10:00 forty angry posts arrive; by 10:05 the second on call is paged". Time
//! moves only when told to; every page, incident and finding is kept. Refuses surplus: what was not expected fails.

mod cast;
mod pager;
mod stage;

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, ensure};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tocsin_app::flow::Flow;
use tocsin_bus::{Clock as _, Consumer, Event, ManualClock, Record, Topic};
use tocsin_escalate::{Actor, Command, Filter, Incident, Page, Via, audit, channel::Registry};
use tocsin_rules::{Finding, Mention, Op, Rulebook};

pub use self::{
    cast::{Mood, line},
    pager::Pager,
    stage::{Way, Windows},
};
use crate::Skip;

/// The rulebook the stories play on.
pub const RULEBOOK: &str = include_str!("../rulebooks/story.yaml");
/// The day they play, in the team's time zone.
const DAY: &str = "2026-09-10";
/// The team's time zone, hours ahead of UTC.
const ZONE_HOURS: i64 = 8;
/// Real time an outage may take.
const OUTAGE_LIMIT: Duration = Duration::from_secs(20);
/// Attempts to let something due happen: a real broker may not have told yet that a partition is read to its end.
const NUDGES: usize = 200;

/// One running story.
pub struct Story {
    flow: Flow<Windows>,
    clock: ManualClock,
    findings: Box<dyn Consumer>,
    found: Vec<Finding>,
    pager: Pager,
    /// Pages that were expected and came.
    expected: usize,
    /// Every post at its first sight.
    told: Vec<Mention>,
    world: stage::World,
}

impl Story {
    /// Opens at 09:30 on one of the three ways.
    ///
    /// # Errors
    /// [`Skip`] when a real part of this way cannot be had, inside [`Ok`]; anything else is a fault.
    pub async fn on(way: Way) -> anyhow::Result<Result<Self, Skip>> {
        let pager = Pager::default();
        let mut registry = Registry::default();
        registry.insert("pager", Arc::new(pager.clone()));
        Self::with(way, 3, pager, registry).await
    }

    /// Opens with channels of one's own and so many partitions a topic.
    ///
    /// # Errors
    /// As [`Story::on`].
    pub async fn with(
        way: Way,
        partitions: i32,
        pager: Pager,
        channels: Registry,
    ) -> anyhow::Result<Result<Self, Skip>> {
        let rulebook = Arc::new(Rulebook::load(&[("story.yaml", RULEBOOK)])?);
        let clock = ManualClock::at(instant("09:30")?);
        let (flow, findings, world) =
            match stage::raise(way, partitions, rulebook, clock.clone(), channels).await? {
                Ok(raised) => raised,
                Err(skip) => return Ok(Err(skip)),
            };
        Ok(Ok(Self { flow, clock, findings, found: Vec::new(), pager, expected: 0, told: Vec::new(), world }))
    }

    /// Lets time pass until `clock` (`10:03`, or `10:03:20`), the team's time.
    pub async fn at(&mut self, clock: &str) -> anyhow::Result<()> {
        self.until(instant(clock)?).await
    }

    async fn until(&mut self, to: Timestamp) -> anyhow::Result<()> {
        boxed(self.flow.advance_to(to)).await?;
        for _ in 0..NUDGES {
            let now = self.clock.now();
            if self.flow.next_due().await?.is_none_or(|due| due > now) {
                return Ok(());
            }
            boxed(self.flow.step_to(now)).await?;
        }
        anyhow::bail!("something due at {} does not happen: {:?}", self.now(), self.flow.next_due().await?)
    }

    /// `n` people post so over a while; returns the ids of the posts.
    pub async fn post(&mut self, mood: Mood, n: usize, over: SignedDuration) -> anyhow::Result<Vec<String>> {
        // A handful at a time: arrivals stay spread, a real broker is not asked for each alone.
        let start = self.clock.now();
        let groups = if over.is_zero() { 1 } else { n.clamp(1, 10) };
        let mut ids = Vec::new();
        for group in 0..groups {
            let part = i32::try_from(group)?;
            self.until(start + over * part / i32::try_from(groups)?).await?;
            for _ in (n * group / groups)..(n * (group + 1) / groups) {
                let mention = cast::mention(self.told.len(), mood, self.clock.now());
                ids.push(mention.id.clone());
                self.publish(&mention).await?;
            }
            boxed(self.flow.settle()).await?;
        }
        Ok(ids)
    }

    /// Angry posts.
    pub async fn angry(&mut self, n: usize, over: SignedDuration) -> anyhow::Result<Vec<String>> {
        self.post(Mood::Angry, n, over).await
    }

    /// Angry posts that ask for their money back.
    pub async fn complaints(&mut self, n: usize, over: SignedDuration) -> anyhow::Result<Vec<String>> {
        self.post(Mood::Refund, n, over).await
    }

    /// Happy posts.
    pub async fn happy(&mut self, n: usize, over: SignedDuration) -> anyhow::Result<Vec<String>> {
        self.post(Mood::Happy, n, over).await
    }

    /// The posts of these ids come again as they are, with other counters, or are taken back.
    pub async fn again(&mut self, ids: &[String], op: Op) -> anyhow::Result<()> {
        let mut again: Vec<Mention> = self.told.iter().filter(|m| ids.contains(&m.id)).cloned().collect();
        ensure!(again.len() == ids.len(), "only posts told before come again");
        for mention in &mut again {
            mention.op = op;
            mention.observed_at = self.clock.now();
            if op == Op::Update {
                mention.metrics.likes = Some(mention.metrics.likes.unwrap_or_default() + 100);
            }
            self.flow.publish(mention).await?;
        }
        boxed(self.flow.settle()).await
    }

    /// Publishes without waiting for what follows.
    async fn publish(&mut self, mention: &Mention) -> anyhow::Result<()> {
        self.flow.publish(mention).await?;
        self.told.push(mention.clone());
        Ok(())
    }

    /// Bytes that may be no mention.
    pub async fn raw(&mut self, payload: &[u8]) -> anyhow::Result<()> {
        let record = Record {
            topic: Topic::Mentions,
            key: b"raw".to_vec().into(),
            payload: payload.to_vec().into(),
            headers: Vec::new(),
        };
        self.flow.publish_record(record).await?;
        boxed(self.flow.settle()).await
    }

    /// Somebody takes the one open incident.
    pub async fn acknowledge(&mut self, person: &str) -> anyhow::Result<Incident> {
        self.command(person, &Command::Acknowledge).await
    }

    /// A person does something about the one open incident.
    pub async fn command(&mut self, person: &str, command: &Command) -> anyhow::Result<Incident> {
        static OP: AtomicU32 = AtomicU32::new(0);
        let open: Vec<_> = self.incidents().await?.into_iter().filter(Incident::is_open).collect();
        ensure!(open.len() == 1, "one open incident, not {}", open.len());
        let actor = Actor { who: person.to_owned(), via: Via::Console };
        let op = format!("story-{}", OP.fetch_add(1, Ordering::Relaxed));
        let after = self.flow.desk().command(&open[0].id, command, &actor, &op, None).await?;
        boxed(self.flow.settle()).await?;
        Ok(after)
    }

    /// Redis is killed; the posts arrive while it is away; it comes back. Real time passes, and as much on the clock.
    pub async fn redis_dies_while(&mut self, mood: Mood, n: usize) -> anyhow::Result<Vec<String>> {
        let redis = self.world.redis.clone().context("this way has no Redis")?;
        redis.kill();
        let mut ids = Vec::new();
        for _ in 0..n {
            let mention = cast::mention(self.told.len(), mood, self.clock.now());
            ids.push(mention.id.clone());
            self.publish(&mention).await?;
        }
        let clock = self.clock.clone();
        let beat = Duration::from_millis(20);
        let world = async {
            // Long enough for every stage to run into it.
            for turn in 0..OUTAGE_LIMIT.as_millis() / beat.as_millis() {
                if turn == 40 {
                    redis.restart()?;
                }
                tokio::time::sleep(beat).await;
                clock.advance(beat);
            }
            anyhow::bail!("the engine did not recover within {OUTAGE_LIMIT:?}")
        };
        let flow = &mut self.flow;
        let engine = async {
            let mut faults = 0;
            // Read only as often as the courier and the timers look by themselves.
            while boxed(flow.settle()).await.is_err() {
                faults += 1;
                tokio::time::sleep(beat).await;
            }
            anyhow::Ok(faults)
        };
        tokio::select! {
            done = engine => { done?; }
            failed = world => return failed,
        }
        Ok(ids)
    }

    /// Every finding so far, in order.
    pub async fn findings(&mut self) -> anyhow::Result<&[Finding]> {
        let expected = usize::try_from(self.flow.hit_verdicts().records(Topic::Findings))?;
        for _ in 0..1_000 {
            match self.findings.poll(1_000, Duration::from_millis(50)).await? {
                Event::Assigned(partitions) => {
                    self.findings.start(&partitions.into_iter().map(|p| (p, None)).collect()).await?;
                }
                Event::Revoked { partitions, .. } => self.findings.release(&partitions).await?,
                Event::Messages(messages) => {
                    for message in messages {
                        self.found.push(serde_json::from_slice(&message.payload)?);
                    }
                }
                Event::Idle if self.found.len() >= expected => return Ok(&self.found),
                Event::Idle => {}
            }
        }
        anyhow::bail!("{} of {expected} findings arrived", self.found.len())
    }

    /// Every incident, newest first.
    pub async fn incidents(&self) -> anyhow::Result<Vec<Incident>> {
        Ok(self.flow.desk().list(&Filter::default(), 100, None).await?.incidents)
    }

    /// Every page so far, in order.
    pub fn pages(&self) -> Vec<Page> {
        self.pager.pages()
    }

    /// Since the last such question exactly these pages were sent: `10:05 mei escalated`.
    pub fn expect_pages(&mut self, wanted: &[&str]) -> anyhow::Result<()> {
        let pages = self.pages();
        let new = pages.get(self.expected..).unwrap_or_default();
        let mut said: Vec<String> = new.iter().map(brief).collect();
        let mut wanted: Vec<String> = wanted.iter().map(|s| (*s).to_owned()).collect();
        // Pages of one instant have no order.
        said.sort();
        wanted.sort();
        ensure!(said == wanted, "at {}: wanted the pages {wanted:?}, got {said:?}", self.now());
        self.expected = pages.len();
        Ok(())
    }

    /// What time it is, for the team.
    pub fn now(&self) -> String {
        local(self.clock.now())
    }

    /// Mentions and hits with their verdicts.
    pub fn flow(&self) -> &Flow<Windows> {
        &self.flow
    }

    /// What must hold of every story: no page was unexpected, no message without exactly one verdict, every
    /// incident's history unbroken.
    pub async fn end(mut self) -> anyhow::Result<()> {
        self.expect_pages(&[])?;
        let (mentions, hits) = (self.flow.mention_verdicts(), self.flow.hit_verdicts());
        ensure!(
            hits.total() == mentions.records(Topic::Hits),
            "hits without a verdict: {mentions:?} {hits:?}"
        );
        let ids: std::collections::BTreeSet<String> = self.pages().into_iter().map(|page| page.id).collect();
        ensure!(ids.len() == self.pages().len(), "a page was sent twice");
        for incident in self.incidents().await? {
            let entries = self.flow.desk().audit(&incident.id).await?;
            let broken = audit::verify(&entries, &incident).err();
            ensure!(broken.is_none(), "audit of {} broken at {broken:?}", incident.id);
        }
        Ok(())
    }
}

/// Keeps the type of a story's future within what the compiler follows.
fn boxed<'a, T>(work: impl Future<Output = T> + 'a) -> Pin<Box<dyn Future<Output = T> + 'a>> {
    Box::pin(work)
}

/// `10:05 mei escalated`.
fn brief(page: &Page) -> String {
    format!("{} {} {}", &local(page.at)[..5], page.to, page.reason.as_str())
}

/// An instant of the story's day.
pub fn instant(clock: &str) -> anyhow::Result<Timestamp> {
    let full = if clock.len() == 5 { format!("{clock}:00") } else { clock.to_owned() };
    format!("{DAY}T{full}+08:00").parse().with_context(|| format!("`{clock}` is no time of day"))
}

fn local(at: Timestamp) -> String {
    let there = at + SignedDuration::from_hours(ZONE_HOURS);
    there.to_zoned(TimeZone::UTC).strftime("%H:%M:%S").to_string()
}
