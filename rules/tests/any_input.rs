//! Any text as a query, any text as a post: parsing and printing agree, whatever parses compiles, and one pass over a
//! text says what plain search says. Runs for `TOCSIN_FUZZ_SECONDS` (5 unless set); `TOCSIN_FUZZ_SEED` repeats one round.
#![expect(clippy::expect_used, clippy::print_stderr, reason = "a test")]

use std::time::{Duration, Instant};

use tocsin_rules::{
    Level, Matcher, Mention, Monitor, MonitorKind, Normal, Query, Scratch, WordList,
    matcher::{Explained, explain},
};

/// What queries are made of.
const FRAGMENTS: &[&str] = &[
    " ",
    " ",
    " AND ",
    " OR ",
    " NOT ",
    "(",
    ")",
    "（",
    "）",
    "\"",
    "“",
    "”",
    "「",
    "」",
    "\\",
    "NEAR/2",
    " NEAR/3 ",
    " ONEAR/0 ",
    "NEAR/99999",
    "*",
    "＊",
    "#",
    "@",
    "{2}",
    "{3}",
    "{0}",
    ":",
    "：",
    ">=",
    "..",
    "title:(",
    "title:",
    "case:",
    "case:\"",
    "fuzzy:",
    "fuzzy:\"",
    "list:one",
    "list:two",
    "platform:weibo",
    "lang:zh",
    "kind:post",
    "verified:media",
    "followers>=1",
    "reach:1..9",
    "author:a",
    "site:a.com",
    "url:a",
    "nosuch:",
    "a",
    "ab",
    "茶",
    "奶茶",
    "中毒",
    "free",
    "fr33",
    "微信",
    "v信",
    "微.信",
    "VX",
    "qq群",
    "扣扣裙",
    "顏",
    "颜",
    "👍🏽",
    "👨\u{200D}👩",
    "e\u{301}",
    "ﬁ",
    "\u{200B}",
    "\0",
    "\n",
    "ｶﾞ",
    "한",
    "ß",
    "İ",
    "💰",
    "$",
    "+",
    "!",
    "-",
    ".",
    "❤",
];

/// A fixed sequence for each seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("fits")
    }

    /// Fragments of queries with any character between.
    fn text(&mut self, most: usize) -> String {
        let mut text = String::new();
        for _ in 0..self.below(most + 1) {
            match self.below(12) {
                0 => text.extend(char::from_u32(u32::try_from(self.next() & 0x1F_FFFF).expect("fits"))),
                1 => text.extend(char::from_u32(0x4E00 + u32::try_from(self.below(0x5000)).expect("fits"))),
                _ => text.push_str(FRAGMENTS[self.below(FRAGMENTS.len())]),
            }
        }
        text
    }

    /// More often than not a query that parses.
    fn query(&mut self, depth: usize) -> String {
        let leaf = [
            "奶茶",
            "ab",
            "微信",
            "free",
            "中毒",
            "顏",
            "\"ab 茶\"",
            "fuzzy:微信",
            "fuzzy:free",
            "fuzzy:\"ab 茶\"",
            "case:AB",
            "case:\"茶a\"",
            "ab*",
            "#茶",
            "@ab",
            "list:one",
            "list:two",
            "fuzzy:qq群",
        ];
        let side = |chance: &mut Self| leaf[chance.below(leaf.len())].to_owned();
        if depth == 0 {
            return side(self);
        }
        let (one, two) = (self.query(depth - 1), self.query(depth - 1));
        match self.below(10) {
            0 => format!("{one} OR {two}"),
            1 => format!("({one}) ({two})"),
            2 => format!("({one}) AND NOT ({two})"),
            3 => format!("title:({one}) OR {two}"),
            4 => format!("{} NEAR/{} {}", side(self), self.below(4), side(self)),
            5 => format!("{} ONEAR/{} ({} OR {})", side(self), self.below(9), side(self), side(self)),
            6 => format!("{}{{{}}}", side(self), 2 + self.below(3)),
            7 => format!("({one}){}", self.text(3)),
            _ => side(self),
        }
    }
}

