//! Real Apache Kafka for tests: a running one (`TOCSIN_TEST_KAFKA=host:port`) or one started here in KRaft mode from
//! Maven Central's jars, on free ports, in a folder that goes with it. Refuses to pass quietly when there is none.

use std::{
    fs,
    io::Read,
    net::TcpStream,
    process::{Command, Stdio},
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tempfile::TempDir;

use crate::real::{Process, Skip, free_port, setting, workspace};

/// How long a broker may take to answer.
const START: Duration = Duration::from_secs(60);

/// One broker.
#[derive(Debug)]
pub struct Kafka {
    brokers: String,
    /// `None` for a broker that is not ours.
    own: Option<Mutex<Own>>,
}

#[derive(Debug)]
struct Own {
    process: Process,
    dir: TempDir,
    libs: String,
}

impl Kafka {
    /// Uses the running one or starts one.
    ///
    /// # Errors
    /// [`Skip`] with the reason when neither can be had.
    pub fn start() -> Result<Self, Skip> {
        if let Some(brokers) = setting("TOCSIN_TEST_KAFKA") {
            return Ok(Self { brokers, own: None });
        }
        let libs = libs()?;
        Self::launch(libs).map_err(|e| Skip(format!("the broker does not start: {e:#}")))
    }

    /// The broker this test process shares; one that only reads and writes topics of its own needs no other.
    ///
    /// # Errors
    /// As [`Kafka::start`].
    pub fn shared() -> Result<&'static Self, Skip> {
        static SHARED: OnceLock<Result<Kafka, Skip>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref().map_err(Clone::clone)
    }

    fn launch(libs: String) -> anyhow::Result<Self> {
        let (port, controller) = (free_port()?, free_port()?);
        let brokers = format!("127.0.0.1:{port}");
        let dir = tempfile::Builder::new().prefix("tocsin-kafka-").tempdir()?;
        let properties = format!(
            "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:{controller}\n\
             listeners=PLAINTEXT://{brokers},CONTROLLER://127.0.0.1:{controller}\n\
             advertised.listeners=PLAINTEXT://{brokers}\ncontroller.listener.names=CONTROLLER\n\
             listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\nlog.dirs={}\n\
             offsets.topic.replication.factor=1\noffsets.topic.num.partitions=4\n\
             transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n\
             share.coordinator.state.topic.replication.factor=1\nshare.coordinator.state.topic.min.isr=1\n\
             group.initial.rebalance.delay.ms=0\ngroup.min.session.timeout.ms=1000\n\
             auto.create.topics.enable=false\n",
            dir.path().join("data").display()
        );
        fs::write(dir.path().join("server.properties"), properties)?;
        let format = Command::new("java")
            .args(["-cp", &format!("{libs}/*"), "kafka.tools.StorageTool", "format"])
            .args(["-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c"])
            .arg(dir.path().join("server.properties"))
            .stdin(Stdio::null())
            .output()?;
        anyhow::ensure!(
            format.status.success(),
            "formatting failed: {}",
            String::from_utf8_lossy(&format.stderr)
        );
        let process = serve(&dir, &libs)?;
        let kafka = Self { brokers, own: Some(Mutex::new(Own { process, dir, libs })) };
        kafka.wait()?;
        Ok(kafka)
    }

    /// `host:port` to connect to.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// A topic and group prefix nobody else uses.
    pub fn prefix(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        format!("test{}x{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether [`Kafka::kill`] and [`Kafka::restart`] may be used.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// `kill -9`.
    pub fn kill(&self) {
        if let Some(own) = &self.own {
            own.lock().unwrap_or_else(PoisonError::into_inner).process.kill();
        }
    }

    /// Starts the killed broker again, same port, same data.
    ///
    /// # Errors
    /// When it does not come up, with the end of its log.
    pub fn restart(&self) -> anyhow::Result<()> {
        if let Some(own) = &self.own {
            let mut own = own.lock().unwrap_or_else(PoisonError::into_inner);
            own.process.kill();
            own.process = serve(&own.dir, &own.libs)?;
        }
        self.wait()
    }

    /// Until it answers a request, not only the connection.
    fn wait(&self) -> anyhow::Result<()> {
        let step = Duration::from_millis(100);
        for _ in 0..START.as_millis() / step.as_millis() {
            if answers(&self.brokers) {
                return Ok(());
            }
            if let Some(own) = &self.own {
                let mut own = own.lock().unwrap_or_else(PoisonError::into_inner);
                let log = own.dir.path().join("process.log");
                anyhow::ensure!(!own.process.has_ended(), "it ended: {}", tail(&log));
            }
            std::thread::sleep(step);
        }
        anyhow::bail!("it does not answer within {START:?}")
    }
}

fn serve(dir: &TempDir, libs: &str) -> anyhow::Result<Process> {
    let settings = dir.path().join("server.properties").display().to_string();
    let jvm = ["java", "-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"];
    let mut command: Vec<String> = jvm.map(Into::into).into();
    command.extend([format!("{libs}/*"), "kafka.Kafka".into(), settings]);
    Ok(Process::spawn(dir.path(), &command)?)
}

/// Asks for the API versions (key 18, version 0) and looks whether the answer is ours.
fn answers(brokers: &str) -> bool {
    use std::io::Write;
    let asked = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(brokers)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        // Length, key, version, correlation id, null client id.
        stream.write_all(&[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff])?;
        let mut head = [0; 10];
        stream.read_exact(&mut head)?;
        Ok(head[4..10] == [0, 0, 0, 7, 0, 0])
    };
    asked().unwrap_or(false)
}

fn tail(log: &std::path::Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// Folder of the broker's jars, fetched once.
fn libs() -> Result<String, Skip> {
    let fetched = Command::new("sh")
        .arg(workspace().join("deploy/kafka/fetch.sh"))
        .stdin(Stdio::null())
        .output()
        .map_err(|e| Skip(format!("deploy/kafka/fetch.sh: {e}")))?;
    if !fetched.status.success() {
        let why = String::from_utf8_lossy(&fetched.stderr).trim().to_owned();
        return Err(Skip(format!("deploy/kafka/fetch.sh: {why}")));
    }
    let home = String::from_utf8_lossy(&fetched.stdout).trim().to_owned();
    if Command::new("java").arg("-version").output().is_err() {
        return Err(Skip("java is not installed".into()));
    }
    Ok(format!("{home}/libs"))
}
