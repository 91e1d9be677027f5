use bytes::Bytes;
use tocsin_bus::ManualClock;
use tocsin_rules::{Level, Transition};

use super::*;
use crate::{MemoryCheckpoints, testing::*};

#[path = "bad_input.rs"]
mod bad_input;
#[path = "workers.rs"]
mod workers;

fn message(offset: i64, payload: impl Into<Bytes>) -> Message {
    Message {
        topic: Topic::Hits,
        partition: 1,
        offset,
        key: Bytes::from_static(b"acme"),
        payload: payload.into(),
        headers: Vec::new(),
        timestamp: time(NOON),
    }
}

fn messages(hits: &[Hit]) -> Vec<Message> {
    (0..).zip(hits).map(|(offset, hit)| message(offset, serde_json::to_vec(hit).unwrap())).collect()
}

fn stage(store: &MemoryCheckpoints) -> DetectStage<MemoryCheckpoints> {
    DetectStage::new(rulebook(), store.clone(), Arc::new(ManualClock::at(time(NOON))))
}

fn findings(outcomes: &[Outcome]) -> Vec<Finding> {
    outcomes.iter().flat_map(|o| &o.records).map(|r| serde_json::from_slice(&r.payload).unwrap()).collect()
}

#[tokio::test]
async fn every_message_earns_one_verdict() {
    let mut stage = stage(&MemoryCheckpoints::default());
    assert!(stage.assigned(&[1]).await.unwrap().is_empty());
    let stranger = serde_json::to_vec(&Hit { monitor: "nobody".into(), ..angry(1, NOON) }).unwrap();
    let mut newer = message(5, serde_json::to_vec(&angry(3, NOON)).unwrap());
    newer.headers = vec![("schema".into(), "2".to_owned())];
    let batch = [
        message(0, &b"{\"monitor\":\"secret text"[..]),
        message(1, &b"\xff"[..]),
        message(2, stranger),
        message(3, serde_json::to_vec(&angry(1, NOON)).unwrap()),
        message(4, serde_json::to_vec(&angry(1, NOON)).unwrap()),
        newer,
    ];
    let outcomes = stage.process(&batch).await.unwrap();
    let verdicts: Vec<_> = outcomes.iter().map(|o| o.verdict).collect();
    assert_eq!(
        verdicts,
        [
            Verdict::DeadLettered(DeadReason::InvalidJson),
            Verdict::DeadLettered(DeadReason::InvalidJson),
            Verdict::Dropped(DropReason::UnknownMonitor),
            Verdict::Emitted,
            Verdict::Dropped(DropReason::Duplicate),
            Verdict::DeadLettered(DeadReason::UnknownSchema),
        ]
    );
    assert!(!outcomes[0].detail.as_ref().unwrap().contains("secret"));
}

#[tokio::test]
async fn a_crash_at_any_message_yields_the_same_findings() {
    let hits: Vec<_> = (0..24).map(|i| angry(i, NOON + i64::from(i) * 30)).collect();
    let all = messages(&hits);
    let mut undisturbed = stage(&MemoryCheckpoints::default());
    undisturbed.assigned(&[1]).await.unwrap();
    let mut expected = findings(&undisturbed.process(&all).await.unwrap());
    expected.extend(
        undisturbed
            .tick(time(NOON + 9600), &[1])
            .await
            .unwrap()
            .iter()
            .map(|r| serde_json::from_slice(&r.payload).unwrap()),
    );
    assert_eq!(expected.last().unwrap().transition, Transition::Recovered);

    for crash in 0..all.len() {
        let store = MemoryCheckpoints::default();
        let mut first = stage(&store);
        first.assigned(&[1]).await.unwrap();
        let safe = crash / 2;
        let mut found = findings(&first.process(&all[..safe]).await.unwrap());
        first.checkpoint(&BTreeMap::from([(1, i64::try_from(safe).unwrap())])).await.unwrap();
        // Published, but not in a checkpoint: the next owner states the same again under the same ids.
        found.extend(findings(&first.process(&all[safe..crash]).await.unwrap()));
        drop(first);
        let mut second = stage(&store);
        let start = second.assigned(&[1]).await.unwrap();
        assert_eq!(start, BTreeMap::from([(1, i64::try_from(safe).unwrap())]));
        found.extend(findings(&second.process(&all[safe..]).await.unwrap()));
        let last = second.tick(time(NOON + 9600), &[1]).await.unwrap();
        found.extend(last.iter().map(|r| serde_json::from_slice::<Finding>(&r.payload).unwrap()));
        let mut once: Vec<Finding> = Vec::new();
        for finding in found {
            match once.iter().find(|f| f.id == finding.id) {
                Some(known) => assert_eq!(known, &finding),
                None => once.push(finding),
            }
        }
        assert_eq!(once, expected, "crash after {crash}");
    }
}

