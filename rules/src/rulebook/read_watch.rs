//! Sections `monitors`, `lists`, `categories`: what is watched and which words matter.

use rustc_hash::FxHashSet;

use super::{
    Category, Monitor, MonitorKind, WordList,
    cursor::{Cursor, Reader, clip},
    draft::Given,
    names::{Name, NameKind},
    places::Part,
};
use crate::{level::Level, mention::Platform, query::Query};

pub(super) fn monitor(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Monitor> {
    let keys = &["id", "name", "kind", "query", "platforms", "languages", "owner", "ceiling"];
    let f = at.fields(r, keys)?;
    let id = f.need(r, "id").and_then(|c| c.define(r, NameKind::Monitor));
    let name = f.maybe(r, "name", |c, r| c.text(r).map(str::to_owned));
    let kind = f.maybe(r, "kind", |c, r| c.word(r, "kind", MonitorKind::ALL, MonitorKind::as_str));
    let query = f.need(r, "query").and_then(|c| {
        c.mark(r, Part::Monitor, id.as_deref());
        c.query(r)
    });
    let platforms = f.maybe(r, "platforms", |c, r| c.each(r, platform));
    let languages = f.maybe(r, "languages", |c, r| c.each(r, language));
    let owner = f.need(r, "owner").and_then(|c| c.refer(r, NameKind::Team));
    let ceiling = f.maybe(r, "ceiling", |c, r| c.word(r, "level", &Level::ALL, Level::as_str));
    let (id, kind) = (id?, kind?.unwrap_or(MonitorKind::Brand));
    // What others do is worth knowing, not worth waking for.
    let usual = match kind {
        MonitorKind::Competitor | MonitorKind::Industry => Level::Low,
        MonitorKind::Brand | MonitorKind::Product | MonitorKind::Person => Level::High,
    };
    Some(Monitor {
        name: name?.unwrap_or_else(|| id.clone()),
        id,
        kind,
        query: query?,
        platforms: platforms?.unwrap_or_default(),
        languages: languages?.unwrap_or_default(),
        owner: owner?,
        ceiling: ceiling?.unwrap_or(usual),
    })
}

pub(super) fn platform(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Platform> {
    at.word(r, "platform", Platform::ALL, Platform::as_str)
}

fn language(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<String> {
    let code = at.text(r)?;
    if code.len() != 2 || !code.bytes().all(|b| b.is_ascii_lowercase()) {
        at.fault(r, format!("`{}` is no language; write two letters, such as zh or en", clip(code)));
        return None;
    }
    Some(code.to_owned())
}

pub(super) fn category(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Category> {
    let f = at.fields(r, &["id", "name", "query"])?;
    let id = f.need(r, "id").and_then(|c| c.define(r, NameKind::Category));
    let name = f.need(r, "name").and_then(|c| c.wording(r));
    let query = f.need(r, "query").and_then(|c| {
        c.mark(r, Part::Category, id.as_deref());
        c.query(r)
    });
    Some(Category { id: id?, name: name?, query: query? })
}

pub(super) fn lists(at: &Cursor<'_>, r: &mut Reader<'_>) -> Vec<Given<WordList>> {
    let Some((fields, keys)) = at.entries(r) else { return Vec::new() };
    let mut lists = Vec::new();
    for (key, place) in keys {
        let path = format!("{}.{}", at.path, clip(key));
        let legal = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        if key.is_empty() || key.chars().count() > 64 || !key.chars().all(legal) {
            r.fault(place, &path, "a list's name is letters, digits, Han, `-`, `_`, `.`; at most 64");
            continue;
        }
        r.names.define(Name { kind: NameKind::List, id: key.to_owned(), place, path: path.clone() });
        let Some(field) = fields.get(key) else {
            r.fault(place, &path, "the list is empty");
            continue;
        };
        r.places.push((Part::List, key.to_owned(), place, path.clone()));
        if let Some(entries) = entries(&field, r) {
            lists.push(Given { place, path, value: WordList { name: key.to_owned(), entries } });
        }
    }
    lists
}

fn entries(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Vec<Query>> {
    let mut seen: FxHashSet<String> = FxHashSet::default();
    let entries = at.each(r, |item, r| {
        let entry = item.entry(r)?;
        let text = entry.to_string();
        let alike = if matches!(entry, Query::Cased(_)) { text } else { text.to_lowercase() };
        if !seen.insert(alike) {
            item.fault(r, format!("`{}` is in this list already", clip(&entry.label())));
            return None;
        }
        Some(entry)
    })?;
    if entries.is_empty() {
        at.fault(r, "the list is empty");
        return None;
    }
    Some(entries)
}
