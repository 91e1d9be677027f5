//! With real libtorch and tiny models of every architecture: answers, batches, deadlines, queue, bad input, bad folders.

use std::{path::Path, sync::Arc, time::Duration};

use proptest::prelude::*;
use tempfile::TempDir;
use tocsin_bus::{ManualClock, SystemClock};
use tocsin_rules::Label;

use super::{
    tiny::{Tiny, Vocabulary},
    *,
};

const THREE: &[&str] = &["negative", "neutral", "positive"];
const DAY: Duration = Duration::from_secs(86_400);
/// Greatest difference of a probability between batches: a sum in another order rounds otherwise.
const ROUNDING: f32 = 1e-5;

fn tiny(architecture: Architecture, vocabulary: Vocabulary) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    Tiny { architecture, vocabulary, classes: THREE, seed: 7 }.write(folder.path()).expect("written");
    folder
}

fn bert() -> TempDir {
    tiny(Architecture::Bert, Vocabulary::WordPiece)
}

fn every_kind() -> Vec<(Architecture, Vocabulary)> {
    vec![
        (Architecture::Bert, Vocabulary::WordPiece),
        (Architecture::Bert, Vocabulary::Unigram),
        (Architecture::DistilBert, Vocabulary::WordPiece),
        (Architecture::Roberta, Vocabulary::BytePairs),
        (Architecture::XlmRoberta, Vocabulary::Unigram),
        (Architecture::XlmRoberta, Vocabulary::SentencePiece),
    ]
}

fn judge(folder: &Path) -> Judge {
    Judge::open(folder, None, 64).unwrap_or_else(|error| panic!("{error}"))
}

