//! Sentiment in texts a second of CPU on one thread, beside snownlp and vaderSentiment of pip, in one run on the same texts.
//! `sentiment --data DIR [--texts N]`; a Python package that cannot be imported is left out and named.

use std::{path::Path, process::Command};

use anyhow::Context as _;
use tocsin_score::{Linear, labelled::LabelledFile};

/// Reads JSON lines of texts from the file named second, prints the texts per second of the package named first.
const PYTHON: &str = "
import json, sys, time
texts = [json.loads(line) for line in open(sys.argv[2], encoding='utf-8')]
if sys.argv[1] == 'snownlp':
    from snownlp import SnowNLP
    judge = lambda text: SnowNLP(text).sentiments
else:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    judge = SentimentIntensityAnalyzer().polarity_scores
judge(texts[0])
start = time.process_time()
for text in texts:
    judge(text)
print(len(texts) / (time.process_time() - start))
";

#[expect(clippy::print_stdout, reason = "the table is this program's output")]
fn main() -> anyhow::Result<()> {
    let (mut data, mut most) = (None, 2_000_usize);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--data" => data = Some(value),
            "--texts" => most = value.parse()?,
            _ => anyhow::bail!("unknown option {name}; usage: sentiment --data DIR [--texts N]"),
        }
    }
    let data = data.context("--data DIR is missing")?;
    let model = Linear::shipped()?;
    println!("{:>28}  {:>6}  {:>14}  {:>12}  {:>7}", "set", "texts", "linear/s", "other/s", "ratio");
    for (set, package, most) in [
        ("smp2020_usual", "snownlp", most.min(300)),
        ("online_shopping", "snownlp", most.min(300)),
        ("tweeteval_sentiment", "vaderSentiment", most),
        ("vader_gt_tweets", "vaderSentiment", most),
    ] {
        let path = Path::new(&data).join(format!("sentiment/{set}.jsonl"));
        let content = std::fs::read(&path).with_context(|| path.display().to_string())?;
        let mut texts: Vec<String> =
            LabelledFile::parse(set, &content).texts.into_iter().map(|labelled| labelled.text).collect();
        texts.truncate(most);
        anyhow::ensure!(!texts.is_empty(), "{}: no texts", path.display());
        let before = linear(&model, &texts)?;
        let other = python(package, &texts)?;
        let after = linear(&model, &texts)?;
        let ours = f64::midpoint(before, after);
        match other {
            Ok(other) => println!(
                "{set:>28}  {:>6}  {ours:>14.0}  {other:>12.0}  {:>7.0}  {package}",
                texts.len(),
                ours / other
            ),
            Err(why) => println!("{set:>28}  {:>6}  {ours:>14.0}  {package} left out: {why}", texts.len()),
        }
    }
    Ok(())
}

/// CPU seconds measured at least, each time.
const MEASURED: f64 = 0.5;

/// Texts per second of CPU of the linear model; the first pass warms up.
fn linear(model: &Linear, texts: &[String]) -> anyhow::Result<f64> {
    let pass = || {
        for text in texts {
            std::hint::black_box(model.text(text));
        }
    };
    pass();
    let (start, mut judged) = (cpu_seconds()?, 0_usize);
    loop {
        pass();
        judged += texts.len();
        let seconds = cpu_seconds()? - start;
        if seconds >= MEASURED {
            return Ok(judged as f64 / seconds);
        }
    }
}

/// CPU time of this thread so far, as Python's `process_time` counts it: what else runs on the core is not in it.
fn cpu_seconds() -> anyhow::Result<f64> {
    let file = "/proc/thread-self/schedstat";
    let content = std::fs::read_to_string(file).with_context(|| format!("{file}: the CPU time of Linux"))?;
    let nanoseconds: f64 = content.split(' ').next().unwrap_or_default().parse().context(file)?;
    Ok(nanoseconds / 1e9)
}

/// Texts per second of CPU of a Python package, or why it could not be measured.
fn python(package: &str, texts: &[String]) -> anyhow::Result<Result<f64, String>> {
    let file = std::env::temp_dir().join(format!("tocsin-sentiment-{}.jsonl", std::process::id()));
    let lines: Result<Vec<String>, _> = texts.iter().map(serde_json::to_string).collect();
    std::fs::write(&file, lines?.join("\n"))?;
    let done = Command::new("python3").args(["-c", PYTHON, package]).arg(&file).output();
    std::fs::remove_file(&file)?;
    let done = match done {
        Ok(done) => done,
        Err(why) => return Ok(Err(format!("python3: {why}"))),
    };
    let said = String::from_utf8_lossy(&done.stderr);
    Ok(String::from_utf8_lossy(&done.stdout)
        .trim()
        .parse()
        .map_err(|_| said.lines().last().unwrap_or("no answer").to_owned()))
}
