//! The rule matcher beside its peers, on real texts and drawn queries, in one run on one thread: `rules --help`. Prints a
//! table. Refuses to run without the texts.
#![expect(clippy::print_stdout, reason = "the table is this program's output")]

mod contest;

use clap::{Parser, ValueEnum};
use peak_alloc::PeakAlloc;
use tocsin_benches::rules::{
    draw::{self, HELD, Hits, Shape},
    lucene::Install,
    table::{self, Row},
    texts,
    vocabulary::Vocabulary,
};

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
    /// Contenders beside the matcher itself, which always runs; all if absent.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Contender>,
    /// Rounds; the median counts. One more warms up.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Most texts, evenly spread; all if absent.
    #[arg(long)]
    texts: Option<usize>,
    /// Texts of a round of Lucene Monitor, evenly spread.
    #[arg(long, default_value_t = 2_000)]
    lucene_texts: usize,
    /// Texts that Lucene Monitor matches at a time.
    #[arg(long, default_value_t = 1)]
    lucene_batch: usize,
    /// Passes of Lucene's multipass presearcher.
    #[arg(long, default_value_t = 4)]
    lucene_passes: usize,
    /// Seconds of matching before Lucene Monitor's first round.
    #[arg(long, default_value_t = 10.0)]
    lucene_warm_up: f64,
    /// JSON lines in place of the table.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Contender {
    Tocsin,
    Regex,
    RegexSet,
    LuceneTerms,
    LuceneMultipass,
}

impl Contender {
    fn is_lucene(self) -> bool {
        matches!(self, Self::LuceneTerms | Self::LuceneMultipass)
    }
}

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
    let lucene = options.only.iter().any(|one| one.is_lucene()).then(Install::new).transpose()?;
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
                    let (terms, of_set) =
                        contest::run(&options, (*shape, *hits), &queries, &texts, lucene.as_ref())?;
                    print(&options, terms, &of_set)?;
                    rows.extend(of_set);
                }
            }
        }
    }
    let flat = table::flatness(&rows, contest::OURS);
    if !options.json && !flat.is_empty() {
        println!("\nHits held equal:\n{}", flat.join("\n"));
    }
    Ok(())
}

fn print(options: &Options, terms: usize, rows: &[Row]) -> anyhow::Result<()> {
    if options.json {
        for row in rows {
            println!("{}", serde_json::to_string(row)?);
        }
        return Ok(());
    }
    let ours = rows.iter().find(|row| row.contender == contest::OURS).and_then(|row| row.rate);
    println!("{}", table::head(rows[0].shape, rows[0].hits, rows[0].queries, terms));
    for row in rows {
        println!("{}", table::line(row, ours));
    }
    Ok(())
}
