//! Mentions of a made-up storm as a sender would post them. Refuses chance: same arguments, same mentions.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Mention number `index` about `word`, one second after the one before it. One conversation a word, so that order holds.
pub fn mention(word: &str, index: u32, start: Timestamp) -> Value {
    let at = start.saturating_add(SignedDuration::from_secs(i64::from(index))).unwrap_or(start);
    json!({
        "id": format!("weibo:{word}-{index}"),
        "platform": "weibo",
        "text": format!("第{index}次说：{word} 喝了拉肚子，客服不理人，要求退款"),
        "author": {"key": format!("{word}{index}")},
        "published_at": at,
        "observed_at": at,
        "thread": format!("weibo:{word}"),
    })
}

/// Mentions `from..to` about every word, taking turns.
pub fn mentions(words: &[String], from: u32, to: u32, start: Timestamp) -> Vec<Value> {
    (from..to).flat_map(|index| words.iter().map(move |word| mention(word, index, start))).collect()
}

/// As JSON lines.
pub fn lines(mentions: &[Value]) -> String {
    mentions.iter().map(|mention| format!("{mention}\n")).collect()
}
