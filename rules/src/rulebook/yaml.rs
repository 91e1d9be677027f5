//! YAML text into a tree in which every node knows its place. Resolves anchors and merge keys within a budget.
//! Refuses files over 32 MiB, alias bombs, deep nesting, several documents in a file, and keys that are not text.

use rustc_hash::FxHashMap;
use saphyr_parser::{Event, Parser, ScalarStyle, Span};

/// Largest file read, bytes.
pub(super) const MAX_BYTES: usize = 32 << 20;
/// Most nodes of one file, aliases written out.
const MAX_NODES: usize = 2_000_000;
/// Deepest nesting; a rulebook needs seven.
const MAX_DEPTH: usize = 32;

/// Where something stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Index of the file.
    pub(super) file: usize,
    /// 1-based.
    pub(super) line: usize,
    /// 1-based, in characters.
    pub(super) column: usize,
}

/// A value with its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// What a value is. Scalars stay text: what they mean is for the reader of the field.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Scalar { text: String, style: ScalarStyle },
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// A fault of the YAML itself.
#[derive(Debug)]
pub(super) struct Syntax {
    pub(super) place: Place,
    pub(super) message: String,
}

impl Node {
    /// Absent, `~` or `null`.
    pub(super) fn is_null(&self) -> bool {
        match &self.value {
            Value::Scalar { text, style } => {
                *style == ScalarStyle::Plain && matches!(text.as_str(), "" | "~" | "null")
            }
            _ => false,
        }
    }

    /// What stands here, for messages.
    pub(super) fn noun(&self) -> &'static str {
        match &self.value {
            _ if self.is_null() => "nothing",
            Value::Scalar { .. } => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// Number of values, itself included, and levels of nesting, 0 for a scalar. Depth is bounded while building.
    fn measure(&self) -> (usize, usize) {
        let inner = |nodes: &mut dyn Iterator<Item = &Self>| {
            nodes.map(Self::measure).fold((1, 0), |(weight, depth), (w, d)| (weight + w, depth.max(d)))
        };
        match &self.value {
            Value::Scalar { .. } => (1, 0),
            Value::List(items) => {
                let (weight, depth) = inner(&mut items.iter());
                (weight, depth + 1)
            }
            Value::Map(pairs) => {
                let (weight, depth) = inner(&mut pairs.iter().flat_map(|(key, value)| [key, value]));
                (weight, depth + 1)
            }
        }
    }
}

/// An open collection.
struct Frame {
    anchor: usize,
    place: Place,
    is_map: bool,
    items: Vec<Node>,
}

/// Parses one file; `None` for an empty one.
pub(super) fn parse(file: usize, source: &str) -> Result<Option<Node>, Syntax> {
    let start = Place { file, line: 1, column: 1 };
    if source.len() > MAX_BYTES {
        let message = format!("the file has {} bytes; at most {MAX_BYTES} are read", source.len());
        return Err(Syntax { place: start, message });
    }
    let mut parser = Parser::new_from_str(source.strip_prefix('\u{feff}').unwrap_or(source));
    let mut tree = Tree { file, stack: Vec::new(), anchors: FxHashMap::default(), nodes: 0, root: None };
    loop {
        match parser.next_event() {
            None | Some(Ok((Event::StreamEnd, _))) => return Ok(tree.root),
            Some(Ok((event, span))) => tree.take(event, span)?,
            Some(Err(error)) => {
                let mark = error.marker();
                let place = Place { file, line: mark.line().max(1), column: mark.col() + 1 };
                let place = Source::new(source).clamp(place);
                return Err(Syntax { place, message: format!("not YAML: {}", error.info()) });
            }
        }
    }
}

struct Tree {
    file: usize,
    stack: Vec<Frame>,
    anchors: FxHashMap<usize, Node>,
    nodes: usize,
    root: Option<Node>,
}

impl Tree {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Syntax> {
        let place = Place { file: self.file, line: span.start.line().max(1), column: span.start.col() + 1 };
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let node = Node { place, value: Value::Scalar { text: text.into_owned(), style } };
                self.count(1, place)?;
                self.put(node, anchor)
            }
            Event::SequenceStart(anchor, _) => self.open(anchor, place, false),
            Event::MappingStart(anchor, _) => self.open(anchor, place, true),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(frame) = self.stack.pop() else { return Ok(()) };
                let value =
                    if frame.is_map { Value::Map(pairs(frame.items)?) } else { Value::List(frame.items) };
                self.put(Node { place: frame.place, value }, frame.anchor)
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err(Syntax {
                        place,
                        message: "an alias may not stand inside what it names".into(),
                    });
                };
                let (weight, depth) = node.measure();
                self.count(weight, place)?;
                self.nest(depth, place)?;
                self.put(node, 0)
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, anchor: usize, place: Place, is_map: bool) -> Result<(), Syntax> {
        self.count(1, place)?;
        self.nest(1, place)?;
        self.stack.push(Frame { anchor, place, is_map, items: Vec::new() });
        Ok(())
    }

    fn count(&mut self, more: usize, place: Place) -> Result<(), Syntax> {
        self.nodes = self.nodes.saturating_add(more);
        if self.nodes > MAX_NODES {
            return Err(Syntax {
                place,
                message: format!("more than {MAX_NODES} values once aliases are written out"),
            });
        }
        Ok(())
    }

    fn nest(&self, more: usize, place: Place) -> Result<(), Syntax> {
        if self.stack.len() + more > MAX_DEPTH {
            return Err(Syntax { place, message: format!("nested deeper than {MAX_DEPTH} levels") });
        }
        Ok(())
    }

    fn put(&mut self, node: Node, anchor: usize) -> Result<(), Syntax> {
        if anchor > 0 {
            // The kept copy counts too, else nested anchors would multiply memory.
            self.count(node.measure().0, node.place)?;
            self.anchors.insert(anchor, node.clone());
        }
        match self.stack.last_mut() {
            Some(frame) => frame.items.push(node),
            None if self.root.is_some() => {
                let message = "a second YAML document; give it a file of its own".into();
                return Err(Syntax { place: node.place, message });
            }
            None if node.is_null() => {}
            None => self.root = Some(node),
        }
        Ok(())
    }
}

