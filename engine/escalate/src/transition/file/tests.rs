//! Attachments: what is taken and what is refused.

use tocsin_rules::{Level, Transition};

use super::web_address;
use crate::{
    command::{Command, CommandError},
    fixtures::{at, finding, person_acting, rulebook},
    transition::{Effect, Event, Idle, apply},
};

#[test]
fn links_are_web_addresses_without_passwords() {
    let long = format!("https://example.com/{}", "a".repeat(2_000));
    let bad = [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "//example.com",
        "weibo.com/1",
        "https://",
        "https://user:secret@example.com/",
        "",
        long.as_str(),
    ];
    for address in bad {
        assert!(web_address(address).is_err(), "{address}");
    }
    assert_eq!(web_address(" https://weibo.com/1/a ").unwrap(), "https://weibo.com/1/a");
}

#[test]
fn attachments_need_words_or_a_link_and_a_whole_hash() {
    let found = finding("f1", Transition::Opened, Level::Medium, at("10:00"));
    let book = rulebook();
    let Ok(Effect::Change(opened)) = apply(None, Event::Finding(&found), "op", &book, at("10:00")) else {
        panic!("not opened")
    };
    let go = |incident, text: Option<&str>, url: Option<&str>, sha256: Option<&str>| {
        let owned = |given: Option<&str>| given.map(str::to_owned);
        let command = Command::Attach { text: owned(text), url: owned(url), sha256: owned(sha256) };
        let event = Event::Command { command: &command, actor: &person_acting("a") };
        apply(Some(incident), event, "op", &book, at("10:01"))
    };
    let hash = "AB".repeat(32);
    let incident = opened.incident;
    for (text, url, sha256) in [
        (None, None, None),
        (None, None, Some(&*hash)),
        (Some("  "), None, None),
        (Some("x"), None, Some("abc")),
        (Some("x"), Some("ftp://example.com"), None),
    ] {
        let answer = go(incident.clone(), text, url, sha256);
        assert!(matches!(answer, Err(CommandError::Invalid(_))), "{text:?} {url:?} {sha256:?}");
    }
    let Ok(Effect::Change(change)) =
        go(incident, Some("screenshot"), Some("https://example.com/p"), Some(&*hash))
    else {
        panic!("refused")
    };
    assert_eq!(change.incident.dossier.attachments[0].sha256.as_deref(), Some(&*hash.to_lowercase()));
    let again = go(change.incident, Some("screenshot"), Some("https://example.com/p"), Some(&*hash));
    assert_eq!(again.unwrap(), Effect::Nothing(Idle::AlreadySo));
}