fn far(a: Probabilities, b: Probabilities) -> f32 {
    let pairs = [(a.negative, b.negative), (a.neutral, b.neutral), (a.positive, b.positive)];
    pairs.into_iter().map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn manual() -> Arc<ManualClock> {
    Arc::new(ManualClock::at("2026-09-10T01:33:20Z".parse().expect("a time")))
}

/// Texts of many lengths, Chinese and English, some of unknown characters.
fn texts() -> Vec<String> {
    let words = [
        "good",
        "这家酒店太差了",
        "bad",
        "phone",
        "很好",
        "refund!",
        "爱",
        "zebra",
        "☔",
        "the service is great",
    ];
    (0..60)
        .map(|i| (0..=(i * 7) % 40).map(|j| words[(i + j * j) % words.len()]).collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn every_architecture_and_vocabulary_judges_and_tells_texts_apart() {
    for (architecture, vocabulary) in every_kind() {
        let folder = tiny(architecture, vocabulary);
        let judge = judge(folder.path());
        assert_eq!(judge.architecture(), architecture);
        let judged = judge.judge(&["good phone", "这家酒店太差了"], 8, &mut |_| {}).expect("judged");
        for p in &judged {
            assert!((p.negative + p.neutral + p.positive - 1.0).abs() < 1e-5, "{architecture:?} {p:?}");
        }
        assert!(far(judged[0], judged[1]) > 1e-3, "{architecture:?} {vocabulary:?} {judged:?}");
    }
}

#[test]
fn an_answer_does_not_depend_on_its_batch() {
    for (architecture, vocabulary) in every_kind() {
        let folder = tiny(architecture, vocabulary);
        let judge = judge(folder.path());
        let texts = texts();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let alone = judge.judge(&texts, 1, &mut |_| {}).expect("alone");
        for batch in [2, 8, 32] {
            let together = judge.judge(&texts, batch, &mut |_| {}).expect("together");
            for (at, (a, b)) in alone.iter().zip(&together).enumerate() {
                assert!(far(*a, *b) < ROUNDING, "{architecture:?} batch {batch} text {at}: {a:?} {b:?}");
                assert_eq!(a.label(), b.label());
            }
        }
        // one pass over everything, the shortest beside the longest: as much padding as can be
        let ids: Vec<Vec<i64>> = texts.iter().map(|t| judge.tokens(t).expect("ids").expect("some")).collect();
        assert!(ids.iter().any(|ids| ids.len() < 6) && ids.iter().any(|ids| ids.len() > 40));
        let scores = judge.pass(ids.iter().map(Vec::as_slice)).expect("scores");
        for (at, (a, scores)) in alone.iter().zip(scores.chunks_exact(3)).enumerate() {
            let b = judge.labels().probabilities(scores);
            assert!(far(*a, b) < ROUNDING, "{architecture:?} padded, text {at}: {a:?} {b:?}");
        }
    }
}

#[test]
fn the_fused_pass_says_what_rust_bert_says() {
    for (architecture, vocabulary) in every_kind() {
        let folder = tiny(architecture, vocabulary);
        let judge = judge(folder.path());
        let texts = texts();
        let ids: Vec<Vec<i64>> = texts.iter().map(|t| judge.tokens(t).expect("ids").expect("some")).collect();
        for ids in [&ids[..], &ids[..1], &ids[5..9]] {
            let fused = judge.pass(ids.iter().map(Vec::as_slice)).expect("scores");
            let reference = judge.reference_pass(ids.iter().map(Vec::as_slice)).expect("scores");
            assert_eq!(fused.len(), 3 * ids.len());
            for (a, b) in fused.iter().zip(&reference) {
                assert!((a - b).abs() < 1e-4, "{architecture:?} {fused:?} {reference:?}");
            }
        }
    }
}

#[test]
fn without_the_mask_it_would() {
    let folder = bert();
    let judge = judge(folder.path());
    let ids = judge.tokens("good phone").expect("ids").expect("some");
    let mut padded = ids.clone();
    padded.resize(60, 0);
    let alone = judge.pass(std::iter::once(ids.as_slice())).expect("scores");
    let unmasked = judge.pass(std::iter::once(padded.as_slice())).expect("scores");
    assert!(alone.iter().zip(&unmasked).any(|(a, b)| (a - b).abs() > 1e-3), "{alone:?} {unmasked:?}");
}

#[test]
fn weights_are_those_of_the_file_and_the_seed() {
    let (a, b) = (bert(), bert());
    let read = |folder: &TempDir| std::fs::read(folder.path().join("model.safetensors")).expect("weights");
    assert_eq!(read(&a), read(&b));
    let other = tempfile::tempdir().expect("a folder");
    Tiny { architecture: Architecture::Bert, vocabulary: Vocabulary::WordPiece, classes: THREE, seed: 8 }
        .write(other.path())
        .expect("written");
    let say = |folder: &TempDir| judge(folder.path()).judge(&["good"], 1, &mut |_| {}).expect("judged")[0];
    assert_eq!(say(&a), say(&b));
    assert!(far(say(&a), say(&other)) > 1e-4);
}

#[test]
fn texts_are_cut_where_the_model_ends_and_no_later() {
    for (architecture, vocabulary) in every_kind() {
        let folder = tiny(architecture, vocabulary);
        for (asked, wanted) in [(512, 64), (16, 16)] {
            let judge = Judge::open(folder.path(), None, asked).expect("opened");
            let ids = judge.tokens(&"good bad ".repeat(200)).expect("ids").expect("some");
            // positions of the DistilBERT and the others differ by the two that RoBERTa reserves
            assert!((wanted..=wanted + 2).contains(&ids.len()), "{architecture:?} {asked} {}", ids.len());
            let short = judge.tokens("good").expect("ids").expect("some");
            assert_eq!(ids.last(), short.last(), "the closing mark survives the cut");
            assert!(judge.judge(&[&"好 bad ".repeat(500)], 1, &mut |_| {}).is_ok());
        }
    }
}

#[test]
fn strange_texts_get_an_answer() {
    for (architecture, vocabulary) in every_kind() {
        let folder = tiny(architecture, vocabulary);
        let judge = judge(folder.path());
        let long = "差评！refund ".repeat(10_000);
        assert!(long.chars().count() >= 100_000);
        let unbroken = "z".repeat(100_000);
        let strange = [
            "",
            " \n\t\u{3000}",
            "😡😡😡🔥",
            "ok\0\u{feff}\u{202e}",
            "[SEP] [CLS] <s> </s> [MASK]",
            &long,
            &unbroken,
            "مرحبا بالعالم",
            "�",
            "e\u{301}\u{301}\u{301}",
        ];
        let judged = judge.judge(&strange, 4, &mut |_| {}).expect("judged");
        for (text, p) in strange.iter().zip(&judged) {
            let sum = p.negative + p.neutral + p.positive;
            assert!(
                (sum - 1.0).abs() < 1e-5,
                "{architecture:?} {:?} {p:?}",
                text.chars().take(9).collect::<String>()
            );
        }
        for nothing in &judged[..2] {
            assert_eq!(nothing.label(), Label::Neutral);
            assert!(nothing.neutral < 0.34, "low confidence: {nothing:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_texts_in_any_company(texts in prop::collection::vec(any::<String>(), 1..12), batch in 1_usize..8) {
        thread_local! {
            static JUDGE: (TempDir, Judge) = {
                let folder = bert();
                let judge = judge(folder.path());
                (folder, judge)
            };
        }
        JUDGE.with(|(_, judge)| {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let together = judge.judge(&texts, batch, &mut |_| {}).expect("judged");
            for (text, together) in texts.iter().zip(together) {
                let alone = judge.judge(&[text], 1, &mut |_| {}).expect("judged")[0];
                prop_assert!(far(alone, together) < ROUNDING);
            }
            Ok(())
        })?;
    }
}

#[test]
fn stars_and_own_labels() {
    let folder = tempfile::tempdir().expect("a folder");
    let stars = ["1 star", "2 stars", "3 stars", "4 stars", "5 stars"];
    Tiny { architecture: Architecture::Bert, vocabulary: Vocabulary::WordPiece, classes: &stars, seed: 3 }
        .write(folder.path())
        .expect("written");
    let plain = judge(folder.path()).judge(&["good phone"], 1, &mut |_| {}).expect("judged")[0];
    std::fs::write(
        folder.path().join(LABELS),
        r#"{"1 star":"positive","2 stars":"positive","3 stars":"neutral","4 stars":"negative","5 stars":"negative"}"#,
    )
    .expect("written");
    let turned = judge(folder.path()).judge(&["good phone"], 1, &mut |_| {}).expect("judged")[0];
    assert_eq!(
        (plain.negative, plain.neutral, plain.positive),
        (turned.positive, turned.neutral, turned.negative)
    );
}

#[tokio::test]
async fn answers_through_the_thread_are_those_of_the_model() {
    let folder = bert();
    let bert =
        Bert::load(&Config { max_tokens: 64, ..Config::at(folder.path()) }, Arc::new(SystemClock::new()))
            .expect("loaded");
    let texts = texts();
    let references: Vec<&str> = texts.iter().map(String::as_str).collect();
    let alone = judge(folder.path()).judge(&references, 1, &mut |_| {}).expect("judged");
    let answers: Vec<Answer> =
        texts.iter().map(|text| bert.try_judge(text.clone(), DAY).expect("queued")).collect();
    for (answer, alone) in answers.into_iter().zip(&alone) {
        let said = answer.wait().await.expect("answered");
        assert_eq!((said.model.as_ref(), said.label), (NAME, alone.label()));
        assert!((said.p_negative - alone.negative).abs() < ROUNDING);
    }
    for (all, alone) in bert.judge_all(&references).expect("judged").into_iter().zip(alone) {
        assert!(far(all, alone) < ROUNDING);
    }
    assert_eq!(bert.judge(String::new(), DAY).await.expect("answered").label, Label::Neutral);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let folder = bert();
    let clock = manual();
    let settings = Config { queue: 4, batch: 8, batch_wait: 1_000, ..Config::at(folder.path()) };
    let bert = Bert::load(&settings, clock.clone()).expect("loaded");
    let before = bert.metrics.missed_so_far(&Missed::Full);
    // Queueing takes far less than judging, so four that wait are soon too many.
    let mut answers = Vec::new();
    let refused = loop {
        match bert.try_judge("good".to_owned(), Duration::from_millis(500)) {
            Ok(answer) => answers.push(answer),
            Err(missed) => break missed,
        }
        assert!(answers.len() < 1_000_000, "the queue never fills");
    };
    assert_eq!(refused, Missed::Full);
    assert_eq!(bert.metrics.missed_so_far(&Missed::Full), before + 1);
    // what was taken in is judged before the clock jumps, or is late: nothing hangs, nothing is lost
    clock.advance(Duration::from_secs(2));
    for answer in answers {
        let said = answer.wait().await;
        assert!(matches!(said, Ok(_) | Err(Missed::Late)), "{said:?}");
    }
}

#[tokio::test]
async fn a_deadline_passes_for_who_waits_even_while_the_thread_is_busy() {
    let folder = bert();
    let clock = manual();
    let settings = Config { batch: 8, batch_wait: 10_000, ..Config::at(folder.path()) };
    let bert = Bert::load(&settings, clock.clone()).expect("loaded");
    // one text does not fill a batch, and its wait never ends by itself on this clock
    let answer = bert.try_judge("good".to_owned(), Duration::from_millis(50)).expect("queued");
    clock.advance(Duration::from_millis(51));
    assert_eq!(answer.wait().await, Err(Missed::Late));
    assert!(bert.metrics.missed_so_far(&Missed::Late) > 0);
}

#[test]
fn dropping_answers_what_waits_and_ends_the_thread() {
    let folder = bert();
    let bert = Bert::load(&Config::at(folder.path()), manual()).expect("loaded");
    let answer = bert.try_judge("good".to_owned(), DAY).expect("queued");
    drop(bert);
    assert!(matches!(answer.reply.blocking_recv(), Ok(Ok(_))));
}

#[test]
fn settings_out_of_bounds() {
    let cases = [
        (Config { threads: 0, ..Config::at("x") }, "bert: threads is 0: say 1 to 256"),
        (Config { max_tokens: 3, ..Config::at("x") }, "bert: max_tokens is 3: say 8 to 512"),
        (Config { batch: 0, ..Config::at("x") }, "bert: batch is 0: say 1 to 1024"),
        (Config { queue: 0, ..Config::at("x") }, "bert: queue is 0: say 1 to 1048576"),
    ];
    for (config, wanted) in cases {
        let error = Bert::load(&config, manual()).expect_err(wanted);
        assert_eq!(error.to_string(), wanted);
    }
}
