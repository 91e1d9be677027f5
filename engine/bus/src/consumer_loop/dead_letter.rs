//! Dead letters: the message as it came, with reason and place in the headers.

use std::borrow::Cow;

use bytes::Bytes;

use crate::{
    topics::{Headers, Message, Record, Topic},
    verdict::DeadReason,
};

/// Longest detail kept, bytes.
const DETAIL: usize = 500;
/// Payload sizes tried when the broker finds a dead letter too large, bytes.
const CUTS: [usize; 3] = [256 << 10, 16 << 10, 0];

/// A dead letter for a message a stage could not understand.
pub(super) fn of(stage: &'static str, message: &Message, reason: DeadReason, detail: &str) -> Record {
    let mut headers: Headers = vec![
        (Cow::Borrowed("schema"), message.header("schema").unwrap_or("1").to_owned()),
        (Cow::Borrowed("reason"), reason.as_str().to_owned()),
        (Cow::Borrowed("detail"), cut(detail).to_owned()),
        (Cow::Borrowed("stage"), stage.to_owned()),
        (Cow::Borrowed("topic"), message.topic.as_str().to_owned()),
        (Cow::Borrowed("partition"), message.partition.to_string()),
        (Cow::Borrowed("offset"), message.offset.to_string()),
    ];
    let observed =
        message.header("observed_at").map_or_else(|| message.timestamp.to_string(), ToOwned::to_owned);
    headers.push((Cow::Borrowed("observed_at"), observed));
    Record { topic: Topic::DeadLetter, key: message.key.clone(), payload: message.payload.clone(), headers }
}

/// The same dead letter with less of its payload; `None` when there is nothing left to cut.
pub(super) fn shorter(record: &Record) -> Option<Record> {
    let size = CUTS.into_iter().find(|cut| *cut < record.payload.len())?;
    let mut shorter = record.clone();
    // A copy: a slice would keep the whole payload in memory and count as its size.
    shorter.payload = Bytes::copy_from_slice(&record.payload[..size]);
    if !shorter.headers.iter().any(|(name, _)| name == "truncated") {
        shorter.headers.push((Cow::Borrowed("truncated"), record.payload.len().to_string()));
    }
    Some(shorter)
}

fn cut(detail: &str) -> &str {
    let mut end = detail.len().min(DETAIL);
    while !detail.is_char_boundary(end) {
        end -= 1;
    }
    &detail[..end]
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn message(payload: Vec<u8>) -> Message {
        Message {
            topic: Topic::Mentions,
            partition: 3,
            offset: 42,
            key: Bytes::from_static(b"k"),
            payload: payload.into(),
            headers: vec![("schema".into(), "7".into())],
            timestamp: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn says_why_and_where_from() {
        let detail = "错".repeat(400);
        let letter = of("score", &message(b"{".to_vec()), DeadReason::InvalidJson, &detail);
        assert_eq!(
            (letter.topic, &letter.payload[..], &letter.key[..]),
            (Topic::DeadLetter, &b"{"[..], &b"k"[..])
        );
        let header = |name: &str| letter.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        assert_eq!(header("reason"), Some("invalid_json"));
        assert_eq!((header("stage"), header("topic")), (Some("score"), Some("mentions")));
        assert_eq!(
            (header("partition"), header("offset"), header("schema")),
            (Some("3"), Some("42"), Some("7"))
        );
        assert_eq!(header("observed_at"), Some("1970-01-01T00:00:00Z"));
        assert!(header("detail").is_some_and(|d| d.len() <= DETAIL && d.len() > DETAIL - 3));
    }

    #[test]
    fn gets_shorter_until_nothing_is_left() {
        let mut letter = of("score", &message(vec![b'x'; 5_000_000]), DeadReason::TooLarge, "");
        let mut sizes = Vec::new();
        while let Some(next) = shorter(&letter) {
            letter = next;
            sizes.push(letter.payload.len());
        }
        assert_eq!(sizes, CUTS);
        let truncated: Vec<_> = letter.headers.iter().filter(|(n, _)| n == "truncated").collect();
        assert_eq!(truncated.len(), 1);
        assert_eq!(truncated[0].1, "5000000");
    }
}
