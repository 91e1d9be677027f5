use std::collections::BTreeMap;

use proptest::prelude::*;
use tocsin_bus::{ManualClock, Verdict};

use super::*;
use crate::fixtures::{mention, rulebook};

fn stage() -> ScoreStage {
    let rules = rulebook(&[("acme", "Acme OR 艾克美"), ("phones", "手机")], &[]);
    let clock = Arc::new(ManualClock::at("2026-09-10T02:00:00Z".parse().expect("a time")));
    ScoreStage::remembering(1000, rules, clock).expect("compiles")
}

fn message(offset: i64, mention: &Mention) -> Message {
    let record = Record::of(mention).expect("JSON");
    Message {
        topic: Topic::Mentions,
        partition: 0,
        offset,
        key: record.key,
        payload: record.payload,
        headers: record.headers,
        timestamp: mention.observed_at,
    }
}

fn raw(offset: i64, payload: &'static [u8]) -> Message {
    Message { payload: payload.into(), ..message(offset, &mention("weibo:1", "x")) }
}

/// (monitor, op) of each hit that went out.
fn sent(outcome: &Outcome) -> Vec<(String, Op)> {
    let hit = |r: &Record| serde_json::from_slice::<Hit>(&r.payload).expect("a hit");
    outcome.records.iter().map(hit).map(|h| (h.monitor, h.subject.op)).collect()
}

fn one(monitor: &str, op: Op) -> Vec<(String, Op)> {
    vec![(monitor.to_owned(), op)]
}

#[tokio::test]
async fn one_hit_for_each_matched_monitor() {
    let batch =
        [message(0, &mention("weibo:1", "艾克美手机坏了")), message(1, &mention("weibo:2", "天气真好"))];
    let outcomes = stage().process(&batch).await.expect("never fails");
    assert_eq!(outcomes[0].verdict, Verdict::Emitted);
    assert_eq!(sent(&outcomes[0]), [one("acme", Op::Create), one("phones", Op::Create)].concat());
    assert_eq!(outcomes[0].records[0].topic, Topic::Hits);
    assert_eq!(&outcomes[0].records[0].key[..], b"acme");
    assert_eq!(outcomes[1], Outcome::dropped(DropReason::NoMatch));
}

#[test]
fn updates_duplicates_and_retractions() {
    let mut stage = stage();
    let mut m = mention("weibo:1", "艾克美又出问题了");
    assert_eq!(sent(&stage.judge(&message(0, &m))), one("acme", Op::Create));
    assert_eq!(stage.judge(&message(1, &m)), Outcome::dropped(DropReason::Duplicate));
    m.metrics.likes = Some(12_000);
    assert_eq!(sent(&stage.judge(&message(2, &m))), one("acme", Op::Update), "new counters, same post");
    m.text = "手机又出问题了".into();
    let moved = [one("phones", Op::Create), one("acme", Op::Delete)].concat();
    assert_eq!(sent(&stage.judge(&message(3, &m))), moved, "edited: leaves one monitor, enters another");
    m.op = Op::Delete;
    m.text.clear();
    assert_eq!(sent(&stage.judge(&message(4, &m))), one("phones", Op::Delete));
    assert_eq!(stage.judge(&message(5, &m)), Outcome::dropped(DropReason::NothingToRetract));
}

