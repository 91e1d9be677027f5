//! How much of all posts a query may find, from how common its words are: an estimate from above over a table of the
//! commonest words and Chinese character pairs. What the table lacks counts as nothing; NOT narrows nothing. Refuses to
//! measure: recorded posts do that better.

use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Code, Found, brief, logic::Logic};
use crate::{
    normal::{self, is_word},
    query::{Field, Query},
    rulebook::Rulebook,
};

/// Part of all posts above which a query is too broad.
pub const LIMIT: f64 = 0.05;

/// Parts of 10,000 posts, by language and piece; counted by `cargo run --example frequencies`.
const TABLE: &str = include_str!("frequencies.txt");

/// An estimate of how much a query finds.
#[derive(Debug, Clone, PartialEq)]
pub struct Breadth {
    /// Part of the posts of one language, 0..=1; 1 when nothing but platform, language and kind is asked for.
    pub rate: f64,
    /// That language, `zh` or `en`: the one of which most is found.
    pub language: &'static str,
    /// The commonest of its terms; none when it has no term.
    pub cause: Option<Cause>,
}

/// A common term of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    /// As a query.
    pub term: String,
    /// Part of the posts that have it.
    pub rate: f64,
}

/// One language's table.
type Rates = FxHashMap<&'static str, f64>;

static RATES: LazyLock<[(&str, Rates); 2]> = LazyLock::new(|| {
    ["zh", "en"].map(|language| {
        let lines = TABLE.lines().filter_map(|line| {
            let mut words = line.split('\t');
            let (of, rate, piece) = (words.next()?, words.next()?, words.next()?);
            Some((piece, rate.parse::<f64>().ok().filter(|_| of == language)? / 10_000.0))
        });
        (language, lines.collect())
    })
});

/// The warning about a query that may find more than [`LIMIT`].
pub(super) fn too_broad(logic: &Logic<'_>, query: &Query) -> Option<Found> {
    let Breadth { rate, language, cause } = of(logic, query).filter(|breadth| breadth.rate > LIMIT)?;
    let language = if language == "zh" { "Chinese" } else { "English" };
    let message = match cause {
        Some(cause) => format!(
            "this may find about {} of all {language} posts: `{}` alone is in {} of them",
            percent(rate),
            cause.term,
            percent(cause.rate)
        ),
        None => "this asks for no word at all, so it finds every post of its platform, language or kind"
            .to_owned(),
    };
    let fix = "add a word that must be there too, or try it on recorded posts with `tocsin check --sample`";
    Some(Found::new(Code::TooBroad, message, fix))
}

/// A share for people.
fn percent(rate: f64) -> String {
    format!("{:.*} %", usize::from(rate < 0.1), (rate * 100.0).min(100.0))
}

/// Estimates how much a query finds; none when what it asks for is beyond guessing.
pub fn breadth(query: &Query, rulebook: &Rulebook) -> Option<Breadth> {
    of(&Logic::new(rulebook), query)
}

fn of(logic: &Logic<'_>, query: &Query) -> Option<Breadth> {
    let each =
        RATES.iter().map(|(language, rates)| (*language, Estimate { logic, language, rates }.bound(query)));
    let bounds: Option<Vec<_>> = each.map(|(language, bound)| Some((language, bound?))).collect();
    match bounds {
        Some(bounds) => {
            let most = bounds.into_iter().max_by(|(_, a), (_, b)| a.rate.total_cmp(&b.rate));
            most.map(|(language, Bound { rate, cause })| Breadth {
                rate: rate.min(1.0),
                language,
                cause: Some(cause),
            })
        }
        None => is_open(query).then_some(Breadth { rate: 1.0, language: "zh", cause: None }),
    }
}

/// Nothing but platform, language and kind.
fn is_open(query: &Query) -> bool {
    let mut open = true;
    query.visit(&mut |part| {
        open &= matches!(
            part,
            Query::And(_) | Query::Or(_) | Query::Platform(_) | Query::Lang(_) | Query::Kind(_)
        );
    });
    open
}

