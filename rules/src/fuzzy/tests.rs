//! Skeletons, their way back, spellings, and that the table is well-formed.

use proptest::prelude::*;

use super::*;
use crate::normal::tests::texts;

fn skeleton(text: &str) -> String {
    let mut skeleton = Skeleton::default();
    skeleton.set(&fold(text));
    skeleton.text
}

#[test]
fn skeletons_are_what_remains() {
    for (text, expected) in [
        ("微❤信", "微信"),
        ("薇.芯", "微信"),
        ("加微 信", "加微信"),
        ("微----信", "微\n信"),
        ("Fr33", "free"),
        ("f.r.e.e", "free"),
        ("f r e e", "free"),
        ("fr e e", "free"),
        ("to get her", "to get her"),
        ("to-get-her", "together"),
        ("fгее ѕtuff", "free stuff"),
        ("c@sh ca$h @", "cash cash"),
        ("sh!t!", "shit"),
        ("赚$ +v", "赚钱加v"),
        ("1 + 1", "i加i"),
        ("🅅🅧", "vx"),
        ("❤❤", ""),
    ] {
        assert_eq!(skeleton(text), expected, "{text}");
    }
}

#[test]
fn the_table_is_well_formed() {
    let mut known = std::collections::BTreeMap::new();
    let mut section = "";
    for line in include_str!("../../data/fuzzy.txt").lines().filter(|l| !l.is_empty() && !l.starts_with('#'))
    {
        let Some((key, values)) = line.split_once(": ") else {
            assert!(matches!(line, "[alike]" | "[signs]" | "[spelled]"), "{line}");
            section = line;
            continue;
        };
        for value in values.split(' ') {
            assert!(!value.is_empty(), "{line}");
            if section == "[alike]" {
                let (class, c) = (key.chars().next().unwrap(), value.chars().next().unwrap());
                assert_eq!((key.chars().count(), value.chars().count()), (1, 1), "{line}");
                assert_eq!(known.insert(c, class), None, "{c} stands twice");
                // Capitals, traditional forms and the like never reach the table.
                assert_eq!(fold(value), value, "{line}");
            } else if section == "[spelled]" {
                assert_eq!((fold(key), fold(value)), (key.to_owned(), value.to_owned()));
            }
        }
        assert!(section == "[signs]" || fold(key) == key, "{line}");
    }
    for class in known.values() {
        assert!(!known.contains_key(class), "{class} is a class and has one");
    }
    assert!(known.len() > 200);
}

#[test]
fn terms_have_spellings() {
    let of = |term: &str| spellings(term).into_iter().map(|s| s.text).collect::<Vec<_>>();
    let wechat = of("微信");
    for spelled in ["微信", "v信", "微x", "vx", "wx", "weixin", "微亻言", "wechat"] {
        assert!(wechat.contains(&skeleton(spelled)), "{spelled} in {wechat:?}");
    }
    assert_eq!(of("free"), ["free"]);
    assert_eq!(of("free money"), ["free money", "freemoney"]);
    assert!(of("QQ群").contains(&"扣扣裙".replace('裙', "群")));
    assert_eq!(of(&"微信".repeat(32)).len(), MOST_SPELLINGS);
    assert_eq!([length("微"), length("a.b"), length("……"), length("微信")], [1, 2, 0, 2]);
}

proptest! {
    #[test]
    fn every_skeleton_character_leads_back(text in prop_oneof![texts(), "[微信vVxX0-3fre ❤.@$!*\n]{0,24}"]) {
        let normal = fold(&text);
        let mut skeleton = Skeleton::default();
        skeleton.set(&normal);
        let mut last = 0;
        for (at, c) in skeleton.text.char_indices() {
            let (start, end) = skeleton.place(at, at + c.len_utf8());
            prop_assert!(start >= last && start <= end && normal.is_char_boundary(start) && normal.is_char_boundary(end));
            last = end;
            if !matches!(c, GAP | WALL) {
                prop_assert_eq!(normal[start..end].chars().count(), 1);
            }
        }
        prop_assert_eq!(spellings(&text), spellings(&text));
    }
}
