//! Whatever happens (faults, crashes, members coming and going): every message ends with one committed verdict, its
//! records went out at least once, and nothing was skipped.

use std::{collections::BTreeSet, time::Duration};

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Happening {
    Publish(u8, u8),
    Step(u8),
    Advance(u16),
    Faults(u8),
    CheckpointFaults(u8),
    Fence(i32),
    /// The process dies: what is not committed is somebody else's now.
    Crash,
    /// Another member joins or leaves in an orderly way.
    Join,
    Leave,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (any::<u8>(), any::<u8>()).prop_map(|(k, p)| Happening::Publish(k, p)),
        6 => (1u8..12).prop_map(Happening::Step),
        3 => (1u16..2_000).prop_map(Happening::Advance),
        1 => (1u8..4).prop_map(Happening::Faults),
        1 => (1u8..3).prop_map(Happening::CheckpointFaults),
        1 => (0i32..3).prop_map(Happening::Fence),
        1 => Just(Happening::Crash),
        1 => Just(Happening::Join),
        1 => Just(Happening::Leave),
    ]
}

fn payload(kind: u8, i: usize) -> String {
    match kind % 5 {
        0 => format!("e2-{i}"),
        1 | 2 => format!("e1-{i}"),
        3 => format!("d-{i}"),
        _ => format!("?-{i}"),
    }
}

async fn run(happenings: Vec<Happening>) -> Result<(), TestCaseError> {
    let clock = clock();
    let bus = bus(&clock, 3);
    let (judge, script) = judge("loopconserve");
    let mut members = vec![stepped(judge.clone(), &bus, &clock)];
    let mut sent = Vec::new();
    for happening in happenings {
        match happening {
            Happening::Publish(key, kind) => {
                let text = payload(kind, sent.len());
                let done = publish(&bus, &[mention(&format!("k{}", key % 9), &text)]).await;
                prop_assert!(done[0].is_ok());
                sent.push(text);
            }
            Happening::Step(n) => {
                for _ in 0..n {
                    for member in &mut members {
                        member.step().await.unwrap();
                    }
                }
            }
            Happening::Advance(millis) => clock.advance(Duration::from_millis(millis.into())),
            Happening::Faults(n) => script.lock().unwrap().faults = n.into(),
            Happening::CheckpointFaults(n) => script.lock().unwrap().checkpoint_faults = n.into(),
            Happening::Fence(p) => script.lock().unwrap().fenced = Some(p),
            Happening::Crash => {
                members.remove(0);
                members.push(stepped(judge.clone(), &bus, &clock));
            }
            Happening::Join if members.len() < 3 => members.push(stepped(judge.clone(), &bus, &clock)),
            Happening::Leave if members.len() > 1 => {
                let mut leaving = members.pop().unwrap();
                let _ = leaving.drain().await;
                leaving.consumer.close().await.unwrap();
            }
            Happening::Join | Happening::Leave => {}
        }
    }
    // Calm returns.
    {
        let mut script = script.lock().unwrap();
        (script.faults, script.checkpoint_faults, script.fenced) = (0, 0, None);
    }
    for _ in 0..15 {
        clock.advance(Duration::from_secs(11));
        for _ in 0..12 {
            for member in &mut members {
                member.step().await.unwrap();
            }
        }
    }
    prop_assert!(bus.kept(Topic::Mentions).is_empty(), "every message is committed");
    prop_assert_eq!(bus.published(Topic::Mentions), sent.len() as u64);
    let gone_out: BTreeSet<Vec<u8>> = bus.kept(Topic::Hits).iter().map(|m| m.payload.to_vec()).collect();
    let dead: BTreeSet<Vec<u8>> = bus.kept(Topic::DeadLetter).iter().map(|m| m.payload.to_vec()).collect();
    let mut want_out = BTreeSet::new();
    let mut want_dead = BTreeSet::new();
    for text in &sent {
        match text.as_bytes() {
            [b'e', n, ..] => {
                want_out.extend((0..*n - b'0').map(|i| format!("{text}#{i}").into_bytes()));
            }
            [b'?', ..] => {
                want_dead.insert(text.clone().into_bytes());
            }
            _ => {}
        }
    }
    prop_assert_eq!(gone_out, want_out);
    prop_assert_eq!(dead, want_dead);
    // Every checkpoint of a partition goes on where the one before ended: never back, never beyond the end.
    let mut last: BTreeMap<i32, i64> = BTreeMap::new();
    for checkpoint in &script.lock().unwrap().checkpoints {
        for (partition, next) in checkpoint {
            let before = last.insert(*partition, *next).unwrap_or(0);
            prop_assert!(*next >= before, "partition {} went back from {} to {}", partition, before, next);
        }
    }
    prop_assert_eq!(last.values().sum::<i64>(), sent.len() as i64);
    // No gap: every offset was judged.
    let seen: BTreeSet<(i32, i64)> = script.lock().unwrap().seen.iter().copied().collect();
    prop_assert_eq!(seen.len(), sent.len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn nothing_is_lost_and_nothing_is_skipped(happenings in prop::collection::vec(happening(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(run(happenings))?;
    }
}

/// With no fault at all every record goes out exactly once.
#[tokio::test]
async fn without_faults_everything_goes_out_once() {
    let clock = clock();
    let bus = bus(&clock, 3);
    let (judge, _) = judge("looponce");
    let mut stage = stepped(judge, &bus, &clock);
    for i in 0..500 {
        let text = payload(u8::try_from(i % 5).unwrap(), i);
        publish(&bus, &[mention(&format!("k{}", i % 17), &text)]).await;
        if i % 7 == 0 {
            stage.step().await.unwrap();
            clock.advance(Duration::from_millis(90));
        }
    }
    settle(&mut stage).await;
    stage.drain().await.unwrap();
    assert_eq!((bus.published(Topic::Hits), bus.published(Topic::DeadLetter)), (400, 100));
    for (metric, want) in
        [("consumed", 500.0), ("emitted", 300.0), ("dropped", 100.0), ("deadlettered", 100.0)]
    {
        assert_eq!(value(&format!("tocsin_looponce_messages_{metric}_total")), want);
    }
}
