//! Criterion benches of rules on made-up texts: normal form alone, and normal form and scan at 1,000 and 100,000
//! queries. One iteration is one mention.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use tocsin_benches::corpus;
use tocsin_rules::{Category, Matcher, Monitor, Normal, Query, Scratch};

/// Brands of which each text in ten names one; above 10,000 queries several watch the same.
#[expect(clippy::expect_used, reason = "without queries there is nothing to measure")]
fn monitors(n: usize) -> Vec<Monitor> {
    let query = |number: usize| {
        let name = corpus::brand(number % 10_000);
        let text = format!(
            "{name} AND (质量{number} OR 太差 OR brand{number}) NOT ({name}公益{number} OR 招聘{number})"
        );
        Query::parse(&text).expect("a valid query")
    };
    tocsin_benches::rules::ours::monitors((0..n).map(query).collect())
}

#[expect(clippy::expect_used, reason = "without a matcher there is nothing to measure")]
fn rules(c: &mut Criterion) {
    let mentions = corpus::mentions(1_000, 10_000, 10, Timestamp::UNIX_EPOCH);
    let categories: [Category; 0] = [];
    let (mut normal, mut scratch) = (Normal::new(), Scratch::new());
    let mut next = mentions.iter().cycle();
    c.bench_function("normal form", |b| {
        b.iter(|| {
            next.by_ref().take(1).for_each(|mention| normal.set(mention));
            black_box(normal.as_str().len())
        });
    });
    for count in [1_000, 100_000] {
        let matcher = Matcher::from_parts(&monitors(count), &categories, &[]).expect("valid queries");
        let mut next = mentions.iter().cycle();
        c.bench_function(&format!("normal form and scan, {count} queries"), |b| {
            b.iter(|| {
                next.next().map(|mention| {
                    normal.set(mention);
                    black_box(matcher.scan(mention, "", &normal, &mut scratch))
                })
            });
        });
    }
}

criterion_group!(benches, rules);
criterion_main!(benches);
