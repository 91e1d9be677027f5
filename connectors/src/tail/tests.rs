//! Files that grow, pause in mid-line, are rotated, truncated and replaced, across restarts and failing buses.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    sync::{Arc, Mutex},
};

use tocsin_bus::{ManualClock, Record, Topic};

use super::*;
use crate::{FileCursors, Publish, PublishError, Round, publish::Acknowledged, runner::round};

#[derive(Default)]
struct Shelf {
    records: Mutex<Vec<Record>>,
    away: std::sync::atomic::AtomicBool,
}

impl Publish for Shelf {
    fn publish<'a>(&'a self, records: &'a [Record]) -> Acknowledged<'a> {
        Box::pin(async move {
            if self.away.load(std::sync::atomic::Ordering::Relaxed) {
                return Err(PublishError("no broker".to_owned()));
            }
            self.records.lock().expect("lock").extend_from_slice(records);
            Ok(Vec::new())
        })
    }
}

struct Fixture {
    folder: tempfile::TempDir,
    shelf: Shelf,
    clock: ManualClock,
    tail: Tail,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let tail = Self::tail(folder.path());
        let clock = ManualClock::at("2026-09-10T02:00:00Z".parse().expect("a time"));
        Self { folder, shelf: Shelf::default(), clock, tail }
    }

    fn tail(folder: &Path) -> Tail {
        let cursors = FileCursors::open(folder.join("cursors")).expect("a store");
        let cursor = Cursor::new(Arc::new(cursors), "crawl", 1);
        Tail::new("crawl", folder.join("in/*.jsonl"), ReadOptions::default(), cursor).expect("a tail")
    }

    fn restart(&mut self) {
        self.tail = Self::tail(self.folder.path());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("in").join(name)
    }

    fn append(&self, name: &str, text: &str) {
        fs::create_dir_all(self.folder.path().join("in")).expect("mkdir");
        let mut file = OpenOptions::new().create(true).append(true).open(self.path(name)).expect("opens");
        file.write_all(text.as_bytes()).expect("writes");
    }

    async fn round(&mut self) -> Result<Round, Error> {
        round(&mut self.tail, &self.shelf, &self.clock).await
    }

    /// Runs until nothing more comes; what came, by id.
    async fn drain(&mut self) -> Vec<String> {
        while self.round().await.expect("a round").more {}
        let records = std::mem::take(&mut *self.shelf.records.lock().expect("lock"));
        records
            .iter()
            .map(|record| match record.topic {
                Topic::DeadLetter => format!(
                    "dead:{}",
                    String::from_utf8_lossy(&record.key).rsplit('/').next().unwrap_or_default()
                ),
                _ => serde_json::from_slice::<serde_json::Value>(&record.payload).expect("json")["id"]
                    .as_str()
                    .expect("text")
                    .to_owned(),
            })
            .collect()
    }
}

fn line(n: usize) -> String {
    format!(
        "{{\"id\":\"weibo:{n}\",\"platform\":\"weibo\",\"kind\":\"post\",\"text\":\"漏水\",\"published_at\":\"2026-09-10T01:33:20Z\"}}\n"
    )
}

#[tokio::test]
async fn a_half_written_line_waits_and_a_restart_continues() {
    let mut f = Fixture::new();
    assert!(f.drain().await.is_empty(), "a folder that is not there yet");
    let three = line(3);
    f.append("a.jsonl", &(line(1) + "oops\n" + &line(2) + &three[..20]));
    assert_eq!(f.drain().await, ["weibo:1", "dead:a.jsonl:2", "weibo:2"]);
    assert!(f.drain().await.is_empty());
    f.restart();
    assert!(f.drain().await.is_empty());
    f.append("a.jsonl", &three[20..]);
    assert_eq!(f.drain().await, ["weibo:3"]);
    f.append("b.jsonl", &line(4));
    assert_eq!(f.drain().await, ["weibo:4"], "the next day's file joins");
}

