//! A Brandwatch query: AND, OR, NOT, brackets, quotes, `NEAR/5`, `NEAR/5f`, `"a b"~5`, `word*`, `{BT}`, `<<<comments>>>`
//! and the fields that have a counterpart. Words side by side mean AND.
//!
//! Refuses what has none, all of it at once; what surrounds a lost part is read on.

mod fields;
mod lexer;
mod terms;

use super::{Draft, clip, remarks::Places};
use crate::query::Query;
use lexer::{Kind, Token, tokens};

/// Deepest nesting, as in our own queries.
const MAX_DEPTH: usize = 50;
/// Longest query read, in characters, as in our own queries.
const MAX_LENGTH: usize = 65_536;

pub(super) fn read(text: &str, name: &str, draft: &mut Draft<'_>) {
    let places = Places::of(text);
    let mut losses = Vec::new();
    let length = text.chars().count();
    if length > MAX_LENGTH {
        let message = format!("a query has at most {MAX_LENGTH} characters, this has {length}");
        draft.remarks.lost(1, 1, message);
        return;
    }
    let tokens = tokens(text, &mut losses);
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0, losses, wider: None };
    let query = parser.whole();
    if let (Some(at), Some(_)) = (parser.wider, &query) {
        let (line, column) = places.of_char(at);
        let message = "what is lost here was joined by AND or NOT, so the query finds more than it did";
        draft.remarks.note(line, column, message);
    }
    for loss in parser.losses {
        let (line, column) = places.of_char(loss.at);
        draft.remarks.lost(line, column, loss.message);
    }
    if let Some(query) = query {
        draft.monitor(places.of_char(tokens.first().map_or(0, |token| token.start)), name, &query);
    }
}

/// Something without a counterpart.
#[derive(Debug)]
struct Loss {
    /// Character, from 0.
    at: usize,
    message: String,
}

