//! All contenders on one set of queries: built, compared with the matcher answer by answer, then timed in turns. Refuses
//! to time what would not end: those are rows with the reason.

use std::hint::black_box;

use anyhow::Context as _;
use tocsin_benches::{
    rounds,
    rules::{
        compare::{self, Seen, Words},
        draw::{Drawn, Hits, Shape},
        lucene::{Install, Lucene, Setting},
        ours::{self, Ours},
        plain,
        table::{Against, Built, Row},
        texts::{self, Texts},
    },
};
use tocsin_bus::{Clock, SystemClock};

use crate::{Contender, HEAP, Options};

/// Name of the matcher in the table.
pub(crate) const OURS: &str = "Tocsin";

/// Most queries, and how many texts, for the two ways of the crate `regex`, whose time grows with both.
const REGEX: (usize, usize) = (1_000, 300);
const REGEX_SET: (usize, usize) = (1_000, 30);
/// Most queries for Lucene Monitor of shapes for which no goal is set.
const LUCENE: usize = 10_000;

type Pairs = Vec<(u32, u32)>;

/// Numbers of the queries that a normal form meets.
type Scan = Box<dyn Fn(&str) -> Vec<u32>>;

/// A contender that could be built.
enum Peer {
    /// Searches one normal form.
    Plain(Scan),
    Lucene(Box<Lucene>),
}

/// One set of queries and the texts.
struct Contest<'a> {
    options: &'a Options,
    of: (Shape, Hits),
    queries: &'a [Drawn],
    texts: &'a Texts,
    lucene: Option<&'a Install>,
    clock: SystemClock,
}

/// Runs all; returns the number of distinct terms of the matcher, and a row each.
pub(crate) fn run(
    options: &Options,
    of: (Shape, Hits),
    queries: &[Drawn],
    texts: &Texts,
    lucene: Option<&Install>,
) -> anyhow::Result<(usize, Vec<Row>)> {
    let contest = Contest { options, of, queries, texts, lucene, clock: SystemClock::new() };
    let count = texts.mentions.len();
    let (parsed, parsing) =
        contest.measured(|| queries.iter().map(Drawn::query).collect::<anyhow::Result<Vec<_>>>())?;
    let monitors = ours::monitors(parsed);
    let (mut tocsin, built) = contest.measured(|| Ours::new(&monitors))?;
    drop(monitors);
    let terms = tocsin.terms();
    let answers = tocsin.matches(&texts.mentions);
    let mut rows = vec![contest.row("normal form alone", count), contest.row(OURS, count)];
    rows[1].built = Some(built);
    rows[1].hits_per_text = Some(answers.len() as f64 / count as f64);
    rows[1].note = format!("queries parsed in {:.3} s", parsing.seconds);
    let (mut peers, mut skipped) = (Vec::new(), Vec::new());
    for contender in options.only.iter().filter(|one| **one != Contender::Tocsin) {
        let (mut row, most) = contest.plan(*contender);
        if queries.len() > most {
            row.note = format!("not run beyond {most} queries");
            skipped.push(row);
            continue;
        }
        match contest.build(*contender, &mut row) {
            Err(error) => {
                row.note = format!("cannot run: {error:#}");
                skipped.push(row);
            }
            Ok(mut peer) => {
                contest.compare(&mut peer, &mut row, &answers)?;
                peers.push((row.texts, peer));
                rows.push(row);
            }
        }
    }
    drop(answers);
    let rates = contest.take_turns(tocsin, &mut peers)?;
    for (row, rate) in rows.iter_mut().zip(rates) {
        row.rate = Some(rate.0);
    }
    rows.extend(skipped);
    Ok((terms, rows))
}

