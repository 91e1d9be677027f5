//! Parses a query's text, reporting every fault it finds with its place. Refuses to guess: an unknown field is a
//! fault with a suggestion, never a word to search for.

use super::{
    Query, QueryFault,
    lexer::{Token, TokenKind, tokens},
    sound::Anchor,
};
/// Deepest nesting of brackets and NOTs.
pub(super) const MAX_DEPTH: usize = 50;
/// Longest query, in characters.
const MAX_LENGTH: usize = 65_536;

impl Query {
    /// Parses a query. NOT binds tighter than AND, AND tighter than OR; words side by side mean AND.
    ///
    /// # Errors
    /// Every fault found, in order of place; the text of the query is never partly accepted.
    pub fn parse(text: &str) -> Result<Self, Vec<QueryFault>> {
        Self::read(text, true)
    }

    /// As [`Query::parse`], without asking whether it may stand alone.
    pub(super) fn parse_unanchored(text: &str) -> Result<Self, Vec<QueryFault>> {
        Self::read(text, false)
    }

    fn read(text: &str, anchored: bool) -> Result<Self, Vec<QueryFault>> {
        let mut faults = Vec::new();
        let length = text.chars().count();
        if length > MAX_LENGTH {
            let message = format!("a query has at most {MAX_LENGTH} characters, this has {length}");
            return Err(vec![QueryFault { start: MAX_LENGTH, end: length, message }]);
        }
        let tokens = tokens(text, &mut faults);
        let mut parser = Parser { tokens: &tokens, at: 0, length, depth: 0, faults };
        let part = parser.any();
        let mut faults = parser.faults;
        if let Some(part) = &part
            && anchored
            && faults.is_empty()
            && let Some(reason) = part.anchor.refusal()
        {
            faults.push(QueryFault { start: part.blame.0, end: part.blame.1, message: reason.to_owned() });
        }
        match part {
            Some(part) if faults.is_empty() => Ok(part.query),
            _ => {
                faults.sort_by_key(|fault| (fault.start, fault.end));
                faults.dedup();
                Err(faults)
            }
        }
    }
}

/// A parsed part, where it stands, and whether it may stand alone.
pub(super) struct Part {
    pub(super) query: Query,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) anchor: Anchor,
    /// What to point at when `anchor` is too weak.
    pub(super) blame: (usize, usize),
}

pub(super) struct Parser<'t> {
    pub(super) tokens: &'t [Token<'t>],
    pub(super) at: usize,
    length: usize,
    pub(super) depth: usize,
    faults: Vec<QueryFault>,
}

impl<'t> Parser<'t> {
    pub(super) fn peek(&self) -> Option<&'t TokenKind<'t>> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    pub(super) fn fault(&mut self, start: usize, end: usize, message: impl Into<String>) {
        self.faults.push(QueryFault { start, end, message: message.into() });
    }

    /// Parts separated by OR, up to the end; stray closing brackets are reported and skipped.
    fn any(&mut self) -> Option<Part> {
        if self.tokens.is_empty() {
            self.fault(0, self.length, "the query is empty");
            return None;
        }
        let mut part = self.alternatives();
        while let Some(token) = self.tokens.get(self.at) {
            self.fault(token.start, token.end, "this bracket closes nothing; remove it or open one before");
            self.at += 1;
            if self.at < self.tokens.len() && self.peek() != Some(&TokenKind::Close) {
                part = self.alternatives().or(part);
            }
        }
        part
    }

    fn alternatives(&mut self) -> Option<Part> {
        let mut parts = Vec::new();
        loop {
            parts.extend(self.conjunction());
            if self.peek() != Some(&TokenKind::Or) {
                break;
            }
            self.at += 1;
        }
        Self::combine(parts, Query::any, |anchors| anchors.min())
    }

    fn conjunction(&mut self) -> Option<Part> {
        let (mut first, mut parts) = (None, Vec::new());
        let mut wanted = true;
        loop {
            match self.peek() {
                Some(TokenKind::And) => {
                    if wanted {
                        self.missing();
                    }
                    self.at += 1;
                    wanted = true;
                }
                Some(TokenKind::Near(..)) => {
                    self.missing();
                    self.at += 1;
                    wanted = true;
                }
                None | Some(TokenKind::Or | TokenKind::Close) => {
                    if wanted {
                        self.missing();
                    }
                    break;
                }
                Some(_) => {
                    let part = self.operand();
                    // Between two ORs there is mostly one part: no need to gather it.
                    if first.is_none() && parts.is_empty() {
                        first = part;
                    } else {
                        parts.extend(first.take().into_iter().chain(part));
                    }
                    wanted = false;
                }
            }
        }
        if first.is_some() {
            return first;
        }
        // A term that is long enough holds the rest; else a short one is blamed before a field is trusted.
        Self::combine(parts, Query::all, |anchors| {
            let anchors: Vec<Anchor> = anchors.collect();
            [Anchor::Term, Anchor::Short, Anchor::Field, Anchor::Negative]
                .into_iter()
                .find(|a| anchors.contains(a))
        })
    }

