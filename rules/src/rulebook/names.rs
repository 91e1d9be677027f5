//! Ids: what is defined, what refers to it, and the faults between the two.

use rustc_hash::FxHashMap;

use super::{cursor::clip, yaml::Place};
use crate::spelling::hint;

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum NameKind {
    Monitor,
    List,
    Category,
    Threshold,
    Plan,
    Policy,
    Team,
    Person,
    Template,
    Calendar,
}

impl NameKind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::List => "list",
            Self::Category => "category",
            Self::Threshold => "threshold",
            Self::Plan => "plan",
            Self::Policy => "policy",
            Self::Team => "team",
            Self::Person => "person",
            Self::Template => "template",
            Self::Calendar => "calendar",
        }
    }
}

/// An id with its place.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) kind: NameKind,
    pub(super) id: String,
    pub(super) place: Place,
    pub(super) path: String,
}

/// A fault about a name: place, path, message.
pub(super) type NameFault = (Place, String, String);

/// Every definition and reference of a rulebook.
#[derive(Debug, Default)]
pub(super) struct Names {
    defined: Vec<Name>,
    referred: Vec<Name>,
}

impl Names {
    pub(super) fn define(&mut self, name: Name) {
        self.defined.push(name);
    }

    pub(super) fn refer(&mut self, name: Name) {
        self.referred.push(name);
    }

    /// Takes over what a ready pack defines, where this does not; `replaced` kinds are not taken over. Its references
    /// hold among themselves.
    pub(super) fn inherit(&mut self, pack: Self, replaced: &[NameKind]) {
        for name in pack.defined {
            let own = self.defined.iter().any(|known| known.kind == name.kind && known.id == name.id);
            if !own && !replaced.contains(&name.kind) {
                self.defined.push(name);
            }
        }
    }

    /// Ids given twice and references to nothing. `file` names a file by index.
    pub(super) fn faults(&self, file: impl Fn(usize) -> String) -> Vec<NameFault> {
        let mut faults = Vec::new();
        let mut first: FxHashMap<(NameKind, &str), &Name> = FxHashMap::default();
        for name in &self.defined {
            if let Some(known) = first.get(&(name.kind, name.id.as_str())) {
                let (file, line) = (file(known.place.file), known.place.line);
                let message =
                    format!("{} `{}` is defined before, at {file}:{line}", name.kind.as_str(), name.id);
                faults.push((name.place, name.path.clone(), message));
            } else {
                first.insert((name.kind, &name.id), name);
            }
        }
        for name in &self.referred {
            if first.contains_key(&(name.kind, name.id.as_str())) {
                continue;
            }
            let known =
                self.defined.iter().filter(|known| known.kind == name.kind).map(|known| known.id.as_str());
            let message =
                format!("there is no {} `{}`{}", name.kind.as_str(), clip(&name.id), hint(&name.id, known));
            faults.push((name.place, name.path.clone(), message));
        }
        faults
    }
}
