//! Parses what stands for places in a text: words, phrases, `prefix*`, `#tag`, `@name`, `case:"…"`, `fuzzy:…`, how often, and how
//! near to each other; and the fields. Refuses to guess: what cannot be meant is a fault, never a word to search for.

use super::{
    Query, fields,
    lexer::{Token, TokenKind},
    parse::{MAX_DEPTH, Parser, Part},
    sound::Anchor,
};
use crate::{fuzzy, normal};

/// Largest number in `term{3}`.
const MAX_COUNT: u32 = 1_000;

/// Cuts `{3}` off the end of a word.
fn counted(word: &str) -> (&str, Option<&str>) {
    let cut = word.strip_suffix('}').and_then(|front| front.rsplit_once('{'));
    match cut {
        Some((stem, digits)) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
            (stem, Some(digits))
        }
        _ => (word, None),
    }
}

impl<'t> Parser<'t> {
    /// One operand, or two with `NEAR/n` between.
    pub(super) fn near(&mut self) -> Option<Part> {
        let left = self.primary();
        let Some(token) = self.tokens.get(self.at) else { return left };
        let TokenKind::Near(ordered, distance) = token.kind else { return left };
        self.at += 1;
        let name = if ordered { "ONEAR" } else { "NEAR" };
        match self.peek() {
            None | Some(TokenKind::And | TokenKind::Or | TokenKind::Close) => {
                self.fault(token.start, token.end, format!("nothing follows `{name}`"));
                return left;
            }
            Some(TokenKind::Not | TokenKind::Near(..)) => {
                self.fault(token.start, token.end, format!("a term must follow `{name}`"));
                return left;
            }
            Some(_) => {}
        }
        let right = self.primary();
        while let Some(next) =
            self.tokens.get(self.at).filter(|next| matches!(next.kind, TokenKind::Near(..)))
        {
            let message = "a second `NEAR` has no brackets to say what it belongs to; join pairs, as in `(a NEAR/5 b) (b NEAR/5 c)`";
            self.fault(next.start, next.end, message);
            self.at += 1;
            if !matches!(
                self.peek(),
                None | Some(TokenKind::And | TokenKind::Or | TokenKind::Close | TokenKind::Not)
            ) {
                self.primary();
            }
        }
        let (left, right) = (left?, right?);
        let mut sound = true;
        for side in [&left, &right] {
            if side.query.terms().is_none() {
                let inside = match side.query {
                    Query::Title(_) => format!("; in titles write `title:(a {name}/{distance} b)`"),
                    _ => String::new(),
                };
                let message =
                    format!("`{name}` stands between terms, lists, or brackets of them joined by OR{inside}");
                self.fault(side.start, side.end, message);
                sound = false;
            }
        }
        if !sound {
            return None;
        }
        let stronger = if left.anchor >= right.anchor { &left } else { &right };
        Some(Part {
            start: left.start,
            end: right.end,
            anchor: stronger.anchor,
            blame: stronger.blame,
            query: Query::Near { ordered, distance, sides: Box::new([left.query, right.query]) },
        })
    }

    /// A phrase, and what directly follows it: `*`, `{3}`.
    pub(super) fn phrase(&mut self, text: &str, token: &Token<'_>) -> Option<Part> {
        let star = self.attached(token.end).filter(|word| counted(word).0 == "*");
        let Some(word) = star else { return self.term(text, token) };
        self.at += 1;
        let part = self.prefix(text, token);
        match counted(word).1 {
            Some(digits) => self.count(part, digits, token),
            None => part,
        }
    }

    /// The word that stands at character `at`, directly after what was read.
    fn attached(&self, at: usize) -> Option<&'t str> {
        match self.tokens.get(self.at).filter(|next| next.start == at).map(|next| &next.kind) {
            Some(TokenKind::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// Reads `{3}` directly after `part`.
    pub(super) fn attached_count(&mut self, part: Option<Part>) -> Option<Part> {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at))?;
        let Some(("", Some(digits))) = self.attached(before.end).map(counted) else { return part };
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        self.count(part, digits, token)
    }

