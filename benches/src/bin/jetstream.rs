//! Jetstream events a second on one thread, beside bare `serde_json` on the same lines in the same run: the recorded mix,
//! posts alone, and posts on the second wire. `jetstream --data FILE… [--rounds N] [--events N]`.

use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::{Value, json};
use tocsin_benches::rounds::alternate;
use tocsin_bus::{Clock as _, SystemClock};
use tocsin_connectors::bluesky::event::{Frame, Wire, frame};

#[expect(clippy::print_stdout, reason = "the table is this program's output")]
fn main() -> anyhow::Result<()> {
    let (mut files, mut rounds, mut events) = (Vec::new(), 7_usize, 20_000_usize);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--data" => files.push(value),
            "--rounds" => rounds = value.parse()?,
            "--events" => events = value.parse()?,
            _ => anyhow::bail!(
                "unknown option {name}; usage: jetstream --data FILE… [--rounds N] [--events N]"
            ),
        }
    }
    anyhow::ensure!(
        !files.is_empty(),
        "--data FILE is missing: recorded events of the first wire, one a line"
    );
    let mut mix = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).with_context(|| file.clone())?;
        mix.extend(text.lines().map(|line| line.as_bytes().to_vec()));
    }
    let clock = SystemClock::new();
    let now = clock.now();
    let is_post = |line: &Vec<u8>| matches!(frame(line, Wire::V1, now), Frame::Post(..));
    let posts: Vec<Vec<u8>> = mix.iter().filter(|line| is_post(line)).cloned().collect();
    anyhow::ensure!(!posts.is_empty(), "no posts among {} events", mix.len());
    let second: Vec<Vec<u8>> =
        posts.iter().enumerate().map(|(n, line)| second_wire(line, n)).collect::<Result<_, _>>()?;
    println!(
        "{:>24}  {:>6}  {:>6}  {:>12}  {:>16}  {:>18}  {:>16}",
        "lines", "number", "bytes", "events/s", "serde_json Value", "serde_json skipped", "ratio to Value"
    );
    for (name, lines, wire) in [
        ("recorded mix", &mix, Wire::V1),
        ("posts alone", &posts, Wire::V1),
        ("posts, second wire", &second, Wire::V2),
    ] {
        let bytes: usize = lines.iter().map(Vec::len).sum::<usize>() / lines.len();
        let passes = events.div_ceil(lines.len());
        let all = || (0..passes).flat_map(|_| lines.iter());
        let rates = alternate(
            &clock,
            rounds,
            &mut [
                &mut || {
                    let read = |line: &&Vec<u8>| {
                        !matches!(std::hint::black_box(frame(line, wire, now)), Frame::Garbage(_))
                    };
                    all().filter(read).count()
                },
                &mut || {
                    all()
                        .filter(|line| std::hint::black_box(serde_json::from_slice::<Value>(line)).is_ok())
                        .count()
                },
                &mut || {
                    let skip = |line: &&Vec<u8>| {
                        std::hint::black_box(serde_json::from_slice::<serde::de::IgnoredAny>(line)).is_ok()
                    };
                    all().filter(skip).count()
                },
            ],
        );
        println!(
            "{name:>24}  {:>6}  {bytes:>6}  {:>12.0}  {:>16.0}  {:>18.0}  {:>16.2}",
            lines.len(),
            rates[0].0,
            rates[1].0,
            rates[2].0,
            rates[0].0 / rates[1].0
        );
    }
    Ok(())
}

/// The same event as the second wire sends it.
fn second_wire(line: &[u8], seq: usize) -> anyhow::Result<Vec<u8>> {
    let event: Value = serde_json::from_slice(line)?;
    let time = Timestamp::from_microsecond(event["time_us"].as_i64().context("a time")?)?;
    let mut payload = json!({"$type": "network.bsky.jetstream.subscribeEvents#commit", "seq": seq, "did": event["did"], "time": time.to_string()});
    for field in ["rev", "operation", "collection", "rkey", "record", "cid"] {
        if let Some(value) = event["commit"].get(field) {
            payload[field] = value.clone();
        }
    }
    Ok(serde_json::to_vec(&json!({"$type": "message", "payload": payload}))?)
}