#[tokio::test]
async fn only_changed_monitors_are_written_and_a_stale_owner_is_fenced() {
    let store = MemoryCheckpoints::default();
    let mut first = stage(&store);
    first.assigned(&[1]).await.unwrap();
    first
        .process(&messages(&[angry(1, NOON), Hit { monitor: "rival".into(), ..angry(2, NOON) }]))
        .await
        .unwrap();
    assert_eq!(first.detector(1).unwrap().delta(None).unwrap().monitors.len(), 2);
    first.checkpoint(&BTreeMap::from([(1, 2)])).await.unwrap();
    assert!(!first.detector(1).unwrap().is_changed());
    first.process(&[message(2, serde_json::to_vec(&angry(3, NOON)).unwrap())]).await.unwrap();
    let changed = first.detector(1).unwrap().delta(None).unwrap().monitors;
    assert_eq!(changed.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["acme"]);

    let mut second = stage(&store);
    second.assigned(&[1]).await.unwrap();
    let fault = first.checkpoint(&BTreeMap::from([(1, 3)])).await.unwrap_err();
    assert!(matches!(fault, Fault::Fenced(1)), "{fault}");
    assert!(first.detector(1).is_none());
    // What the checkpoint holds is not counted again even if the consumer did not seek.
    let again = second.process(&messages(&[angry(1, NOON)])).await.unwrap();
    assert_eq!(again[0].verdict, Verdict::Dropped(DropReason::Duplicate));
    second.revoked(&[1]);
    assert!(second.detector(1).is_none());
}

#[tokio::test]
async fn a_swapped_rulebook_is_in_force_at_the_next_batch() {
    let mut stage = stage(&MemoryCheckpoints::default());
    stage.assigned(&[1]).await.unwrap();
    stage.process(&messages(&[angry(1, NOON), angry(2, NOON)])).await.unwrap();
    let mut keener = detection();
    keener.thresholds[0] = at_least("three", tocsin_rules::Indicator::NegativeCount, None, 600, 2.0);
    stage.handle().swap(rulebook_of(keener, vec![monitor("acme", Level::High)]));
    let records = stage.tick(time(NOON + 1), &[1]).await.unwrap();
    let finding: Finding = serde_json::from_slice(&records[0].payload).unwrap();
    assert_eq!((finding.transition, finding.level), (Transition::Opened, Level::Low));
    assert_eq!(records[0].key, Bytes::from_static(b"acme"));
}

#[tokio::test]
async fn one_clock_of_2099_does_not_make_the_others_late() {
    let mut stage = stage(&MemoryCheckpoints::default()).with_skew_guard(SignedDuration::from_mins(5));
    stage.assigned(&[1]).await.unwrap();
    let outcomes = stage.process(&messages(&[angry(1, 4_070_908_800), angry(2, NOON)])).await.unwrap();
    assert!(outcomes.iter().all(|o| o.verdict == Verdict::Emitted));
    assert_eq!(stage.detector(1).unwrap().watermark(), Some(time(NOON)));
}

#[tokio::test]
async fn a_tick_leaves_room_for_what_is_seen_late() {
    let mut stage = stage(&MemoryCheckpoints::default());
    stage.assigned(&[1]).await.unwrap();
    stage.process(&messages(&[angry(0, NOON)])).await.unwrap();
    // A source that lags by nine minutes; the thresholds look at ten.
    for n in 1..=3_u32 {
        let seen = NOON + 540 + i64::from(n);
        assert!(stage.tick(time(seen), &[1]).await.unwrap().is_empty());
        let mut hit = angry(n, NOON + i64::from(n));
        hit.subject.observed_at = time(seen);
        let outcomes =
            stage.process(&[message(i64::from(n), serde_json::to_vec(&hit).unwrap())]).await.unwrap();
        assert_eq!(outcomes[0].verdict, Verdict::Emitted);
        assert_eq!(findings(&outcomes).len(), usize::from(n == 2), "the third post within ten minutes rings");
    }
    // The quiet end comes as late as ticks are held back, and bears its own time.
    let due = stage.next_deadline().unwrap();
    assert!(stage.tick(due - SignedDuration::from_secs(1), &[1]).await.unwrap().is_empty());
    let mut last = Vec::new();
    while let Some(due) = stage.next_deadline() {
        last.extend(stage.tick(due, &[1]).await.unwrap());
    }
    let end: Finding = serde_json::from_slice(&last[0].payload).unwrap();
    assert_eq!(end.transition, Transition::Recovered);
    assert_eq!(end.at, time(NOON + 600 + 1800));
}