/// At most so many, and the term that most of them have.
struct Bound {
    rate: f64,
    cause: Cause,
}

struct Estimate<'l, 'b> {
    logic: &'l Logic<'b>,
    language: &'static str,
    rates: &'l Rates,
}

impl Estimate<'_, '_> {
    /// None where nothing bounds it.
    fn bound(&self, query: &Query) -> Option<Bound> {
        match query {
            Query::And(parts) => {
                parts.iter().filter_map(|part| self.bound(part)).min_by(|a, b| a.rate.total_cmp(&b.rate))
            }
            Query::Or(parts) => self.sum(parts),
            Query::List(name) => self.sum(self.logic.list(name).map_or(&[], |list| &list.queries)),
            Query::Near { sides, .. } => {
                sides.iter().filter_map(|side| self.bound(side)).min_by(|a, b| a.rate.total_cmp(&b.rate))
            }
            Query::Count(_, part) | Query::Title(part) => self.bound(part),
            Query::Lang(lang) if lang != self.language => Some(self.exactly(query, 0.0)),
            Query::Term(text) | Query::Cased(text) => Some(self.exactly(query, self.term(text))),
            Query::Prefix(stem) => Some(self.exactly(query, self.prefix(stem))),
            Query::Field(Field::Author | Field::Region | Field::Url | Field::Site | Field::Thread, _)
            | Query::Tag(_)
            | Query::Name(_) => Some(self.exactly(query, 0.0)),
            _ => None,
        }
    }

    fn exactly(&self, query: &Query, rate: f64) -> Bound {
        Bound { rate, cause: Cause { term: brief(query), rate } }
    }

    fn sum(&self, parts: &[Query]) -> Option<Bound> {
        let bounds: Option<Vec<Bound>> = parts.iter().map(|part| self.bound(part)).collect();
        let bounds = bounds?;
        let rate = bounds.iter().map(|bound| bound.rate).sum();
        let most = bounds.into_iter().max_by(|a, b| a.cause.rate.total_cmp(&b.cause.rate))?;
        Some(Bound { rate, cause: most.cause })
    }

    /// A text with the term has all of its pieces.
    fn term(&self, text: &str) -> f64 {
        let rates = pieces(&normal::fold(text)).into_iter().map(|piece| self.rates.get(&*piece).copied());
        rates.map(Option::unwrap_or_default).min_by(f64::total_cmp).unwrap_or_default()
    }

    fn prefix(&self, stem: &str) -> f64 {
        let stem = normal::fold(stem);
        let begin = stem
            .rfind(|c| !is_word(c))
            .map_or(0, |at| at + stem[at..].chars().next().map_or(1, char::len_utf8));
        let (before, last) = stem.split_at(begin);
        let words: f64 =
            self.rates.iter().filter(|(word, _)| word.starts_with(last)).map(|(_, rate)| rate).sum();
        if before.trim().is_empty() { words } else { words.min(self.term(before)) }
    }
}

/// Distinct pieces of a normal form that the table counts: words of scripts that separate words; of other letters each
/// pair, and one that stands alone.
pub fn pieces(normal: &str) -> FxHashSet<Box<str>> {
    let mut pieces: FxHashSet<Box<str>> = FxHashSet::default();
    let chars: Vec<char> = normal.chars().collect();
    for run in chars.chunk_by(|a, b| kind(*a) == kind(*b)) {
        match run.first().map(|c| kind(*c)) {
            Some(Kind::Word) => {
                pieces.insert(run.iter().collect::<String>().into());
            }
            Some(Kind::Letter) if run.len() == 1 => {
                pieces.insert(run.iter().collect::<String>().into());
            }
            Some(Kind::Letter) => {
                pieces.extend(run.windows(2).map(|pair| pair.iter().collect::<String>().into()));
            }
            _ => {}
        }
    }
    pieces
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum Kind {
    Word,
    Letter,
    Other,
}

fn kind(c: char) -> Kind {
    if is_word(c) {
        Kind::Word
    } else if c.is_alphanumeric() {
        Kind::Letter
    } else {
        Kind::Other
    }
}
