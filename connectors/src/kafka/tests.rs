//! Settings, and a broker that is not there. Reading a real topic: `tests/tests/foreign_topic.rs`.

use serde_json::json;

use crate::{
    Fault,
    dialect::{SECRET, at, faults, open, secret_file},
};

#[test]
fn settings_are_checked_all_at_once() {
    let wrong = json!({"brokers": "a:1,", "topic": "no such/topic", "items": "list", "map": {"text": "/t", "nonsense": "/x"},
        "properties": {"sasl.password": "x", "group.id": "y"}});
    let found = faults("kafka", wrong);
    let fields: Vec<&str> = found.iter().map(|fault| fault.split(':').next().unwrap_or_default()).collect();
    assert_eq!(fields, ["brokers", "topic", "items", "properties", "properties"], "{found:?}");
    let unknown = json!({"brokers": "a:1", "topic": "t", "properties": {"no.such.property": "x"}});
    assert!(faults("kafka", unknown)[0].starts_with("properties: bus settings"));
    let right = json!({"brokers": "a:1", "topic": "t", "map": {"text": "/t"}, "properties": {"sasl.mechanism": "PLAIN"}});
    assert_eq!(faults("kafka", right), Vec::<String>::new());
}

#[tokio::test]
async fn a_broker_that_is_away_is_a_fault_and_not_silence() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = json!({"brokers": "127.0.0.1:1", "topic": "t", "password_file": secret_file(folder.path()),
        "properties": {"sasl.mechanism": "PLAIN", "security.protocol": "SASL_PLAINTEXT", "sasl.username": "u"}});
    let mut source = open("kafka", settings, folder.path());
    let error = source.fetch(at("2026-09-10T04:00:00Z")).await.expect_err("nobody there");
    assert_eq!(error.fault(), Fault::Transient, "{error}");
    assert!(!format!("{error} {error:?}").contains(SECRET));
}
