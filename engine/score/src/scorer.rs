//! [`Scorer`]: everything said of one mention: language, monitors, sentiment, crisis categories, copies. Pure: no clock, no
//! I/O; the table of clusters moves with event time only.

use std::sync::Arc;

use jiff::SignedDuration;
use tocsin_rules::{CategoryMatch, Complaint, Hit, Mention, Op, Rulebook, Sentiment, Subject, TermMatch};

use crate::{
    category::Categories,
    complaint::Voice,
    error::ScoreError,
    language,
    linear::{self, Linear},
    ruleset::{Found, RuleSet, Scan},
    simhash::{self, Clusters},
    symbols::Symbols,
};

/// Characters of an excerpt.
pub const EXCERPT: usize = 280;
/// Clusters remembered, and for how long after their last copy.
const CLUSTERS: (usize, SignedDuration) = (32_768, SignedDuration::from_hours(24));

/// What scoring says of one mention.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// ISO 639-1, `und` when unsure.
    pub lang: &'static str,
    /// Matched monitors in the rulebook's order, with evidence.
    pub monitors: Vec<(Arc<str>, Vec<TermMatch>)>,
    /// Mood; `None` when it was not asked for because no monitor matched.
    pub sentiment: Option<Sentiment>,
    /// Crisis categories.
    pub categories: Vec<CategoryMatch>,
    /// Terms of the rulebook's keyword thresholds.
    pub keywords: Vec<String>,
    /// Cluster of near-duplicates; `None` for short texts and unmatched ones.
    pub cluster: Option<u64>,
    /// Texts of that cluster so far.
    pub cluster_size: Option<u32>,
    /// What it says to whom; `None` when no monitor matched or it is retracted.
    pub voice: Option<Voice>,
}

/// Scores mentions against one rulebook. One per thread: it owns its buffers.
#[derive(Debug)]
pub struct Scorer {
    rules: Arc<RuleSet>,
    model: Linear,
    symbols: Symbols,
    scan: Scan,
    clusters: Clusters,
    categories: Option<Arc<Categories>>,
}

impl Scorer {
    /// Compiles a rulebook and loads the shipped model.
    ///
    /// # Errors
    /// When the queries cannot be compiled or the embedded weights are damaged.
    pub fn new(rulebook: Arc<Rulebook>) -> Result<Self, ScoreError> {
        Self::with_rules(Arc::new(RuleSet::compile(rulebook)?))
    }

    /// Scores against rules compiled before.
    ///
    /// # Errors
    /// When the embedded weights are damaged.
    pub fn with_rules(rules: Arc<RuleSet>) -> Result<Self, ScoreError> {
        Ok(Self {
            rules,
            model: Linear::shipped()?,
            symbols: Symbols::default(),
            scan: Scan::default(),
            clusters: Clusters::new(CLUSTERS.0, CLUSTERS.1),
            categories: None,
        })
    }

    /// Looks for crisis categories with a trained classifier too, in what a monitor matched.
    #[must_use]
    pub fn with_categories(mut self, categories: Arc<Categories>) -> Self {
        self.categories = Some(categories);
        self
    }

    /// Takes other rules into use; clusters stay.
    pub fn set_rules(&mut self, rules: Arc<RuleSet>) {
        self.rules = rules;
    }

    /// The rules in use.
    pub fn rules(&self) -> &Arc<RuleSet> {
        &self.rules
    }

    /// Clusters remembered.
    pub fn clusters(&self) -> usize {
        self.clusters.len()
    }

    /// Scores a mention; sentiment and copies only when a monitor matched.
    pub fn score(&mut self, mention: &Mention) -> Scored {
        self.score_known(mention, true)
    }

    /// As [`Scorer::score`]; a mention seen before (`new` is false) does not count again as a copy.
    pub fn score_known(&mut self, mention: &Mention, new: bool) -> Scored {
        let mut scored = self.matched(mention);
        if !scored.monitors.is_empty() {
            self.mood(mention, new, &mut scored);
        }
        scored
    }

    /// Scores a mention whole, matched or not: `tocsin score`, `tocsin explain`.
    pub fn score_whole(&mut self, mention: &Mention) -> Scored {
        let mut scored = self.matched(mention);
        self.mood(mention, true, &mut scored);
        scored
    }

    /// Language, monitors, categories and sentiment of a mention, matched or not; looks for no copies.
    pub fn score_apart(&mut self, mention: &Mention) -> Scored {
        let mut scored = self.matched(mention);
        scored.sentiment = Some(self.sentiment(scored.lang));
        scored
    }

