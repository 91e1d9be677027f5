//! Which of the three shapes a file has: JSON lines, one JSON array, or CSV. Looks at the head only; refuses to guess
//! what the records mean.

use std::{
    io::{self, BufRead},
    path::Path,
};

use super::{Format, ReadOptions};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Empty,
    Lines,
    Array,
    Csv,
}

type Opened = (Shape, Box<dyn BufRead + Send>, u64);

/// The shape, the input past its byte-order mark and leading blank lines, and the number of the line it stands on.
pub(super) fn find(
    mut input: Box<dyn BufRead + Send>,
    path: &Path,
    options: &ReadOptions,
) -> io::Result<Opened> {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    if input.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
        input.consume(BYTE_ORDER_MARK.len());
    }
    let mut line = 1;
    let shape = loop {
        let head = input.fill_buf()?;
        match head.first() {
            None => break Shape::Empty,
            Some(b'\n') => line += 1,
            Some(b' ' | b'\t' | b'\r') => {}
            Some(_) => break of(head, path, options.format),
        }
        input.consume(1);
    };
    Ok((shape, input, line))
}

fn of(head: &[u8], path: &Path, format: Format) -> Shape {
    let extension = extension(path);
    let json_lines = matches!(extension.as_str(), "jsonl" | "ndjson");
    match (format, head[0]) {
        (Format::Csv, _) => Shape::Csv,
        (_, b'[') if !json_lines => Shape::Array,
        (Format::Mention | Format::Jsonl, _) | (_, b'{') => Shape::Lines,
        _ if json_lines || extension == "json" => Shape::Lines,
        _ if extension == "csv" || looks_like_csv(head) => Shape::Csv,
        _ => Shape::Lines,
    }
}

/// Extension in lower case, `.gz` put aside.
fn extension(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.rsplit_once('.').map(|(_, extension)| extension.to_owned()).unwrap_or_default()
}

/// A first line of several short plain names, with no JSON on the second.
fn looks_like_csv(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.next().map(std::str::from_utf8);
    let Some(Ok(first)) = first else { return false };
    let plain = |cell: &str| {
        let cell = cell.trim().trim_matches('"');
        !cell.is_empty()
            && cell.len() <= 64
            && !cell.contains(|c: char| c.is_control() || "{}[]:".contains(c))
    };
    first.contains(',')
        && first.trim_end().split(',').all(plain)
        && !lines.next().is_some_and(|second| second.trim_ascii_start().starts_with(b"{"))
}
