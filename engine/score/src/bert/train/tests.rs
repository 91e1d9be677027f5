//! A tiny model learns a trivial task, is left as a folder that loads, and goes on where it stopped.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::*;
use crate::{
    bert::{
        Architecture,
        tiny::{Tiny, Vocabulary},
    },
    fit::Set,
    labelled::LabelledFile,
    measure::Tally,
};

/// A clock that every look moves by a second: a training of N steps needs no wall.
#[derive(Debug, Default)]
struct Ticking(AtomicU64);

impl Clock for Ticking {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.0.fetch_add(1, Ordering::Relaxed))
    }

    fn sleep(&self, _span: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }
}

/// `good` is positive, `bad` negative, whatever stands around.
fn corpus() -> Corpus {
    let filler = ["the", "phone", "service", "is", "this", "酒店", "手机", "refund", "broken", "今天"];
    let text = |i: usize| {
        let mood = if i.is_multiple_of(2) { "good" } else { "bad" };
        let (a, b, c) = (filler[i % 10], filler[i / 10 % 10], filler[i / 100 % 10]);
        Labelled {
            id: i.to_string(),
            text: format!("{a} {b} {mood} {c} {mood}"),
            label: if mood == "good" { Label::Positive } else { Label::Negative },
        }
    };
    let set = Set { file: "made-up", chinese: false, weight: 1.0, moods: &[] };
    Corpus { set, content: LabelledFile { texts: (0..400).map(text).collect(), errors: Vec::new() } }
}

#[test]
fn it_learns_is_saved_and_goes_on() {
    let (from, out) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    Tiny {
        architecture: Architecture::Bert,
        vocabulary: Vocabulary::WordPiece,
        classes: &["a", "b"],
        seed: 5,
    }
    .write(from.path())
    .expect("written");
    let plan = Plan {
        time: Duration::from_secs(60),
        threads: 1,
        batch: 8,
        rate: 2e-3,
        head_rate: 5e-3,
        ..Plan::default()
    };
    let clock: Arc<dyn Clock> = Arc::new(Ticking::default());
    let corpora = [corpus()];
    let mut said = Vec::new();
    let mut run = |clock| train(from.path(), out.path(), &corpora, &plan, clock, &mut |line| said.push(line));
    let first = run(&clock).unwrap_or_else(|error| panic!("{error}"));
    assert!((40..=60).contains(&first.steps.0) && first.steps.0 == first.steps.1, "{:?}", first.steps);
    let second = run(&clock).unwrap_or_else(|error| panic!("{error}"));
    assert!(second.steps.1 > second.steps.0 && second.texts > first.texts, "{:?}", second.steps);
    assert!(said.iter().any(|line| line.starts_with("going on after ")), "{said:?}");
    let held = &second.judged[0];
    assert_eq!((held.set, held.texts.len()), ("made-up", held.answers.len()));
    let mut tally = Tally::new(false);
    held.texts.iter().zip(&held.answers).for_each(|(text, answer)| tally.add(text.label, *answer));
    let figures = tally.figures();
    assert!(figures.n > 20 && figures.accuracy > 0.9, "{figures:?}");
    let judge = Judge::open(out.path(), None, 64).unwrap_or_else(|error| panic!("{error}"));
    let judged =
        judge.judge(&["the phone is good good", "this service is bad bad"], 2, &mut |_| {}).expect("judged");
    assert!(judged[0].positive > judged[0].negative && judged[1].negative > judged[1].positive, "{judged:?}");
}

#[test]
fn only_the_upper_layers_and_the_head_learn() {
    let from = tempfile::tempdir().expect("a folder");
    Tiny {
        architecture: Architecture::DistilBert,
        vocabulary: Vocabulary::WordPiece,
        classes: &["a", "b"],
        seed: 5,
    }
    .write(from.path())
    .expect("written");
    let plan = Plan { layers: 1, ..Plan::default() };
    let opened = open(from.path(), &plan, false).expect("opened");
    let names: Vec<String> = learning(&opened, &plan).into_iter().map(|(name, ..)| name).collect();
    assert!(names.iter().any(|name| name == "pre_classifier.weight"), "{names:?}");
    assert!(names.iter().any(|name| name.contains("layer.1.")), "{names:?}");
    assert!(!names.iter().any(|name| name.contains("layer.0.") || name.contains("embeddings")), "{names:?}");
}
