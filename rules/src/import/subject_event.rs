//! The form of Chinese monitoring products: a scheme is subject words 主体词, event words 事件词, region words 地域词
//! and stop words 排除词, one scheme a row of a table. A post must have any of the subjects, any of the events, any of
//! the regions, and none of the stop words.
//!
//! Refuses a row that cannot be read as a whole; the other rows are still read.

mod cell;

use cell::{joined, words};

use super::{
    Draft, clip, is_blank,
    table::{self, Cell},
};
use crate::{
    query::{Field, Query, check_term},
    spelling::hint,
};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Name,
    Subject,
    Event,
    Region,
    Stop,
}

/// Heads of columns as the products and people write them.
const HEADS: &[(Column, &[&str])] = &[
    (
        Column::Name,
        &[
            "方案名称",
            "方案名",
            "方案",
            "名称",
            "监测方案",
            "监测主题",
            "主题",
            "主题名称",
            "专题",
            "专题名称",
            "任务名称",
            "scheme",
            "scheme name",
            "name",
            "topic",
            "monitor",
        ],
    ),
    (
        Column::Subject,
        &[
            "主体词",
            "主体",
            "主体关键词",
            "监测主体",
            "主关键词",
            "主词",
            "核心词",
            "品牌词",
            "品牌",
            "人物词",
            "subject",
            "subjects",
            "subject words",
            "brand",
            "brands",
            "entity",
        ],
    ),
    (
        Column::Event,
        &["事件词", "事件", "事件关键词", "行为词", "敏感词", "负面词", "event", "events", "event words"],
    ),
    (
        Column::Region,
        &[
            "地域词",
            "地域",
            "地域关键词",
            "地区词",
            "地区",
            "区域词",
            "区域",
            "region",
            "regions",
            "region words",
            "area",
            "location",
        ],
    ),
    (
        Column::Stop,
        &[
            "排除词",
            "排除",
            "排除关键词",
            "过滤词",
            "屏蔽词",
            "停用词",
            "歧义词",
            "干扰词",
            "stop words",
            "stop word",
            "stopwords",
            "stop",
            "exclude",
            "excludes",
            "excluded",
            "exclusions",
            "exclusion words",
            "not",
        ],
    ),
];

/// The column of what must not be there, in messages.
const STOP: &str = "stop words 排除词";

pub(super) fn read(text: &str, draft: &mut Draft<'_>) {
    let table = table::read(text);
    if let Some((line, column)) = table.unclosed {
        draft.remarks.lost(line, column, "this quote is never closed, so every row after it is in one cell");
        return;
    }
    let mut rows = table.rows.iter();
    let Some(head) = rows.next() else { return };
    let Some(columns) = columns(head, draft) else { return };
    for row in rows {
        scheme(row, &columns, draft);
    }
}

/// What each column holds; none when the table cannot be read at all.
fn columns(head: &[Cell], draft: &mut Draft<'_>) -> Option<Vec<Option<Column>>> {
    let mut columns: Vec<Option<Column>> = Vec::new();
    for cell in head {
        let name = cell.text.trim().trim_matches('*').to_lowercase();
        let found = HEADS.iter().find(|(_, heads)| heads.contains(&name.as_str())).map(|(column, _)| *column);
        let message = match found {
            None if name.is_empty() => None,
            None => {
                let hint = hint(&name, HEADS.iter().flat_map(|(_, heads)| heads.iter().copied()));
                let hint = if hint.is_empty() {
                    "; known are 方案名称 name, 主体词 subject, 事件词 event, 地域词 region, 排除词 stop words".to_owned()
                } else {
                    hint
                };
                Some(format!("unknown column `{}`{hint}", clip(cell.text.trim())))
            }
            Some(column) if columns.contains(&Some(column)) => {
                Some(format!("column `{}` means the same as one before it", clip(cell.text.trim())))
            }
            Some(_) => None,
        };
        let faulty = message.is_some();
        if let Some(message) = message {
            draft.remarks.lost(cell.line, cell.column, message);
        }
        columns.push(found.filter(|_| !faulty));
    }
    if !columns.iter().any(|column| matches!(column, Some(Column::Subject | Column::Event))) {
        let (line, column) = head.first().map_or((1, 1), |cell| (cell.line, cell.column));
        let message =
            "the first row names no column of subject words (主体词, subject) or event words (事件词, event)";
        draft.remarks.lost(line, column, message);
        return None;
    }
    Some(columns)
}

