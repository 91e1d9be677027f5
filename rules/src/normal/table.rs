//! What becomes of each character: one table for the Basic Multilingual Plane, and the slow path for whatever does not
//! map one to one. Refuses to look further than one cluster (a base and what combines with it).

use std::sync::LazyLock;

use unicode_normalization::{
    IsNormalized, UnicodeNormalization, char::canonical_combining_class, is_nfc_quick,
};

/// Left out of the normal form.
pub(super) const DROP: u16 = 1;
/// White space: one blank for a run of it.
pub(super) const SPACE: u16 = 2;
/// Needs the slow path.
pub(super) const COMPLEX: u16 = 3;

/// More noise marks than this on one base are decoration, not spelling: all of them go. Two are in use (Vietnamese).
const MOST_MARKS: usize = 2;

/// For each BMP character its single normal character, or one of the constants above.
pub(super) static TABLE: LazyLock<Box<[u16; 0x1_0000]>> = LazyLock::new(|| {
    let mut table = Box::new([COMPLEX; 0x1_0000]);
    let mut out = Vec::new();
    for (code, entry) in (0..=u16::MAX).zip(table.iter_mut()) {
        let Some(c) = char::from_u32(u32::from(code)) else { continue };
        *entry = if is_dropped(c) {
            DROP
        } else if c.is_whitespace() {
            SPACE
        } else if is_plain_han(c) || matches!(c, '\u{AC00}'..='\u{D7A3}' | '\u{E000}'..='\u{F8FF}') {
            u16::try_from(u32::from(simplified(c))).unwrap_or(COMPLEX)
        } else if is_extender(c) {
            COMPLEX
        } else {
            out.clear();
            cluster(&[c], &mut out);
            match out.as_slice() {
                [one] if !one.is_whitespace() => u16::try_from(u32::from(*one)).unwrap_or(COMPLEX),
                _ => COMPLEX,
            }
        };
    }
    table
});

/// Traditional to simplified, sorted by the traditional character.
static SIMPLIFIED: LazyLock<Vec<(char, char)>> = LazyLock::new(|| {
    let lines = include_str!("../../data/simplified.txt").lines().filter(|line| !line.starts_with('#'));
    let chars: Vec<char> = lines.flat_map(str::chars).collect();
    let mut pairs: Vec<(char, char)> = chars.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
    pairs.sort_unstable();
    pairs
});

fn simplified(c: char) -> char {
    match SIMPLIFIED.binary_search_by_key(&c, |(traditional, _)| *traditional) {
        Ok(at) => SIMPLIFIED[at].1,
        Err(_) => c,
    }
}

fn is_plain_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}')
}

/// Characters beyond the BMP that stay as they are: emoji and rare Han.
pub(super) fn is_plain_supplementary(c: char) -> bool {
    matches!(c, '\u{1F300}'..='\u{1FAFF}' | '\u{20000}'..='\u{2F7FF}' | '\u{2FA20}'..='\u{3FFFF}')
}

/// Zero width, invisible, or control: no reader sees it.
pub(super) fn is_dropped(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
        || (c.is_control() && !c.is_whitespace())
}

/// Marks that decorate a letter of any script. Those of one script (Indic vowels, Arabic points, kana voicing) spell.
fn is_noise(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}'
        | '\u{FE20}'..='\u{FE2F}')
}

/// Whether `c` may combine with what stands before it.
pub(super) fn is_extender(c: char) -> bool {
    is_noise(c)
        || is_nfc_quick(std::iter::once(c)) == IsNormalized::Maybe
        || std::iter::once(c).nfkd().next().is_some_and(|first| {
            canonical_combining_class(first) != 0
                || is_noise(first)
                || is_nfc_quick(std::iter::once(first)) == IsNormalized::Maybe
        })
}

/// Normal form of one cluster: NFKC, noise off, lower case, simplified. `chars` holds no dropped characters.
pub(super) fn cluster(chars: &[char], out: &mut Vec<char>) {
    let decorated = chars.iter().filter(|c| is_noise(**c)).count() > MOST_MARKS;
    let spelled = chars.iter().copied().filter(|c| !(decorated && is_noise(*c)));
    // Once more when the noise is off: what it kept apart now composes.
    for composed in spelled.nfkc().filter(|c| !is_noise(*c)).nfkc() {
        for lower in composed.to_lowercase() {
            // A lower case may itself decompose or be written otherwise elsewhere (final sigma).
            for c in std::iter::once(lower).nfkc() {
                match c {
                    c if is_noise(c) || is_dropped(c) => {}
                    'ς' => out.push('σ'),
                    c if c.is_whitespace() => out.push(' '),
                    c => out.push(simplified(c)),
                }
            }
        }
    }
}
