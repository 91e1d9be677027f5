//! The rule matcher beside its peers, on real texts and drawn queries, in one run on one thread: `rules --help`. Prints a
//! table. Refuses to run without the texts.
#![expect(clippy::print_stdout, reason = "the table is this program's output")]

use std::hint::black_box;

use clap::{Parser, ValueEnum};
use peak_alloc::PeakAlloc;
use tocsin_benches::{
    rounds,
    rules::{
        draw::{self, Drawn, HELD, Hits, Shape},
        ours::{self, Ours},
        plain,
        table::{self, Against, Built, Row},
        texts::{self, Texts},
        vocabulary::Vocabulary,
    },
};
use tocsin_bus::{Clock, SystemClock};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// The rule matcher beside its peers.
#[derive(Debug, Parser)]
struct Options {
    /// Shapes of queries; all if absent.
    #[arg(long, value_delimiter = ',')]
    shape: Vec<Shape>,
    /// How many queries.
    #[arg(long, value_delimiter = ',', default_values_t = [10, 1_000, 10_000, 100_000])]
    queries: Vec<usize>,
    /// Whether hits grow with the queries or are held; both if absent.
    #[arg(long, value_delimiter = ',')]
    hits: Vec<Hits>,
    /// Contenders; all if absent.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Contender>,
    /// Rounds; the median counts. One more warms up.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Most texts, evenly spread; all if absent.
    #[arg(long)]
    texts: Option<usize>,
    /// JSON lines in place of the table.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Contender {
    Tocsin,
    Regex,
    RegexSet,
}

/// Most queries, and how many texts, for the two ways of the crate `regex`, whose time grows with both.
const REGEX: (usize, usize) = (1_000, 300);
const REGEX_SET: (usize, usize) = (1_000, 30);

fn main() -> anyhow::Result<()> {
    let mut options = Options::parse();
    if options.shape.is_empty() {
        options.shape = Shape::value_variants().to_vec();
    }
    if options.hits.is_empty() {
        options.hits = Hits::value_variants().to_vec();
    }
    if options.only.is_empty() {
        options.only = Contender::value_variants().to_vec();
    }
    let all = texts::load(&texts::folder()?, None)?;
    let vocabulary = Vocabulary::of(&all.normal);
    let texts = if options.texts.is_some() { texts::load(&texts::folder()?, options.texts)? } else { all };
    if !options.json {
        let chars: usize = texts.mentions.iter().map(|mention| mention.text.chars().count()).sum();
        let count = texts.mentions.len();
        println!(
            "{} texts of {} characters on average; words: {} Latin, {} Han; {} rounds, median, one thread",
            table::grouped(count as f64),
            chars / count.max(1),
            table::grouped(vocabulary.latin as f64),
            table::grouped((vocabulary.words.len() - vocabulary.latin) as f64),
            options.rounds,
        );
    }
    let mut rows = Vec::new();
    for shape in &options.shape {
        for hits in &options.hits {
            for count in &options.queries {
                // up to there the two are the same
                if *hits == Hits::Grow || *count > HELD {
                    let queries = draw::draw(*shape, *hits, *count, &vocabulary)?;
                    rows.extend(one_set(&options, (*shape, *hits), &queries, &texts)?);
                }
            }
        }
    }
    let flat = table::flatness(&rows, "tocsin");
    if !options.json && !flat.is_empty() {
        println!("\nHits held equal:\n{}", flat.join("\n"));
    }
    Ok(())
}