#[tokio::test]
async fn a_second_model_changes_moods_and_neither_order_nor_verdicts() {
    use crate::cascade::{Cascade, Refusal, Settings, tests::Scripted};

    let second = Scripted::of([Ok(0.99), Err(Refusal::Failed), Ok(0.01)]);
    let settings = Settings { limit: 1.0, weight: 1.0, ..Settings::default() };
    let mut stage = stage().with_sentiment(Cascade::of(second.clone(), false, &settings, None));
    let gone = Mention { op: Op::Delete, ..mention("weibo:1", "") };
    let batch = [
        message(0, &mention("weibo:1", "艾克美手机")),
        message(1, &mention("weibo:2", "天气真好")),
        message(2, &mention("weibo:3", "艾克美 Acme")),
        message(3, &gone),
        message(4, &mention("weibo:4", "手机")),
    ];
    let outcomes = stage.process(&batch).await.expect("never fails");
    assert_eq!(second.heard(), ["艾克美手机", "艾克美 Acme", "手机"], "matched, not retracted");
    let models = |outcome: &Outcome| {
        let hit = |r: &Record| serde_json::from_slice::<Hit>(&r.payload).expect("a hit").sentiment;
        outcome
            .records
            .iter()
            .map(hit)
            .map(|s| (s.model.into_owned(), s.p_negative > 0.9))
            .collect::<Vec<_>>()
    };
    let said = |model: &str, negative| (model.to_owned(), negative);
    assert_eq!(models(&outcomes[0]), [said("bert", true), said("bert", true)], "both monitors");
    assert_eq!(outcomes[1], Outcome::dropped(DropReason::NoMatch));
    assert_eq!(models(&outcomes[2])[0].0, "linear", "the answer that stands when there is no other");
    assert_eq!(sent(&outcomes[3]), [one("acme", Op::Delete), one("phones", Op::Delete)].concat());
    assert_eq!(models(&outcomes[4]), [said("bert", false)]);
}

#[tokio::test]
async fn hits_say_how_many_copies_there_are() {
    let text = "艾克美的手机在充电的时候突然冒烟，联系了门店却让我自己承担责任，希望大家都能看到";
    let mut again = mention("weibo:2", text);
    again.metrics.likes = Some(9);
    let batch = [
        message(0, &mention("weibo:1", text)),
        message(1, &mention("weibo:2", &format!("{text}！！"))),
        message(2, &again),
        message(3, &mention("weibo:3", text)),
    ];
    let outcomes = stage().process(&batch).await.expect("never fails");
    let size = |outcome: &Outcome| {
        serde_json::from_slice::<Hit>(&outcome.records[0].payload).expect("a hit").cluster_size
    };
    assert_eq!(outcomes.iter().map(size).collect::<Vec<_>>(), [Some(1), Some(2), Some(2), Some(3)]);
}

#[test]
fn retractions_of_the_unknown() {
    let mut stage = stage();
    let gone = |text: &str| Mention { op: Op::Delete, ..mention("weibo:9", text) };
    assert_eq!(stage.judge(&message(0, &gone(""))), Outcome::dropped(DropReason::NothingToRetract));
    let outcome = stage.judge(&message(1, &gone("艾克美")));
    assert_eq!(sent(&outcome), one("acme", Op::Delete), "forgotten here, perhaps counted there");
}

#[tokio::test]
async fn a_retried_batch_is_judged_as_the_first_time() {
    let mut stage = stage();
    let m = mention("weibo:1", "艾克美又出问题了");
    let mut seen_again = m.clone();
    seen_again.metrics.likes = Some(5);
    let batch = [message(4, &m), message(5, &m), message(6, &seen_again)];
    let first = stage.process(&batch).await.expect("never fails");
    assert_eq!(first[1], Outcome::dropped(DropReason::Duplicate));
    assert_eq!(stage.process(&batch).await.expect("never fails"), first);
    assert_eq!(stage.process(&batch[1..]).await.expect("never fails"), first[1..]);
    stage.checkpoint(&BTreeMap::from([(0, 7)])).await.expect("never fails");
    assert_eq!(stage.judge(&message(7, &seen_again)), Outcome::dropped(DropReason::Duplicate));
}

