//! One sheet of a workbook: its first row that holds anything is the header, each further row a record. Refuses nothing
//! but the file as a whole: cells that are errors or empty are absent.

use std::{collections::VecDeque, path::Path};

use calamine::{Data, Reader as _, open_workbook_auto};
use serde_json::{Map, Value};
use tocsin_rules::RejectionReason;

use crate::{
    Item, ReadOptions, Rejected,
    decode::{Decoder, Place},
    item::refuse,
};

/// Every row of the sheet, or one refusal that says what is wrong with the file.
pub(super) fn items(path: &Path, options: &ReadOptions, sheet: Option<&str>) -> VecDeque<Item> {
    match rows(path, options, sheet) {
        Ok(items) => items,
        Err(detail) => VecDeque::from([refused(path, detail)]),
    }
}

/// A file refused as a whole.
pub(super) fn refused(path: &Path, detail: String) -> Item {
    let rejection = refuse(RejectionReason::InvalidField, "", detail);
    Item::Rejected(Box::new(Rejected::at(&path.display().to_string(), 1, rejection, &[])))
}

fn rows(path: &Path, options: &ReadOptions, sheet: Option<&str>) -> Result<VecDeque<Item>, String> {
    let mut workbook = open_workbook_auto(path).map_err(|_| "no workbook that can be read".to_owned())?;
    let range = match sheet {
        Some(name) => workbook.worksheet_range(name).map_err(|_| format!("no sheet `{name}`"))?,
        None => match workbook.worksheet_range_at(0) {
            Some(range) => range.map_err(|_| "the first sheet cannot be read".to_owned())?,
            None => return Err("the workbook has no sheet".to_owned()),
        },
    };
    let (decoder, file) = (Decoder::new(options, path), path.display().to_string());
    let first = range.start().map_or(1, |(row, _)| u64::from(row) + 1);
    let mut rows = range.rows().zip(first..).filter(|(row, _)| row.iter().any(|cell| *cell != Data::Empty));
    let Some((header, _)) = rows.next() else { return Err("the sheet is empty".to_owned()) };
    let header: Vec<String> = header.iter().map(|cell| cell.to_string().trim().to_owned()).collect();
    let mut items = VecDeque::new();
    for (row, line) in rows {
        let fields: Map<String, Value> = header
            .iter()
            .zip(row)
            .filter(|(name, _)| !name.is_empty())
            .filter_map(|(name, cell)| Some((name.clone(), value(cell)?)))
            .collect();
        items.push_back(match decoder.columns(&fields, Place { line, ordinal: line }) {
            Ok(mention) => Item::Mention(Box::new(mention)),
            Err(rejection) => {
                let raw = Value::Object(fields).to_string();
                Item::Rejected(Box::new(Rejected::at(&file, line, rejection, raw.as_bytes())))
            }
        });
    }
    Ok(items)
}

/// A cell as CSV would have it. Dates in Excel know no zone: they are read like any other date without one.
fn value(cell: &Data) -> Option<Value> {
    Some(match cell {
        Data::Int(number) => Value::from(*number),
        Data::Float(number) => whole(*number).map_or_else(|| Value::from(*number), Value::from),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => Value::from(text.as_str()),
        Data::Bool(flag) => Value::from(*flag),
        Data::DateTime(at) => {
            let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
            Value::from(format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"))
        }
        Data::Error(_) | Data::Empty => return None,
    })
}

/// Excel keeps every number as a float; ids and counters are whole.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
    (number.fract() == 0.0 && number.abs() < EXACT).then_some(number as i64)
}