/// All contenders on one set of queries, taking turns.
fn one_set(
    options: &Options,
    of: (Shape, Hits),
    queries: &[Drawn],
    texts: &Texts,
) -> anyhow::Result<Vec<Row>> {
    let clock = SystemClock::new();
    let row = |contender, texts, built| Row {
        shape: of.0,
        hits: of.1,
        queries: queries.len(),
        contender,
        texts,
        rate: None,
        hits_per_text: None,
        built,
        against: None,
        note: String::new(),
    };
    let (parsed, parsing) =
        measured(&clock, || queries.iter().map(Drawn::query).collect::<anyhow::Result<Vec<_>>>())?;
    let monitors = ours::monitors(parsed);
    let (mut tocsin, built) = measured(&clock, || Ours::new(&monitors))?;
    let count = texts.mentions.len();
    let mut rows = vec![row("normal form alone", count, None), row("tocsin", count, Some(built))];
    rows[1].note = format!("queries parsed in {:.3} s", parsing.seconds);
    let answers = tocsin.matches(&texts.mentions);
    rows[1].hits_per_text = Some(answers.len() as f64 / count as f64);
    let terms = tocsin.terms();

    // each contender takes texts of its own number, so that a round of each ends in bounded time
    let mut scans: Vec<(usize, Box<dyn Fn(&str) -> Vec<u32>>)> = Vec::new();
    let mut skipped = Vec::new();
    for (contender, name, (most, sample)) in [
        (Contender::Regex, "regex per query", REGEX),
        (Contender::RegexSet, "RegexSet over all words", REGEX_SET),
    ] {
        if !options.only.contains(&contender) {
            continue;
        }
        let mut row = row(name, sample.min(count), None);
        if queries.len() > most {
            row.note = format!("not run beyond {most} queries");
            skipped.push(row);
            continue;
        }
        let built: anyhow::Result<(Box<dyn Fn(&str) -> Vec<u32>>, Built)> = if contender == Contender::Regex {
            measured(&clock, || plain::PerQuery::new(queries))
                .map(|(plain, built)| (Box::new(move |text: &str| plain.scan(text)) as Box<_>, built))
        } else {
            measured(&clock, || plain::Set::new(queries))
                .map(|(plain, built)| (Box::new(move |text: &str| plain.scan(text)) as Box<_>, built))
        };
        match built {
            Err(error) => {
                row.note = format!("cannot be built: {error:#}");
                skipped.push(row);
            }
            Ok((scan, built)) => {
                row.built = Some(built);
                let found = answers_of(&*scan, texts, sample);
                row.hits_per_text = Some(found.len() as f64 / row.texts.max(1) as f64);
                row.against = Some(Against::of(&sampled(&answers, count, sample), &found));
                rows.push(row);
                scans.push((sample, scan));
            }
        }
    }
    let (mut alone, mut whole) = (Ours::new(&[])?, tocsin);
    let mut normalise = || alone.normalise(&texts.mentions);
    let mut match_all = || whole.round(&texts.mentions);
    let mut plain: Vec<_> = scans
        .iter()
        .map(|(sample, scan)| {
            move || {
                let chosen = texts::spread(texts.normal.len(), *sample);
                chosen.iter().map(|at| drop(black_box(scan(&texts.normal[*at])))).count()
            }
        })
        .collect();
    let mut turns: Vec<&mut dyn FnMut() -> usize> = vec![&mut normalise, &mut match_all];
    turns.extend(plain.iter_mut().map(|turn| turn as &mut dyn FnMut() -> usize));
    for (rate, row) in rounds::alternate(&clock, options.rounds, &mut turns).iter().zip(&mut rows) {
        row.rate = Some(rate.0);
    }
    rows.extend(skipped);
    print(options, of, terms, &rows)?;
    Ok(rows)
}

fn print(options: &Options, (shape, hits): (Shape, Hits), terms: usize, rows: &[Row]) -> anyhow::Result<()> {
    let ours = rows.iter().find(|row| row.contender == "tocsin").and_then(|row| row.rate);
    if options.json {
        for row in rows {
            println!("{}", serde_json::to_string(row)?);
        }
    } else {
        println!("{}", table::head(shape, hits, rows[0].queries, terms));
        rows.iter().for_each(|row| println!("{}", table::line(row, ours)));
    }
    Ok(())
}

/// Runs something that builds, and says what it took.
fn measured<T>(clock: &dyn Clock, build: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, Built)> {
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    let start = clock.elapsed();
    let built = build()?;
    let seconds = (clock.elapsed() - start).as_secs_f64();
    let live = HEAP.current_usage().saturating_sub(before);
    Ok((built, Built { seconds, live, peak: Some(HEAP.peak_usage().saturating_sub(before)) }))
}

/// (number in the sample, query) of every match.
fn answers_of(scan: &dyn Fn(&str) -> Vec<u32>, texts: &Texts, sample: usize) -> Vec<(u32, u32)> {
    let chosen = texts::spread(texts.normal.len(), sample);
    let numbered = (0u32..).zip(chosen);
    numbered
        .flat_map(|(number, at)| scan(&texts.normal[at]).into_iter().map(move |query| (number, query)))
        .collect()
}

/// Answers on all texts, of a sample of them alone, with the numbers of the sample.
fn sampled(answers: &[(u32, u32)], all: usize, sample: usize) -> Vec<(u32, u32)> {
    let numbered = (0u32..).zip(texts::spread(all, sample));
    let mut out = Vec::new();
    for (number, at) in numbered {
        let from = answers.partition_point(|(text, _)| (*text as usize) < at);
        let of_text = answers[from..].iter().take_while(|(text, _)| *text as usize == at);
        out.extend(of_text.map(|(_, query)| (number, *query)));
    }
    out
}
