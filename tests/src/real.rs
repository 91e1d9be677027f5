//! What the real parts share: whether they can be had, free ports, and saying loudly when a test was skipped.

use std::{
    fs::File,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Why a real part is not there. Tests print it and end; with `TOCSIN_REQUIRE_KAFKA=1` (or `_REDIS`) they fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip(pub String);

impl Skip {
    /// Says so loudly.
    ///
    /// # Panics
    /// When the environment demands this part, so that a skip cannot pass unseen.
    #[expect(
        clippy::print_stderr,
        clippy::panic,
        reason = "a skipped test must be seen, a demanded one must fail"
    )]
    pub fn announce(&self, part: &str) {
        let demand = format!("TOCSIN_REQUIRE_{}", part.to_uppercase());
        if setting(&demand).is_some_and(|v| v == "1") {
            panic!("{demand}=1, but {part} is not available: {}", self.0);
        }
        eprintln!("\n########## SKIPPED: no real {part}: {} ##########\n", self.0);
    }
}

/// An environment variable that is set and not empty.
#[expect(
    clippy::disallowed_methods,
    reason = "the harness is steered by its environment, there is no settings file"
)]
pub(crate) fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Root of the workspace.
pub fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A port nobody listens on right now.
///
/// # Errors
/// When the machine has none.
pub(crate) fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A child process that dies with its owner, even when the owner is killed or exits without dropping it (statics): a
/// shell watches a pipe that closes with us.
#[derive(Debug)]
pub(crate) struct Process(Option<Child>);

/// `$1` is the folder to remove when the owner is gone, the rest is the command.
const WATCH: &str = r#"exec 3<&0; owner=$PPID; dir=$1; shift
"$@" </dev/null 3<&- & child=$!
( read -r _ <&3; kill -9 $child; sleep 1; kill -0 $owner 2>/dev/null || rm -rf "$dir" ) 2>/dev/null & watch=$!
wait $child; kill -0 $owner 2>/dev/null && kill $watch 2>/dev/null; exit 0"#;

impl Process {
    /// Starts `command` with its output in `dir/process.log`.
    pub(crate) fn spawn(dir: &Path, command: &[String]) -> std::io::Result<Self> {
        let log = File::options().create(true).append(true).open(dir.join("process.log"))?;
        let child = Command::new("sh")
            .args(["-c", WATCH, "watch"])
            .arg(dir)
            .args(command)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Self(Some(child)))
    }

    /// SIGKILL, and wait until it is gone.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.0.take() {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