#[tokio::test]
async fn the_cursor_waits_for_the_acknowledgement() {
    let mut f = Fixture::new();
    f.append("a.jsonl", &(line(1) + &line(2)));
    f.shelf.away.store(true, std::sync::atomic::Ordering::Relaxed);
    for _ in 0..3 {
        assert!(matches!(f.round().await, Err(Error::Publish(_))));
    }
    f.append("a.jsonl", &line(3));
    f.restart();
    assert!(f.round().await.is_err());
    f.shelf.away.store(false, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(f.drain().await, ["weibo:1", "weibo:2", "weibo:3"]);
}

#[tokio::test]
async fn rotation_truncation_and_replacement() {
    let mut f = Fixture::new();
    f.append("a.jsonl", &line(1));
    assert_eq!(f.drain().await, ["weibo:1"]);
    // Written to, then renamed out of the pattern before the next round; its last line has no end.
    f.append("a.jsonl", &(line(2) + line(3).trim_end()));
    fs::rename(f.path("a.jsonl"), f.path("a.jsonl.1")).expect("renames");
    f.append("a.jsonl", &line(4));
    assert_eq!(f.drain().await, ["weibo:2", "weibo:4"]);
    f.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(f.drain().await, ["weibo:3"]);
    // Renamed within the pattern: the same file, not read again.
    fs::rename(f.path("a.jsonl"), f.path("old.jsonl")).expect("renames");
    assert!(f.drain().await.is_empty());
    // Truncated in place, shorter and then longer than before.
    fs::write(f.path("old.jsonl"), "").expect("truncates");
    assert!(f.drain().await.is_empty());
    f.append("old.jsonl", &(line(5) + &line(6)));
    assert_eq!(f.drain().await, ["weibo:5", "weibo:6"]);
    fs::write(f.path("old.jsonl"), line(7) + &line(8) + &line(9)).expect("rewrites");
    assert_eq!(f.drain().await, ["weibo:7", "weibo:8", "weibo:9"]);
    fs::remove_file(f.path("old.jsonl")).expect("removes");
    assert!(f.drain().await.is_empty());
}

#[tokio::test]
async fn a_writer_that_has_not_noticed_the_rotation_is_read_on() {
    let mut f = Fixture::new();
    f.append("a.jsonl", &line(1));
    assert_eq!(f.drain().await, ["weibo:1"]);
    let mut writer = OpenOptions::new().append(true).open(f.path("a.jsonl")).expect("opens");
    fs::rename(f.path("a.jsonl"), f.path("a.jsonl.1")).expect("renames");
    assert!(f.drain().await.is_empty());
    for n in 2..5 {
        f.clock.advance(std::time::Duration::from_secs(50));
        writer.write_all(line(n).as_bytes()).expect("writes");
        assert_eq!(f.drain().await, [format!("weibo:{n}")]);
    }
    f.clock.advance(std::time::Duration::from_secs(61));
    assert!(f.drain().await.is_empty());
    assert!(f.tail.open.is_empty(), "left alone for a minute: done with");
}

#[tokio::test]
async fn what_was_rotated_while_nobody_followed_is_found_and_read_on() {
    let mut f = Fixture::new();
    f.append("a.jsonl", &(line(1) + &line(2)));
    assert_eq!(f.drain().await, ["weibo:1", "weibo:2"]);
    f.append("a.jsonl", &line(3));
    fs::rename(f.path("a.jsonl"), f.path("a.jsonl.1")).expect("renames");
    f.append("a.jsonl", &line(4));
    f.append("other.log", "not ours\n");
    f.restart();
    assert_eq!(f.drain().await, ["weibo:3", "weibo:4"]);
    f.restart();
    assert!(f.drain().await.is_empty());
}

#[tokio::test]
async fn long_files_come_in_batches_and_oversized_lines_are_skipped() {
    let mut f = Fixture::new();
    let many: String = (0..BATCH_RECORDS + 10).map(line).collect();
    f.append("a.jsonl", &many);
    let first = f.round().await.expect("a round");
    assert_eq!((first.published, first.more), (BATCH_RECORDS, true));
    assert_eq!(f.drain().await.len(), BATCH_RECORDS + 10);
    f.append("a.jsonl", &("x".repeat(MAX_RECORD + 5) + "\n" + &line(9_999)));
    assert_eq!(f.drain().await, [format!("dead:a.jsonl:{}", BATCH_RECORDS + 11), "weibo:9999".to_owned()]);
}

#[tokio::test]
async fn a_cursor_that_cannot_be_read_starts_over() {
    let mut f = Fixture::new();
    f.append("a.jsonl", &line(1));
    f.drain().await;
    fs::write(f.folder.path().join("cursors/crawl.cursor"), "{half").expect("writes");
    f.restart();
    assert_eq!(f.drain().await, ["weibo:1"]);
}

#[test]
fn csv_cannot_be_followed() {
    let folder = tempfile::tempdir().expect("a folder");
    let cursors = Arc::new(FileCursors::open(folder.path()).expect("a store"));
    let options = ReadOptions { format: Format::Csv, ..ReadOptions::default() };
    assert!(matches!(Tail::new("x", "a.csv", options, Cursor::new(cursors, "x", 1)), Err(Error::Options(_))));
}
