//! What stands for places in a text: words and phrases with their wildcards, `#tag`, `@name`, `{BT}`. Refuses wildcards
//! that have no counterpart.

use super::{super::is_blank, Parser, clip, lexer::Token};
use crate::{
    normal::{fold, is_word},
    query::{Query, check_term},
};

impl Parser<'_> {
    /// `#tag`, `@name`, or a term.
    pub(super) fn bare(&mut self, word: &str, token: &Token) -> Option<Query> {
        let marked = |mark: [char; 2]| word.strip_prefix(mark).filter(|name| !name.is_empty());
        let (query, name) = if let Some(tag) = marked(['#', '＃']) {
            (Query::Tag(tag.trim_end_matches(['#', '＃']).to_owned()), tag)
        } else if let Some(name) = marked(['@', '＠']) {
            (Query::Name(name.to_owned()), name)
        } else {
            return self.term(word, token);
        };
        if name.contains(['*', '?']) {
            return self
                .lose(token.start, format!("`{}`: a hashtag or account name is whole here", clip(word)));
        }
        self.sound(query, token.start)
    }

    /// A word or phrase, with a wildcard at its end at most.
    pub(super) fn term(&mut self, text: &str, token: &Token) -> Option<Query> {
        let text = text.trim();
        let (stem, prefix) = match text.strip_suffix('*') {
            Some(stem) => (stem.trim_end_matches('*'), true),
            None => (text, false),
        };
        if stem.contains('*') {
            let message = format!(
                "`{}`: `*` stands at the end of a word only; write the forms out with OR",
                clip(text)
            );
            return self.lose(token.start, message);
        }
        if replaces(stem) || (prefix && stem.ends_with('?')) {
            let message = format!(
                "`{}`: `?` for any letter has no counterpart; write the spellings out, as in `customise OR customize`",
                clip(text)
            );
            return self.lose(token.start, message);
        }
        // A single character may stand beside something longer.
        if let Err(why) = check_term(stem)
            && is_blank(stem)
        {
            return self.lose(token.start, format!("`{}`: {why}", clip(text)));
        }
        // A Chinese term matches anywhere, so the wildcard says nothing more.
        let latin = fold(stem).chars().next_back().is_some_and(is_word);
        let query =
            if prefix && latin { Query::Prefix(stem.to_owned()) } else { Query::Term(stem.to_owned()) };
        self.sound_part(query, token.start)
    }

    /// `{BT}`, `raw:BT`
    pub(super) fn cased(&mut self, text: &str, token: &Token) -> Option<Query> {
        self.sound_part(Query::Cased(text.trim().to_owned()), token.start)
    }

    /// A query that may stand alone.
    fn sound(&mut self, query: Query, at: usize) -> Option<Query> {
        match Query::parse(&query.to_string()) {
            Ok(query) => Some(query),
            Err(faults) => {
                let message = faults.into_iter().next().map(|fault| fault.message).unwrap_or_default();
                self.lose(at, message)
            }
        }
    }

    /// A term that may be weak alone, beside others.
    pub(super) fn sound_part(&mut self, query: Query, at: usize) -> Option<Query> {
        const ANCHOR: &str = "anchor";
        let beside = Query::And(vec![query.clone(), Query::Term(ANCHOR.to_owned())]);
        match Query::parse(&beside.to_string()) {
            Ok(_) => Some(query),
            Err(faults) => {
                let message = faults.into_iter().next().map(|fault| fault.message).unwrap_or_default();
                self.lose(at, message)
            }
        }
    }
}

/// Whether a question mark stands for a letter: within a word. At its end it may be meant as it stands, and a term
/// without it finds that too.
fn replaces(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    chars.windows(2).any(|pair| pair[0] == '?' && pair[1].is_alphanumeric())
}
