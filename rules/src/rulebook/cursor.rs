//! Reading a YAML tree field by field: every accessor reports its own fault with place and path and goes on, so that
//! one pass finds all of them. Refuses to stop early and refuses to guess a value.

use rustc_hash::FxHashMap;

use super::{
    Fault,
    names::{Name, NameKind, Names},
    places::Part,
    yaml::{Node, Place, Source, Value},
};
use crate::spelling::nearest;

/// Collects what reading finds out.
#[derive(Debug)]
pub(super) struct Reader<'s> {
    /// (file name, content) by file index.
    pub(super) sources: &'s [(&'s str, &'s str)],
    /// The same, for places within scalars.
    pub(super) texts: Vec<Source<'s>>,
    /// Faults with their places.
    pub(super) faults: Vec<(Place, Fault)>,
    /// What is defined and what refers to it.
    pub(super) names: Names,
    /// Where queries and lists stand, with their paths.
    pub(super) places: Vec<(Part, String, Place, String)>,
}

impl<'s> Reader<'s> {
    pub(super) fn new(sources: &'s [(&'s str, &'s str)]) -> Self {
        let texts = sources.iter().map(|(_, content)| Source::new(content)).collect();
        Self { sources, texts, faults: Vec::new(), names: Names::default(), places: Vec::new() }
    }

    /// Reports a fault at a place.
    pub(super) fn fault(&mut self, place: Place, path: &str, message: impl Into<String>) {
        let file = self.sources.get(place.file).map_or("", |(name, _)| *name).to_owned();
        let path = if path.is_empty() { "(file)".to_owned() } else { path.to_owned() };
        let fault = Fault { file, line: place.line, column: place.column, path, message: message.into() };
        self.faults.push((place, fault));
    }
}

/// One node and the path that leads to it.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'n> {
    pub(super) node: &'n Node,
    pub(super) path: String,
}

/// The pairs of a mapping.
#[derive(Debug)]
pub(super) struct Fields<'n> {
    /// Where the mapping begins.
    pub(super) place: Place,
    /// Path of the mapping.
    pub(super) path: String,
    pairs: FxHashMap<&'n str, &'n Node>,
}

impl<'n> Fields<'n> {
    /// The field, unless absent or null.
    pub(super) fn get(&self, key: &str) -> Option<Cursor<'n>> {
        let node = self.pairs.get(key).copied().filter(|node| !node.is_null())?;
        Some(Cursor { node, path: join(&self.path, key) })
    }

    /// The field; its absence is a fault.
    pub(super) fn need(&self, r: &mut Reader<'_>, key: &str) -> Option<Cursor<'n>> {
        let field = self.get(key);
        if field.is_none() {
            let place = self.pairs.get(key).map_or(self.place, |node| node.place);
            r.fault(place, &self.path, format!("`{key}` is missing"));
        }
        field
    }

    /// Decodes an optional field: `Some(None)` when absent, `None` when faulty.
    #[expect(clippy::option_option, reason = "absent and faulty are two different answers")]
    pub(super) fn maybe<T>(
        &self,
        r: &mut Reader<'_>,
        key: &str,
        decode: impl FnOnce(&Cursor<'n>, &mut Reader<'_>) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.get(key) {
            None => Some(None),
            Some(field) => decode(&field, r).map(Some),
        }
    }
}

impl<'n> Cursor<'n> {
    /// Reports a fault here.
    pub(super) fn fault(&self, r: &mut Reader<'_>, message: impl Into<String>) {
        r.fault(self.node.place, &self.path, message);
    }

    fn expected<T>(&self, r: &mut Reader<'_>, what: &str) -> Option<T> {
        self.fault(r, format!("expected {what}, found {}", self.node.noun()));
        None
    }

