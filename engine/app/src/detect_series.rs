//! `tocsin detect-series`: surges in a table of counts over time, by the count detector of the engine. Refuses a table
//! with a bad row: the first is named by its line, and nothing is written.

use std::{fmt::Write as _, path::Path};

use anyhow::{Context as _, anyhow, bail};
use serde_json::Value;
use tocsin_connectors::scalar;
use tocsin_detect::{SeriesDetector, series::RECOMMENDED_THRESHOLD};

use crate::cli;

/// Scores every row and writes the scores.
pub fn run(options: &cli::DetectSeries) -> anyhow::Result<()> {
    let name = options.file.display().to_string();
    let table = read(&options.file).with_context(|| name.clone())?;
    let scored = score(&table, &name, options.bucket)?;
    match &options.out {
        Some(out) => std::fs::write(out, &scored.csv).with_context(|| out.display().to_string())?,
        None => print(&scored.csv),
    }
    tracing::info!(
        rows = scored.rows,
        unknown = scored.unknown,
        alarms = scored.alarms,
        bucket_seconds = scored.bucket_seconds,
        "{name}: alarms are scores of at least {RECOMMENDED_THRESHOLD}"
    );
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the scores are this command's output")]
fn print(csv: &str) {
    print!("{csv}");
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes)?;
        return Ok(bytes);
    }
    std::fs::read(path)
}

/// A table of scores and what was counted on the way.
#[derive(Debug, Default, PartialEq, Eq)]
struct Scored {
    csv: String,
    rows: usize,
    unknown: usize,
    alarms: usize,
    bucket_seconds: i64,
}

/// One row as read: where it is, its time as written and as seconds, its count unless the cell is empty.
struct Row {
    line: u64,
    written: String,
    at: i64,
    count: Option<f64>,
}

fn score(table: &[u8], name: &str, bucket: Option<i64>) -> anyhow::Result<Scored> {
    let rows = rows(table, name)?;
    let bucket_seconds = match (bucket, rows.as_slice()) {
        (Some(seconds), _) => seconds,
        (None, [first, second, ..]) => second.at.saturating_sub(first.at),
        // Nothing is judged before the warm-up.
        (None, _) => 60,
    };
    let second = rows.get(1).map_or(2, |row| row.line);
    let mut detector = SeriesDetector::new(bucket_seconds).with_context(|| {
        format!("{name}:{second}: rows are {bucket_seconds} s apart; --bucket says otherwise")
    })?;
    let mut scored =
        Scored { csv: "timestamp,anomaly_score\n".to_owned(), bucket_seconds, ..Scored::default() };
    for row in rows {
        let score = match row.count {
            Some(count) => {
                detector.observe(row.at, count).with_context(|| format!("{name}:{}", row.line))?.score
            }
            None => {
                scored.unknown += 1;
                0.0
            }
        };
        scored.rows += 1;
        scored.alarms += usize::from(score >= RECOMMENDED_THRESHOLD);
        writeln!(scored.csv, "{},{score}", row.written)?;
    }
    Ok(scored)
}

fn rows(table: &[u8], name: &str) -> anyhow::Result<Vec<Row>> {
    let table = table.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(table);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(table);
    let header = reader.headers().with_context(|| format!("{name}:1"))?.clone();
    let column = |wanted: &str| {
        header
            .iter()
            .position(|column| column.eq_ignore_ascii_case(wanted))
            .with_context(|| format!("{name}:1: no column `{wanted}`; the header must have timestamp,value"))
    };
    let (time, value) = (column("timestamp")?, column("value")?);
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                bail!("{name}:{line}: {error}");
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |column: usize| record.get(column).unwrap_or_default();
        let written = cell(time).to_owned();
        let at = scalar::instant(&Value::String(written.clone()))
            .map_err(|fault| anyhow!("{name}:{line}: timestamp `{written}`: {}", fault.detail))?
            .as_second();
        let count = match cell(value) {
            "" => None,
            text => Some(
                text.parse().ok().with_context(|| format!("{name}:{line}: value `{text}` is no number"))?,
            ),
        };
        rows.push(Row { line, written, at, count });
    }
    Ok(rows)
}

