//! The table of `data/fuzzy.txt`. Refuses nothing: that the file is well-formed is a test.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::normal::is_word;

pub(super) static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::read(include_str!("../../data/fuzzy.txt")));

#[derive(Debug, Default)]
pub(super) struct Table {
    alike: FxHashMap<char, char>,
    /// Within a word, at one end of a word, elsewhere; none is a separator.
    signs: FxHashMap<char, [Option<char>; 3]>,
    /// By first character: the unit and another spelling, both as skeletons.
    spelled: FxHashMap<char, Vec<(String, String)>>,
}

impl Table {
    fn read(text: &str) -> Self {
        let mut table = Self::default();
        let mut section = "";
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let Some((key, values)) = line.split_once(": ") else {
                section = line;
                continue;
            };
            let Some(first) = key.chars().next() else { continue };
            let values = values.split(' ');
            match section {
                "[alike]" => table.alike.extend(values.filter_map(|c| c.chars().next()).map(|c| (c, first))),
                "[signs]" => {
                    let mut classes = values.map(|c| c.chars().next().filter(|c| *c != '-'));
                    let mut next = || classes.next().flatten();
                    table.signs.insert(first, [next(), next(), next()]);
                }
                _ => {
                    let skeleton = |text: &str| text.chars().map(|c| table.plain(c)).collect::<String>();
                    let unit = skeleton(key);
                    let spelled: Vec<_> = values.map(|value| (unit.clone(), skeleton(value))).collect();
                    if let Some(first) = unit.chars().next() {
                        table.spelled.entry(first).or_default().extend(spelled);
                    }
                }
            }
        }
        table
    }

    fn plain(&self, c: char) -> char {
        self.alike.get(&c).copied().unwrap_or(c)
    }

    /// What `c` is read as between its neighbours; none for a separator.
    #[inline]
    pub(super) fn class(&self, c: char, before: Option<char>, after: Option<char>) -> Option<char> {
        if c.is_ascii_lowercase() && c != 'l' {
            return Some(c);
        }
        if let Some(class) = self.alike.get(&c) {
            return Some(*class);
        }
        if c.is_alphanumeric() {
            return Some(c);
        }
        let classes = self.signs.get(&c)?;
        let sides = [before, after].into_iter().flatten().filter(|c| is_word(*c)).count();
        classes[2 - sides]
    }

    /// Units that `rest` of a skeleton begins with, each with another spelling.
    pub(super) fn spelled<'t>(&'t self, rest: &str) -> impl Iterator<Item = (&'t str, &'t str)> {
        let gap = rest.starts_with(super::GAP).then_some((" ", ""));
        let first = rest.chars().next();
        let of_first = first.and_then(|first| self.spelled.get(&first)).into_iter().flatten();
        let units: Vec<_> = of_first
            .filter(|(unit, _)| rest.starts_with(unit.as_str()))
            .map(|(unit, spelled)| (unit.as_str(), spelled.as_str()))
            .collect();
        gap.into_iter().chain(units)
    }
}