    /// A mapping with only these keys.
    pub(super) fn fields(&self, r: &mut Reader<'_>, known: &[&str]) -> Option<Fields<'n>> {
        let fields = self.entries(r)?;
        for (key, place) in &fields.1 {
            if !known.contains(key) {
                let hint = suggestion(key, known.iter().copied());
                r.fault(*place, &join(&self.path, key), format!("unknown key `{key}`{hint}"));
            }
        }
        Some(fields.0)
    }

    /// A mapping with any keys, each with the place of its key, in order.
    pub(super) fn entries(&self, r: &mut Reader<'_>) -> Option<(Fields<'n>, Vec<(&'n str, Place)>)> {
        let Value::Map(nodes) = &self.node.value else { return self.expected(r, "a mapping") };
        let mut pairs = FxHashMap::default();
        let mut order = Vec::new();
        for (key, value) in nodes {
            let Value::Scalar { text, .. } = &key.value else { continue };
            if pairs.insert(text.as_str(), value).is_some() {
                r.fault(key.place, &join(&self.path, text), format!("`{text}` is given twice"));
            } else {
                order.push((text.as_str(), key.place));
            }
        }
        Some((Fields { place: self.node.place, path: self.path.clone(), pairs }, order))
    }

    /// The items of a list.
    pub(super) fn items(&self, r: &mut Reader<'_>) -> Option<Vec<Self>> {
        let Value::List(nodes) = &self.node.value else { return self.expected(r, "a list") };
        let item = |(at, node)| Cursor { node, path: format!("{}[{at}]", self.path) };
        Some(nodes.iter().enumerate().map(item).collect())
    }

    /// Decodes every item; `None` when one of them is faulty.
    pub(super) fn each<T>(
        &self,
        r: &mut Reader<'_>,
        mut decode: impl FnMut(&Self, &mut Reader<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let decoded: Vec<Option<T>> = self.items(r)?.iter().map(|item| decode(item, r)).collect();
        decoded.into_iter().collect()
    }

    /// Text that is not blank, as written.
    pub(super) fn text(&self, r: &mut Reader<'_>) -> Option<&'n str> {
        match &self.node.value {
            Value::Scalar { text, .. } if !text.trim().is_empty() && !self.node.is_null() => Some(text),
            Value::Scalar { .. } => {
                self.fault(r, "expected text, found nothing");
                None
            }
            _ => self.expected(r, "text"),
        }
    }

    /// Remembers that the query or list of `id` stands here.
    pub(super) fn mark(&self, r: &mut Reader<'_>, part: Part, id: Option<&str>) {
        if let Some(id) = id {
            r.places.push((part, id.to_owned(), self.node.place, self.path.clone()));
        }
    }

    /// A name that others may refer to.
    pub(super) fn define(&self, r: &mut Reader<'_>, kind: NameKind) -> Option<String> {
        let id = self.text(r)?;
        let legal = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !id.chars().all(legal) || !id.starts_with(char::is_alphanumeric) || id.chars().count() > 64 {
            self.fault(
                r,
                format!("`{}` is no id: letters, digits, Han, `-`, `_`, `.`; at most 64", clip(id)),
            );
            return None;
        }
        r.names.define(Name { kind, id: id.to_owned(), place: self.node.place, path: self.path.clone() });
        Some(id.to_owned())
    }

    /// A name defined elsewhere; whether it is, comes out once everything is read.
    pub(super) fn refer(&self, r: &mut Reader<'_>, kind: NameKind) -> Option<String> {
        let id = self.text(r)?.to_owned();
        r.names.refer(Name { kind, id: id.clone(), place: self.node.place, path: self.path.clone() });
        Some(id)
    }

    /// One word of a closed set.
    pub(super) fn word<T: Copy>(
        &self,
        r: &mut Reader<'_>,
        what: &str,
        all: &[T],
        spell: fn(T) -> &'static str,
    ) -> Option<T> {
        let word = self.text(r)?;
        let found = all.iter().copied().find(|value| spell(*value) == word);
        if found.is_none() {
            let hint = suggestion(word, all.iter().map(|value| spell(*value)));
            self.fault(r, format!("unknown {what} `{}`{hint}", clip(word)));
        }
        found
    }
}

/// What was probably meant, or what there is to choose from when the choice is short.
fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(near) = nearest(word, known.clone()) {
        return format!("; did you mean `{near}`?");
    }
    let all: Vec<String> = known.into_iter().map(|word| format!("`{word}`")).collect();
    if all.len() > 16 { String::new() } else { format!("; known are {}", all.join(", ")) }
}

/// At most 40 characters of somebody's text in a message.
pub(super) fn clip(text: &str) -> String {
    let mut clipped: String = text.chars().take(40).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().count() > 40 {
        clipped.push('…');
    }
    clipped
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { clip(key) } else { format!("{path}.{}", clip(key)) }
}
