use super::*;
use crate::checkpoint::tests::{Server, delta, free_port, redis_client, sorted, until_answered};

/// More than one part.
fn large(next: i64, byte: u8) -> Delta {
    let states = (0..100).map(|i| (format!("m{i:02}"), Some(vec![byte; 2_000])));
    Delta { monitors: states.collect(), ..delta(next, &[]) }
}

#[tokio::test]
async fn an_upload_that_lost_parts_in_a_failover_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let Some(server) = Server::start(folder.path(), free_port()) else { return };
    let store = server.store();
    let owner = until_answered(&store, 2).await;
    store.write(2, owner.epoch, &large(10, 1)).await.unwrap();
    let client = redis_client(&server);
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let (key, side) = (store.key(2), store.side_key(2, owner.epoch));
    for loss in ["HDEL m:m07", "DEL"] {
        store.upload(&side, &large(20, 2)).await.unwrap();
        let (command, field) = loss.split_once(' ').unwrap_or((loss, ""));
        let mut lose = ::redis::cmd(command);
        lose.arg(&side);
        if !field.is_empty() {
            lose.arg(field);
        }
        let lost: i64 = lose.query_async(&mut connection).await.unwrap();
        assert_eq!(lost, 1);
        let outcome = store.fold_in(&key, &side, owner.epoch, &large(20, 2), true).await.unwrap();
        assert!(matches!(outcome, Written::PartsLost), "{loss}");
        let left: i64 = ::redis::cmd("EXISTS").arg(&side).query_async(&mut connection).await.unwrap();
        assert_eq!(left, 0, "what is left of it goes");
        let (next, state): (i64, Vec<u8>) = ::redis::cmd("HMGET")
            .arg(&key)
            .arg("next")
            .arg("m:m00")
            .query_async(&mut connection)
            .await
            .unwrap();
        assert_eq!((next, state), (10, vec![1; 2_000]), "{loss}: neither offset nor states moved");
    }
    store.write(2, owner.epoch, &large(20, 2)).await.unwrap();
    let found = sorted(store.open(2).await.unwrap());
    assert_eq!((found.next, found.monitors.len(), &found.monitors[99].1), (Some(20), 100, &vec![2; 2_000]));
}

#[tokio::test]
async fn an_epoch_lost_in_a_failover_is_not_given_twice() {
    let folder = tempfile::tempdir().unwrap();
    let Some(server) = Server::start(folder.path(), free_port()) else { return };
    let store = server.store();
    let first = until_answered(&store, 0).await;
    store.write(0, first.epoch, &delta(5, &[("a", Some(b"kept"))])).await.unwrap();
    let lost = store.open(0).await.unwrap();
    // The replica that took over had not heard of the second owner.
    let client = redis_client(&server);
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let epoch = first.epoch.to_string();
    ::redis::cmd("HSET").arg(store.key(0)).arg("epoch").arg(epoch).exec_async(&mut connection).await.unwrap();
    let third = store.open(0).await.unwrap();
    assert!(third.epoch > lost.epoch, "{} after {}", third.epoch, lost.epoch);
    assert_eq!(third.next, Some(5));
    for stale in [first.epoch, lost.epoch] {
        let refused = store.write(0, stale, &delta(9, &[("a", Some(b"stale"))])).await;
        assert!(matches!(refused, Err(Error::Fenced(0))), "{refused:?}");
    }
    store.write(0, third.epoch, &delta(6, &[])).await.unwrap();
}
