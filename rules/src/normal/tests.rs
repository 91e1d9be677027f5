//! What becomes of what, and that every normal character leads back to exactly the characters it stems from.

use proptest::prelude::*;

use super::*;

fn normal(text: &str) -> Normal {
    let mut normal = Normal::new();
    normal.set_text(text);
    normal
}

/// Each normal character with the original characters behind it.
fn spans(normal: &Normal) -> Vec<(char, u32, u32)> {
    let bounds = normal.as_str().char_indices().map(|(at, c)| (at, at + c.len_utf8(), c));
    bounds
        .map(|(start, end, c)| {
            let (from, to) = normal.original(start, end);
            (c, from, to)
        })
        .collect()
}

#[test]
fn texts_fold() {
    for (text, expected) in [
        ("茶颜悦色出事了", "茶颜悦色出事了"),
        ("食物中毒，致歉", "食物中毒,致歉"),
        ("茶顏悅色後台", "茶颜悦色后台"),
        ("ＩＰｈｏｎｅ　１７", "iphone 17"),
        ("Straße ÉCOLE e\u{301}cole", "straße école école"),
        ("İstanbul ΟΔΟΣ", "istanbul οδοσ"),
        ("k\u{337}i\u{337}l\u{337}l", "kill"),
        ("e\u{301}\u{302}\u{303}\u{304}vil", "evil"),
        ("中\u{200B}毒 中\u{FEFF}毒", "中毒 中毒"),
        ("a\0b", "ab"),
        ("a  \n\t b\u{A0}c", "a b c"),
        ("ﬁne ㎏ ①", "fine kg 1"),
        ("ｶﾞｽ", "ガス"),
        ("ᄒ\u{1161}\u{11AB}글", "한글"),
        ("❤\u{FE0F}💩👨\u{200D}👩", "❤💩👨👩"),
        ("हिन्दी ไทย", "हिन्दी ไทย"),
        ("\u{301}a", "a"),
    ] {
        assert_eq!(fold(text), expected, "{text}");
    }
}

#[test]
fn positions_lead_back() {
    let normal = normal("ﬁ\u{200B}e\u{301}x中");
    assert_eq!(normal.as_str(), "fiéx中");
    assert_eq!(
        spans(&normal),
        [('f', 0, 1), ('i', 0, 1), ('é', 2, 4), ('x', 4, 5), ('中', 5, 6)],
        "ligature, dropped character, combined pair, plain"
    );
    assert_eq!(normal.original(0, normal.as_str().len()), (0, 6));
}

#[test]
fn title_and_text_are_one_but_for_a_line_break() {
    let mut mention = crate::mention::tests::mention("正文\n第二行");
    mention.title = Some("标题Ａ".to_owned());
    let mut normal = normal("left over from before e\u{301}");
    normal.set(&mention);
    assert_eq!(normal.as_str(), "标题a\n正文 第二行");
    let at = normal.as_str().find("第二").expect("there");
    assert_eq!(normal.original(at, at + 6), (7, 9));
}

/// Any text, rich in what is special.
pub(crate) fn texts() -> impl Strategy<Value = String> {
    let special = proptest::sample::select(vec![
        'a',
        'E',
        'İ',
        'ß',
        '茶',
        '顏',
        '\u{301}',
        '\u{302}',
        '\u{337}',
        '\u{200B}',
        '\u{200D}',
        '\u{FE0F}',
        'ﬁ',
        '㎏',
        ' ',
        '　',
        '\n',
        '¨',
        'ｶ',
        'ﾞ',
        'か',
        '\u{3099}',
        'ᄒ',
        '\u{1161}',
        '\u{11AB}',
        '한',
        '\0',
        '💩',
        '𠀀',
        '\u{E0041}',
        '\u{915}',
        '\u{93C}',
        '乾',
        'Σ',
        '丽',
        '\u{1D15E}',
    ]);
    prop_oneof![
        proptest::collection::vec(special.clone(), 0..24).prop_map(|chars| chars.into_iter().collect()),
        proptest::collection::vec(prop_oneof![2 => special, 1 => any::<char>()], 0..40)
            .prop_map(|chars| chars.into_iter().collect()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_fast_path_says_what_the_whole_text_says(text in texts()) {
        let visible: Vec<char> = text.chars().filter(|c| !table::is_dropped(*c)).collect();
        if visible.iter().filter(|c| table::is_extender(**c)).count() > 2 {
            return Ok(()); // decoration is judged by cluster, which the whole is not
        }
        let blanks: Vec<char> = visible.iter().map(|c| if c.is_whitespace() { ' ' } else { *c }).collect();
        let mut whole = Vec::new();
        table::cluster(&blanks, &mut whole);
        whole.dedup_by(|b, a| *a == ' ' && *b == ' ');
        let normal = normal(&text);
        prop_assert_eq!(normal.as_str(), whole.into_iter().collect::<String>());
        prop_assert_eq!(normal.as_str().chars().count(), normal.chars as usize);
    }

    #[test]
    fn every_normal_character_leads_back(text in texts()) {
        let original: Vec<char> = text.chars().collect();
        let normal = normal(&text);
        let mut covered = vec![false; original.len()];
        let mut last = (0, 0);
        for (c, from, to) in spans(&normal) {
            prop_assert!(from < to && to as usize <= original.len());
            prop_assert!((from, to) == last || from >= last.1, "spans ascend or repeat");
            last = (from, to);
            let slice: String = original[from as usize..to as usize].iter().collect();
            prop_assert!(self::normal(&slice).as_str().contains(c), "{:?} from {:?}", c, slice);
            covered[from as usize..to as usize].fill(true);
        }
        for (at, c) in original.iter().enumerate().filter(|(at, _)| !covered[*at]) {
            let gone = table::is_dropped(*c) || c.is_whitespace() || table::is_extender(*c)
                || fold(&c.to_string()).is_empty();
            prop_assert!(gone, "{c:?} at {at} is lost");
        }
    }

    #[test]
    fn folding_again_changes_nothing(text in texts()) {
        let once = fold(&text);
        prop_assert_eq!(fold(&once), once);
    }

    #[test]
    fn buffers_hold_nothing_over(first in texts(), second in texts()) {
        let mut reused = normal(&first);
        reused.set_text(&second);
        let fresh = normal(&second);
        prop_assert_eq!(reused.as_str(), fresh.as_str());
        prop_assert_eq!(spans(&reused), spans(&fresh));
    }
}
