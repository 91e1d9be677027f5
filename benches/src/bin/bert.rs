//! Forward passes of one BERT model, sentences a second: this program's (rust-bert) beside PyTorch eager, PyTorch with fused attention
//! and onnxruntime, with the same weights, ids, lengths, batches and threads, taking turns in one run.
//!
//! The peers are a Python program beside this one (`benches/python/bert_peers.py`); their scores must agree with ours.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context as _, ensure};
use clap::Parser;
use tocsin_benches::rounds::median;
use tocsin_bus::{Clock, SystemClock};
use tocsin_score::bert::Judge;

const PEERS: [&str; 3] = ["eager", "sdpa", "onnxruntime"];
/// Greatest difference of a score between libraries.
const AGREEMENT: f32 = 2e-3;

#[derive(Parser)]
struct Options {
    /// Folder of the model, with a classifier.
    #[arg(long)]
    model: PathBuf,
    /// Python with torch, transformers, onnxruntime and onnx; without it the peers are left out.
    #[arg(long)]
    python: Option<PathBuf>,
    /// Tokens of every text.
    #[arg(long, default_value_t = 64)]
    tokens: usize,
    /// Threads.
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    threads: Vec<usize>,
    /// Texts of a pass.
    #[arg(long, value_delimiter = ',', default_value = "1,8,32,128")]
    batch: Vec<usize>,
    /// Turns of each contender.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of one turn.
    #[arg(long, default_value_t = 1.5)]
    seconds: f64,
}

struct Peers {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peers {
    fn start(python: &PathBuf, model: &PathBuf, ids: &std::path::Path) -> anyhow::Result<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python/bert_peers.py");
        let mut child = Command::new(python)
            .arg(script)
            .arg(model)
            .arg(ids)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| python.display().to_string())?;
        let input = child.stdin.take().context("no stdin")?;
        let output = BufReader::new(child.stdout.take().context("no stdout")?);
        let mut peers = Self { child, input, output };
        ensure!(peers.line()? == "ready", "the peers did not start");
        Ok(peers)
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        ensure!(self.output.read_line(&mut line)? > 0, "the peers ended");
        Ok(line.trim().to_owned())
    }

    /// Rate and the scores of the first row.
    fn turn(
        &mut self,
        peer: &str,
        threads: usize,
        batch: usize,
        seconds: f64,
    ) -> anyhow::Result<(f64, Vec<f32>)> {
        writeln!(self.input, "{peer} {threads} {batch} {seconds}")?;
        let line = self.line()?;
        let mut numbers = line.split(' ').map(str::parse::<f64>);
        let (done, spent) = (numbers.next().context("no count")??, numbers.next().context("no time")??);
        let scores = numbers.map(|n| n.map(|n| n as f32)).collect::<Result<_, _>>()?;
        Ok((done / spent, scores))
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::print_stdout, reason = "the table is this program's output")]
fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let judge = Judge::open(&options.model, None, options.tokens)?;
    let config: serde_json::Value =
        serde_json::from_slice(&std::fs::read(options.model.join("config.json"))?)?;
    let vocabulary = config["vocab_size"].as_i64().context("config.json has no vocab_size")?;
    let rows = rows(options.tokens, options.batch.iter().copied().max().unwrap_or(1) * 2, vocabulary);
    let scratch = tempfile::tempdir()?;
    let ids = scratch.path().join("ids.json");
    std::fs::write(&ids, serde_json::to_vec(&rows)?)?;
    let mut peers =
        options.python.as_ref().map(|python| Peers::start(python, &options.model, &ids)).transpose()?;
    let clock = SystemClock::new();
    println!(
        "{} tokens, sentences a second, median of {} turns of {} s",
        options.tokens, options.rounds, options.seconds
    );
    println!(
        "| threads | batch | rust-bert | eager | sdpa | onnxruntime | to eager | to onnxruntime |\n|---|---|---|---|---|---|---|---|"
    );
    for &threads in &options.threads {
        for &batch in &options.batch {
            let mut rates = [const { Vec::new() }; 4];
            for round in 0..=options.rounds {
                let (rate, scores) = turn(&judge, &rows, threads, batch, options.seconds, &clock)?;
                let mut turns = vec![rate];
                if let Some(peers) = &mut peers {
                    for peer in PEERS {
                        let (rate, theirs) = peers.turn(peer, threads, batch, options.seconds)?;
                        let apart =
                            scores.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                        ensure!(apart < AGREEMENT, "{peer} says {theirs:?}, rust-bert {scores:?}");
                        turns.push(rate);
                    }
                }
                // the first round warms up
                if round > 0 {
                    rates.iter_mut().zip(turns).for_each(|(all, rate)| all.push(rate));
                }
            }
            let [own, eager, sdpa, onnx] = rates.map(median);
            println!(
                "| {threads} | {batch} | {own:.1} | {eager:.1} | {sdpa:.1} | {onnx:.1} | {:.2} | {:.2} |",
                own / eager,
                own / onnx
            );
        }
    }
    Ok(())
}

fn turn(
    judge: &Judge,
    rows: &[Vec<i64>],
    threads: usize,
    batch: usize,
    seconds: f64,
    clock: &SystemClock,
) -> anyhow::Result<(f64, Vec<f32>)> {
    tocsin_score::bert::set_threads(threads);
    let (mut done, mut first) = (0, Vec::new());
    let start = clock.elapsed();
    loop {
        let spent = (clock.elapsed() - start).as_secs_f64();
        if spent >= seconds {
            return Ok((done as f64 / spent, first));
        }
        let at = done % (rows.len() - batch + 1);
        let scores =
            judge.pass(rows[at..at + batch].iter().map(Vec::as_slice)).map_err(anyhow::Error::msg)?;
        if done == 0 {
            first = scores[..judge.labels().classes()].to_vec();
        }
        done += batch;
    }
}

/// Rows of ids from a seed, all of one length.
fn rows(tokens: usize, count: usize, vocabulary: i64) -> Vec<Vec<i64>> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as i64
    };
    (0..count).map(|_| (0..tokens).map(|_| 5 + next() % (vocabulary - 5)).collect()).collect()
}
