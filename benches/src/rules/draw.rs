//! Draws queries from a vocabulary, by a fixed seed: query number `n` of a shape is the same at every count. One query in
//! five is live: some of its words stand together in a text, as in a query its author tried on a post. The others are
//! left to chance, or, to hold the hit rate equal while the count grows, checked to match no text at all.

use clap::ValueEnum;
use tocsin_rules::{Query, normal::is_word};

use super::vocabulary::{Vocabulary, meet};
use crate::corpus::Seed;

/// One query in so many is live.
const LIVE: usize = 5;
/// Queries that may match where the hit rate is held equal.
pub const HELD: usize = 1_000;

/// What queries look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// 5 MUST, 2 NOT
    Must,
    /// (2 OR) AND (20 OR) NOT (2 OR)
    Or,
    /// NEAR of two words
    Near,
    /// prefix AND (3 OR)
    Prefix,
    /// OR of 20 names, nineteen of which nobody writes
    List,
}

/// How the number of hits behaves as queries are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Hits {
    /// Grows with the queries.
    Grow,
    /// Those of the first thousand queries; all others match nothing, though their words occur (names of lists do not).
    Held,
}

/// One query: every group of `must`, none of `not`. A word that ends in `*` is a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// Of each group one word or more.
    pub must: Vec<Vec<Box<str>>>,
    /// Not one of these.
    pub not: Vec<Box<str>>,
    /// Most tokens between the two words, which are the two groups of `must`.
    pub near: Option<u32>,
}

impl Shape {
    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Must => "5 MUST, 2 NOT",
            Self::Or => "(2 OR) AND (20 OR) NOT (2 OR)",
            Self::Near => "NEAR",
            Self::Prefix => "prefix AND (3 OR)",
            Self::List => "OR of 20 names",
        }
    }
}

impl Drawn {
    /// In the language of rulebooks.
    pub fn text(&self) -> String {
        let word = |word: &str| if word.ends_with('*') { word.to_owned() } else { format!("\"{word}\"") };
        let group = |group: &[Box<str>]| match group {
            [one] => word(one),
            many => format!("({})", many.iter().map(|one| word(one)).collect::<Vec<_>>().join(" OR ")),
        };
        let between = self.near.map_or_else(|| " AND ".to_owned(), |distance| format!(" NEAR/{distance} "));
        let mut text = self.must.iter().map(|one| group(one)).collect::<Vec<_>>().join(&between);
        if !self.not.is_empty() {
            text.push_str(" NOT ");
            text.push_str(&group(&self.not));
        }
        text
    }

    /// Parsed from [`Drawn::text`].
    ///
    /// # Errors
    /// The query and its first fault: the language or this file is wrong then.
    pub fn query(&self) -> anyhow::Result<Query> {
        let text = self.text();
        Query::parse(&text).map_err(|faults| anyhow::anyhow!("{text}: {}", faults[0]))
    }

    /// Every word, NOT words included.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.must.iter().flatten().chain(&self.not).map(|word| &**word)
    }
}

/// The first `count` queries of a shape.
///
/// # Errors
/// Texts that yield no query of this shape.
pub fn draw(shape: Shape, hits: Hits, count: usize, from: &Vocabulary) -> anyhow::Result<Vec<Drawn>> {
    anyhow::ensure!(from.latin >= 100 && from.words.len() >= 1_000, "the texts have too few words");
    (0..count)
        .map(|number| {
            let mut draw = Draw { from, seed: Seed((shape as u64 + 1) << 40 | (number as u64) << 8) };
            let dead = hits == Hits::Held && number >= HELD;
            // chance may need several tries; a shape for which all fail has no such queries in these texts
            (0..1_000)
                .find_map(|_| draw.one(shape, number % LIVE == 0 && !dead, dead))
                .ok_or_else(|| anyhow::anyhow!("no query {number} of shape {} in these texts", shape.title()))
        })
        .collect()
}

struct Draw<'a> {
    from: &'a Vocabulary,
    seed: Seed,
}