fn scheme(row: &[Cell], columns: &[Option<Column>], draft: &mut Draft<'_>) {
    let place = row.first().map_or((1, 1), |cell| (cell.line, cell.column));
    let mut name = None;
    let (mut subjects, mut events, mut regions, mut stops) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut sound = true;
    for (index, cell) in row.iter().enumerate() {
        let text = cell.text.trim();
        match columns.get(index) {
            _ if text.is_empty() => {}
            None => {
                let message = format!("`{}` stands in a column without a head", clip(text));
                draft.remarks.lost(cell.line, cell.column, message);
                sound = false;
            }
            // The head is reported already.
            Some(None) => {}
            Some(Some(Column::Name)) => name = Some(text),
            Some(Some(Column::Subject)) => sound &= terms(cell, "subject 主体词", &mut subjects, draft),
            Some(Some(Column::Event)) => sound &= terms(cell, "event 事件词", &mut events, draft),
            Some(Some(Column::Region)) => sound &= terms(cell, "region 地域词", &mut regions, draft),
            Some(Some(Column::Stop)) => sound &= terms(cell, STOP, &mut stops, draft),
        }
    }
    if !sound {
        let name = name.map(|name| format!(" `{}`", clip(name))).unwrap_or_default();
        let message = format!("the scheme{name} is left out for what is said of its row");
        draft.remarks.lost(place.0, place.1, message);
        return;
    }
    if subjects.is_empty() && events.is_empty() {
        let message = "columns subject 主体词 and event 事件词: a scheme needs a word in one of them";
        draft.remarks.lost(place.0, place.1, message);
        return;
    }
    let name = name.map_or_else(
        || subjects.first().or(events.first()).map(ToString::to_string).unwrap_or_default(),
        str::to_owned,
    );
    let regions = regions.into_iter().flat_map(region).collect::<Vec<_>>();
    let mut parts: Vec<Query> =
        [subjects, events, regions].into_iter().filter(|words| !words.is_empty()).map(Query::any).collect();
    if !stops.is_empty() {
        parts.push(Query::Not(Box::new(Query::any(stops))));
    }
    draft.monitor(place, &name, &Query::all(parts));
}

/// A region is spoken of, or is where the post comes from.
fn region(word: Query) -> Vec<Query> {
    match word {
        Query::Term(text) => vec![Query::Term(text.clone()), Query::Field(Field::Region, text)],
        other => vec![other],
    }
}

/// Reads the words of a cell; `a+b` are both. False when one of them cannot be searched for: nothing of it remains, or
/// it is a single character that nothing longer stands beside. To keep out a single character is well.
fn terms(cell: &Cell, column: &str, into: &mut Vec<Query>, draft: &mut Draft<'_>) -> bool {
    let mut sound = true;
    for word in words(cell, column, draft) {
        let parts: Vec<&str> = if word.quoted { vec![&word.text] } else { joined(&word.text) };
        let short_is_well = column == STOP || parts.iter().any(|part| check_term(part).is_ok());
        for part in &parts {
            if let Err(why) = check_term(part)
                && (is_blank(part) || !short_is_well)
            {
                let message = format!("column {column}: `{}`: {why}", clip(part));
                draft.remarks.lost(word.line, word.column, message);
                sound = false;
            }
        }
        let query = Query::all(parts.into_iter().map(|part| Query::Term(part.to_owned())).collect());
        if !into.contains(&query) {
            into.push(query);
        }
    }
    sound
}
