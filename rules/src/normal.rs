//! Text normal form.

/// The normal form of a short text, e.g. a term.
pub fn fold(text: &str) -> String {
    text.to_lowercase()
}

/// Emoji and pictographs: searchable alone.
pub(crate) fn is_symbol(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}')
}
