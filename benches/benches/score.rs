//! Criterion benches of the parts of scoring: normal form, matching, sentiment, fingerprint. One iteration is one mention.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use tocsin_benches::corpus;
use tocsin_rules::{
    matcher::{Matcher, Scratch},
    normal::Normal,
};
use tocsin_score::{Linear, simhash};

const MONITORS: usize = 1_000;

#[expect(clippy::expect_used, reason = "without rulebook or model there is nothing to measure")]
fn parts(c: &mut Criterion) {
    let mentions = corpus::mentions(1_000, MONITORS, 10, Timestamp::UNIX_EPOCH);
    let rulebook = corpus::rulebook(MONITORS).expect("a valid rulebook");
    let (mut normal, mut scratch) = (Normal::new(), Scratch::new());

    let mut next = mentions.iter().cycle();
    c.bench_function("normalise", |b| {
        b.iter(|| {
            next.by_ref().take(1).for_each(|mention| normal.set(mention));
            black_box(normal.as_str().len())
        });
    });

    let matcher = Matcher::new(&rulebook).expect("a valid rulebook");
    let normals: Vec<Normal> = mentions
        .iter()
        .map(|mention| {
            let mut normal = Normal::new();
            normal.set(mention);
            normal
        })
        .collect();
    let mut next = mentions.iter().zip(&normals).cycle();
    c.bench_function("match 1000 monitors, 10000 terms", |b| {
        b.iter(|| next.next().map(|(mention, normal)| matcher.scan(mention, "zh", normal, &mut scratch)));
    });

    let model = Linear::shipped().expect("the shipped model");
    let mut next = mentions.iter().cycle();
    c.bench_function("sentiment", |b| b.iter(|| next.next().map(|mention| model.text(&mention.text))));

    let mut next = mentions.iter().cycle();
    c.bench_function("simhash", |b| {
        b.iter(|| next.next().map(|mention| simhash::fingerprint(mention.text.chars().map(u32::from))));
    });
}

criterion_group!(benches, parts);
criterion_main!(benches);
