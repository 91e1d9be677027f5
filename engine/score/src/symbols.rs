//! Text to symbols: the light normalisation the sentiment model reads, in one pass and without allocation per text.
//!
//! It keeps what carries mood and the matcher's normal form throws away (capital marks such as `[怒]`, emoji, repeated
//! punctuation) and folds what does not: case, full width, links, names, long numbers. What follows `//@name:` was
//! written by somebody else and is cut, unless the author added no more than a remark: who passes a post on with three
//! words shares its mood, and people label it so. Refuses to tokenise: n-grams need no words.

/// A link.
pub(crate) const LINK: u32 = 0xE000;
/// An `@name`.
pub(crate) const NAME: u32 = 0xE001;
/// A number of two digits or more.
pub(crate) const NUMBER: u32 = 0xE002;
/// Platform marks such as `[怒]` are one symbol each, from here on.
const MARK: u32 = 0x0020_0000;
/// Symbols before `//@name:` up to which a text is a remark on what it passes on.
const REMARK: usize = 25;
/// Symbols read at most; the rest of a longer text repeats its mood.
const LONGEST: usize = 2_000;

/// How many characters of each script a text holds. Links, names and marks do not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Scripts {
    pub(crate) han: u32,
    pub(crate) kana: u32,
    pub(crate) hangul: u32,
    /// ASCII letters.
    pub(crate) latin: u32,
    /// Letters beyond ASCII of alphabets, Latin with marks included.
    pub(crate) other: u32,
}

/// Reusable buffer of symbols.
#[derive(Debug, Default, Clone)]
pub(crate) struct Symbols {
    pub(crate) buffer: Vec<u32>,
    pub(crate) scripts: Scripts,
}

impl Symbols {
    /// Reads a title, if any, and a text.
    pub(crate) fn read(&mut self, title: Option<&str>, text: &str) {
        self.buffer.clear();
        self.scripts = Scripts::default();
        if let Some(title) = title {
            self.read_part(title);
            self.push(u32::from(' '));
        }
        self.read_part(text);
    }

    fn push(&mut self, symbol: u32) {
        // Longer runs of one character say no more than three of it.
        if let [.., a, b, c] = self.buffer[..]
            && a == symbol
            && b == symbol
            && c == symbol
        {
            return;
        }
        if symbol == 0x20 && self.buffer.last() == Some(&0x20) {
            return;
        }
        self.buffer.push(symbol);
    }