fn monitor(query: Query) -> Monitor {
    Monitor {
        id: "m".to_owned(),
        name: String::new(),
        kind: MonitorKind::Brand,
        query,
        platforms: Vec::new(),
        languages: Vec::new(),
        owner: String::new(),
        ceiling: Level::High,
    }
}

fn mention(title: Option<String>, text: String) -> Mention {
    let json = br#"{"id":"weibo:1","platform":"weibo","kind":"post","text":"x","published_at":"2026-09-10T01:33:20Z","observed_at":"2026-09-10T01:38:20Z","source":"file:x"}"#;
    let mut mention =
        Mention::parse(json, "2026-09-10T01:38:20Z".parse().expect("a time")).expect("a mention");
    (mention.title, mention.text) = (title, text);
    mention
}

/// Ends inside the text, and in order.
fn in_place(explained: &Explained, length: u32) {
    for (start, end) in &explained.spans {
        assert!(start <= end && *end <= length, "{start}..{end} of {length}: {}", explained.text);
    }
    explained.parts.iter().for_each(|part| in_place(part, length));
}

/// One round: a word list, a few queries, a post.
fn round(chance: &mut Chance, scratch: &mut Scratch) {
    let mut lists = Vec::new();
    for name in ["one", "two"] {
        let mut entries = vec![Query::Term("退款".to_owned())];
        for _ in 0..chance.below(4) {
            let text = if chance.below(2) == 0 { chance.text(4) } else { chance.query(0) };
            if let Ok(entry) = Query::parse_entry(&text) {
                assert_eq!(Query::parse_entry(&entry.to_string()), Ok(entry.clone()), "entry {text:?}");
                entries.push(entry);
            }
        }
        lists.push(WordList { name: name.to_owned(), entries });
    }
    let mut monitors = Vec::new();
    for _ in 0..1 + chance.below(4) {
        let depth = chance.below(4);
        let text = if chance.below(2) == 0 { chance.text(16) } else { chance.query(depth) };
        match Query::parse(&text) {
            Ok(query) => {
                assert_eq!(Query::parse(&query.to_string()), Ok(query.clone()), "{text:?} printed");
                monitors.push(monitor(query));
            }
            Err(faults) => {
                assert!(!faults.is_empty(), "{text:?} is refused without a reason");
                let length = text.chars().count();
                for fault in faults {
                    assert!(fault.start <= fault.end && fault.end <= length, "{text:?}: {fault:?}");
                }
            }
        }
    }
    let known = |query: &Query| query.lists().iter().all(|name| lists.iter().any(|list| list.name == *name));
    monitors.retain(|monitor| known(&monitor.query));
    let matcher = Matcher::from_parts(&monitors, &[], &lists).expect("whatever parses compiles");
    let title = (chance.below(3) == 0).then(|| chance.text(4));
    let post = mention(title, chance.text(24));
    let mut normal = Normal::new();
    normal.set(&post);
    let title = post.title.as_ref().map_or(0, |title| title.chars().count() + 1);
    let length = u32::try_from(title + post.text.chars().count()).expect("short");
    let found = matcher.scan(&post, "zh", &normal, scratch);
    for (index, monitor) in monitors.iter().enumerate() {
        let explained = explain(&monitor.query, &lists, &post, "zh", &normal);
        let hit = found.monitors.iter().find(|hit| hit.index == index);
        assert_eq!(hit.is_some(), explained.matched, "{} in {:?} {:?}", monitor.query, post.title, post.text);
        in_place(&explained, length);
        for place in hit.into_iter().flat_map(|hit| &hit.matches) {
            assert!(place.start <= place.end && place.end <= length, "{place:?} of {length}");
        }
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "how long to go on is asked of the machine, not of the product"
)]
fn any_text_is_a_query_or_a_fault_and_any_text_can_be_scanned() {
    let number =
        |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().expect("a whole number"));
    let seconds = number("TOCSIN_FUZZ_SECONDS").unwrap_or(5);
    let fixed = number("TOCSIN_FUZZ_SEED");
    let started = Instant::now();
    let mut scratch = Scratch::new();
    let mut rounds = 0u64;
    // Every round has its own seed, so that one alone can be repeated.
    while rounds == 0 || fixed.is_none() && started.elapsed() < Duration::from_secs(seconds) {
        let seed = fixed.unwrap_or(20_260_910 + rounds);
        let _told = Told(seed);
        round(&mut Chance(seed), &mut scratch);
        rounds += 1;
    }
    println!("{rounds} rounds");
}

