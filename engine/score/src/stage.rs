//! [`ScoreStage`]: the score stage of the flow: mentions in, one hit for each matched monitor out, exactly one verdict a
//! message. Refuses to fail: nothing here touches the world, so every message can be judged.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tocsin_bus::{Clock, DeadReason, DropReason, Fault, Message, Outcome, Record, Stage, Topic};
use tocsin_rules::{Hit, Mention, Op, Rejection, RejectionReason, Rulebook};

use crate::{
    cascade::{Cascade, Wanted},
    category::Categories,
    duplicates::{Duplicates, News, Place},
    error::ScoreError,
    metrics::Metrics,
    ruleset::RuleSet,
    scorer::{self, Scored, Scorer},
};

/// Mention ids remembered by default.
pub const REMEMBERED: usize = 1 << 20;

/// Puts another rulebook into use while the stage runs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RulesHandle {
    current: Arc<ArcSwap<RuleSet>>,
    clock: Arc<dyn Clock>,
}

impl RulesHandle {
    /// Compiles a rulebook on the caller's thread, from what is in use as far as it stays the same. Slow: for a thread
    /// that may block. Nothing is in use yet.
    ///
    /// # Errors
    /// When its queries cannot be compiled.
    pub fn prepare(&self, rulebook: Arc<Rulebook>) -> Result<Arc<RuleSet>, ScoreError> {
        let metrics = Metrics::get()?;
        let start = self.clock.elapsed();
        let (rules, update) =
            self.current.load_full().updated(rulebook).inspect_err(|_| metrics.swapped(false))?;
        metrics.compiled(update.full, self.clock.elapsed().saturating_sub(start));
        Ok(Arc::new(rules))
    }

    /// The stage takes these rules with its next batch. Hands back those they replace: freeing a large set takes a while,
    /// and whoever holds it last does that.
    pub fn install(&self, rules: Arc<RuleSet>) -> Arc<RuleSet> {
        if let Ok(metrics) = Metrics::get() {
            metrics.swapped(true);
            metrics.in_use(&rules);
        }
        self.current.swap(rules)
    }

    /// The rulebook in use.
    pub fn rulebook(&self) -> Arc<Rulebook> {
        self.current.load().rulebook().clone()
    }
}

/// The stage.
#[derive(Debug)]
pub struct ScoreStage {
    rules: RulesHandle,
    scorer: Scorer,
    cascade: Cascade,
    duplicates: Duplicates,
    clock: Arc<dyn Clock>,
    metrics: &'static Metrics,
}

impl ScoreStage {
    /// A stage that remembers [`REMEMBERED`] ids. The clock only measures.
    ///
    /// # Errors
    /// When the rulebook cannot be compiled or metrics cannot be registered.
    pub fn new(rulebook: Arc<Rulebook>, clock: Arc<dyn Clock>) -> Result<Self, ScoreError> {
        Self::remembering(REMEMBERED, rulebook, clock)
    }