/// Keys with their values; `<<` brings in the pairs of other mappings that are not given here.
fn pairs(items: Vec<Node>) -> Result<Vec<(Node, Node)>, Syntax> {
    let mut own: Vec<(Node, Node)> = Vec::with_capacity(items.len() / 2);
    let mut merged: Vec<Node> = Vec::new();
    let mut items = items.into_iter();
    while let (Some(key), Some(value)) = (items.next(), items.next()) {
        match &key.value {
            Value::Scalar { text, style: ScalarStyle::Plain } if text == "<<" => merged.push(value),
            Value::Scalar { .. } => own.push((key, value)),
            _ => return Err(Syntax { place: key.place, message: "a key must be text".into() }),
        }
    }
    let mut sources = Vec::new();
    for node in merged {
        match node.value {
            Value::Map(pairs) => sources.push(pairs),
            Value::List(nodes) => {
                for node in nodes {
                    let Value::Map(pairs) = node.value else { return Err(not_mergeable(node.place)) };
                    sources.push(pairs);
                }
            }
            Value::Scalar { .. } => return Err(not_mergeable(node.place)),
        }
    }
    for (key, value) in sources.into_iter().flatten() {
        if !own.iter().any(|(known, _)| same_text(known, &key)) {
            own.push((key, value));
        }
    }
    Ok(own)
}

fn not_mergeable(place: Place) -> Syntax {
    Syntax { place, message: "`<<` takes a mapping or a list of mappings".into() }
}

fn same_text(a: &Node, b: &Node) -> bool {
    matches!((&a.value, &b.value), (Value::Scalar { text: a, .. }, Value::Scalar { text: b, .. }) if a == b)
}

/// A file's text with the starts of its lines.
#[derive(Debug)]
pub(super) struct Source<'s> {
    text: &'s str,
    lines: Vec<usize>,
}

impl<'s> Source<'s> {
    pub(super) fn new(text: &'s str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        // YAML also breaks lines at a carriage return that stands alone.
        let bytes = text.as_bytes();
        let breaks = |at: &usize| match bytes[*at] {
            b'\n' => true,
            b'\r' => bytes.get(*at + 1) != Some(&b'\n'),
            _ => false,
        };
        let starts = (0..bytes.len()).filter(breaks).map(|at| at + 1);
        Self { text, lines: std::iter::once(0).chain(starts).collect() }
    }

    /// The place itself, or the end of the text where it lies beyond: the parser puts its end a line too far.
    fn clamp(&self, place: Place) -> Place {
        if place.line <= self.lines.len() {
            return place;
        }
        let last = self.lines.last().and_then(|start| self.text.get(*start..)).unwrap_or("");
        Place { line: self.lines.len(), column: last.chars().count() + 1, ..place }
    }

    /// What follows a place.
    fn from(&self, place: Place) -> &'s str {
        let line = self
            .lines
            .get(place.line.saturating_sub(1))
            .and_then(|start| self.text.get(*start..))
            .unwrap_or("");
        line.char_indices().nth(place.column.saturating_sub(1)).map_or("", |(at, _)| &line[at..])
    }
}

/// Place of the `offset`-th character of a scalar's text. Exact for plain, quoted and literal text on lines of its own;
/// within escapes it points to the nearest character that is written out.
pub(super) fn place_within(source: &Source<'_>, node: &Node, offset: usize) -> Place {
    let Value::Scalar { text, style } = &node.value else { return node.place };
    let mut place = node.place;
    let mut rest = source.from(place).chars().peekable();
    let step = |place: &mut Place, c: char| {
        if c == '\n' {
            place.line += 1;
            place.column = 1;
        } else {
            place.column += 1;
        }
    };
    match style {
        ScalarStyle::Literal | ScalarStyle::Folded => {
            // The header (`|`, `>-`, a comment) is no part of the text.
            if matches!(rest.peek(), Some('|' | '>')) {
                for c in rest.by_ref() {
                    step(&mut place, c);
                    if c == '\n' {
                        break;
                    }
                }
            }
        }
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
            if rest.next().is_some() {
                place.column += 1;
            }
        }
        ScalarStyle::Plain => {}
    }
    for (at, wanted) in text.chars().take(offset.saturating_add(1)).enumerate() {
        // Align: white space is folded and indented freely, everything else stands in the source in this order.
        while let Some(c) = rest.peek().copied() {
            if wanted.is_whitespace() || c == wanted {
                break;
            }
            step(&mut place, c);
            rest.next();
        }
        if at == offset {
            return place;
        }
        if wanted.is_whitespace() && !rest.peek().is_some_and(|c| c.is_whitespace()) {
            continue;
        }
        if let Some(c) = rest.next() {
            step(&mut place, c);
        }
    }
    place
}

#[cfg(test)]
mod tests;
