//! Every message earns one verdict, whatever it holds.

use bytes::Bytes;
use tocsin_bus::{Record, Verdict};
use tocsin_rules::{Level, Transition};

use super::*;
use crate::fixtures::{House, at, finding, rulebook};

fn message(offset: i64, payload: impl Into<Bytes>) -> Message {
    Message {
        topic: Topic::Findings,
        partition: 0,
        offset,
        key: Bytes::new(),
        payload: payload.into(),
        headers: vec![("schema".into(), "1".to_owned())],
        timestamp: at("10:00"),
    }
}

#[tokio::test]
async fn each_message_earns_one_verdict() {
    let good = finding("f1", Transition::Opened, Level::High, at("10:00"));
    let payload = Record::of(&good).unwrap().payload;
    let mut stranger = good.clone();
    stranger.id = "f2".to_owned();
    stranger.monitor = "gone".to_owned();
    let text = String::from_utf8(payload.to_vec()).unwrap();
    let mut newer = message(8, payload.clone());
    newer.headers[0].1 = "2".to_owned();
    let batch = [
        message(0, payload.clone()),
        message(1, payload.clone()),
        message(2, Record::of(&stranger).unwrap().payload),
        message(3, &b"\xff\xfe"[..]),
        message(4, &b"{\"id\":"[..]),
        message(5, text.replace("\"monitor\":\"m0\",", "")),
        message(6, text.replace("\"high\"", "\"<script>secret</script>\"")),
        message(7, "[".repeat(1_000)),
        newer,
        message(9, text.replace("\"m0\"", "\"\"")),
    ];
    let mut stage = EscalateStage::new(House::new(rulebook()).desk);
    let outcomes = stage.process(&batch).await.unwrap();
    let verdicts: Vec<Verdict> = outcomes.iter().map(|outcome| outcome.verdict).collect();
    use DeadReason::{InvalidField, InvalidJson, InvalidUtf8, MissingField, UnknownSchema};
    assert_eq!(
        verdicts[..3],
        [
            Verdict::Emitted,
            Verdict::Dropped(DropReason::NoChange),
            Verdict::Dropped(DropReason::UnknownMonitor),
        ]
    );
    let dead = [InvalidUtf8, InvalidJson, MissingField, InvalidField];
    assert_eq!(verdicts[3..7], dead.map(Verdict::DeadLettered));
    assert!(matches!(verdicts[7], Verdict::DeadLettered(_)));
    assert_eq!(verdicts[8..], [UnknownSchema, InvalidField].map(Verdict::DeadLettered));
    assert!(
        outcomes.iter().all(|outcome| outcome.detail.as_ref().is_none_or(|said| !said.contains("secret")))
    );
}
