//! What an import has to say about its text, with places. Refuses to judge: whether a loss matters is the reader's call.

use std::fmt::{Display, Formatter, Result};

/// Something that is not carried over, or means something else here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark {
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// Whether something is missing from the result; else it is there with another meaning.
    pub lost: bool,
    /// What, and what to write instead.
    pub message: String,
}

impl Display for Remark {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let what = if self.lost { "not carried over" } else { "note" };
        write!(f, "{}:{}: {what}: {}", self.line, self.column, self.message)
    }
}

/// Collects remarks.
#[derive(Debug, Default)]
pub(super) struct Remarks(Vec<Remark>);

impl Remarks {
    pub(super) fn lost(&mut self, line: usize, column: usize, message: impl Into<String>) {
        self.0.push(Remark { line, column, lost: true, message: message.into() });
    }

    pub(super) fn note(&mut self, line: usize, column: usize, message: impl Into<String>) {
        self.0.push(Remark { line, column, lost: false, message: message.into() });
    }

    pub(super) fn any_lost(&self) -> bool {
        self.0.iter().any(|remark| remark.lost)
    }

    pub(super) fn sorted(mut self) -> Vec<Remark> {
        self.0.sort();
        self.0.dedup();
        self.0
    }
}

/// Line and column of characters of a text.
#[derive(Debug)]
pub(super) struct Places(Vec<usize>);

impl Places {
    pub(super) fn of(text: &str) -> Self {
        let breaks = text.chars().enumerate().filter(|(_, c)| *c == '\n').map(|(at, _)| at + 1);
        Self(std::iter::once(0).chain(breaks).collect())
    }

    /// Place of the `at`-th character, 1-based.
    pub(super) fn of_char(&self, at: usize) -> (usize, usize) {
        let line = self.0.partition_point(|start| *start <= at);
        let start = line.checked_sub(1).and_then(|line| self.0.get(line)).copied().unwrap_or(0);
        (line.max(1), at - start + 1)
    }
}