#[test]
fn what_cannot_be_read_is_a_dead_letter() {
    let mut stage = stage();
    let cases: [(&'static [u8], DeadReason); 5] = [
        (b"\xFF\xFE", DeadReason::InvalidUtf8),
        (b"not json", DeadReason::InvalidJson),
        (b"[]", DeadReason::InvalidJson),
        (
            br#"{"platform":"weibo","text":"x","published_at":"2026-09-10T00:00:00Z"}"#,
            DeadReason::MissingField,
        ),
        (
            br#"{"id":"a:1","platform":"orkut","text":"x","published_at":"2026-09-10T00:00:00Z"}"#,
            DeadReason::UnknownPlatform,
        ),
    ];
    for (offset, (payload, reason)) in cases.into_iter().enumerate() {
        let outcome = stage.judge(&raw(offset as i64, payload));
        assert_eq!(outcome.verdict, Verdict::DeadLettered(reason), "{}", String::from_utf8_lossy(payload));
        assert!(outcome.detail.is_some() && outcome.records.is_empty());
    }
    let mut newer = message(9, &mention("weibo:1", "艾克美"));
    newer.headers = vec![("schema".into(), "2".into())];
    assert_eq!(stage.judge(&newer).verdict, Verdict::DeadLettered(DeadReason::UnknownSchema));
}

#[tokio::test]
async fn a_swapped_rulebook_takes_effect_with_the_next_batch() {
    let mut stage = stage();
    let handle = stage.rules();
    let batch = |offset| [message(offset, &mention(&format!("weibo:{offset}"), "新牌子上市"))];
    assert_eq!(stage.process(&batch(0)).await.expect("ok")[0], Outcome::dropped(DropReason::NoMatch));
    let rules = handle.prepare(rulebook(&[("new", "新牌子")], &[])).expect("compiles");
    assert_eq!(handle.rulebook().monitors.len(), 2, "prepared is not in use");
    assert_eq!(stage.process(&batch(2)).await.expect("ok")[0], Outcome::dropped(DropReason::NoMatch));
    let replaced = handle.install(rules);
    assert_eq!(replaced.rulebook().monitors.len(), 2);
    assert_eq!(handle.rulebook().monitors[0].id, "new");
    assert_eq!(sent(&stage.process(&batch(1)).await.expect("ok")[0]), one("new", Op::Create));
}

#[tokio::test]
async fn a_rulebook_that_cannot_be_compiled_leaves_the_running_one() {
    let mut stage = stage();
    let handle = stage.rules();
    handle.prepare(rulebook(&[("new", "list:nowhere")], &[])).expect_err("no such list");
    let batch = [message(0, &mention("weibo:1", "艾克美"))];
    assert_eq!(sent(&stage.process(&batch).await.expect("ok")[0]), one("acme", Op::Create));
}

#[tokio::test]
async fn what_was_in_flight_at_a_checkpoint_is_no_duplicate_when_it_comes_again() {
    let mut stage = stage();
    assert!(stage.is_stateless());
    let batch: Vec<Message> =
        (0..4).map(|i| message(i, &mention(&format!("weibo:{}", i % 3), "艾克美又坏了"))).collect();
    let first = stage.process(&batch).await.expect("ok");
    // two are committed while two are still on their way
    stage.checkpoint(&BTreeMap::from([(0, 2)])).await.expect("ok");
    assert_eq!(stage.process(&batch[2..]).await.expect("ok"), first[2..]);
    stage.revoked(&[0]);
    assert_eq!(stage.process(&batch[2..]).await.expect("ok"), first[2..]);
}

proptest! {
    /// Exactly one verdict a message, records only with `Emitted`, whatever the bytes; and a rerun from any offset
    /// says the same.
    #[test]
    fn every_message_earns_one_verdict(
        script in proptest::collection::vec((0_u8..6, 0_u8..4, 0_u64..3), 1..40),
        from in 0_usize..40,
    ) {
        let messages: Vec<Message> = script
            .iter()
            .enumerate()
            .map(|(offset, &(what, id, likes))| {
                let mut m = mention(&format!("weibo:{id}"), ["艾克美", "手机艾克美", "无关", ""][usize::from(id)]);
                m.metrics.likes = Some(likes);
                m.op = [Op::Create, Op::Update, Op::Delete, Op::Create, Op::Create, Op::Create][usize::from(what)];
                let mut message = message(offset as i64, &m);
                if what == 5 {
                    message.payload = message.payload.slice(..message.payload.len() / 2);
                }
                message
            })
            .collect();
        let mut stage = stage();
        let outcomes: Vec<Outcome> = messages.iter().map(|m| stage.judge(m)).collect();
        for outcome in &outcomes {
            prop_assert_eq!(outcome.verdict == Verdict::Emitted, !outcome.records.is_empty());
        }
        let from = from.min(messages.len());
        let again: Vec<Outcome> = messages[from..].iter().map(|m| stage.judge(m)).collect();
        prop_assert_eq!(&again[..], &outcomes[from..]);
    }
}
