//! Rules written for other products, read into monitors of our own: TrendRadar's word file, the subject + event + region
//! + stop-word table of Chinese monitoring products, a Brandwatch query.
//!
//! Refuses to drop anything in silence: what has no counterpart here, or another meaning, is a remark with its place.

mod brandwatch;
mod print;
mod regex;
mod remarks;
mod subject_event;
mod table;
mod trendradar;

pub use remarks::Remark;

use remarks::Remarks;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use crate::{
    level::Level,
    mention::words,
    normal::{fold, is_symbol},
    query::Query,
    rulebook::{Monitor, MonitorKind, slug},
};

/// Largest text read, bytes: what a rulebook file may have.
const MAX_BYTES: usize = 4 << 20;

words! {
    /// Whose rules are read.
    Origin {
        /// `frequency_words.txt` of TrendRadar.
        TrendRadar = "trendradar",
        /// CSV with a scheme a row: subjects, events, regions, stop words.
        SubjectEvent = "subject-event",
        /// One Brandwatch query.
        Brandwatch = "brandwatch",
    }
}

/// What became of foreign rules.
#[derive(Debug, Clone)]
pub struct Import {
    /// In the order of the text; ids are unique.
    pub monitors: Vec<Monitor>,
    /// Word lists the monitors name.
    pub lists: Vec<(String, Vec<String>)>,
    /// What was not carried over or means something else here, in order of place.
    pub remarks: Vec<Remark>,
}

impl Import {
    /// Whether everything was carried over; notes on another meaning do not count against it.
    pub fn is_whole(&self) -> bool {
        !self.remarks.iter().any(|remark| remark.lost)
    }

    /// A rulebook fragment with `monitors` and `lists`, the remarks as comments before them. With `pack` it builds on
    /// that ready pack and is a rulebook by itself; without, it joins one that has the owner's team.
    pub fn to_yaml(&self, pack: Option<&str>) -> String {
        print::yaml(self, pack)
    }
}

/// Reads `text` as rules of `origin`. `name` is for a monitor that has none of its own; `owner` is the team of all.
pub fn import(origin: Origin, text: &str, name: &str, owner: &str) -> Import {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut draft = Draft::new(owner);
    if text.len() > MAX_BYTES {
        let message = format!("the text has {} bytes; at most {MAX_BYTES} are read", text.len());
        draft.remarks.lost(1, 1, message);
        return draft.finish();
    }
    match origin {
        Origin::TrendRadar => trendradar::read(text, &mut draft),
        Origin::SubjectEvent => subject_event::read(text, &mut draft),
        Origin::Brandwatch => brandwatch::read(text, name, &mut draft),
    }
    if draft.monitors.is_empty() && !draft.remarks.any_lost() {
        draft.remarks.lost(1, 1, "there is nothing here to watch for");
    }
    draft.finish()
}

/// An import being made.
#[derive(Debug)]
struct Draft<'o> {
    owner: &'o str,
    monitors: Vec<Monitor>,
    lists: Vec<(String, Vec<String>)>,
    remarks: Remarks,
    ids: FxHashSet<String>,
}

impl<'o> Draft<'o> {
    fn new(owner: &'o str) -> Self {
        Self {
            owner,
            monitors: Vec::new(),
            lists: Vec::new(),
            remarks: Remarks::default(),
            ids: FxHashSet::default(),
        }
    }

    /// Takes in a monitor whose rule begins at a place. A query that would be refused in a rulebook is lost here, with
    /// the same reason.
    fn monitor(&mut self, (line, column): (usize, usize), name: &str, query: &Query) {
        let name = one_line(name);
        let query = match Query::parse(&query.to_string()) {
            Ok(query) => query,
            Err(faults) => {
                let why = faults.first().map_or("it is no query", |fault| fault.message.as_str());
                self.remarks.lost(line, column, format!("`{}` is left out: {why}", clip(&name)));
                return;
            }
        };
        let id = self.unused(&slug(&name));
        self.monitors.push(Monitor {
            name: if name.is_empty() { id.clone() } else { name },
            id,
            kind: MonitorKind::Brand,
            query,
            platforms: Vec::new(),
            languages: Vec::new(),
            owner: self.owner.to_owned(),
            ceiling: Level::High,
        });
    }

    fn unused(&mut self, slug: &str) -> String {
        let slug: String = slug.chars().take(56).collect();
        let numbered = (2_u64..).map(|n| format!("{slug}-{n}"));
        let id = std::iter::once(slug.clone()).chain(numbered).find(|id| !self.ids.contains(id));
        let id = id.unwrap_or(slug);
        self.ids.insert(id.clone());
        id
    }

    fn finish(self) -> Import {
        Import { monitors: self.monitors, lists: self.lists, remarks: self.remarks.sorted() }
    }
}

/// A name for people on one line.
fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.trim().chars().take(200).collect()
}

/// Whether nothing of a term remains in the normal form, so that there is nothing to search for.
fn is_blank(term: &str) -> bool {
    !fold(term).chars().any(|c| c.is_alphanumeric() || is_symbol(c))
}

/// At most 40 characters of somebody's text in a message.
fn clip(text: &str) -> String {
    let mut clipped: String = text.chars().take(40).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(40).is_some() {
        clipped.push('…');
    }
    clipped
}

#[cfg(test)]
mod tests;