    fn count(&mut self, part: Option<Part>, digits: &str, token: &Token<'_>) -> Option<Part> {
        let part = part?;
        let Some(least) = digits.parse().ok().filter(|n| (2..=MAX_COUNT).contains(n)) else {
            let message =
                format!("`{{{digits}}}` means at least so many times; write 2 to {MAX_COUNT}, or quote it");
            self.fault(token.start, token.end, message);
            return None;
        };
        if part.query.terms().is_none() {
            let message = "only terms, lists, or brackets of them joined by OR can be counted";
            self.fault(part.start, part.end, message);
            return None;
        }
        let end = part.end.max(token.end);
        Some(Part { query: Query::Count(least, Box::new(part.query)), end, ..part })
    }

    /// A word without quotes: a term, or a field with its value.
    pub(super) fn word(&mut self, word: &str, token: &Token<'_>) -> Option<Part> {
        let name_end = word.find([':', '：', '>', '<', '=']);
        if let Some((name, rest)) = name_end.map(|at| word.split_at(at))
            && !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphabetic())
        {
            return self.field(name, rest, token);
        }
        let (stem, digits) = counted(word);
        if let Some(digits) = digits {
            if stem.is_empty() {
                let message =
                    format!("`{word}` says how often, and must directly follow a term, as in `recall{word}`");
                self.fault(token.start, token.end, message);
                return None;
            }
            let part = self.bare(stem, token);
            return self.count(part, digits, token);
        }
        self.bare(stem, token)
    }

    /// `term`, `prefix*`, `#tag` or `@name`.
    fn bare(&mut self, word: &str, token: &Token<'_>) -> Option<Part> {
        if let Some(tag) = word.strip_prefix(['#', '＃']) {
            let phrase = self.phrase_after(token, tag);
            let tag = phrase.unwrap_or_else(|| tag.strip_suffix(['#', '＃']).unwrap_or(tag));
            return self.marked("#", tag, token, Query::Tag);
        }
        if let Some(name) = word.strip_prefix(['@', '＠']) {
            let name = self.phrase_after(token, name).unwrap_or(name);
            return self.marked("@", name, token, Query::Name);
        }
        match word.strip_suffix(['*', '＊']) {
            Some("") | None => {}
            Some(stem) => return self.prefix(stem, token),
        }
        if word.len() > 1 && word.starts_with(['*', '＊']) {
            let message =
                "`*` stands at the end of a word, as in `recall*`; to search for the sign itself, quote it";
            self.fault(token.start, token.end, message);
            return None;
        }
        self.term(word, token)
    }

    fn marked(
        &mut self,
        mark: &str,
        text: &str,
        token: &Token<'_>,
        make: fn(String) -> Query,
    ) -> Option<Part> {
        let text = text.trim();
        let end = self.read_end(token);
        if text.contains(['#', '＃', '@', '＠', '*', '＊']) {
            let what = if mark == "#" { "hashtag" } else { "account name" };
            let message =
                format!("`{mark}{text}` is not one {what}; to search for it as it stands, quote the whole");
            self.fault(token.start, end, message);
            return None;
        }
        if Anchor::of(text).is_none() {
            self.fault(token.start, end, format!("nothing follows `{mark}`"));
            return None;
        }
        Some(Part {
            query: make(text.to_owned()),
            start: token.start,
            end,
            anchor: Anchor::Term,
            blame: (token.start, end),
        })
    }

    fn prefix(&mut self, stem: &str, token: &Token<'_>) -> Option<Part> {
        let part = self.term(stem, token)?;
        if !normal::fold(stem).chars().next_back().is_some_and(normal::is_word) {
            let message = "`*` continues a word of letters; Chinese, Japanese and Korean match anywhere, so leave it out";
            self.fault(token.start, token.end, message);
            return None;
        }
        Some(Part { query: Query::Prefix(stem.to_owned()), ..part })
    }

    fn term(&mut self, text: &str, token: &Token<'_>) -> Option<Part> {
        let (start, end) = (token.start, self.read_end(token));
        let Some(anchor) = Anchor::of(text) else {
            let operator = match text {
                "&" | "&&" | "+" => "; for both write `AND` or only a blank",
                "|" | "||" | "、" | "，" | "," | "/" => "; for either write `OR`",
                "!" | "！" | "-" => "; for posts without it write `NOT`",
                _ => "",
            };
            let message = format!("nothing to search for here: no letter, digit or symbol{operator}");
            self.fault(start, end, message);
            return None;
        };
        Some(Part { query: Query::Term(text.to_owned()), start, end, anchor, blame: (start, end) })
    }

    /// Where the last token read ends.
    fn read_end(&self, token: &Token<'_>) -> usize {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(token.end, |last| last.end)
    }

    /// `name:value`, `followers>=N`.
    fn field(&mut self, name: &str, rest: &str, token: &Token<'_>) -> Option<Part> {
        let lower = name.to_ascii_lowercase();
        let value = rest.strip_prefix([':', '：']);
        if lower == "title"
            && let Some(value) = value
        {
            return self.title(value, token);
        }
        let (bare, digits) = value.map_or(("", None), counted);
        let phrase = value.and_then(|value| self.phrase_after(token, value));
        let end = self.read_end(token);
        let given = phrase.unwrap_or(bare);
        let query = match value {
            _ if matches!(&*lower, "followers" | "reach") => fields::number(&lower, rest),
            None => Err(fields::no_number(name)),
            Some(_) if !fields::FIELDS.contains(&&*lower) => Err(fields::unknown(name)),
            Some(_) if matches!(&*lower, "case" | "fuzzy") => {
                let part = self.spelled(&lower, given, phrase.is_some(), token)?;
                return match digits {
                    Some(digits) => self.count(Some(part), digits, token),
                    None => Some(part),
                };
            }
            Some(_) => fields::value(&lower, given),
        };
        match query {
            Ok(query) => {
                let anchor = if matches!(query, Query::List(_)) { Anchor::Term } else { Anchor::Field };
                let part = Part { query, start: token.start, end, anchor, blame: (token.start, end) };
                match digits {
                    Some(digits) => self.count(Some(part), digits, token),
                    None => Some(part),
                }
            }
            Err(message) => {
                self.fault(token.start, end, message);
                None
            }
        }
    }

    /// `case:AirTag`, `fuzzy:微信`
    fn spelled(&mut self, name: &str, text: &str, is_phrase: bool, token: &Token<'_>) -> Option<Part> {
        let text = text.trim();
        let (example, what) = match name {
            "case" => ("case:\"AirTag\"", "exact text"),
            _ => ("fuzzy:微信", "plain text"),
        };
        if text.is_empty() {
            let message = format!("`{name}:` needs a term right after the colon, as in `{example}`");
            self.fault(token.start, token.end, message);
            return None;
        }
        if !is_phrase && text.ends_with(['*', '＊']) {
            let message = format!("`{name}:` takes {what}, not `*`; to search for the sign itself, quote it");
            self.fault(token.start, token.end, message);
            return None;
        }
        let part = self.term(text, token)?;
        if name == "case" {
            return Some(Part { query: Query::Cased(text.to_owned()), ..part });
        }
        if !fuzzy::LENGTHS.contains(&fuzzy::length(text)) {
            let message = "`fuzzy:` takes 2 to 64 characters besides separators: one alone would be read into almost every text";
            self.fault(part.start, part.end, message);
            return None;
        }
        Some(Part { query: Query::Fuzzy(text.to_owned()), anchor: Anchor::Term, ..part })
    }

    /// `title:word`, `title:"phrase"`, `title:(…)`.
    fn title(&mut self, value: &str, token: &Token<'_>) -> Option<Part> {
        if self.depth >= MAX_DEPTH {
            return self.too_deep(token);
        }
        let next = self.tokens.get(self.at).filter(|next| next.start == token.end);
        let attached = next.is_some_and(|next| matches!(next.kind, TokenKind::Open | TokenKind::Phrase(_)));
        self.depth += 1;
        let part = match (value.is_empty(), attached) {
            (true, true) => self.primary(),
            (true, false) => {
                let message =
                    "`title:` needs a term or a bracket right after the colon, as in `title:(tea recall)`";
                self.fault(token.start, token.end, message);
                None
            }
            (false, _) => self.word(value, token),
        };
        self.depth -= 1;
        part.map(|part| Part { query: Query::Title(Box::new(part.query)), start: token.start, ..part })
    }

    /// Takes the phrase that directly follows an empty value, as in `list:"x"`, so that one slip is one fault.
    fn phrase_after(&mut self, token: &Token<'_>, value: &str) -> Option<&'t str> {
        let next = self.tokens.get(self.at).filter(|next| value.is_empty() && next.start == token.end)?;
        if let TokenKind::Phrase(text) = &next.kind {
            self.at += 1;
            return Some(text);
        }
        None
    }
}