impl Draw<'_> {
    /// One try.
    fn one(&mut self, shape: Shape, live: bool, dead: bool) -> Option<Drawn> {
        let (must, near) = match shape {
            Shape::Must => (self.all_of_five(live, dead)?, None),
            Shape::Or => (self.two_groups(live, dead)?, None),
            Shape::Near => (self.pair(live, dead)?, Some([3, 5, 10, 20][self.seed.below(4)])),
            Shape::Prefix => (self.prefix(live, dead)?, None),
            Shape::List => (self.names(live), None),
        };
        let mut not = Vec::new();
        if matches!(shape, Shape::Must | Shape::Or) {
            not.extend([self.any(), self.any()].map(|word| self.text(word)));
        }
        let apart = not.iter().all(|word| must.iter().flatten().all(|other| word != other));
        apart.then_some(Drawn { must, not, near })
    }

    fn any(&mut self) -> u32 {
        u32::try_from(self.seed.below(self.from.words.len())).unwrap_or_default()
    }

    fn text(&self, word: u32) -> Box<str> {
        self.from.words[word as usize].text.as_str().into()
    }

    fn texts(&self, word: u32) -> &[u32] {
        &self.from.words[word as usize].texts
    }

    /// `n` different words, of one text if `live`.
    fn words(&mut self, n: usize, live: bool) -> Option<Vec<u32>> {
        let mut words = Vec::with_capacity(n);
        let text = live.then(|| self.seed.below(self.from.of_text.len()));
        for _ in 0..4 * n {
            let word = match text {
                None => self.any(),
                Some(text) => {
                    let held = &self.from.of_text[text];
                    *held.get(self.seed.below(held.len()))?
                }
            };
            if !words.contains(&word) {
                words.push(word);
            }
            if words.len() == n {
                return Some(words);
            }
        }
        None
    }

    fn all_of_five(&mut self, live: bool, dead: bool) -> Option<Vec<Vec<Box<str>>>> {
        let words = self.words(5, live)?;
        if dead {
            let mut common = self.texts(words[0]).to_vec();
            for word in &words[1..] {
                common.retain(|text| self.texts(*word).binary_search(text).is_ok());
            }
            if !common.is_empty() {
                return None;
            }
        }
        Some(words.into_iter().map(|word| vec![self.text(word)]).collect())
    }

    fn two_groups(&mut self, live: bool, dead: bool) -> Option<Vec<Vec<Box<str>>>> {
        let (mut few, mut many) = if live {
            let both = self.words(2, true)?;
            (vec![both[0]], vec![both[1]])
        } else {
            (Vec::new(), Vec::new())
        };
        for _ in 0..400 {
            let word = self.any();
            if few.contains(&word) || many.contains(&word) {
                continue;
            }
            if few.len() < 2 {
                few.push(word);
            } else if !dead || !few.iter().any(|other| meet(self.texts(*other), self.texts(word))) {
                many.push(word);
            }
            if many.len() == 20 {
                return Some(
                    [few, many].map(|group| group.into_iter().map(|word| self.text(word)).collect()).into(),
                );
            }
        }
        None
    }

    fn pair(&mut self, live: bool, dead: bool) -> Option<Vec<Vec<Box<str>>>> {
        let words = self.words(2, live)?;
        let apart = !dead || !meet(self.texts(words[0]), self.texts(words[1]));
        apart.then(|| words.into_iter().map(|word| vec![self.text(word)]).collect())
    }

    /// The first four or five letters of a Latin word, and three words of which one, if `live`, stands in the same text.
    fn prefix(&mut self, live: bool, dead: bool) -> Option<Vec<Vec<Box<str>>>> {
        let long = &self.from.words[self.seed.below(self.from.latin)];
        let prefix = long.text.get(..4 + self.seed.below(2)).filter(|_| long.text.len() > 5)?;
        if !prefix.bytes().all(|b| b.is_ascii_lowercase()) {
            return None;
        }
        let mut words = self.words(3, false)?;
        if live {
            let held = &self.from.of_text[long.texts[self.seed.below(long.texts.len())] as usize];
            words[0] = *held.get(self.seed.below(held.len()))?;
        }
        if dead {
            let begun = self.from.beginning(prefix);
            if words.iter().any(|word| meet(&begun, self.texts(*word))) {
                return None;
            }
        }
        let prefix = format!("{prefix}*").into();
        Some(vec![vec![prefix], words.into_iter().map(|word| self.text(word)).collect()])
    }

    /// Names of which none occurs, or one if `live`.
    fn names(&mut self, live: bool) -> Vec<Vec<Box<str>>> {
        let mut names = Vec::with_capacity(20);
        if live {
            let word = self.any();
            names.push(self.text(word));
        }
        while names.len() < 20 {
            let (one, other) = (self.any(), self.any());
            let name = format!("{}{}", self.text(one), self.text(other));
            let (latin, both) = (is_latin(&name), self.from.latin);
            let unheard = if latin {
                !self.from.all_latin.contains_key(&name)
            } else {
                // two Han words that share no text are nowhere side by side
                one as usize >= both && other as usize >= both && !meet(self.texts(one), self.texts(other))
            };
            if unheard {
                names.push(name.into());
            }
        }
        vec![names]
    }
}

fn is_latin(word: &str) -> bool {
    word.chars().all(is_word)
}

#[cfg(test)]
mod tests;
