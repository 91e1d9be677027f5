//! Reads a table of text, comma or tab between cells, and knows where every cell stands. Refuses nothing but a quote
//! that is never closed: what the cells mean is the reader's business.

/// A cell with the place of its first character, the opening quote left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) text: String,
}

/// The rows, blank lines left out, and where a quote is never closed.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) rows: Vec<Vec<Cell>>,
    pub(super) unclosed: Option<(usize, usize)>,
}

/// Reads a table; the first line decides between comma, tab and semicolon.
pub(super) fn read(text: &str) -> Table {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let between = ['\t', ',', ';'].into_iter().find(|c| first.contains(*c)).unwrap_or(',');
    let mut table = Table::default();
    let mut row: Vec<Cell> = Vec::new();
    let (mut line, mut column) = (1, 1);
    let mut chars = text.chars().peekable();
    let mut cell = Cell { line, column, text: String::new() };
    let mut quoted = None;
    let mut fresh = true;
    while let Some(c) = chars.next() {
        let here = (line, column);
        (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
        if quoted.is_some() {
            match c {
                '"' if chars.peek() == Some(&'"') => {
                    chars.next();
                    column += 1;
                    cell.text.push('"');
                }
                '"' => quoted = None,
                c => cell.text.push(c),
            }
        } else if c == '"' && fresh {
            quoted = Some(here);
            cell = Cell { line, column, text: String::new() };
            fresh = false;
        } else if c == between {
            row.push(std::mem::replace(&mut cell, Cell { line, column, text: String::new() }));
            fresh = true;
        } else if c == '\n' {
            row.push(std::mem::replace(&mut cell, Cell { line, column, text: String::new() }));
            end_row(&mut table, &mut row);
            fresh = true;
        } else if c != '\r' || chars.peek() != Some(&'\n') {
            fresh &= c.is_whitespace();
            cell.text.push(c);
        }
    }
    table.unclosed = quoted;
    row.push(cell);
    end_row(&mut table, &mut row);
    table
}

fn end_row(table: &mut Table, row: &mut Vec<Cell>) {
    let row = std::mem::take(row);
    if row.iter().any(|cell| !cell.text.trim().is_empty()) {
        table.rows.push(row);
    }
}