    /// Something was expected before the current token.
    fn missing(&mut self) {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        let (start, end) = match (before, self.tokens.get(self.at)) {
            (_, Some(next)) if !matches!(next.kind, TokenKind::Close) => (next.start, next.end),
            (Some(before), _) => (before.start, before.end),
            (None, Some(next)) => (next.start, next.end),
            (None, None) => (self.length, self.length),
        };
        let word = |kind: &TokenKind<'_>| match kind {
            TokenKind::And => "`AND`",
            TokenKind::Or => "`OR`",
            TokenKind::Not => "`NOT`",
            TokenKind::Near(false, _) => "`NEAR`",
            TokenKind::Near(true, _) => "`ONEAR`",
            TokenKind::Open => "the opening bracket",
            _ => "this",
        };
        let message = match (before.map(|token| &token.kind), self.peek()) {
            (_, Some(next @ (TokenKind::And | TokenKind::Or | TokenKind::Near(..)))) => {
                format!("nothing stands before {}; to search for the word itself, quote it", word(next))
            }
            (Some(kind), _) => format!("nothing follows {}", word(kind)),
            (None, _) => "this bracket closes nothing; remove it or open one before".to_owned(),
        };
        self.fault(start, end, message);
    }

    fn combine(
        mut parts: Vec<Part>,
        make: impl FnOnce(Vec<Query>) -> Query,
        weigh: impl FnOnce(&mut dyn Iterator<Item = Anchor>) -> Option<Anchor>,
    ) -> Option<Part> {
        if parts.len() < 2 {
            return parts.pop();
        }
        let anchor = weigh(&mut parts.iter().map(|part| part.anchor))?;
        let (start, end) = (parts.first()?.start, parts.last()?.end);
        let one = parts.iter().filter(|part| part.anchor == anchor);
        // Where every part is negative the whole is to blame, not one of them.
        let all_alike = parts.iter().all(|part| part.anchor == anchor);
        let blame = one.map(|part| part.blame).next().filter(|_| !all_alike).unwrap_or((start, end));
        Some(Part {
            query: make(parts.into_iter().map(|part| part.query).collect()),
            start,
            end,
            anchor,
            blame,
        })
    }

    pub(super) fn too_deep(&mut self, token: &Token<'_>) -> Option<Part> {
        self.fault(
            token.start,
            token.end,
            format!("nested more than {MAX_DEPTH} deep; use a word list instead"),
        );
        self.at = self.tokens.len();
        None
    }

    /// NOT and what it denies, or one operand with its neighbour.
    fn operand(&mut self) -> Option<Part> {
        let token = self.tokens.get(self.at)?;
        if token.kind != TokenKind::Not {
            return self.near();
        }
        if self.depth >= MAX_DEPTH {
            return self.too_deep(token);
        }
        self.at += 1;
        if matches!(self.peek(), None | Some(TokenKind::And | TokenKind::Or | TokenKind::Close)) {
            self.fault(
                token.start,
                token.end,
                "nothing follows `NOT`; to search for the word itself, quote it",
            );
            return None;
        }
        self.depth += 1;
        let part = self.operand();
        self.depth -= 1;
        let part = part?;
        let span = (token.start, part.end);
        let query = Query::Not(Box::new(part.query));
        Some(Part { query, start: span.0, end: span.1, anchor: Anchor::Negative, blame: span })
    }

    /// A bracket, phrase, word or field, with how often.
    pub(super) fn primary(&mut self) -> Option<Part> {
        let token = self.tokens.get(self.at)?;
        let part = match &token.kind {
            TokenKind::Open => self.bracket(token),
            TokenKind::Phrase(text) => {
                self.at += 1;
                self.phrase(text, token)
            }
            TokenKind::Word(word) => {
                self.at += 1;
                self.word(word, token)
            }
            TokenKind::And | TokenKind::Or | TokenKind::Not | TokenKind::Near(..) | TokenKind::Close => {
                self.missing();
                return None;
            }
        };
        self.attached_count(part)
    }

    fn bracket(&mut self, token: &Token<'_>) -> Option<Part> {
        if self.depth >= MAX_DEPTH {
            return self.too_deep(token);
        }
        self.at += 1;
        self.depth += 1;
        let part = self.alternatives();
        self.depth -= 1;
        if let Some(close) = self.tokens.get(self.at).filter(|close| close.kind == TokenKind::Close) {
            self.at += 1;
            return part.map(|part| Part { start: token.start, end: close.end, ..part });
        }
        // At the depth limit everything was skipped; one fault is enough.
        if !self.faults.iter().any(|fault| fault.message.starts_with("nested")) {
            self.fault(token.start, token.end, "this bracket is never closed; add `)`");
        }
        part
    }
}