    /// A stage that remembers at most `ids` mention ids.
    ///
    /// # Errors
    /// As [`ScoreStage::new`].
    pub fn remembering(
        ids: usize,
        rulebook: Arc<Rulebook>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ScoreError> {
        let metrics = Metrics::get()?;
        let start = clock.elapsed();
        let rules = Arc::new(RuleSet::compile(rulebook)?);
        metrics.compiled(true, clock.elapsed().saturating_sub(start));
        metrics.in_use(&rules);
        let current = Arc::new(ArcSwap::new(rules.clone()));
        Ok(Self {
            rules: RulesHandle { current, clock: clock.clone() },
            scorer: Scorer::with_rules(rules)?,
            cascade: Cascade::linear(),
            duplicates: Duplicates::new(ids),
            clock,
            metrics,
        })
    }

    /// Handle for hot reload.
    pub fn rules(&self) -> RulesHandle {
        self.rules.clone()
    }

    /// Judges mood with these models in place of `linear` alone.
    #[must_use]
    pub fn with_sentiment(mut self, cascade: Cascade) -> Self {
        self.cascade = cascade;
        self
    }

    /// Looks for crisis categories with a trained classifier too.
    #[must_use]
    pub fn with_categories(mut self, categories: Arc<Categories>) -> Self {
        self.scorer = self.scorer.with_categories(categories);
        self
    }

    /// Judges one message by itself; `linear` has the last word on its mood.
    pub fn judge(&mut self, message: &Message) -> Outcome {
        let draft = self.draft(message, 0, &mut Vec::new());
        self.finish(draft)
    }

    /// Everything but the second model's word on mood, which is put on the list when it is wanted.
    fn draft(&mut self, message: &Message, at: usize, wanted: &mut Vec<Wanted>) -> Draft {
        let place = Place { partition: message.partition, offset: message.offset };
        self.duplicates.arrive(place);
        match parse(message) {
            Ok(mention) => self.draft_mention(&mention, place, at, wanted),
            Err(outcome) => Draft::Judged(*outcome),
        }
    }

    fn draft_mention(
        &mut self,
        mention: &Mention,
        place: Place,
        at: usize,
        wanted: &mut Vec<Wanted>,
    ) -> Draft {
        let news = self.duplicates.judge(mention, place);
        if news == News::Nothing {
            return Draft::Judged(Outcome::dropped(DropReason::Duplicate));
        }
        let scored = self.scorer.score_known(mention, news == News::First);
        let matched: Vec<Arc<str>> = scored.monitors.iter().map(|(id, _)| id.clone()).collect();
        let hits = hits(mention, &news, &scored);
        self.duplicates.remember(mention, place, matched);
        if hits.is_empty() {
            let reason = match mention.op {
                Op::Delete => DropReason::NothingToRetract,
                _ => DropReason::NoMatch,
            };
            return Draft::Judged(Outcome::dropped(reason));
        }
        let sentiment = scored.sentiment.filter(|_| mention.op != Op::Delete);
        if let Some(sentiment) = &sentiment {
            wanted.extend(self.cascade.wants(at, mention, sentiment));
        }
        Draft::Hits { hits, counted: sentiment.is_some() }
    }

    /// Puts the second model's answers in place of linear's.
    async fn second_opinions(&mut self, drafts: &mut [Draft], wanted: Vec<Wanted>, began: Duration) {
        let settled = self.cascade.settle(wanted, drafts.len(), began, &*self.clock).await;
        for (at, answer) in settled {
            match (answer, drafts.get_mut(at)) {
                (Ok(sentiment), Some(Draft::Hits { hits, .. })) => {
                    hits.iter_mut().for_each(|hit| hit.sentiment = sentiment.clone());
                }
                (Ok(_), _) => {}
                (Err(refusal), _) => self.metrics.fallback(refusal),
            }
        }
    }

    /// The outcome of a message whose mood is settled.
    fn finish(&self, draft: Draft) -> Outcome {
        let (hits, counted) = match draft {
            Draft::Judged(outcome) => return outcome,
            Draft::Hits { hits, counted } => (hits, counted),
        };
        if let (Some(hit), true) = (hits.first(), counted) {
            self.metrics.sentiment(&hit.sentiment);
            hits.iter().filter_map(|hit| hit.complaint.as_ref()).for_each(|c| self.metrics.complaint(c));
        }
        match hits.iter().map(Record::of).collect::<Result<Vec<_>, _>>() {
            Ok(records) => Outcome::emitted(records),
            Err(error) => Outcome::dead(DeadReason::InvalidField, error.to_string()),
        }
    }
}

/// What is known of a message before the second model has spoken.
enum Draft {
    /// Its outcome stands.
    Judged(Outcome),
    /// Its hits, whose mood may still change; whether the mention counts among moods.
    Hits { hits: Vec<Hit>, counted: bool },
}

/// The hits due to a mention, given what is new about it.
fn hits(mention: &Mention, news: &News, scored: &Scored) -> Vec<Hit> {
    let subject = scorer::subject(mention);
    let hit = |(monitor, matches): &(Arc<str>, Vec<_>), op| scored.hit(&subject, monitor, matches, op);
    let before: &[Arc<str>] = match news {
        News::Changed(before) | News::Retracted(before) => before,
        News::First | News::Nothing | News::Unknown => &[],
    };
    let gone = |monitor: &&Arc<str>| !scored.monitors.iter().any(|(id, _)| id == *monitor);
    match news {
        News::Nothing => Vec::new(),
        // An update of something forgotten stays an update: who counts knows whether it was counted.
        News::First => scored.monitors.iter().map(|m| hit(m, mention.op)).collect(),
        // A retraction of something forgotten goes to whom its text matches, if it still carries one.
        News::Unknown => scored.monitors.iter().map(|m| hit(m, Op::Delete)).collect(),
        News::Retracted(before) => {
            before.iter().map(|id| scored.hit(&subject, id, &[], Op::Delete)).collect()
        }
        News::Changed(_) => {
            let op = |id: &Arc<str>| if before.contains(id) { Op::Update } else { Op::Create };
            let stay = scored.monitors.iter().map(|m| hit(m, op(&m.0)));
            let left = before.iter().filter(gone).map(|id| scored.hit(&subject, id, &[], Op::Delete));
            stay.chain(left).collect()
        }
    }
}

/// The mention in a message, or the dead letter it becomes.
fn parse(message: &Message) -> Result<Mention, Box<Outcome>> {
    let known = <Mention as tocsin_bus::Payload>::SCHEMA;
    if let Some(schema) = message.header("schema")
        && !schema.parse::<u16>().is_ok_and(|schema| schema <= known)
    {
        let detail =
            format!("schema {:?}, this version reads up to {known}", schema.get(..8).unwrap_or(schema));
        return Err(Box::new(Outcome::dead(DeadReason::UnknownSchema, detail)));
    }
    Mention::parse(&message.payload, message.timestamp).map_err(|rejection| Box::new(dead(&rejection)))
}

fn dead(rejection: &Rejection) -> Outcome {
    let reason = match rejection.reason {
        RejectionReason::InvalidUtf8 => DeadReason::InvalidUtf8,
        RejectionReason::InvalidJson => DeadReason::InvalidJson,
        RejectionReason::TooDeep => DeadReason::TooDeep,
        RejectionReason::TooLarge => DeadReason::TooLarge,
        RejectionReason::MissingField => DeadReason::MissingField,
        RejectionReason::InvalidField => DeadReason::InvalidField,
        RejectionReason::UnknownPlatform => DeadReason::UnknownPlatform,
        RejectionReason::DateOutOfRange => DeadReason::DateOutOfRange,
    };
    Outcome::dead(reason, rejection.to_string())
}

impl Stage for ScoreStage {
    fn name(&self) -> &'static str {
        "score"
    }

