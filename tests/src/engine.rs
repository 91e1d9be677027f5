//! The `tocsin` binary as a child process: built once, started with a configuration, killed or asked to stop.
//! Refuses to look inside: what it knows it learns from HTTP, stdout and the log file, as an operator would.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, bail};

/// Path of the binary, built on first use with the profile of the tests.
pub fn binary() -> anyhow::Result<&'static Path> {
    static BINARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BINARY
        .get_or_init(|| build().map_err(|fault| format!("{fault:#}")))
        .as_deref()
        .map_err(|fault| anyhow::anyhow!("building tocsin: {fault}"))
}

fn build() -> anyhow::Result<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace")?;
    // target/debug/deps/test-hash -> target/debug/tocsin
    let here = std::env::current_exe()?;
    let binary = here.parent().and_then(Path::parent).context("the target folder")?.join("tocsin");
    let built = std::fs::metadata(&binary).and_then(|data| data.modified());
    // `cargo test --workspace` has built it already; building it alone would resolve other features
    if built.is_ok_and(|built| newest(workspace).is_ok_and(|newest| newest < built)) {
        return Ok(binary);
    }
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--package", "tocsin", "--bin", "tocsin"]).current_dir(workspace);
    // What cargo told this test of its package would make build scripts of dependencies run anew, at every turn.
    for (name, _) in std::env::vars_os() {
        let told = name.to_string_lossy();
        if told.starts_with("CARGO_PKG_") || told.starts_with("CARGO_MANIFEST_") || told == "CARGO_CRATE_NAME"
        {
            build.env_remove(&name);
        }
    }
    let done = build.output()?;
    if !done.status.success() {
        bail!("{}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(binary)
}

/// When anything the binary is made of last changed.
fn newest(workspace: &Path) -> std::io::Result<SystemTime> {
    let mut newest = std::fs::metadata(workspace.join("Cargo.lock"))?.modified()?;
    let mut folders: Vec<PathBuf> =
        ["rules", "connectors", "engine"].iter().map(|d| workspace.join(d)).collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let data = entry.metadata()?;
            if data.is_dir() {
                folders.push(entry.path());
            } else {
                newest = newest.max(data.modified()?);
            }
        }
    }
    Ok(newest)
}

/// Runs a command of the binary to its end.
pub fn tocsin(arguments: &[&str]) -> anyhow::Result<Finished> {
    tocsin_with(arguments, b"")
}

/// Runs a command of the binary to its end, with `input` on stdin.
pub fn tocsin_with(arguments: &[&str], input: &[u8]) -> anyhow::Result<Finished> {
    let mut child = Command::new(binary()?)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("its stdin")?;
    let input = input.to_vec();
    // Written beside reading, so that neither side waits for the other; it may end without reading all.
    let writing = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let done = child.wait_with_output()?;
    if writing.join().is_err() {
        bail!("writing to stdin panicked");
    }
    Ok(Finished {
        code: done.status.code(),
        stdout: String::from_utf8(done.stdout)?,
        stderr: String::from_utf8_lossy(&done.stderr).into_owned(),
    })
}

/// What a finished command left.
#[derive(Debug, PartialEq, Eq)]
pub struct Finished {
    /// Exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Finished {
    /// Standard output as JSON lines.
    pub fn lines(&self) -> anyhow::Result<Vec<serde_json::Value>> {
        self.stdout.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
    }
}

/// A port nobody listens on at the moment.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// One running `tocsin run`.
#[derive(Debug)]
pub struct Engine {
    child: Child,
    log: PathBuf,
}

impl Engine {
    /// Starts `tocsin run --config … [--stages …]`, its log in `folder`.
    pub fn start(folder: &Path, name: &str, config: &str, stages: Option<&str>) -> anyhow::Result<Self> {
        let path = folder.join(format!("{name}.yaml"));
        std::fs::write(&path, config)?;
        let log = folder.join(format!("{name}.log"));
        let file = File::options().create(true).append(true).open(&log)?;
        let mut command = Command::new(binary()?);
        command.arg("--log").arg("json").arg("run").arg("--config").arg(&path);
        if let Some(stages) = stages {
            command.arg("--stages").arg(stages);
        }
        let child = command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).spawn()?;
        Ok(Self { child, log })
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to drain and stop, and waits for it at most `patience`.
    pub fn terminate(&mut self, patience: Duration) -> anyhow::Result<ExitStatus> {
        let asked = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status()?;
        if !asked.success() {
            bail!("kill -TERM failed");
        }
        let mut left = patience;
        while left > Duration::ZERO {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(50));
            left = left.saturating_sub(Duration::from_millis(50));
        }
        bail!("still running {patience:?} after SIGTERM:\n{}", self.log_tail())
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> anyhow::Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// The last 8 KiB of its log, for a failed assertion.
    pub fn log_tail(&self) -> String {
        let read = || -> std::io::Result<String> {
            let mut file = File::open(&self.log)?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(8192)))?;
            let mut tail = Vec::new();
            file.read_to_end(&mut tail)?;
            Ok(String::from_utf8_lossy(&tail).into_owned())
        };
        read().unwrap_or_else(|fault| fault.to_string())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
