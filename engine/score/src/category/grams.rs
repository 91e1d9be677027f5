//! Text to n-grams that know where they stand: of Han and other wide characters one to three in a row, of words one and two in
//! a row, and of each longer word the four-letter pieces, so that forms of a word share something.
//!
//! Unlike the features of mood these carry spans, because a category must be shown with its evidence.

use std::ops::Range;

/// Characters read of a text at most.
const LONGEST: usize = 4_000;
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
/// What tells kinds of n-grams apart.
const WIDE: u64 = 1;
const WORD: u64 = 2;
const PIECE: u64 = 3;

/// One n-gram: hash, and characters it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gram {
    pub(crate) hash: u64,
    pub(crate) span: Range<u32>,
}

#[derive(Clone, Copy)]
struct Unit {
    hash: u64,
    start: u32,
    end: u32,
    wide: bool,
}

/// Every n-gram of a text, in order of its last character; `@names` and links say nothing and are passed over.
pub(crate) fn grams(text: &str, into: &mut Vec<Gram>) {
    into.clear();
    let letters: Vec<char> = text.chars().take(LONGEST).map(fold).collect();
    // the last two units, when nothing but spaces lies between
    let mut last: [Option<Unit>; 2] = [None, None];
    let mut at = 0;
    while let Some(&c) = letters.get(at) {
        let start = at as u32;
        if is_wide(c) {
            let unit = Unit { hash: mix(WIDE, u64::from(u32::from(c))), start, end: start + 1, wide: true };
            push(unit, &mut last, into);
            at += 1;
        } else if is_letter(c) {
            let end = at + letters[at..].iter().position(|c| !is_letter(*c)).unwrap_or(letters.len() - at);
            let word = &letters[at..end];
            let link = word.starts_with(&['h', 't', 't', 'p']) && letters.get(end) == Some(&':');
            if link {
                at = skip(&letters, at, |c| !c.is_whitespace() && c.is_ascii());
                last = [None, None];
                continue;
            }
            pieces(word, start, into);
            let hash = word.iter().fold(WORD, |hash, c| mix(hash, u64::from(u32::from(*c))));
            push(Unit { hash, start, end: end as u32, wide: false }, &mut last, into);
            at = end;
        } else if c == '@' {
            at = skip(&letters, at + 1, |c| is_letter(c) || is_wide(c) || c == '_' || c == '-');
            last = [None, None];
        } else {
            if !c.is_whitespace() {
                last = [None, None];
            }
            at += 1;
        }
    }
}

fn skip(letters: &[char], from: usize, over: impl Fn(char) -> bool) -> usize {
    from + letters.get(from..).map_or(0, |rest| rest.iter().position(|c| !over(*c)).unwrap_or(rest.len()))
}

fn push(unit: Unit, last: &mut [Option<Unit>; 2], into: &mut Vec<Gram>) {
    into.push(Gram { hash: unit.hash, span: unit.start..unit.end });
    if let Some(before) = last[1].filter(|before| before.wide == unit.wide) {
        let pair = mix(before.hash, unit.hash);
        into.push(Gram { hash: pair, span: before.start..unit.end });
        if let Some(first) = last[0].filter(|first| first.wide && unit.wide) {
            into.push(Gram { hash: mix(first.hash, pair), span: first.start..unit.end });
        }
    }
    *last = [last[1], Some(unit)];
}

fn pieces(word: &[char], start: u32, into: &mut Vec<Gram>) {
    if word.len() < 5 {
        return;
    }
    for (at, piece) in word.windows(4).enumerate() {
        let hash = piece.iter().fold(PIECE, |hash, c| mix(hash, u64::from(u32::from(*c))));
        let start = start + at as u32;
        into.push(Gram { hash, span: start..start + 4 });
    }
}

fn mix(hash: u64, with: u64) -> u64 {
    let h = (hash.rotate_left(23) ^ with).wrapping_mul(STEP);
    h ^ (h >> 32)
}

/// Lower case, and full-width forms as plain ones. One character stays one, so that spans stay true.
fn fold(c: char) -> char {
    let c = match u32::from(c) {
        code @ 0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0).unwrap_or(c),
        _ => c,
    };
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(lower), None) => lower,
        _ => c,
    }
}

fn is_wide(c: char) -> bool {
    matches!(u32::from(c), 0x2E80..=0x2FFF | 0x3041..=0x9FFF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0x1F000..=0x1FAFF | 0x20000..=0x323AF)
}

fn is_letter(c: char) -> bool {
    (c.is_alphanumeric() || c == '\'') && !is_wide(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> Vec<Gram> {
        let mut all = Vec::new();
        grams(text, &mut all);
        all
    }

    fn texts(text: &str) -> Vec<String> {
        let cut = |g: Gram| text.chars().skip(g.span.start as usize).take(g.span.len()).collect();
        of(text).into_iter().map(cut).collect()
    }

    #[test]
    fn grams_stand_where_they_say() {
        assert_eq!(texts("很难吃"), ["很", "难", "很难", "吃", "难吃", "很难吃"]);
        assert_eq!(texts("the hot bus"), ["the", "hot", "the hot", "bus", "hot bus"]);
        assert_eq!(texts("broken"), ["brok", "roke", "oken", "broken"]);
        assert_eq!(texts("a, b"), ["a", "b"], "no pairs over punctuation");
        assert_eq!(texts("@some_one 坏 https://a.example/坏 x"), ["坏", "坏", "x"]);
    }

    #[test]
    fn case_and_width_do_not_matter_and_kinds_do_not_meet() {
        assert_eq!(of("ＢＵＳ Late"), of("bus late"));
        let mut hashes: Vec<u64> = of("坏了坏 buses bus es").into_iter().map(|g| g.hash).collect();
        let all = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), all - 1, "only the repeated character");
    }

    proptest! {
        #[test]
        fn spans_lie_inside(text in "\\PC{0,60}") {
            let length = text.chars().count() as u32;
            for gram in of(&text) {
                prop_assert!(gram.span.start < gram.span.end && gram.span.end <= length);
            }
        }
    }
}
