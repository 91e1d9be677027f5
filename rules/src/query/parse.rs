//! Parses a query's text, reporting every fault it finds with its place. Refuses to guess: an unknown field is a
//! fault with a suggestion, never a word to search for.

use super::{
    Comparison, Query, QueryFault,
    lexer::{Token, TokenKind, tokens},
    sound::Anchor,
};
use crate::{
    mention::{Kind, Platform, Verified},
    spelling,
};

/// Deepest nesting of brackets and NOTs.
const MAX_DEPTH: usize = 50;
/// Longest query, in characters.
const MAX_LENGTH: usize = 65_536;
const FIELDS: [&str; 6] = ["platform", "lang", "kind", "verified", "followers", "list"];

impl Query {
    /// Parses a query. NOT binds tighter than AND, AND tighter than OR; words side by side mean AND.
    ///
    /// # Errors
    /// Every fault found, in order of place; the text of the query is never partly accepted.
    pub fn parse(text: &str) -> Result<Self, Vec<QueryFault>> {
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
struct Part {
    query: Query,
    start: usize,
    end: usize,
    anchor: Anchor,
    /// What to point at when `anchor` is too weak.
    blame: (usize, usize),
}

struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
    length: usize,
    depth: usize,
    faults: Vec<QueryFault>,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<&'t TokenKind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    fn fault(&mut self, start: usize, end: usize, message: impl Into<String>) {
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
        let mut parts = Vec::new();
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
                None | Some(TokenKind::Or | TokenKind::Close) => {
                    if wanted {
                        self.missing();
                    }
                    break;
                }
                Some(_) => {
                    parts.extend(self.operand());
                    wanted = false;
                }
            }
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
        let word = |kind: &TokenKind| match kind {
            TokenKind::And => "`AND`",
            TokenKind::Or => "`OR`",
            TokenKind::Not => "`NOT`",
            TokenKind::Open => "the opening bracket",
            _ => "this",
        };
        let message = match (before.map(|token| &token.kind), self.peek()) {
            (_, Some(next @ (TokenKind::And | TokenKind::Or))) => {
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

    fn operand(&mut self) -> Option<Part> {
        let token = self.tokens.get(self.at)?;
        if self.depth >= MAX_DEPTH && matches!(token.kind, TokenKind::Open | TokenKind::Not) {
            self.fault(
                token.start,
                token.end,
                format!("nested more than {MAX_DEPTH} deep; use a word list instead"),
            );
            self.at = self.tokens.len();
            return None;
        }
        self.at += 1;
        match &token.kind {
            TokenKind::Not => {
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
            TokenKind::Open => {
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
            TokenKind::Phrase(text) => self.term(text, token),
            TokenKind::Word(word) => match self.field(word, token) {
                Ok(Some(query)) => {
                    let anchor = if matches!(query, Query::List(_)) { Anchor::Term } else { Anchor::Field };
                    let (start, end) = (token.start, token.end);
                    Some(Part { query, start, end, anchor, blame: (start, end) })
                }
                Ok(None) => self.term(word, token),
                Err(message) => {
                    self.fault(token.start, token.end, message);
                    None
                }
            },
            TokenKind::And | TokenKind::Or | TokenKind::Close => None,
        }
    }

    fn term(&mut self, text: &str, token: &Token) -> Option<Part> {
        let (start, end) = (token.start, token.end);
        let Some(anchor) = Anchor::of(text) else {
            self.fault(start, end, "nothing to search for here: no letter, digit or symbol");
            return None;
        };
        Some(Part { query: Query::Term(text.to_owned()), start, end, anchor, blame: (start, end) })
    }

    /// `name:value`, `followers>=N`; none when the word is just a word.
    fn field(&mut self, word: &str, token: &Token) -> Result<Option<Query>, String> {
        let Some(at) = word.find([':', '：', '>', '<', '=']) else {
            if word.ends_with('*') {
                return Err(
                    "`*` is not understood yet; write the words out, or quote to search for the sign"
                        .to_owned(),
                );
            }
            return Ok(None);
        };
        let (name, rest) = word.split_at(at);
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphabetic()) {
            return Ok(None);
        }
        let lower = name.to_ascii_lowercase();
        if let Some(value) = rest.strip_prefix([':', '：']) {
            return value_of(name, &lower, value, self.phrase_after(token, value)).map(Some);
        }
        if lower != "followers" {
            let known = spelling::nearest(name, FIELDS).filter(|near| *near == "followers");
            return match known {
                Some(near) => Err(format!("unknown field `{name}`; did you mean `{near}`?")),
                None => Err(format!(
                    "`{name}` cannot be compared, only `followers` can; to search for this text, quote it"
                )),
            };
        }
        let (sign, number) = Comparison::ALL
            .into_iter()
            .find_map(|sign| rest.strip_prefix(sign.as_str()).map(|number| (sign, number)))
            .ok_or_else(|| "write `followers>=10000`".to_owned())?;
        let number =
            number.parse().ok().filter(|_| number.bytes().all(|b| b.is_ascii_digit())).ok_or_else(|| {
                format!("`followers{}` needs a whole number, as in `followers>=10000`", sign.as_str())
            })?;
        Ok(Some(Query::Followers(sign, number)))
    }

    /// Takes the phrase that directly follows an empty value, as in `list:"x"`, so that one slip is one fault.
    fn phrase_after(&mut self, token: &Token, value: &str) -> Option<&'t str> {
        let next = self.tokens.get(self.at).filter(|next| value.is_empty() && next.start == token.end)?;
        if let TokenKind::Phrase(text) = &next.kind {
            self.at += 1;
            return Some(text);
        }
        None
    }
}

fn value_of(name: &str, lower: &str, value: &str, phrase: Option<&str>) -> Result<Query, String> {
    let value = phrase.unwrap_or(value);
    if !FIELDS.contains(&lower) {
        let hint = spelling::hint(name, FIELDS);
        if hint.is_empty() {
            return Err(format!(
                "unknown field `{name}`; known are platform:, lang:, kind:, verified:, list: and followers>=; to search for this text, quote it"
            ));
        }
        return Err(format!("unknown field `{name}`{hint}"));
    }
    if value.is_empty() {
        return Err(format!("`{lower}:` needs a value right after the colon"));
    }
    let word = value.to_ascii_lowercase();
    let unknown = |known: Vec<&'static str>| {
        let hint = spelling::hint(value, known.iter().copied());
        let hint = if hint.is_empty() { format!("; known are {}", known.join(", ")) } else { hint };
        format!("unknown {lower} `{value}`{hint}")
    };
    match lower {
        "platform" => Platform::from_word(&word)
            .map(Query::Platform)
            .ok_or_else(|| unknown(Platform::ALL.iter().map(|p| p.as_str()).collect())),
        "kind" => Kind::from_word(&word)
            .map(Query::Kind)
            .ok_or_else(|| unknown(Kind::ALL.iter().map(|k| k.as_str()).collect())),
        "verified" => Verified::from_word(&word)
            .map(Query::Verified)
            .ok_or_else(|| unknown(Verified::ALL.iter().map(|v| v.as_str()).collect())),
        "lang" if matches!(word.len(), 2 | 3) && word.bytes().all(|b| b.is_ascii_lowercase()) => {
            Ok(Query::Lang(word))
        }
        "lang" => {
            Err(format!("`{value}` is no language code; write two letters (ISO 639-1), as in `lang:zh`"))
        }
        "list" if value.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')) => {
            Ok(Query::List(value.to_owned()))
        }
        "list" => {
            Err(format!("`{value}` is no list name; names have letters, digits, `-`, `_` and `.` only"))
        }
        _ => Err("followers are compared, as in `followers>=10000`".to_owned()),
    }
}
