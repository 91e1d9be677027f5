//! A real redis-server on a socket of its own, which can be killed and started again over the same data.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::store::redis::{Config, Redis, Time};

pub(crate) struct Server {
    child: Child,
    dir: PathBuf,
}

impl Server {
    /// None where redis-server is not installed.
    pub(crate) fn start(dir: &Path) -> Option<Self> {
        match launch(dir) {
            Ok(child) => Some(Self { child, dir: dir.to_owned() }),
            Err(fault) => {
                assert!(
                    std::env::var_os("TOCSIN_REQUIRE_REDIS").is_none(),
                    "redis-server does not start: {fault}"
                );
                eprintln!("SKIPPED: this case needs redis-server, which does not start here: {fault}");
                None
            }
        }
    }

    fn url(&self) -> String {
        format!("redis+unix://{}", self.dir.join("redis.sock").display())
    }

    pub(crate) async fn connect(&self) -> Redis {
        let config = Config { time: Time::Caller, ..Config::at(self.url()) };
        for _ in 0..200 {
            if let Ok(store) = Redis::connect(&config).await {
                return store;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("redis-server does not answer");
    }

    /// kill -9
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn restart(&mut self) {
        self.child = launch(&self.dir).unwrap();
    }

    /// Makes it a replica of nobody there: it answers, and refuses every write.
    pub(crate) async fn demote(&self) {
        let client = ::redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let () =
            ::redis::cmd("REPLICAOF").arg("127.0.0.1").arg(1).query_async(&mut connection).await.unwrap();
    }

    /// Moves it out of its address, old connections and all, and starts an empty one there.
    pub(crate) fn take_over(&mut self, dir: &Path) -> Self {
        std::fs::rename(self.dir.join("redis.sock"), dir.join("former.sock")).unwrap();
        let data = dir.join("successor");
        std::fs::create_dir_all(&data).unwrap();
        let child = launch_at(&data, &self.dir.join("redis.sock")).unwrap();
        Self { child, dir: data }
    }

    pub(crate) async fn forget_timer(&self, incident: &str) {
        let client = ::redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let key = format!("tocsin:{{{}}}:timers", incident.split_once('-').unwrap().0);
        let gone: i64 =
            ::redis::cmd("ZREM").arg(key).arg(incident).query_async(&mut connection).await.unwrap();
        assert_eq!(gone, 1);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn launch(dir: &Path) -> std::io::Result<Child> {
    launch_at(dir, &dir.join("redis.sock"))
}

fn launch_at(dir: &Path, socket: &Path) -> std::io::Result<Child> {
    Command::new("redis-server")
        .args(["--port", "0", "--save", "", "--appendonly", "yes", "--appendfsync", "always"])
        .args(["--maxmemory-policy", "noeviction"])
        .arg("--unixsocket")
        .arg(socket)
        .arg("--dir")
        .arg(dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}
