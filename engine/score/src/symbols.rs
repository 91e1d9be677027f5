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

    fn after_letter(&self) -> bool {
        self.buffer.last().is_some_and(|s| (0x61..=0x7A).contains(s))
    }
}

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
mod tests {
    use super::*;

    fn read(text: &str) -> (String, Scripts) {
        let mut symbols = Symbols::default();
        symbols.read(None, text);
        let shown = symbols
            .buffer
            .iter()
            .map(|&s| match s {
                LINK => '<',
                NAME => '@',
                NUMBER => '#',
                s => char::from_u32(s).unwrap_or('*'),
            })
            .collect();
        (shown, symbols.scripts)
    }

    #[test]
    fn folds_what_carries_no_mood() {
        for (text, shown) in [
            ("ＧＯＯＤ！", "good!"),
            ("See HTTP", "see http"),
            ("see https://a.example/b?c=D now", "see < now"),
            ("看https://a.example/b吧", "看<吧"),
            ("@Some_One: hi", "@: hi"),
            ("@ home", "@ home"),
            ("等了120分钟 3星", "等了#分钟 3星"),
            ("哈哈哈哈哈哈", "哈哈哈"),
            ("气死了[怒]", "气死了*"),
            ("[not a mark at all]", "[not a mark at all]"),
            ("[] x", "[] x"),
            (
                "上次在他们家买的已经坏了两回 修都没地方修 再也不买了//@别人:真好用",
                "上次在他们家买的已经坏了两回 修都没地方修 再也不买了",
            ),
            ("不买了//@别人:真好用", "不买了//@:真好用"),
            ("//@别人:真好用", "//@:真好用"),
            ("a\u{200B}b  \n c", "ab c"),
            ("don’t", "don't"),
        ] {
            assert_eq!(read(text).0, shown, "{text}");
        }
    }

    #[test]
    fn counts_scripts_without_links_and_names() {
        let (_, scripts) = read("@abc 手机 ok https://abc.example かな 한글 Ünder");
        assert_eq!(scripts, Scripts { han: 2, kana: 2, hangul: 2, latin: 6, other: 1 });
    }

    #[test]
    fn marks_differ() {
        assert_ne!(mark("怒]"), mark("赞]"));
    }

    #[test]
    fn a_long_text_is_bounded() {
        let mut symbols = Symbols::default();
        symbols.read(None, &"好坏".repeat(1_000_000));
        assert!(symbols.buffer.len() <= LONGEST + 1);
    }
}
