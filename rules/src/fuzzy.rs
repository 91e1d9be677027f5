//! What `fuzzy:` compares: the skeleton of a normal form, in which look-alikes are one character and separators put
//! between characters are left out, with its way back; and the ways a term may be spelled. What is read as what stands
//! in `data/fuzzy.txt`. Refuses to reach from a title into the text, over more than a few separators, or to join whole
//! words that a blank keeps apart.

mod table;

use crate::normal::{fold, is_word};
use table::TABLE;

/// Most separators between two characters.
const MOST_SEPARATORS: usize = 3;
/// Most spellings looked for of one term; those with the fewest replacements come first.
const MOST_SPELLINGS: usize = 256;
/// Characters a term may have besides separators.
pub(crate) const LENGTHS: std::ops::RangeInclusive<usize> = 2..=64;
/// Stands where a blank keeps two words apart.
const GAP: char = ' ';
/// Stands where nothing may be joined.
const WALL: char = '\n';

/// A skeleton; buffers are reused from one text to the next.
#[derive(Debug, Clone, Default)]
pub(crate) struct Skeleton {
    text: String,
    /// One for each character: its byte here, and the bytes of the normal form it stems from.
    places: Vec<(u32, u32, u32)>,
}

impl Skeleton {
    /// Takes in a normal form.
    pub(crate) fn set(&mut self, normal: &str) {
        self.text.clear();
        self.places.clear();
        let mut chars = normal.char_indices().peekable();
        let mut last: Option<char> = None;
        // Of the separators since the last character: how many, and whether a blank is among them.
        let (mut separators, mut blank) = (0, false);
        // Word characters in a row before them.
        let mut run = 0;
        let mut before = None;
        while let Some((at, c)) = chars.next() {
            let after = chars.peek().map(|(_, next)| *next);
            let class = TABLE.class(c, before, after);
            before = Some(c);
            let Some(class) = class else {
                separators += 1;
                blank |= c == ' ';
                if c == '\n' {
                    separators = MOST_SEPARATORS + 1;
                }
                continue;
            };
            if separators > 0 {
                let words = last.is_some_and(is_word) && is_word(c);
                let single = run == 1 || !after.is_some_and(is_word);
                if separators > MOST_SEPARATORS {
                    self.push(WALL, at, at);
                } else if blank && words && !single {
                    self.push(GAP, at, at);
                }
            }
            run = if !is_word(c) {
                0
            } else if separators == 0 {
                run + 1
            } else {
                1
            };
            self.push(class, at, at + c.len_utf8());
            (last, separators, blank) = (Some(c), 0, false);
        }
    }

    fn push(&mut self, c: char, start: usize, end: usize) {
        let number = |n| u32::try_from(n).unwrap_or(u32::MAX);
        self.places.push((number(self.text.len()), number(start), number(end)));
        self.text.push(c);
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Bytes of the normal form behind bytes of the skeleton.
    pub(crate) fn place(&self, start: usize, end: usize) -> (usize, usize) {
        let at = |byte: usize| self.places.partition_point(|(skeleton, ..)| (*skeleton as usize) < byte);
        let from = self.places.get(at(start)).map_or(0, |(_, start, _)| *start as usize);
        let last = at(end).checked_sub(1).and_then(|last| self.places.get(last));
        (from, last.map_or(from, |(.., end)| *end as usize))
    }
}

/// Whether `start..end` begins and ends where no word of letters or digits goes on.
pub(crate) fn is_whole(normal: &str, start: usize, end: usize) -> bool {
    let cut = |at: usize| {
        normal[..at].chars().next_back().is_some_and(is_word)
            && normal[at..].chars().next().is_some_and(is_word)
    };
    !cut(start) && !cut(end)
}

/// One way a term may be spelled, as a skeleton.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spelling {
    pub(crate) text: String,
    /// Parts of the term as written, each with the skeleton it has here.
    parts: Vec<(String, String)>,
}

/// Characters of a term's skeleton; see [`LENGTHS`].
pub(crate) fn length(term: &str) -> usize {
    let mut skeleton = Skeleton::default();
    skeleton.set(&fold(term));
    skeleton.text.chars().filter(|c| !matches!(*c, GAP | WALL)).count()
}

/// What of a term decides where it is found: terms with the same are one.
pub(crate) fn reading(term: &str) -> String {
    let mut skeleton = Skeleton::default();
    skeleton.set(&fold(term));
    skeleton.text.retain(|c| c != WALL);
    skeleton.text
}

/// Every way a term may be spelled, itself first.
pub(crate) fn spellings(term: &str) -> Vec<Spelling> {
    let folded = fold(term);
    let mut skeleton = Skeleton::default();
    skeleton.set(&folded);
    let units: Vec<(char, &str)> = skeleton
        .text
        .chars()
        .zip(&skeleton.places)
        .filter(|(c, _)| *c != WALL)
        .map(|(c, (_, start, end))| (c, folded.get(*start as usize..*end as usize).unwrap_or_default()))
        .collect();
    let classes: String = units.iter().map(|(c, _)| *c).collect();
    let mut found: Vec<Spelling> = Vec::new();
    // Rounds by the number of replacements; each state is (parts, units used).
    let mut round: Vec<(Vec<(String, String)>, usize)> = vec![(Vec::new(), 0)];
    while !round.is_empty() && found.len() < MOST_SPELLINGS {
        let mut next = Vec::new();
        for (mut parts, used) in round {
            // What follows as written, and at each place every replacement.
            for at in used..=units.len() {
                let byte: usize = units[..at].iter().map(|(c, _)| c.len_utf8()).sum();
                for (unit, spelled) in TABLE.spelled(&classes[byte..]) {
                    let count = unit.chars().count();
                    if next.len() >= MOST_SPELLINGS {
                        break;
                    }
                    let written: String = units[at..at + count].iter().map(|(_, written)| *written).collect();
                    let mut replaced = parts.clone();
                    replaced.push((written, spelled.to_owned()));
                    next.push((replaced, at + count));
                }
                if let Some((class, written)) = units.get(at) {
                    parts.push(((*written).to_owned(), class.to_string()));
                }
            }
            let text: String = parts.iter().map(|(_, spelled)| spelled.as_str()).collect();
            if found.len() < MOST_SPELLINGS && found.iter().all(|known| known.text != text) {
                found.push(Spelling { text, parts });
            }
        }
        round = next;
    }
    found.retain(|spelling| spelling.text.chars().filter(|c| *c != GAP).count() >= 2);
    found
}

impl Spelling {
    /// What stands for what where this spelling was found at byte `at` of a skeleton.
    pub(crate) fn replaced(&self, skeleton: &Skeleton, at: usize, normal: &str) -> Vec<(String, String)> {
        let mut from = at;
        let mut replaced: Vec<(String, String)> = Vec::new();
        for (written, spelled) in &self.parts {
            let (start, end) = skeleton.place(from, from + spelled.len());
            from += spelled.len();
            let shown = normal.get(start..end).unwrap_or_default();
            if shown != written && !spelled.is_empty() && !written.is_empty() {
                let pair = (shown.to_owned(), written.clone());
                if !replaced.contains(&pair) {
                    replaced.push(pair);
                }
            }
        }
        replaced
    }
}

#[cfg(test)]
mod tests;