    /// Language, monitors, categories.
    fn matched(&mut self, mention: &Mention) -> Scored {
        self.symbols.read(mention.title.as_deref(), &mention.text);
        let lang = language::detect(&self.symbols, &mention.text, mention.lang.as_deref());
        let Found { monitors, categories, keywords } = self.rules.scan(mention, lang, &mut self.scan);
        Scored {
            lang,
            monitors,
            sentiment: None,
            categories,
            keywords,
            cluster: None,
            cluster_size: None,
            voice: None,
        }
    }

    /// Sentiment and cluster of the mention just read.
    fn mood(&mut self, mention: &Mention, new: bool, scored: &mut Scored) {
        scored.sentiment = Some(self.sentiment(scored.lang));
        if let Some(categories) = &self.categories {
            categories.add_to(mention, &mut scored.categories);
        }
        if mention.op != Op::Delete {
            let letters = self.symbols.buffer.iter().copied().filter(|&s| is_letter(s));
            let joined = simhash::fingerprint(letters)
                .map(|print| self.clusters.join(print, mention.published_at, new));
            (scored.cluster, scored.cluster_size) = joined.unzip();
            let p_negative = scored.sentiment.as_ref().map_or(0.0, |mood| mood.p_negative);
            let categories = scored.categories.iter().map(|category| category.id.as_str());
            scored.voice = Some(Voice::hear(mention, categories, p_negative));
        }
    }

    fn sentiment(&self, lang: &str) -> Sentiment {
        let scripts = self.symbols.scripts;
        let is_read = match lang {
            "zh" | "en" => true,
            // Short posts, marks and emoji, but no letters of another alphabet.
            language::UNDETERMINED => scripts.other <= scripts.latin + 3 * scripts.han,
            _ => false,
        };
        let p = if is_read { self.model.predict(&self.symbols) } else { linear::UNREAD };
        p.sentiment(Linear::NAME)
    }
}

/// Letters, digits, Han characters: what survives when a copy changes its punctuation, links, names and emoji.
fn is_letter(symbol: u32) -> bool {
    matches!(symbol, 0x61..=0x7A | 0x30..=0x39 | 0xC0..=0x1FFF | 0x3041..=0xD7A3 | 0xF900..=0xFAFF | 0x20000..=0x323AF)
}

impl Scored {
    /// Whether it wants an answer from whom these terms name.
    pub fn complaint(&self, matches: &[TermMatch]) -> Option<Complaint> {
        self.voice.as_ref()?.complaint(matches)
    }

    /// The hit of one monitor.
    pub fn hit(&self, subject: &Subject, monitor: &str, matches: &[TermMatch], op: Op) -> Hit {
        Hit {
            monitor: monitor.to_owned(),
            subject: Subject { op, ..subject.clone() },
            matches: matches.to_vec(),
            sentiment: self
                .sentiment
                .clone()
                .unwrap_or_else(|| crate::linear::UNKNOWN.sentiment(Linear::NAME)),
            categories: self.categories.clone(),
            keywords: self.keywords.clone(),
            lang: self.lang.to_owned(),
            cluster: self.cluster,
            cluster_size: self.cluster_size,
            complaint: self.complaint(matches),
        }
    }

    /// One hit a matched monitor, with the mention's own `op`.
    pub fn hits(&self, mention: &Mention) -> Vec<Hit> {
        let subject = subject(mention);
        self.monitors
            .iter()
            .map(|(monitor, matches)| self.hit(&subject, monitor, matches, mention.op))
            .collect()
    }
}

/// The part of a mention that goes on with a hit.
pub fn subject(mention: &Mention) -> Subject {
    Subject {
        id: mention.id.clone(),
        platform: mention.platform,
        kind: mention.kind,
        excerpt: excerpt(mention),
        url: mention.url.clone(),
        author: mention.author.clone(),
        published_at: mention.published_at,
        observed_at: mention.observed_at,
        thread: mention.thread.clone(),
        repost_of: mention.repost_of.clone(),
        metrics: mention.metrics,
        region: mention.region.clone(),
        sample_cap: mention.sample_cap,
        op: mention.op,
    }
}

/// Title and text, cut at [`EXCERPT`] characters, the last of them `…` when something was cut.
fn excerpt(mention: &Mention) -> String {
    let (title, gap) = match mention.title.as_deref() {
        Some(title) if !title.is_empty() => (title, "\n"),
        _ => ("", ""),
    };
    let mut all = title.chars().chain(gap.chars()).chain(mention.text.chars());
    let mut excerpt: String = all.by_ref().take(EXCERPT).collect();
    if all.next().is_some() {
        excerpt.pop();
        excerpt.push('…');
    }
    excerpt
}

#[cfg(test)]
#[path = "scorer/tests.rs"]
mod tests;
