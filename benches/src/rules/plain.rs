//! What one would write with the crate `regex`: one expression for each part of each query, or one `RegexSet` over the
//! words of all queries and a look at which of them matched. Both search the normal form, so that the answers can be the
//! same; making it is not in their time.

use anyhow::Context as _;
use regex::{Regex, RegexSet, RegexSetBuilder};
use rustc_hash::FxHashMap;

use super::draw::Drawn;

/// Most bytes of a compiled `RegexSet`.
pub const SET_LIMIT: usize = 256 << 20;

/// One expression for each part of each query.
#[derive(Debug)]
pub struct PerQuery(Vec<Parts>);

#[derive(Debug)]
struct Parts {
    must: Vec<Regex>,
    not: Option<Regex>,
}

/// One set over the words of all queries.
#[derive(Debug)]
pub struct Set {
    set: RegexSet,
    queries: Vec<Numbers>,
}

#[derive(Debug)]
struct Numbers {
    must: Vec<Vec<usize>>,
    not: Vec<usize>,
}

/// One word as an expression: Latin words whole, Han ones anywhere. The borders are those of ASCII, which is all the drawn
/// words consist of; an underscore, which the matcher takes for a border, is none here.
fn word(word: &str) -> String {
    match word.strip_suffix('*') {
        Some(prefix) => format!(r"(?-u:\b){}", regex::escape(prefix)),
        None if word.is_ascii() => format!(r"(?-u:\b){}(?-u:\b)", regex::escape(word)),
        None => regex::escape(word),
    }
}

fn any(words: &[Box<str>]) -> String {
    words.iter().map(|one| word(one)).collect::<Vec<_>>().join("|")
}

/// Two words with at most `distance` runs of letters, or Han characters, between them, either first.
fn near(one: &str, other: &str, distance: u32) -> String {
    let (one, other) = (word(one), word(other));
    let between =
        format!(r"[^\p{{L}}\p{{N}}]*(?:(?:[a-z0-9]+|[\p{{L}}\p{{N}}])[^\p{{L}}\p{{N}}]*){{0,{distance}}}");
    format!("{one}{between}{other}|{other}{between}{one}")
}

impl PerQuery {
    /// Compiles every part of every query.
    ///
    /// # Errors
    /// An expression that is too large.
    pub fn new(queries: &[Drawn]) -> anyhow::Result<Self> {
        let parts = queries.iter().map(|query| {
            let must = match (query.near, query.must.as_slice()) {
                (Some(distance), [one, other]) => vec![Regex::new(&near(&one[0], &other[0], distance))?],
                (_, groups) => {
                    groups.iter().map(|group| Regex::new(&any(group))).collect::<Result<_, _>>()?
                }
            };
            let not = (!query.not.is_empty()).then(|| Regex::new(&any(&query.not))).transpose()?;
            Ok(Parts { must, not })
        });
        Ok(Self(parts.collect::<anyhow::Result<_>>()?))
    }

    /// Numbers of the queries that a normal form meets.
    pub fn scan(&self, text: &str) -> Vec<u32> {
        let meets = |parts: &Parts| {
            parts.must.iter().all(|part| part.is_match(text))
                && !parts.not.as_ref().is_some_and(|not| not.is_match(text))
        };
        (0u32..).zip(&self.0).filter(|(_, parts)| meets(parts)).map(|(number, _)| number).collect()
    }
}

impl Set {
    /// Compiles the words of all queries.
    ///
    /// # Errors
    /// A set of more than [`SET_LIMIT`] bytes, or queries that ask for more than words.
    pub fn new(queries: &[Drawn]) -> anyhow::Result<Self> {
        anyhow::ensure!(queries.iter().all(|query| query.near.is_none()), "a set of words cannot say NEAR");
        let mut numbers: FxHashMap<&str, usize> = FxHashMap::default();
        let mut words = Vec::new();
        let mut number = |text: &'_ str| -> usize {
            words.push(word(text));
            words.len() - 1
        };
        let mut compiled = Vec::with_capacity(queries.len());
        for query in queries {
            let mut of = |text| *numbers.entry(text).or_insert_with(|| number(text));
            let must = query.must.iter().map(|group| group.iter().map(|one| of(&**one)).collect()).collect();
            let not = query.not.iter().map(|one| of(&**one)).collect();
            compiled.push(Numbers { must, not });
        }
        let count = words.len();
        let set = RegexSetBuilder::new(words)
            .size_limit(SET_LIMIT)
            .build()
            .with_context(|| format!("{count} words"))?;
        Ok(Self { set, queries: compiled })
    }

    /// Numbers of the queries that a normal form meets.
    pub fn scan(&self, text: &str) -> Vec<u32> {
        let found = self.set.matches(text);
        let any = |words: &[usize]| words.iter().any(|word| found.matched(*word));
        let meets = |query: &Numbers| query.must.iter().all(|group| any(group)) && !any(&query.not);
        (0u32..).zip(&self.queries).filter(|(_, query)| meets(query)).map(|(number, _)| number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(must: &[&[&str]], not: &[&str], near: Option<u32>) -> Drawn {
        let words = |words: &[&str]| words.iter().map(|word| (*word).into()).collect();
        Drawn { must: must.iter().map(|group| words(group)).collect(), not: words(not), near }
    }

    #[test]
    fn both_answer_as_the_matcher_does() {
        let queries = [
            drawn(&[&["tea"], &["中毒"]], &["梗"], None),
            drawn(&[&["tea", "奶茶"], &["rec*", "中毒"]], &[], None),
        ];
        let near = drawn(&[&["tea"], &["中毒"]], &[], Some(2));
        let (each, set) = (PerQuery::new(&queries).unwrap(), Set::new(&queries).unwrap());
        assert!(Set::new(std::slice::from_ref(&near)).is_err());
        let near_too = PerQuery::new(&[near]).unwrap();
        for (text, found, close) in [
            ("tea中毒", &[0, 1][..], true),
            ("tea 的 so 中毒", &[0, 1], true),
            ("中毒, 喝 了 so tea", &[0, 1], false),
            ("tea中毒梗", &[1], true),
            ("奶茶 recalled", &[1], false),
            ("teas中毒", &[], false),
            ("", &[], false),
        ] {
            assert_eq!(each.scan(text), found, "{text}");
            assert_eq!(set.scan(text), found, "{text}");
            assert_eq!(!near_too.scan(text).is_empty(), close, "{text}");
        }
    }
}