    fn input(&self) -> Topic {
        Topic::Mentions
    }

    /// The duplicate filter is memory, not state: its journal keeps every message that is not committed and takes it
    /// back when it comes again, so offsets may be committed while later batches are on their way.
    fn is_stateless(&self) -> bool {
        true
    }

    fn revoked(&mut self, partitions: &[i32]) {
        self.duplicates.revoke(partitions);
    }

    async fn process(&mut self, batch: &[Message]) -> Result<Vec<Outcome>, Fault> {
        let rules = self.rules.current.load_full();
        if !Arc::ptr_eq(&rules, self.scorer.rules()) {
            self.scorer.set_rules(rules);
        }
        let start = self.clock.elapsed();
        let mut wanted = Vec::new();
        let mut drafts = Vec::with_capacity(batch.len());
        for (at, message) in batch.iter().enumerate() {
            drafts.push(self.draft(message, at, &mut wanted));
        }
        self.second_opinions(&mut drafts, wanted, start).await;
        let outcomes: Vec<Outcome> = drafts.into_iter().map(|draft| self.finish(draft)).collect();
        if !batch.is_empty() {
            let spent = (self.clock.elapsed() - start).as_secs_f64();
            self.metrics.batch_size.observe(batch.len() as f64);
            self.metrics.mention_seconds.observe(spent / batch.len() as f64);
        }
        self.metrics.filter_entries.set(self.duplicates.len() as i64);
        self.metrics.clusters.set(self.scorer.clusters() as i64);
        Ok(outcomes)
    }

    async fn checkpoint(&mut self, next: &BTreeMap<i32, i64>) -> Result<(), Fault> {
        self.duplicates.checkpoint(next);
        Ok(())
    }
}

#[cfg(test)]
#[path = "stage/tests.rs"]
mod tests;
