//! Prints what a rulebook of many monitors costs to read and to compile, and what an edit of some of them costs, each
//! beside compiling everything anew; and what the small segment that an edit leaves costs each text. Monitors are drawn
//! from a fixed sequence. How many: the first argument.
#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, reason = "a measuring tool")]

use std::{fmt::Write as _, hint::black_box, time::Instant};

use tocsin_rules::{Matcher, Mention, Normal, Query, Rulebook, Scratch};

fn main() {
    let count: usize = std::env::args().nth(1).map_or(100_000, |count| count.parse().unwrap());
    let mut state = 42u64;
    let mut next = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut word = || -> String {
        let mut han = || char::from_u32(0x4E00 + u32::try_from(next(3_000)).unwrap()).unwrap();
        [han(), han(), han()].into_iter().collect()
    };
    let words: Vec<String> = (0..count).map(|_| word()).collect();
    let mut yaml = "extends: consumer-brand\nmonitors:\n".to_owned();
    for n in 0..count {
        let [a, b, c, d] = [n, n * 7 + 1, n * 11 + 2, n * 13 + 3].map(|at| &words[at % count]);
        writeln!(yaml, "  - {{id: m{n}, name: {a}{n}, query: {a} ({b} OR {c} OR 投诉) NOT {d}, owner: pr}}")
            .unwrap();
    }
    let (book, read) = timed(|| Rulebook::load(&[("many.yaml", &yaml)]).unwrap());
    let mib = yaml.len() as f64 / f64::from(1 << 20);
    println!("{count} monitors, {mib:.1} MiB of YAML: read in {read:.0} ms");
    let (matcher, full) = timed(|| Matcher::new(&book).unwrap());
    let bytes = matcher.bytes().total() as f64 / f64::from(1 << 20);
    println!("compiled anew in {full:.0} ms: {} terms, {bytes:.1} MiB", matcher.terms());

    let texts: Vec<Mention> = (0..2_000)
        .map(|n| {
            let text: String = (0..40).map(|at| words[(n * 41 + at * 7) % count].as_str()).collect();
            let json = format!(
                r#"{{"id":"weibo:{n}","platform":"weibo","text":"{text}","published_at":"2026-09-10T01:33:20Z"}}"#
            );
            Mention::parse(json.as_bytes(), "2026-09-10T01:38:20Z".parse().unwrap()).unwrap()
        })
        .collect();
    let mut scratch = Scratch::new();
    let mut normals: Vec<Normal> = Vec::new();
    for text in &texts {
        let mut normal = Normal::new();
        normal.set(text);
        normals.push(normal);
    }
    let mut scan = |matcher: &Matcher| {
        let rounds = (0..5).map(|_| {
            let (_, took) = timed(|| {
                for (text, normal) in texts.iter().zip(&normals) {
                    black_box(matcher.scan(text, "zh", normal, &mut scratch));
                }
            });
            took * 1_000.0 / texts.len() as f64
        });
        rounds.fold(f64::INFINITY, f64::min)
    };
    println!("a text of 120 characters: {:.2} us", scan(&matcher));
    for changed in [0, 1, 10, 1_000] {
        let mut edited = book.clone();
        for n in 0..changed {
            let place = n * (count / changed.max(1));
            edited.monitors[place].query = Query::all(vec![
                edited.monitors[place].query.clone(),
                Query::Not(Box::new(Query::Term("招聘".to_owned()))),
            ]);
        }
        let ((updated, update), took) =
            timed(|| matcher.updated(&edited.monitors, &edited.categories, &edited.lists).unwrap());
        let (fresh, anew) = timed(|| Matcher::new(&edited).unwrap());
        let (with, without) = (scan(&updated), scan(&fresh));
        println!(
            "{changed} changed: {took:.0} ms ({} compiled), anew {anew:.0} ms; a text {with:.2} us, anew {without:.2} us",
            update.compiled
        );
    }
}

/// Its result and the milliseconds it took.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed().as_secs_f64() * 1_000.0)
}