/// Reads tokens; a part that is lost is `None`, its loss noted.
#[derive(Debug)]
struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
    depth: usize,
    losses: Vec<Loss>,
    /// First part joined by AND that is lost.
    wider: Option<usize>,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<&'t Kind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    fn lose<T>(&mut self, at: usize, message: impl Into<String>) -> Option<T> {
        self.losses.push(Loss { at, message: message.into() });
        None
    }

    fn whole(&mut self) -> Option<Query> {
        let mut parts: Vec<Query> = Vec::new();
        while let Some(token) = self.tokens.get(self.at) {
            if token.kind == Kind::Close {
                self.at += 1;
                self.lose::<()>(token.start, "this bracket closes nothing");
            } else {
                parts.extend(self.alternatives());
            }
        }
        (!parts.is_empty()).then(|| Query::all(parts))
    }

    fn alternatives(&mut self) -> Option<Query> {
        let mut parts = Vec::new();
        loop {
            parts.extend(self.conjunction());
            if self.peek() != Some(&Kind::Or) {
                break;
            }
            self.at += 1;
        }
        (!parts.is_empty()).then(|| Query::any(parts))
    }

    fn conjunction(&mut self) -> Option<Query> {
        let mut parts = Vec::new();
        let mut wanted = true;
        while let Some(token) = self.tokens.get(self.at) {
            match token.kind {
                Kind::Or | Kind::Close => break,
                Kind::And if !wanted => {
                    self.at += 1;
                    wanted = true;
                }
                Kind::And | Kind::Near { .. } | Kind::Tilde(_) => {
                    self.at += 1;
                    self.lose::<()>(token.start, "nothing stands before this operator");
                }
                _ => {
                    let part = self.operand();
                    if part.is_none() {
                        self.wider.get_or_insert(token.start);
                    }
                    parts.extend(part);
                    wanted = false;
                }
            }
        }
        if wanted {
            let at = self.tokens.get(self.at).or(self.tokens.last()).map_or(0, |token| token.start);
            self.lose::<()>(at, "a term is missing here");
        }
        (!parts.is_empty()).then(|| Query::all(parts))
    }

    fn deeper<T>(&mut self, at: usize, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.depth >= MAX_DEPTH {
            self.at = self.tokens.len();
            return self.lose(at, format!("nested more than {MAX_DEPTH} deep; use a word list instead"));
        }
        self.depth += 1;
        let part = read(self);
        self.depth -= 1;
        part
    }

    fn operand(&mut self) -> Option<Query> {
        let token = self.tokens.get(self.at)?;
        if token.kind != Kind::Not {
            return self.near();
        }
        self.at += 1;
        if matches!(self.peek(), None | Some(Kind::And | Kind::Or | Kind::Close)) {
            return self.lose(token.start, "nothing follows NOT");
        }
        let part = self.deeper(token.start, Self::operand)?;
        Some(Query::Not(Box::new(part)))
    }

    /// One operand, or two with NEAR between.
    fn near(&mut self) -> Option<Query> {
        let start = self.tokens.get(self.at)?.start;
        let left = self.primary();
        let Some(token) = self.tokens.get(self.at) else { return left };
        let Kind::Near { ordered, distance } = token.kind else { return left };
        self.at += 1;
        let second = self.tokens.get(self.at).map(|token| token.start);
        if matches!(
            self.peek(),
            None | Some(Kind::And | Kind::Or | Kind::Close | Kind::Not | Kind::Near { .. })
        ) {
            return self.lose(token.start, "a term must follow NEAR");
        }
        let right = self.primary();
        let mut chained = false;
        while let Some(next) = self.tokens.get(self.at).filter(|next| matches!(next.kind, Kind::Near { .. }))
        {
            self.at += 1;
            self.primary();
            if !chained {
                self.lose::<()>(next.start, "a second NEAR has no brackets to say what it belongs to; join pairs, as in `(a NEAR/5 b) (b NEAR/5 c)`");
            }
            chained = true;
        }
        let (left, right) = (left?, right?);
        let Some(distance) = distance.filter(|_| !chained) else {
            let message = "NEAR takes a distance of 0 to 1000, as in NEAR/5 or NEAR/5f";
            return if chained { None } else { self.lose(token.start, message) };
        };
        self.sides(ordered, distance, [(left, start), (right, second.unwrap_or(start))])
    }

    fn sides(&mut self, ordered: bool, distance: u32, sides: [(Query, usize); 2]) -> Option<Query> {
        let mut sound = true;
        for (side, at) in &sides {
            if side.terms().is_none() {
                self.lose::<()>(*at, "each side of NEAR is a term, or a bracket of terms joined by OR");
                sound = false;
            }
        }
        let [(left, _), (right, _)] = sides;
        sound.then(|| Query::Near { ordered, distance, sides: Box::new([left, right]) })
    }

    fn primary(&mut self) -> Option<Query> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        match &token.kind {
            Kind::Open => self.bracket(token),
            Kind::Phrase(text) => match self.tilde(token.end) {
                Some((at, distance)) => self.scattered(text, token, at, distance),
                None => self.term(text, token),
            },
            Kind::Cased(text) => self.cased(text, token),
            Kind::Word(word) => self.bare(word, token),
            Kind::Field { name, value } => self.field(name, value, token),
            Kind::And | Kind::Or | Kind::Not | Kind::Near { .. } | Kind::Tilde(_) | Kind::Close => {
                self.at -= usize::from(token.kind == Kind::Close);
                self.lose(token.start, "a term is missing here")
            }
        }
    }

    /// `~5` right after character `end`.
    fn tilde(&mut self, end: usize) -> Option<(usize, Option<u32>)> {
        let next = self.tokens.get(self.at).filter(|next| next.start == end)?;
        let Kind::Tilde(distance) = next.kind else { return None };
        self.at += 1;
        Some((next.start, distance))
    }

    fn bracket(&mut self, open: &Token) -> Option<Query> {
        let first = self.tokens.get(self.at).map_or(open.start, |token| token.start);
        let part = self.deeper(open.start, Self::alternatives);
        let Some(close) = self.tokens.get(self.at).filter(|token| token.kind == Kind::Close) else {
            if self.depth < MAX_DEPTH && self.losses.iter().all(|loss| !loss.message.starts_with("nested")) {
                self.lose::<()>(open.start, "this bracket is never closed");
            }
            return part;
        };
        self.at += 1;
        let Some((at, distance)) = self.tilde(close.end) else { return part };
        match (part?, distance) {
            // ((a OR b) AND (c OR d))~5
            (Query::And(parts), Some(distance)) => match <[Query; 2]>::try_from(parts) {
                Ok([left, right]) => self.sides(false, distance, [(left, first), (right, first)]),
                Err(_) => self.lose(at, "`~` joins two sides; for three, join pairs with NEAR"),
            },
            (_, None) => self.lose(at, "`~` takes a distance of 0 to 1000"),
            _ => self.lose(at, "`~` after a bracket joins two sides, as in `((a OR b) AND (c OR d))~5`"),
        }
    }

    /// `"apple juice"~5`: both words, in any order.
    fn scattered(&mut self, text: &str, token: &Token, at: usize, distance: Option<u32>) -> Option<Query> {
        let Some(distance) = distance else { return self.lose(at, "`~` takes a distance of 0 to 1000") };
        let words: Vec<&str> = text.split_whitespace().collect();
        let [left, right] = words[..] else {
            return self.lose(
                at,
                "`~` after a phrase is carried over for two words; for more, join pairs with NEAR",
            );
        };
        let left = self.term(left, token);
        let right = self.term(right, token);
        self.sides(false, distance, [(left?, token.start), (right?, token.start)])
    }
}
