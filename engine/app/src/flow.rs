//! The whole flow on one thread with a clock that moves only when told to: what replays, drills, the demo and the
//! end-to-end timelines run. Same stages, same loop, same store as `tocsin run`; refuses to wait on the wall clock.

use std::sync::Arc;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use tocsin_bus::{Clock, Driver, Loop, LoopSettings, ManualClock, Producer, Record, Stage, Topic, publish};
use tocsin_detect::{Checkpoints, DetectStage};
use tocsin_escalate::{Courier, Desk, EscalateStage};
use tocsin_rules::{Mention, Rulebook};
use tocsin_score::ScoreStage;

use crate::{
    sentiment::Judges,
    tally::{Counted, Tallied},
};

/// What a flow is made of.
pub struct Parts<C> {
    /// Kafka or memory.
    pub bus: Arc<dyn Driver>,
    /// Where detection keeps its windows.
    pub checkpoints: C,
    /// The commands' entry, over Redis or the embedded store.
    pub desk: Desk,
    /// Sends pages.
    pub courier: Courier,
    /// Moves only through [`Flow::advance_to`].
    pub clock: ManualClock,
    /// The rules.
    pub rulebook: Arc<Rulebook>,
    /// [`LoopSettings::stepped`] for the memory bus; a real broker needs a poll that waits.
    pub settings: LoopSettings,
}

/// The stages, stepped by hand.
pub struct Flow<C: Checkpoints + 'static> {
    producer: Arc<dyn Producer>,
    score: Loop<Tallied<ScoreStage>>,
    detect: Loop<Tallied<DetectStage<C>>>,
    escalate: Loop<Tallied<EscalateStage>>,
    desk: Desk,
    courier: Courier,
    clock: ManualClock,
    /// Mentions published so far.
    published: u64,
}

impl<C: Checkpoints + 'static> Flow<C> {
    /// Wires the stages; `linear` judges mood.
    pub fn new(parts: Parts<C>) -> anyhow::Result<Self> {
        Self::judged_by(parts, Judges::default())
    }

    /// Wires the stages with these models.
    pub fn judged_by(parts: Parts<C>, judges: Judges) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(parts.clock.clone());
        let settings = LoopSettings { tick_ms: 1, ..parts.settings };
        let score = judges.install(ScoreStage::new(parts.rulebook.clone(), clock.clone())?);
        let detect = DetectStage::new(parts.rulebook.clone(), parts.checkpoints, clock.clone());
        let escalate = EscalateStage::new(parts.desk.clone());
        Ok(Self {
            producer: parts.bus.producer(),
            score: Loop::new(Tallied::new(score), &*parts.bus, clock.clone(), settings)?,
            detect: Loop::new(Tallied::new(detect), &*parts.bus, clock.clone(), settings)?,
            escalate: Loop::new(Tallied::new(escalate), &*parts.bus, clock, settings)?,
            desk: parts.desk,
            courier: parts.courier,
            clock: parts.clock,
            published: 0,
        })
    }

    /// The clock of the flow.
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// The commands' entry.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Publishes one mention and returns once the bus has it.
    pub async fn publish(&mut self, mention: &Mention) -> anyhow::Result<()> {
        self.publish_record(Record::of(mention)?).await
    }

    /// Publishes anything, well formed or not.
    pub async fn publish_record(&mut self, record: Record) -> anyhow::Result<()> {
        let results = publish(&*self.producer, &[record]).await;
        results.into_iter().next().context("one result a record")??;
        self.published += 1;
        Ok(())
    }

    /// Lets everything that is on its way arrive: mentions through to pages, at the clock's now.
    pub async fn settle(&mut self) -> anyhow::Result<()> {
        loop {
            drain(&mut self.score, self.published).await?;
            drain(&mut self.detect, self.score.stage().counted().records(Topic::Hits)).await?;
            drain(&mut self.escalate, self.detect.stage().counted().records(Topic::Findings)).await?;
            let now = self.clock.now();
            let moved = self.desk.fire_timers(now).await? + self.courier.deliver_due(now).await?;
            if moved == 0 {
                return Ok(());
            }
        }
    }

    /// Moves the clock to `to`, stopping at every instant at which passing time may change something.
    pub async fn advance_to(&mut self, to: Timestamp) -> anyhow::Result<()> {
        loop {
            match self.next_due().await? {
                Some(due) if due < to => {
                    self.step_to(due).await?;
                }
                _ => {
                    return self.step_to(to).await;
                }
            }
        }
    }

    /// Moves the clock to `to`, at least by a millisecond (something due that does not go away must not hold it), and
    /// settles there.
    pub async fn step_to(&mut self, to: Timestamp) -> anyhow::Result<()> {
        let now = self.clock.now();
        if to > now {
            self.clock.advance_to(to);
        } else if self.next_due().await?.is_some_and(|due| due <= now) {
            self.clock.advance_to(now.saturating_add(SignedDuration::from_millis(1))?);
        }
        self.settle().await
    }

    /// The next instant at which passing time alone may change something.
    pub async fn next_due(&self) -> anyhow::Result<Option<Timestamp>> {
        let desk = self.desk.next_due().await?;
        let detect = self.detect.stage().inner.next_deadline();
        Ok([desk, detect].into_iter().flatten().min())
    }

    /// Detection's side, for explanations.
    pub fn detect(&self) -> &DetectStage<C> {
        &self.detect.stage().inner
    }

    /// Verdicts on mentions.
    pub fn mention_verdicts(&self) -> Counted {
        self.score.stage().counted()
    }

    /// Verdicts on hits.
    pub fn hit_verdicts(&self) -> Counted {
        self.detect.stage().counted()
    }
}

/// Steps a loop until it has judged `expected` messages in all and everything they led to is acknowledged.
async fn drain<S: Stage>(running: &mut Loop<Tallied<S>>, expected: u64) -> anyhow::Result<()> {
    loop {
        let progress = running.step().await?;
        if progress.idle && running.stage().counted().total() >= expected {
            return Ok(());
        }
        if progress.retrying {
            // Whoever moves the clock on, or mends the fault, may live in this very task.
            tokio::task::yield_now().await;
        }
    }
}