/// Names the seed if a round panics.
struct Told(u64);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("repeat with TOCSIN_FUZZ_SEED={}", self.0);
        }
    }
}

/// Quadratic work would take minutes on any of these.
#[test]
fn hostile_queries_stay_cheap() {
    let long = 60_000;
    for (text, parses) in [
        ("(".repeat(long), false),
        ("NOT ".repeat(long / 4), false),
        ("title:(".repeat(long / 7), false),
        ("ab ".repeat(long / 3), true),
        (format!("ab{}", " OR ab".repeat(long / 6)), true),
        ("fuzzy:微信 ".repeat(long / 9), true),
        (format!("fuzzy:\"{}\"", "微信加".repeat(long / 3)), false),
        (format!("fuzzy:\"{}\"", "微信加微".repeat(16)), true),
        (format!("fuzzy:{}", "q".repeat(long - 6)), false),
        (format!("fuzzy:\"{}\"", "a b ".repeat(long / 4 - 6)), false),
        ("\"".repeat(long), false),
        ("ab NEAR/1 ".repeat(long / 10), false),
        (")".repeat(long), false),
        ("e\u{301}".repeat(long / 2), true),
        (format!("a{}", "\u{301}".repeat(long)), false),
    ] {
        let shown: String = text.chars().take(20).collect();
        let parsed = Query::parse(&text);
        assert_eq!(parsed.is_ok(), parses, "{shown}: {:?}", parsed.err().map(|faults| faults[0].clone()));
        let Ok(query) = Query::parse(&text) else { continue };
        assert_eq!(Query::parse(&query.to_string()).as_ref(), Ok(&query), "{shown}");
        let matcher = Matcher::from_parts(&[monitor(query)], &[], &[]).expect("builds");
        let post = mention(None, text);
        let mut normal = Normal::new();
        normal.set(&post);
        matcher.scan(&post, "zh", &normal, &mut Scratch::new());
    }
}

#[test]
fn a_million_characters_of_one_kind_stay_linear() {
    let query = "fuzzy:微信 OR fuzzy:qq OR fuzzy:\"a b\" OR fuzzy:aa{3} OR fuzzy:微信 NEAR/3 fuzzy:加微 OR aa* OR title:fuzzy:qq";
    let matcher =
        Matcher::from_parts(&[monitor(Query::parse(query).expect("valid"))], &[], &[]).expect("builds");
    for unit in ["a", "微", "q", "a ", ".", "微.", "❤", "v信 ", "e\u{301}", "\u{301}", "👨\u{200D}"] {
        let post = mention(None, unit.repeat(1_000_000 / unit.len()));
        let mut normal = Normal::new();
        normal.set(&post);
        matcher.scan(&post, "zh", &normal, &mut Scratch::new());
    }
}

/// Ten thousand places of each side are a hundred million pairs, and once were compared and kept as such.
#[test]
fn a_long_text_is_explained_without_comparing_every_pair() {
    let query = Query::parse("ab NEAR/1000 cd OR (ab OR cd){2} OR title:ab OR title:cd").expect("valid");
    let post = mention(Some("ef".to_owned()), "ab cd ".repeat(160_000));
    let mut normal = Normal::new();
    normal.set(&post);
    let explained = explain(&query, &[], &post, "en", &normal);
    assert!(explained.matched);
    in_place(&explained, u32::try_from(post.text.len()).expect("short") + 3);
}
