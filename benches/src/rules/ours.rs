//! The matcher under test, as the stage uses it: normal form and scan of each mention. Refuses shortcuts.

use std::hint::black_box;

use tocsin_rules::{Level, Matcher, Mention, Monitor, MonitorKind, Normal, Query, Scratch};

/// A built matcher with the buffers of one thread.
#[derive(Debug)]
pub struct Ours {
    matcher: Matcher,
    normal: Normal,
    scratch: Scratch,
}

/// Queries as monitors, in order.
pub fn monitors(queries: Vec<Query>) -> Vec<Monitor> {
    let monitor = |(number, query)| Monitor {
        id: format!("m{number}"),
        name: String::new(),
        kind: MonitorKind::Brand,
        query,
        platforms: Vec::new(),
        languages: Vec::new(),
        owner: String::new(),
        ceiling: Level::High,
    };
    queries.into_iter().enumerate().map(monitor).collect()
}

impl Ours {
    /// Compiles.
    ///
    /// # Errors
    /// As [`Matcher::from_parts`].
    pub fn new(monitors: &[Monitor]) -> anyhow::Result<Self> {
        let matcher = Matcher::from_parts(monitors, &[], &[])?;
        Ok(Self { matcher, normal: Normal::new(), scratch: Scratch::new() })
    }

    /// Distinct literals.
    pub fn terms(&self) -> usize {
        self.matcher.terms()
    }

    /// Normal form and scan of each; returns how many.
    pub fn round(&mut self, mentions: &[Mention]) -> usize {
        for mention in mentions {
            self.normal.set(mention);
            drop(black_box(self.matcher.scan(mention, "", &self.normal, &mut self.scratch)));
        }
        mentions.len()
    }

    /// Normal form alone; returns how many.
    pub fn normalise(&mut self, mentions: &[Mention]) -> usize {
        for mention in mentions {
            self.normal.set(mention);
            black_box(self.normal.as_str());
        }
        mentions.len()
    }

    /// Every (text, query) that matches, ascending.
    pub fn matches(&mut self, mentions: &[Mention]) -> Vec<(u32, u32)> {
        let mut all = Vec::new();
        for (text, mention) in (0u32..).zip(mentions) {
            self.normal.set(mention);
            let found = self.matcher.scan(mention, "", &self.normal, &mut self.scratch);
            all.extend(found.monitors.iter().map(|one| (text, u32::try_from(one.index).unwrap_or(u32::MAX))));
        }
        all
    }
}