/// `300`, `90s`, `5m`, `1h` or `1d` as seconds.
pub fn parse_bucket(text: &str) -> Result<i64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => 0,
    };
    match digits.parse::<i64>().ok().and_then(|number| number.checked_mul(unit)) {
        Some(seconds) if (1..=7 * 86_400).contains(&seconds) => Ok(seconds),
        _ => Err("say a length from 1s to 7d, such as `5m`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(table: &str) -> String {
        format!("{:#}", score(table.as_bytes(), "t.csv", None).unwrap_err())
    }

    #[test]
    fn a_surge_is_scored_in_its_row_and_times_are_written_as_read() {
        let mut table = String::from("value,note,timestamp\n");
        for i in 0..600 {
            let (hour, minute) = (i / 12 % 24, i % 12 * 5);
            let value = if i == 500 { 400 } else { 20 + i * 7 % 11 };
            writeln!(table, "{value},x,2015-02-{:02} {hour:02}:{minute:02}:53", 2 + i / 288).unwrap();
        }
        let scored = score(table.as_bytes(), "t.csv", None).unwrap();
        assert_eq!((scored.rows, scored.unknown, scored.alarms, scored.bucket_seconds), (600, 0, 1, 300));
        let row = scored.csv.lines().nth(501).unwrap();
        let (time, value) = row.split_once(',').unwrap();
        assert_eq!(time, "2015-02-03 17:40:53");
        assert!((RECOMMENDED_THRESHOLD..=1.0).contains(&value.parse().unwrap()), "{row}");
    }

    #[test]
    fn times_with_and_without_a_zone_and_unknown_counts() {
        let table = "timestamp,value\n2015-02-26T21:42:53Z,4\n2015-02-26T22:47:53+01:00,\n1424987573,6\n";
        let scored = score(table.as_bytes(), "t.csv", None).unwrap();
        assert_eq!((scored.rows, scored.unknown, scored.bucket_seconds), (3, 1, 300));
        assert_eq!(score(b"timestamp,value\n", "t.csv", None).unwrap().csv, "timestamp,anomaly_score\n");
    }

    #[test]
    fn bad_rows_are_named_by_their_line() {
        let head = "timestamp,value\n2015-02-26 21:40,1\n";
        for (rows, expected) in [
            ("2015-02-26 21:45,-3\n", "t.csv:3: -3 is negative: a count cannot be"),
            ("2015-02-26 21:45,NaN\n", "t.csv:3: NaN is not a number that can be counted to"),
            (
                "2015-02-26 21:45,1\n2015-02-26 21:44,1\n",
                "t.csv:4: its time is not after that of the point before it",
            ),
            ("2015-02-26 21:45,many\n", "t.csv:3: value `many` is no number"),
        ] {
            assert_eq!(fault(&format!("{head}{rows}")), expected);
        }
        assert!(fault(&format!("{head}yesterday,1\n")).starts_with("t.csv:3: timestamp `yesterday`: "));
        assert!(fault(&format!("{head}2015-02-26 21:45\n")).starts_with("t.csv:3: "));
        assert!(fault(&format!("{head}2015-02-26 21:40,1\n")).starts_with("t.csv:3: rows are 0 s apart"));
        assert!(fault("time,value\n").starts_with("t.csv:1: no column `timestamp`"));
        assert!(score(b"timestamp,value\n\xff\xfe,3\n", "t.csv", None).is_err());
    }

    #[test]
    fn lengths_of_buckets() {
        for (text, seconds) in [("300", 300), ("90s", 90), ("5m", 300), ("1h", 3_600), ("7d", 604_800)] {
            assert_eq!(parse_bucket(text), Ok(seconds));
        }
        for bad in ["", "m", "0", "-5m", "8d", "5 m", "5é", "9223372036854775807d"] {
            assert!(parse_bucket(bad).is_err(), "{bad}");
        }
    }
}