impl Contest<'_> {
    fn row(&self, contender: &'static str, texts: usize) -> Row {
        Row {
            shape: self.of.0,
            hits: self.of.1,
            queries: self.queries.len(),
            contender,
            texts,
            rate: None,
            hits_per_text: None,
            built: None,
            against: None,
            classes: Vec::new(),
            note: String::new(),
        }
    }

    /// An empty row, and beyond how many queries it stays so.
    fn plan(&self, contender: Contender) -> (Row, usize) {
        let goal = matches!(self.of, (Shape::Must | Shape::Or, Hits::Grow));
        let (name, most, sample) = match contender {
            Contender::Tocsin => (OURS, usize::MAX, usize::MAX),
            Contender::Regex => ("regex per query", REGEX.0, REGEX.1),
            Contender::RegexSet => ("RegexSet over all words", REGEX_SET.0, REGEX_SET.1),
            Contender::LuceneTerms | Contender::LuceneMultipass => (
                if contender == Contender::LuceneTerms {
                    "Lucene Monitor, terms"
                } else {
                    "Lucene Monitor, multipass"
                },
                if goal { usize::MAX } else { LUCENE },
                self.options.lucene_texts,
            ),
        };
        (self.row(name, sample.min(self.texts.mentions.len())), most)
    }

    fn build(&self, contender: Contender, row: &mut Row) -> anyhow::Result<Peer> {
        let (peer, built) = match contender {
            Contender::Tocsin => anyhow::bail!("it is no peer of itself"),
            Contender::Regex => {
                let (plain, built) = self.measured(|| plain::PerQuery::new(self.queries))?;
                (Peer::Plain(Box::new(move |text| plain.scan(text))), built)
            }
            Contender::RegexSet => {
                let (plain, built) = self.measured(|| plain::Set::new(self.queries))?;
                (Peer::Plain(Box::new(move |text| plain.scan(text))), built)
            }
            Contender::LuceneTerms | Contender::LuceneMultipass => {
                let passes = if contender == Contender::LuceneTerms { 0 } else { self.options.lucene_passes };
                let setting = Setting {
                    passes,
                    batch: self.options.lucene_batch,
                    warm_up: self.options.lucene_warm_up,
                };
                let chosen = texts::spread(self.texts.mentions.len(), row.texts);
                let texts: Vec<&str> =
                    chosen.iter().map(|at| self.texts.mentions[*at].text.as_str()).collect();
                let install = self.lucene.context("not installed")?;
                let lucene = install.start(&texts, self.queries, setting)?;
                row.note = format!("queries made in {:.3} s", lucene.made);
                let built = lucene.built;
                (Peer::Lucene(Box::new(lucene)), built)
            }
        };
        row.built = Some(built);
        Ok(peer)
    }

    /// Fills in how a peer's answers compare with ours on the same texts.
    fn compare(&self, peer: &mut Peer, row: &mut Row, answers: &Pairs) -> anyhow::Result<()> {
        let chosen = texts::spread(self.texts.normal.len(), row.texts);
        let theirs = match peer {
            Peer::Plain(scan) => {
                let of = |(number, at): (u32, usize)| {
                    scan(&self.texts.normal[at]).into_iter().map(move |query| (number, query))
                };
                (0u32..).zip(chosen.iter().copied()).flat_map(of).collect()
            }
            Peer::Lucene(lucene) => lucene.matches()?,
        };
        let ours = sampled(answers, &chosen);
        row.hits_per_text = Some(theirs.len() as f64 / row.texts.max(1) as f64);
        row.against = Some(Against::of(&ours, &theirs));
        if let Peer::Lucene(lucene) = peer {
            let apart = compare::differences(&ours, &theirs);
            row.classes = self.explain(lucene, &apart, &chosen)?;
        }
        Ok(())
    }

    /// Classes of the differences, by what Lucene's analyzer makes of these texts.
    fn explain(
        &self,
        lucene: &mut Lucene,
        apart: &[(u32, u32, bool)],
        chosen: &[usize],
    ) -> anyhow::Result<Vec<(compare::Class, usize)>> {
        let at = |text: &u32| chosen[*text as usize];
        let words: Vec<&str> =
            apart.iter().flat_map(|(_, query, _)| self.queries[*query as usize].words()).collect();
        let of_words = lucene.tokens(words.iter().copied())?;
        let words: Words = words.into_iter().map(Box::from).zip(of_words).collect();
        let raw =
            lucene.tokens(apart.iter().map(|(text, ..)| self.texts.mentions[at(text)].text.as_str()))?;
        let normal = lucene.tokens(apart.iter().map(|(text, ..)| self.texts.normal[at(text)].as_str()))?;
        let seen =
            apart.iter().zip(raw.iter().zip(&normal)).map(|((text, query, ours), (tokens, of_normal))| {
                let seen = Seen { normal: &self.texts.normal[at(text)], tokens, of_normal };
                (&self.queries[*query as usize], seen, *ours)
            });
        Ok(compare::classes(seen, &words).into_iter().collect())
    }

    /// Times the normal form alone, the matcher, and each peer on so many texts.
    fn take_turns(&self, mut tocsin: Ours, peers: &mut [(usize, Peer)]) -> anyhow::Result<Vec<rounds::Rate>> {
        let texts = self.texts;
        let mut alone = Ours::new(&[])?;
        let mut normalise = || alone.normalise(&texts.mentions);
        let mut scan_all = || tocsin.round(&texts.mentions);
        let failed = std::cell::RefCell::new(None);
        let mut others: Vec<_> = peers
            .iter_mut()
            .map(|(sample, peer)| {
                let failed = &failed;
                move || match peer {
                    Peer::Plain(scan) => {
                        let chosen = texts::spread(texts.normal.len(), *sample);
                        chosen.iter().map(|at| drop(black_box(scan(&texts.normal[*at])))).count()
                    }
                    Peer::Lucene(lucene) => lucene.round().map_or_else(
                        |error| {
                            failed.replace(Some(error));
                            0
                        },
                        |(count, _)| count,
                    ),
                }
            })
            .collect();
        let mut turns: Vec<&mut dyn FnMut() -> usize> = vec![&mut normalise, &mut scan_all];
        turns.extend(others.iter_mut().map(|turn| turn as &mut dyn FnMut() -> usize));
        let rates = rounds::alternate(&self.clock, self.options.rounds, &mut turns);
        drop(turns);
        drop(others);
        failed.into_inner().map_or(Ok(rates), Err)
    }

    /// Runs something that builds, and says what it took.
    fn measured<T>(&self, build: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, Built)> {
        let before = HEAP.current_usage();
        HEAP.reset_peak_usage();
        let start = self.clock.elapsed();
        let built = build()?;
        let seconds = (self.clock.elapsed() - start).as_secs_f64();
        let live = HEAP.current_usage().saturating_sub(before);
        Ok((built, Built { seconds, live, peak: Some(HEAP.peak_usage().saturating_sub(before)) }))
    }
}

/// Answers of chosen texts alone, with their numbers among the chosen.
fn sampled(answers: &Pairs, chosen: &[usize]) -> Pairs {
    let mut out = Vec::new();
    for (number, at) in (0u32..).zip(chosen) {
        let from = answers.partition_point(|(text, _)| (*text as usize) < *at);
        let of_text = answers[from..].iter().take_while(|(text, _)| *text as usize == *at);
        out.extend(of_text.map(|(_, query)| (number, *query)));
    }
    out
}
