//! Real Redis for tests: a running one (`TOCSIN_TEST_REDIS=url`) or one started here on a free port, writing every
//! command to disk, in a folder that goes with it. Refuses to pass quietly when there is none.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tempfile::TempDir;

use crate::real::{Process, Skip, free_port, setting};

/// One server.
#[derive(Debug)]
pub struct Redis {
    url: String,
    own: Option<Mutex<Own>>,
}

#[derive(Debug)]
struct Own {
    process: Process,
    dir: TempDir,
    port: u16,
}

impl Redis {
    /// Uses the running one or starts one.
    ///
    /// # Errors
    /// [`Skip`] with the reason when neither can be had.
    pub fn start() -> Result<Self, Skip> {
        if let Some(url) = setting("TOCSIN_TEST_REDIS") {
            return Ok(Self { url, own: None });
        }
        Self::launch().map_err(|e| Skip(format!("redis-server does not start: {e:#}")))
    }

    fn launch() -> anyhow::Result<Self> {
        let port = free_port()?;
        let dir = tempfile::Builder::new().prefix("tocsin-redis-").tempdir()?;
        let process = serve(&dir, port)?;
        let url = format!("redis://127.0.0.1:{port}/");
        let redis = Self { url, own: Some(Mutex::new(Own { process, dir, port })) };
        redis.wait()?;
        Ok(redis)
    }

    /// Where to connect.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether [`Redis::kill`] and [`Redis::restart`] may be used.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// SIGKILL.
    pub fn kill(&self) {
        if let Some(own) = &self.own {
            own.lock().unwrap_or_else(PoisonError::into_inner).process.kill();
        }
    }

    /// Starts the killed server again, same port, same data.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn restart(&self) -> anyhow::Result<()> {
        if let Some(own) = &self.own {
            let mut own = own.lock().unwrap_or_else(PoisonError::into_inner);
            own.process.kill();
            own.process = serve(&own.dir, own.port)?;
        }
        self.wait()
    }

    fn wait(&self) -> anyhow::Result<()> {
        let Some(own) = &self.own else { return Ok(()) };
        let mut own = own.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..200 {
            if answers(own.port) {
                return Ok(());
            }
            anyhow::ensure!(!own.process.has_ended(), "it ended at once");
            std::thread::sleep(Duration::from_millis(50));
        }
        anyhow::bail!("it does not answer within 10 s")
    }
}

fn serve(dir: &TempDir, port: u16) -> anyhow::Result<Process> {
    let settings = format!(
        "redis-server --port {port} --bind 127.0.0.1 --appendonly yes --appendfsync always --maxmemory-policy \
         noeviction --daemonize no"
    );
    let mut command: Vec<String> = settings.split_whitespace().map(Into::into).collect();
    command.extend(["--save".into(), String::new(), "--dir".into(), dir.path().display().to_string()]);
    Ok(Process::spawn(dir.path(), &command)?)
}

/// Past `LOADING`: a real answer to PING.
fn answers(port: u16) -> bool {
    let asked = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer)?;
        Ok(&answer == b"+PONG")
    };
    asked().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_survives_a_kill() {
        let redis = match Redis::start() {
            Ok(redis) => redis,
            Err(skip) => return skip.announce("redis"),
        };
        if !redis.is_own() {
            return;
        }
        let set = |text: &str| -> redis::RedisResult<Option<String>> {
            let mut connection = redis::Client::open(redis.url())?.get_connection()?;
            redis::cmd("SET").arg("k").arg(text).arg("GET").query(&mut connection)
        };
        assert_eq!(set("before").unwrap(), None);
        redis.kill();
        assert!(set("away").is_err());
        redis.restart().unwrap();
        assert_eq!(set("after").unwrap().as_deref(), Some("before"));
    }
}
