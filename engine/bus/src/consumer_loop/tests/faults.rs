//! One fault at a time.

use std::time::Duration;

use super::*;

async fn filled(bus: &memory::Bus, payloads: &[&str]) {
    let records: Vec<Record> =
        payloads.iter().enumerate().map(|(i, p)| mention(&format!("k{i}"), p)).collect();
    assert!(publish(bus, &records).await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn every_verdict_ends_where_it_belongs() {
    let clock = clock();
    let bus = bus(&clock, 3);
    filled(&bus, &["e2", "d", "{broken", "e0"]).await;
    let (judge, script) = judge("loopverdicts");
    let mut stage = stepped(judge, &bus, &clock);
    settle(&mut stage).await;
    stage.drain().await.unwrap();
    assert_eq!(bus.published(Topic::Hits), 2);
    let dead = bus.kept(Topic::DeadLetter);
    assert_eq!(dead.len(), 1);
    assert_eq!(&dead[0].payload[..], b"{broken");
    assert_eq!(
        (dead[0].header("reason"), dead[0].header("stage")),
        (Some("invalid_json"), Some("loopverdicts"))
    );
    assert_eq!(dead[0].header("detail"), Some("no such letter"));
    let next: i64 = script.lock().unwrap().checkpoints.last().unwrap().values().sum();
    assert_eq!(next, 4);
    assert!(bus.kept(Topic::Mentions).is_empty(), "all committed");
    for (metric, want) in
        [("consumed_total", 4.0), ("emitted_total", 2.0), ("dropped_total", 1.0), ("deadlettered_total", 1.0)]
    {
        assert_eq!(value(&format!("tocsin_loopverdicts_messages_{metric}")), want, "{metric}");
    }
}

#[tokio::test]
async fn a_fault_holds_the_batch_and_commits_nothing() {
    let clock = clock();
    let bus = bus(&clock, 1);
    filled(&bus, &["e1", "e1"]).await;
    let (judge, script) = judge("loopfaults");
    script.lock().unwrap().faults = 2;
    let mut stage = stepped(judge, &bus, &clock);
    stage.step().await.unwrap();
    let health = stage.health();
    assert!(stage.step().await.unwrap().retrying);
    let faulted = health.snapshot();
    assert!(!health.is_ready() && faulted.fault.is_some_and(|f| f.contains("store away")));
    // No time passes: no second attempt, however often it is stepped.
    for _ in 0..5 {
        assert!(stage.step().await.unwrap().retrying);
    }
    assert_eq!(script.lock().unwrap().faults, 1);
    clock.advance(Duration::from_millis(100));
    stage.step().await.unwrap();
    assert_eq!(script.lock().unwrap().faults, 0);
    assert_eq!(health.snapshot().faulted_since, faulted.faulted_since);
    assert_eq!(bus.published(Topic::Hits), 0);
    clock.advance(Duration::from_millis(200));
    settle(&mut stage).await;
    stage.drain().await.unwrap();
    assert!(health.is_ready());
    assert_eq!(bus.published(Topic::Hits), 2);
    assert_eq!(script.lock().unwrap().seen, [(0, 0), (0, 1)]);
}

#[tokio::test]
async fn a_failing_checkpoint_stops_the_intake_until_it_succeeds() {
    let clock = clock();
    let bus = bus(&clock, 1);
    filled(&bus, &["e1"]).await;
    let (judge, script) = judge("loopcheckpoint");
    script.lock().unwrap().checkpoint_faults = 1;
    let mut stage = stepped(judge, &bus, &clock);
    settle(&mut stage).await;
    clock.advance(Duration::from_millis(600));
    assert!(stage.step().await.unwrap().retrying);
    filled(&bus, &["e1"]).await;
    stage.step().await.unwrap();
    assert_eq!(script.lock().unwrap().seen.len(), 1, "nothing is judged while state cannot be written");
    clock.advance(Duration::from_millis(100));
    settle(&mut stage).await;
    assert_eq!(script.lock().unwrap().seen.len(), 2);
    assert_eq!(script.lock().unwrap().checkpoints, [BTreeMap::from([(0, 1)])]);
}

#[tokio::test]
async fn starts_where_the_stage_says() {
    let clock = clock();
    let bus = bus(&clock, 1);
    filled(&bus, &["e1", "e1", "e1", "e1"]).await;
    let (judge, script) = judge("loopstart");
    script.lock().unwrap().start = BTreeMap::from([(0, 3)]);
    let mut stage = stepped(judge, &bus, &clock);
    settle(&mut stage).await;
    assert_eq!(script.lock().unwrap().seen, [(0, 3)]);
}

#[tokio::test]
async fn a_fenced_partition_is_dropped_and_taken_up_again() {
    let clock = clock();
    let bus = bus(&clock, 2);
    filled(&bus, &["e1", "e1", "e1", "e1", "e1", "e1"]).await;
    let (judge, script) = judge("loopfence");
    script.lock().unwrap().fenced = Some(0);
    let mut stage = stepped(judge, &bus, &clock);
    settle(&mut stage).await;
    {
        let script = script.lock().unwrap();
        assert!(script.seen.iter().all(|(p, _)| *p == 1) && !script.seen.is_empty());
        assert_eq!(script.revoked, [0]);
    }
    clock.advance(Duration::from_secs(11));
    settle(&mut stage).await;
    stage.drain().await.unwrap();
    assert_eq!(script.lock().unwrap().assigned, [vec![0, 1], vec![0]]);
    assert_eq!(bus.published(Topic::Hits), 6);
}

#[tokio::test]
async fn a_panic_ends_the_loop_visibly_and_commits_nothing() {
    let clock = clock();
    let bus = bus(&clock, 1);
    filled(&bus, &["e1"]).await;
    let (judge, script) = judge("looppanic");
    script.lock().unwrap().panic = true;
    let stage = stepped(judge, &bus, &clock);
    let health = stage.health();
    let ended = stage.run(CancellationToken::new()).await;
    assert!(
        matches!(&ended, Err(BusError::StagePanicked("looppanic", what)) if what.contains("scripted")),
        "{ended:?}"
    );
    assert!(health.snapshot().stopped && !health.is_ready());
    assert_eq!(bus.kept(Topic::Mentions).len(), 1);
}

#[tokio::test]
async fn ticks_once_a_second_for_partitions_at_their_end() {
    let clock = clock();
    let bus = bus(&clock, 2);
    let (judge, script) = judge("looptick");
    script.lock().unwrap().tick_record = Some(Record { topic: Topic::Findings, ..mention("m", "late") });
    let mut stage = stepped(judge, &bus, &clock);
    settle(&mut stage).await;
    for _ in 0..3 {
        stage.step().await.unwrap();
    }
    assert!(script.lock().unwrap().ticks.is_empty(), "no time has passed");
    clock.advance(Duration::from_secs(1));
    settle(&mut stage).await;
    clock.advance(Duration::from_millis(400));
    settle(&mut stage).await;
    let ticks = script.lock().unwrap().ticks.clone();
    assert_eq!(ticks, [("2026-09-10T01:33:21Z".parse().unwrap(), vec![0, 1])]);
    assert_eq!(bus.published(Topic::Findings), 1);
}

#[tokio::test]
async fn a_failing_tick_is_tried_again_and_work_goes_on() {
    let clock = clock();
    let bus = bus(&clock, 1);
    let (judge, script) = judge("looptickfault");
    script.lock().unwrap().tick_faults = 2;
    let mut stage = stepped(judge, &bus, &clock);
    settle(&mut stage).await;
    clock.advance(Duration::from_secs(1));
    assert!(stage.step().await.unwrap().retrying);
    assert!(!stage.health().is_ready());
    for _ in 0..2 {
        clock.advance(Duration::from_millis(200));
        stage.step().await.unwrap();
    }
    filled(&bus, &["e1"]).await;
    settle(&mut stage).await;
    assert!(stage.health().is_ready());
    assert_eq!((script.lock().unwrap().ticks.len(), bus.published(Topic::Hits)), (1, 1));
}

/// The partition of a fault goes away with the fault: the loop must not wait for it for ever.
#[tokio::test]
async fn a_fault_does_not_outlive_its_partition() {
    let clock = clock();
    let bus = bus(&clock, 1);
    filled(&bus, &["e1"]).await;
    let (judge, script) = judge("loopgone");
    let mut first = stepped(judge.clone(), &bus, &clock);
    script.lock().unwrap().faults = 1;
    first.step().await.unwrap();
    assert!(first.step().await.unwrap().retrying);
    first.hand_over(&[0], true, &mut Progress::default()).await.unwrap();
    clock.advance(Duration::from_secs(1));
    assert!(!first.step().await.unwrap().retrying);
}

#[tokio::test]
async fn a_record_too_large_becomes_a_dead_letter_with_a_verdict_of_its_own() {
    let clock = clock();
    let config = memory::Config { partitions: 1, max_record_bytes: 300, ..memory::Config::default() };
    let bus = memory::Bus::new(config, Arc::clone(&clock) as Arc<dyn Clock>);
    // Its hit is two bytes longer than it is itself.
    let large = format!("e1{}", "x".repeat(295));
    filled(&bus, &[&large, "e1"]).await;
    let (judge, _) = judge("looplarge");
    let mut stage = stepped(judge, &bus, &clock);
    settle(&mut stage).await;
    stage.drain().await.unwrap();
    assert_eq!(bus.published(Topic::Hits), 1);
    let dead = bus.kept(Topic::DeadLetter);
    assert_eq!((dead.len(), dead[0].header("reason")), (1, Some("too_large")));
    assert_eq!(&dead[0].payload[..], large.as_bytes());
    assert_eq!(value("tocsin_looplarge_messages_consumed_total"), 2.0);
    assert_eq!(value("tocsin_looplarge_messages_emitted_total"), 1.0);
    assert_eq!(value("tocsin_looplarge_messages_deadlettered_total"), 1.0);
}

#[tokio::test]
async fn a_full_bus_blocks_and_goes_on() {
    let clock = clock();
    let config = memory::Config { partitions: 1, capacity: 5, ..memory::Config::default() };
    let bus = memory::Bus::new(config, Arc::clone(&clock) as Arc<dyn Clock>);
    let mut reader = bus.consumer("reader", Topic::Hits).unwrap();
    filled(&bus, &["e4", "e4", "e4"]).await;
    let (judge, _) = judge("loopfull");
    let mut stage = stepped(judge, &bus, &clock);
    let mut read = 0;
    let mut blocked = false;
    for _ in 0..100 {
        let progress = stage.step().await.unwrap();
        blocked |= progress.blocked;
        if progress.idle {
            break;
        }
        if progress.blocked {
            assert_eq!(bus.unread("reader", Topic::Hits), 5);
            match reader.poll(10, Duration::ZERO).await.unwrap() {
                Event::Assigned(p) => {
                    let from: BTreeMap<i32, Option<i64>> = p.into_iter().map(|p| (p, None)).collect();
                    reader.start(&from).await.unwrap();
                }
                Event::Messages(messages) => read += messages.len(),
                _ => {}
            }
        }
    }
    stage.drain().await.unwrap();
    assert!(blocked);
    assert_eq!(read + bus.unread("reader", Topic::Hits), 12);
}

/// Two members: the second takes half over, at a checkpoint, without losing or doubling anything.
#[tokio::test]
async fn a_second_member_takes_over_half() {
    let clock = clock();
    let bus = bus(&clock, 4);
    let payloads: Vec<&str> = std::iter::repeat_n("e1", 40).collect();
    filled(&bus, &payloads).await;
    let (first, seen_first) = judge("loopgroup");
    let mut first = stepped(first, &bus, &clock);
    first.step().await.unwrap();
    first.step().await.unwrap();
    let (second, seen_second) = judge("loopgroup");
    let mut second = stepped(second, &bus, &clock);
    for _ in 0..40 {
        first.step().await.unwrap();
        second.step().await.unwrap();
    }
    assert_eq!(first.health().snapshot().assigned.len(), 2);
    assert_eq!(second.health().snapshot().assigned.len(), 2);
    assert_eq!(seen_first.lock().unwrap().revoked.len(), 2);
    // The second dies: everything it has not committed is read again by the first.
    drop(second);
    filled(&bus, &payloads).await;
    settle(&mut first).await;
    first.drain().await.unwrap();
    assert_eq!(first.health().snapshot().assigned, [0, 1, 2, 3]);
    let mut all = seen_first.lock().unwrap().seen.clone();
    all.extend(&seen_second.lock().unwrap().seen);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 80);
    assert!(bus.kept(Topic::Mentions).is_empty());
}

#[tokio::test]
async fn run_drains_on_shutdown() {
    let clock = clock();
    let bus = bus(&clock, 2);
    filled(&bus, &["e1", "d", "e1"]).await;
    let (judge, script) = judge("looprun");
    let settings = LoopSettings { poll_wait_ms: 5, ..LoopSettings::default() };
    let stage = Loop::new(judge, &bus, Arc::clone(&clock) as Arc<dyn Clock>, settings).unwrap();
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    let stopping = async {
        while script.lock().unwrap().seen.len() < 3 {
            tokio::task::yield_now().await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(stage.run(shutdown), stopping);
    ended.unwrap();
    assert!(bus.kept(Topic::Mentions).is_empty(), "committed while draining");
}
