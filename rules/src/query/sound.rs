//! Decides whether a query can be matched at a cost that depends on the text: some term or field must hold it to
//! something. Refuses what would match nearly every text.

use crate::normal;

/// What holds a query down, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Anchor {
    /// Only says what must not be there.
    Negative,
    /// Its only positive terms are a single character.
    Short,
    /// No term, but a field such as `platform:weibo`.
    Field,
    /// A term or list.
    Term,
}

impl Anchor {
    /// Why a whole query with this anchor is refused.
    pub(super) fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Negative => Some(
                "this only says what must not be there, so it would match almost every text; add a word that must be there",
            ),
            Self::Short => {
                Some("a single character is in almost every text; add a longer word that must be there too")
            }
            Self::Field | Self::Term => None,
        }
    }

    /// The anchor of a term as written; `None` when nothing of it remains in the normal form.
    pub(super) fn of(term: &str) -> Option<Self> {
        // The usual case, without computing the normal form: each of these characters becomes one of them.
        if term.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '\u{4E00}'..='\u{9FFF}')) {
            return match term.chars().take(2).count() {
                0 => None,
                1 => Some(Self::Short),
                _ => Some(Self::Term),
            };
        }
        let folded = normal::fold(term);
        let mut chars = folded.chars().filter(|c| !c.is_whitespace());
        let (first, second) = (chars.next()?, chars.next());
        if !folded.chars().any(|c| c.is_alphanumeric() || normal::is_symbol(c)) {
            return None;
        }
        Some(if second.is_none() && !normal::is_symbol(first) { Self::Short } else { Self::Term })
    }
}

/// Says what is wrong with a term of a word list: nothing to search for, or a single character.
///
/// # Errors
/// The reason, for a person.
pub fn check_term(term: &str) -> Result<(), &'static str> {
    match Anchor::of(term) {
        None => Err("nothing to search for: no letter, digit or symbol"),
        Some(Anchor::Short) => Err("a single character is in almost every text; use a longer term"),
        Some(_) => Ok(()),
    }
}
