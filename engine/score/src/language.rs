//! Language of a text, ISO 639-1, cheapest evidence first: script counts, what the platform declared, English function
//! words, trigrams. Says `und` rather than guess.

use crate::symbols::{Scripts, Symbols};

/// No language could be told.
pub const UNDETERMINED: &str = "und";
/// Letters below which trigrams are noise.
const FEWEST_LETTERS: u32 = 24;
/// Characters given to the trigram detector.
const TRIGRAM_TEXT: usize = 400;

/// Languages that may be declared or found, with the detector's ISO 639-3 codes.
const CODES: [(&str, &str); 62] = [
    ("afr", "af"),
    ("amh", "am"),
    ("ara", "ar"),
    ("aze", "az"),
    ("bel", "be"),
    ("ben", "bn"),
    ("bul", "bg"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("cmn", "zh"),
    ("cym", "cy"),
    ("dan", "da"),
    ("deu", "de"),
    ("ell", "el"),
    ("eng", "en"),
    ("epo", "eo"),
    ("est", "et"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("guj", "gu"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("hye", "hy"),
    ("ind", "id"),
    ("ita", "it"),
    ("jav", "jv"),
    ("jpn", "ja"),
    ("kan", "kn"),
    ("kat", "ka"),
    ("khm", "km"),
    ("kor", "ko"),
    ("lat", "la"),
    ("lav", "lv"),
    ("lit", "lt"),
    ("mal", "ml"),
    ("mar", "mr"),
    ("mkd", "mk"),
    ("mya", "my"),
    ("nep", "ne"),
    ("nld", "nl"),
    ("nob", "nb"),
    ("ori", "or"),
    ("pan", "pa"),
    ("pes", "fa"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rus", "ru"),
    ("sin", "si"),
    ("slk", "sk"),
    ("slv", "sl"),
    ("spa", "es"),
    ("srp", "sr"),
    ("swe", "sv"),
    ("tam", "ta"),
    ("tel", "te"),
    ("tha", "th"),
    ("tur", "tr"),
    ("ukr", "uk"),
    ("vie", "vi"),
];

/// Language of a text that was read into `symbols`; `declared` is what the platform says of it.
pub(crate) fn detect(symbols: &Symbols, text: &str, declared: Option<&str>) -> &'static str {
    let s = symbols.scripts;
    let letters = s.latin + s.other;
    if s.hangul > 0 && s.hangul >= s.han + s.kana && 2 * s.hangul >= letters {
        return "ko";
    }
    if s.kana > 0 && 8 * s.kana >= s.han && 2 * (s.kana + s.han) >= letters {
        return "ja";
    }
    let declared = declared.and_then(known);
    if s.han > 0 && 3 * s.han >= letters {
        // Japanese headlines may hold no kana: the platform's word decides.
        return if declared == Some("ja") { "ja" } else { "zh" };
    }
    if let Some(declared) = declared
        && consistent(declared, s)
    {
        return declared;
    }
    if s.other * 20 <= s.latin && is_english(&symbols.buffer) {
        return "en";
    }
    if letters < FEWEST_LETTERS {
        return UNDETERMINED;
    }
    let end = text.char_indices().nth(TRIGRAM_TEXT).map_or(text.len(), |(at, _)| at);
    match whatlang::detect(&text[..end]) {
        Some(found) if found.is_reliable() => known(found.lang().code()).unwrap_or(UNDETERMINED),
        _ => UNDETERMINED,
    }
}

/// `zh-CN`, `EN`, `cmn` to one of the known two-letter codes.
fn known(code: &str) -> Option<&'static str> {
    let primary = code.split(['-', '_']).next().unwrap_or_default();
    CODES
        .iter()
        .find(|(three, two)| primary.eq_ignore_ascii_case(two) || primary.eq_ignore_ascii_case(three))
        .map(|&(_, two)| two)
}

/// Whether a text of these scripts may be in the declared language at all.
fn consistent(lang: &str, s: Scripts) -> bool {
    match lang {
        "zh" | "ja" => s.han + s.kana > 0,
        "ko" => s.hangul > 0,
        "en" => s.latin > 0 && s.other <= s.latin,
        _ => s.latin + s.other > 0,
    }
}

/// Two function words that are English only, or one in a short text.
fn is_english(symbols: &[u32]) -> bool {
    let (mut word, mut length, mut words, mut found) = (0_u64, 0_u32, 0_u32, 0_u32);
    for &symbol in symbols.iter().chain(&[0x20]) {
        if matches!(symbol, 0x61..=0x7A | 0x27) {
            word = word << 8 | u64::from(symbol);
            length += 1;
        } else if length > 0 {
            words += 1;
            found += u32::from(length <= 8 && FUNCTION_WORDS.binary_search(&word).is_ok());
            if found >= 2 {
                return true;
            }
            (word, length) = (0, 0);
        }
    }
    found == 1 && words <= 6
}

/// English function words, packed, sorted; none that is a word of another large language.
static FUNCTION_WORDS: [u64; 32] = sorted([
    pack(b"the"),
    pack(b"and"),
    pack(b"is"),
    pack(b"are"),
    pack(b"was"),
    pack(b"were"),
    pack(b"of"),
    pack(b"for"),
    pack(b"with"),
    pack(b"this"),
    pack(b"that"),
    pack(b"you"),
    pack(b"your"),
    pack(b"it"),
    pack(b"it's"),
    pack(b"my"),
    pack(b"have"),
    pack(b"has"),
    pack(b"not"),
    pack(b"they"),
    pack(b"what"),
    pack(b"from"),
    pack(b"will"),
    pack(b"just"),
    pack(b"i'm"),
    pack(b"don't"),
    pack(b"when"),
    pack(b"why"),
    pack(b"been"),
    pack(b"would"),
    pack(b"their"),
    pack(b"very"),
]);

const fn pack(word: &[u8]) -> u64 {
    let (mut packed, mut at) = (0, 0);
    while at < word.len() {
        packed = packed << 8 | word[at] as u64;
        at += 1;
    }
    packed
}

const fn sorted(mut words: [u64; 32]) -> [u64; 32] {
    let mut end = words.len();
    while end > 1 {
        let mut at = 1;
        while at < end {
            if words[at - 1] > words[at] {
                (words[at - 1], words[at]) = (words[at], words[at - 1]);
            }
            at += 1;
        }
        end -= 1;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, declared: Option<&str>) -> &'static str {
        let mut symbols = Symbols::default();
        symbols.read(None, text);
        detect(&symbols, text, declared)
    }

    #[test]
    fn languages_of_short_posts() {
        for (text, declared, lang) in [
            ("这个手机壳质量太差了", None, "zh"),
            ("iPhone 16 Pro Max 太香了吧", None, "zh"),
            ("新しいスマホを買いました", None, "ja"),
            ("新製品発表", Some("ja"), "ja"),
            ("배송이 너무 늦어요", None, "ko"),
            ("the food was cold again", None, "en"),
            ("THE WORST", None, "en"),
            ("Das Essen war leider schon wieder kalt und niemand hat sich entschuldigt", None, "de"),
            ("La livraison est encore en retard et personne ne répond au téléphone", None, "fr"),
            ("Η παράδοση άργησε πάλι δύο ώρες και κανείς δεν απαντά στο τηλέφωνο", None, "el"),
            ("ok", None, "und"),
            ("ok", Some("en"), "en"),
            ("ok", Some("zh"), "und"),
            ("很好", Some("en"), "zh"),
            ("12345 !!!", None, "und"),
            ("", Some("zh-CN"), "und"),
            ("hola amigos", Some("ES"), "es"),
            ("bonjour", Some("not-a-language"), "und"),
        ] {
            assert_eq!(of(text, declared), lang, "{text:?} declared {declared:?}");
        }
    }

    #[test]
    fn function_words_are_sorted() {
        assert!(FUNCTION_WORDS.is_sorted());
    }
}
