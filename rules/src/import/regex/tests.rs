//! Tables of expressions that are lists of words, and of those that are not, with the character to blame.

use proptest::prelude::*;

use super::*;

fn any(pattern: &str) -> String {
    let (words, refusals) = words(pattern);
    assert_eq!(refusals, [], "{pattern}");
    words.any.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ")
}

#[test]
fn lists_of_words() {
    let table = [
        ("青禾", "青禾"),
        ("青禾|云茶", "青禾 | 云茶"),
        ("(青禾|云茶)(漏水|起火)", "青禾漏水 | 青禾起火 | 云茶漏水 | 云茶起火"),
        ("(?:青禾|云茶)集团?", "青禾集 | 青禾集团 | 云茶集 | 云茶集团"),
        ("\\bAI\\b", "AI"),
        ("\\bVision Pro\\b", "\"Vision Pro\""),
        ("(?<![a-zA-Z])ai(?![a-zA-Z])", "ai"),
        ("(?<!\\w)ai(?!\\w)", "ai"),
        ("(?<![a-zA-Z0-9_])ai(?![a-z])", "ai"),
        ("(?i)Ai|AI|ai", "Ai"),
        ("[Aa][Ii]", "AI"),
        ("GPT-?[345]", "GPT3 | GPT4 | GPT5 | GPT-3 | GPT-4 | GPT-5"),
        ("open\\s?ai", "openai | \"open ai\""),
        ("open\\s+ai", "\"open ai\""),
        ("open\\s*ai", "openai | \"open ai\""),
        ("colou?r", "color | colour"),
        ("\\b01\\.AI\\b", "01.AI"),
        ("Copilot\\+ PC", "\"Copilot+ PC\""),
        ("哈{2,3}", "哈哈 | 哈哈哈"),
        ("10万+|100000\\+", "10万 | 100000+"),
        (".*青禾.*", "青禾"),
        ("\\bgpt\\w*", "gpt*"),
        ("iphone1[5-7]", "iphone15 | iphone16 | iphone17"),
        ("第\\d期", "第0期 | 第1期 | 第2期 | 第3期 | 第4期 | 第5期 | 第6期 | 第7期 | 第8期 | 第9期"),
        ("A\\/B", "\"A/B\""),
        ("\\bgpt\\w*\\b", "gpt*"),
    ];
    for (pattern, expected) in table {
        assert_eq!(any(pattern), expected, "{pattern}");
    }
}

#[test]
fn latin_words_without_boundaries_are_found_inside_others() {
    for (pattern, inside) in [
        ("\\bAI\\b|人工智能", None),
        ("人工智能", None),
        ("AI", Some("AI")),
        ("AI\\b", Some("AI")),
        ("\\bAI", Some("AI")),
        ("\\bgpt\\w*", None),
        ("gpt\\w*", Some("gpt")),
        ("用AI画", None),
        ("画AI", Some("画AI")),
    ] {
        assert_eq!(words(pattern).0.inside.as_deref(), inside, "{pattern}");
    }
}

#[test]
fn what_is_no_list_of_words() {
    let table = [
        "青禾.*漏水",
        "青禾.{0,5}漏水",
        "^青禾",
        "青禾$",
        "\\d{4}年",
        "[^a]b",
        "\\p{Han}+",
        "\\w+中毒",
        "青禾(?=漏水)",
        "(?<!非)典型",
        "(青禾",
        "[z-a]",
        "a{9}",
        "(?-i)AI",
        "\\b青禾\\b",
        "foo\\bbar",
        "go+",
        "\\w*药",
        "青\\S禾",
        "(a|b|c|d|e){5}",
        "x*",
        "\\bfoo.*\\b",
        "\\b.*foo",
        "",
        "\\Bai",
        ".+",
        "(?P<a>青禾)\\1",
    ];
    let told: Vec<String> = table
        .into_iter()
        .map(|pattern| match (words(pattern).0.any.len(), &words(pattern).1[..]) {
            (0, [refusal]) => format!("{pattern}  {}: {}", refusal.at + 1, refusal.message),
            other => format!("{pattern}  ->  {other:?}"),
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn alternatives_are_refused_one_by_one_and_bounded() {
    let (kept, refusals) = words("青禾|^云茶|Qinghe\\d{4}|雾茶");
    assert_eq!(kept.any, [Query::Term("青禾".to_owned()), Query::Term("雾茶".to_owned())]);
    assert_eq!(refusals.iter().map(|refusal| refusal.at).collect::<Vec<_>>(), [3, 13]);
    let many: Vec<String> = (0..1_000).map(|n| format!("青禾{n}")).collect();
    let (kept, refusals) = words(&many.join("|"));
    assert_eq!((kept.any.len(), refusals.len()), (MAX_WORDS, 1));
}

#[test]
fn a_pathological_expression_is_refused_at_once() {
    for pattern in [
        "(".repeat(5_000) + "a" + &")".repeat(5_000),
        "((((a{8}){8}){8}){8}){8}".to_owned(),
        "[a-z]".repeat(40),
        "(a?){8}".repeat(40),
    ] {
        let (words, refusals) = words(&pattern);
        assert!(words.any.is_empty() && refusals.len() == 1, "{refusals:?}");
    }
}

proptest! {
    #[test]
    fn stand_ins_for_boundaries_keep_their_length(pattern in "([a-z青禾]|\\(\\?<!\\[a-zA-Z\\]\\)|\\(\\?!\\\\w\\)|\\(\\?<!\\[a-z0-9\\]\\)|\\(\\?!非\\)){0,8}") {
        prop_assert_eq!(boundaries(&pattern).chars().count(), pattern.chars().count());
    }
}
