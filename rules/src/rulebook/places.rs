//! Where the queries and lists of a rulebook stand in its files, for what is said of them after loading. Refuses to know
//! of what a ready pack contributes: nobody can edit that.

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::yaml::Place;

/// What has a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The query of a monitor.
    Monitor,
    /// The query of a category.
    Category,
    /// A word list.
    List,
}

impl Part {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::Category => "category",
            Self::List => "list",
        }
    }
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Spot {
    /// File as named by the caller.
    pub file: String,
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// Path within the document, e.g. `monitors[2].query`.
    pub path: String,
}

impl std::fmt::Display for Spot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.path)
    }
}

/// Places by what stands there and its id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    known: FxHashMap<(Part, String), Spot>,
}

impl Places {
    pub(super) fn of(files: &[(&str, &str)], marked: Vec<(Part, String, Place, String)>) -> Self {
        let spot = |place: Place, path| {
            let file = files.get(place.file).map_or("", |(name, _)| *name).to_owned();
            Spot { file, line: place.line, column: place.column, path }
        };
        let known = marked.into_iter().map(|(part, id, place, path)| ((part, id), spot(place, path)));
        Self { known: known.collect() }
    }

    /// Where it stands; none for what a pack contributes, and for what was not read from a file.
    pub fn of_part(&self, part: Part, id: &str) -> Option<&Spot> {
        self.known.get(&(part, id.to_owned()))
    }

    /// Whether no place is known at all: the rulebook was not read from files.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}