    fn read_part(&mut self, text: &str) {
        let begin = self.buffer.len();
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            if self.buffer.len() >= LONGEST {
                return;
            }
            let code = u32::from(c);
            if (0x4E00..0xA000).contains(&code) {
                self.scripts.han += 1;
                self.push(code);
                continue;
            }
            if code < 0x80 && PLAIN[code as usize] != 0 {
                // The character just met is read again with those after it; none at all may be plain in its place.
                let tail = &text[text.len() - rest.as_str().len() - 1..];
                let read = self.read_plain(tail.as_bytes());
                if read > 0 {
                    rest = tail[read..].chars();
                    continue;
                }
            }
            let code = fold(code);
            match code {
                0x61..=0x7A => {
                    if code == 0x68 && (begin == self.buffer.len() || !self.after_letter()) {
                        let tail = rest.as_str();
                        if tail.starts_with("ttp://") || tail.starts_with("ttps://") {
                            self.push(LINK);
                            rest = tail.trim_start_matches(|c: char| c.is_ascii_graphic()).chars();
                            continue;
                        }
                    }
                    self.scripts.latin += 1;
                    self.push(code);
                }
                0x30..=0x39 => {
                    let tail = rest.as_str();
                    let after = tail.trim_start_matches(|c: char| c.is_ascii_digit());
                    let long = after.len() < tail.len();
                    rest = after.chars();
                    self.push(if long { NUMBER } else { code });
                }
                0x40 => match name_end(rest.as_str()) {
                    0 => self.push(code),
                    end => {
                        self.push(NAME);
                        rest = rest.as_str()[end..].chars();
                    }
                },
                0x2F if rest.as_str().starts_with("/@") && self.buffer.len() > begin + REMARK => return,
                0x5B => match mark(rest.as_str()) {
                    Some((symbol, end)) => {
                        self.push(symbol);
                        rest = rest.as_str()[end..].chars();
                    }
                    None => self.push(code),
                },
                0x20 | 0x09..=0x0D | 0xA0 | 0x2028 | 0x2029 => self.push(0x20),
                0..=0x7F => self.push(code),
                // Zero-width characters and variation selectors.
                0x200B..=0x200F | 0xFEFF | 0xFE00..=0xFE0F => {}
                0x2018 | 0x2019 => self.push(0x27),
                _ => {
                    match code {
                        0x3400..=0x4DBF | 0xF900..=0xFAFF | 0x20000..=0x323AF => self.scripts.han += 1,
                        0x3041..=0x30FA | 0x30FC..=0x30FF => self.scripts.kana += 1,
                        0xAC00..=0xD7A3 | 0x1100..=0x11FF | 0x3130..=0x318F => self.scripts.hangul += 1,
                        0xC0..=0x1FFF if c.is_alphabetic() => self.scripts.other += 1,
                        _ => {}
                    }
                    let lower =
                        if code < 0x2000 { c.to_lowercase().next().map_or(code, u32::from) } else { code };
                    self.push(lower);
                }
            }
        }
    }

    /// Reads plain ASCII up to what is not, may not be, or is too much; returns how many characters that was.
    fn read_plain(&mut self, tail: &[u8]) -> usize {
        let begin = self.buffer.len();
        let run = &tail[..tail.len().min(LONGEST - begin)];
        // How often the last symbol stands in a row, up to three times.
        let mut last = self.buffer.last().copied().unwrap_or(u32::MAX);
        let mut repeated = self.buffer.iter().rev().take(3).take_while(|s| **s == last).count();
        self.buffer.resize(begin + run.len(), 0);
        let into = &mut self.buffer[begin..];
        let (mut read, mut kept, mut letters) = (0, 0, 0);
        for &byte in run {
            let symbol = PLAIN[usize::from(byte)];
            if symbol == 0 || symbol == b'h' && tail[read + 1..].starts_with(b"ttp") {
                break;
            }
            read += 1;
            letters += u32::from(symbol.is_ascii_lowercase());
            let symbol = u32::from(symbol);
            repeated = if symbol == last { repeated + 1 } else { 1 };
            last = symbol;
            // Written first, kept if it is not one too many: no branch that cannot be foretold.
            into[kept] = symbol;
            kept += usize::from(repeated <= if symbol == 0x20 { 1 } else { 3 });
        }
        self.buffer.truncate(begin + kept);
        self.scripts.latin += letters;
        read
    }

    fn after_letter(&self) -> bool {
        self.buffer.last().is_some_and(|s| (0x61..=0x7A).contains(s))
    }
}

/// By byte, the symbol of ASCII characters that mean the same wherever they stand; 0 for all others.
static PLAIN: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 1;
    while byte < 0x80 {
        table[byte as usize] = match byte {
            b'0'..=b'9' | b'@' | b'/' | b'[' => 0,
            0x09..=0x0D => b' ',
            _ => byte.to_ascii_lowercase(),
        };
        byte += 1;
    }
    table
};

/// ASCII upper case and full-width forms to their plain ASCII lower case.
fn fold(code: u32) -> u32 {
    let code = match code {
        0xFF01..=0xFF5E => code - 0xFEE0,
        0x3000 => 0x20,
        _ => code,
    };
    if (0x41..=0x5A).contains(&code) { code + 0x20 } else { code }
}

/// Bytes of a name after `@`; 0 when there is none.
fn name_end(tail: &str) -> usize {
    let mut end = 0;
    for (count, (at, c)) in tail.char_indices().enumerate() {
        if count >= 30 || !(c.is_alphanumeric() || matches!(c, '_' | '-' | '·' | '.')) {
            break;
        }
        end = at + c.len_utf8();
    }
    end
}

/// A platform mark `[…]` of one to eight characters after its opening bracket: its symbol and the bytes it takes.
fn mark(tail: &str) -> Option<(u32, usize)> {
    let mut hash = 0_u32;
    for (count, (at, c)) in tail.char_indices().enumerate() {
        match c {
            ']' if count > 0 => return Some((MARK + (hash & 0x000F_FFFF), at + 1)),
            ']' | '[' | ' ' | '\n' => return None,
            _ if count >= 8 => return None,
            _ => hash = (hash.rotate_left(5) ^ u32::from(c)).wrapping_mul(0x9E37_79B1),
        }
    }
    None
}

#[cfg(test)]
#[path = "symbols/tests.rs"]
mod tests;
