use std::{
    io::Write as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::*;

pub(super) fn delta(next: i64, monitors: &[(&str, Option<&[u8]>)]) -> Delta {
    let monitors = monitors.iter().map(|(id, s)| ((*id).to_owned(), s.map(<[u8]>::to_vec))).collect();
    Delta { next: Some(next), clock: vec![7; 16], monitors }
}

pub(super) fn sorted(mut checkpoint: Checkpoint) -> Checkpoint {
    checkpoint.monitors.sort();
    checkpoint
}

/// What every store must do.
async fn contract(store: &impl Checkpoints) {
    let first = store.open(3).await.unwrap();
    assert_eq!(first, Checkpoint { epoch: first.epoch, ..Checkpoint::default() });
    store.write(3, first.epoch, &delta(10, &[("a", Some(b"one")), ("品牌", Some(b"\0\xff"))])).await.unwrap();
    store.write(3, first.epoch, &delta(12, &[("a", Some(b"two"))])).await.unwrap();
    // Another partition is another world.
    let other = store.open(4).await.unwrap();
    assert_eq!((other.next, other.monitors.len()), (None, 0));
    store.write(4, other.epoch, &delta(1, &[("z", Some(b"z"))])).await.unwrap();
    // The next owner sees both halves and fences the first.
    let second = sorted(store.open(3).await.unwrap());
    assert!(second.epoch > first.epoch);
    let expected = vec![("a".to_owned(), b"two".to_vec()), ("品牌".to_owned(), b"\0\xff".to_vec())];
    assert_eq!((second.next, &second.monitors, second.clock.len()), (Some(12), &expected, 16));
    let stale = store.write(3, first.epoch, &delta(99, &[("a", Some(b"stale")), ("品牌", None)])).await;
    assert!(matches!(stale, Err(Error::Fenced(3))), "{stale:?}");
    // A removal, and an offset that stays.
    let removal = Delta { next: None, ..delta(0, &[("品牌", None)]) };
    store.write(3, second.epoch, &removal).await.unwrap();
    let third = store.open(3).await.unwrap();
    assert_eq!((third.next, third.monitors), (Some(12), vec![("a".to_owned(), b"two".to_vec())]));
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    contract(&MemoryCheckpoints::default()).await;
}

#[tokio::test]
async fn embedded_keeps_the_contract_and_survives_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("detect.redb");
    contract(&EmbeddedCheckpoints::open_file(&file).unwrap()).await;
    let reopened = EmbeddedCheckpoints::open_file(&file).unwrap().open(3).await.unwrap();
    assert_eq!((reopened.next, reopened.monitors.len()), (Some(12), 1));
}

/// A `redis-server` child in a folder of its own.
pub(super) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    pub(super) fn start(folder: &Path, port: u16) -> Option<Self> {
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--appendonly", "yes"])
            .args(["--appendfsync", "always", "--save", "", "--dir"])
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match child {
            Ok(child) => Some(Self { child, port }),
            Err(fault) => {
                // Past the test harness's capture: a skipped test must be seen.
                writeln!(std::io::stderr(), "SKIPPED: redis-server cannot be started: {fault}").unwrap();
                None
            }
        }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(super) fn store(&self) -> RedisCheckpoints {
        let mut settings = RedisSettings::new(format!("redis://127.0.0.1:{}", self.port), "tocsin-detect");
        settings.response_timeout = Duration::from_secs(2);
        settings.part_bytes = 1 << 16;
        RedisCheckpoints::new(settings).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(super) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Asks until the server answers, as the consumer loop would.
pub(super) async fn until_answered(store: &RedisCheckpoints, partition: i32) -> Checkpoint {
    for _ in 0..200 {
        match store.open(partition).await {
            Ok(found) => return found,
            Err(Error::Store { .. }) => tokio::time::sleep(Duration::from_millis(25)).await,
            Err(other) => panic!("{other}"),
        }
    }
    panic!("redis-server did not answer within 5 s");
}

#[tokio::test]
async fn redis_keeps_the_contract_through_a_kill_and_restart() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut server) = Server::start(folder.path(), free_port()) else { return };
    let store = server.store();
    until_answered(&store, 0).await;
    contract(&store).await;

    // A delta over the size of a part goes up in parts and lands whole.
    let big: Vec<(String, Vec<u8>)> =
        (0..300_u32).map(|i| (format!("m{i:03}"), i.to_le_bytes().repeat(500))).collect();
    let mut large = delta(77, &[]);
    large.monitors = big.iter().map(|(id, state)| (id.clone(), Some(state.clone()))).collect();
    let owner = store.open(5).await.unwrap();
    store.write(5, owner.epoch, &large).await.unwrap();
    let found = sorted(store.open(5).await.unwrap());
    assert_eq!((found.next, found.monitors), (Some(77), big));
    // A stale owner's parts leave nothing behind.
    assert!(matches!(store.write(5, owner.epoch, &large).await, Err(Error::Fenced(5))));
    let client = redis_client(&server);
    let keys: Vec<String> = keys(&client).await;
    assert_eq!(keys.iter().filter(|key| key.contains(":part:")).count(), 0, "{keys:?}");
    assert!(keys.contains(&"tocsin:{s05}:detect:tocsin-detect:5".to_owned()), "{keys:?}");

    // Away: an error worth retrying, without the address. Back: what was acknowledged is there, no new store needed.
    let owner = store.open(6).await.unwrap();
    store.write(6, owner.epoch, &delta(41, &[("a", Some(b"kept"))])).await.unwrap();
    server.kill();
    let away = store.write(6, owner.epoch, &delta(42, &[("a", Some(b"lost"))])).await.unwrap_err();
    assert!(matches!(away, Error::Store { .. }), "{away}");
    assert!(matches!(tocsin_bus::Fault::from(away), tocsin_bus::Fault::Retry { .. }));
    let _server = Server::start(folder.path(), server.port).unwrap();
    let back = until_answered(&store, 6).await;
    assert_eq!((back.next, back.monitors), (Some(41), vec![("a".to_owned(), b"kept".to_vec())]));
    store.write(6, back.epoch, &delta(42, &[("a", Some(b"now"))])).await.unwrap();
}

pub(super) fn redis_client(server: &Server) -> ::redis::Client {
    ::redis::Client::open(format!("redis://127.0.0.1:{}", server.port)).unwrap()
}

async fn keys(client: &::redis::Client) -> Vec<String> {
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    ::redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap()
}

#[test]
fn a_password_is_never_shown() {
    let settings = RedisSettings::new("redis://:hunter2@127.0.0.1:1/x y", "g");
    assert!(!format!("{settings:?}").contains("hunter2"));
    let shown = match RedisCheckpoints::new(settings) {
        Ok(store) => format!("{store:?}"),
        Err(fault) => format!("{fault} {fault:?}"),
    };
    assert!(!shown.contains("hunter2"), "{shown}");
}
