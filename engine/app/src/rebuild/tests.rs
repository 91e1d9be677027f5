use tocsin_bus::{Payload as _, Record, SystemClock};
use tocsin_rules::{Mention, Sensitivity};

use super::*;

fn stage(span: Span) -> Rebuild {
    let book = Rulebook::from_pack(&[("Tea".into(), "云茶".into())], Sensitivity::Balanced).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let score = ScoreStage::new(Arc::new(book), clock).unwrap();
    Rebuild { score, span, owned: BTreeMap::new(), progress: Arc::default() }
}

fn message(partition: i32, offset: i64) -> Message {
    let text = serde_json::json!({
        "id": format!("weibo:{partition}-{offset}"), "platform": "weibo", "text": "云茶 喝了拉肚子",
        "published_at": "2026-09-10T01:00:00Z", "observed_at": "2026-09-10T01:00:05Z",
    });
    Message {
        topic: Topic::Mentions,
        partition,
        offset,
        key: Default::default(),
        payload: text.to_string().into_bytes().into(),
        headers: vec![("schema".into(), Mention::SCHEMA.to_string())],
        timestamp: "2026-09-10T01:00:06Z".parse().unwrap(),
    }
}

fn records(outcomes: &[Outcome]) -> Vec<&Record> {
    outcomes.iter().flat_map(|outcome| &outcome.records).collect()
}

#[tokio::test]
async fn it_is_done_when_every_owned_partition_is_published_to_its_end() {
    let mut stage = stage(Span::from([(0, (5, 8)), (1, (2, 2)), (2, (0, 4))]));
    let start = stage.assigned(&[0, 1]).await.unwrap();
    assert_eq!(start, BTreeMap::from([(0, 5), (1, 2)]));
    let done = |stage: &Rebuild| stage.progress.done.load(Ordering::Acquire);
    assert!(!done(&stage));
    let outcomes = stage.process(&[message(0, 5), message(0, 6)]).await.unwrap();
    let marked = records(&outcomes);
    assert_eq!(marked.len(), 2);
    assert!(
        marked.iter().all(|r| r.topic == Topic::Hits && r.headers.iter().any(|(name, _)| name == RECALLED))
    );
    stage.checkpoint(&BTreeMap::from([(0, 7)])).await.unwrap();
    assert!(!done(&stage));
    stage.process(&[message(0, 7)]).await.unwrap();
    assert!(!done(&stage), "judged, but not acknowledged");
    stage.checkpoint(&BTreeMap::from([(0, 8)])).await.unwrap();
    assert!(done(&stage));
    // A partition another process has begun is read from the start of the span.
    assert_eq!(stage.assigned(&[2]).await.unwrap(), BTreeMap::from([(2, 0)]));
    assert!(!done(&stage));
    stage.revoked(&[0, 1, 2]);
    assert!(!done(&stage), "without a partition there is nothing to be done with");
    assert_eq!(stage.progress.assigned.load(Ordering::Acquire), 0);
}
