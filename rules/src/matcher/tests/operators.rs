//! What each operator and field finds, by tables and by the examples of the reference; every answer must also be that of
//! plain search.

use super::*;

fn holds(query: &str, post: &Mention) -> bool {
    let query = Query::parse(query).unwrap_or_else(|faults| panic!("{query}: {faults:?}"));
    let matcher = Matcher::from_parts(&[monitor_of("m", query.clone())], &[], &[]).expect("builds");
    let mut normal = Normal::new();
    normal.set(post);
    let found = !matcher.scan(post, "zh", &normal, &mut Scratch::new()).monitors.is_empty();
    assert_eq!(found, matches(&query, &[], post, "zh", &normal), "{query}");
    found
}

#[test]
fn operators_match_what_they_mean() {
    for (query, text, expected) in [
        // A word is one token, a Han character one, punctuation none, an emoji one.
        ("tea NEAR/2 poison", "tea caused, sadly: poison", true),
        ("tea NEAR/1 poison", "tea caused, sadly: poison", false),
        ("poison NEAR/2 tea", "tea caused, sadly: poison", true),
        ("poison ONEAR/2 tea", "tea caused, sadly: poison", false),
        ("奶茶 NEAR/3 中毒", "奶茶，喝完了中毒", true),
        ("奶茶 NEAR/2 中毒", "奶茶，喝完了中毒", false),
        ("奶茶 NEAR/2 中毒", "奶茶 iPhone17 😱 中毒", true),
        ("奶茶 NEAR/1 中毒", "奶茶 iPhone17 😱 中毒", false),
        ("奶茶 NEAR/0 中毒", "中毒……奶茶", true),
        ("tea NEAR/0 tea", "tea", false),
        ("tea NEAR/0 tea", "tea, tea", true),
        ("奶茶 NEAR/9 茶", "一杯奶茶", false),
        ("(奶茶 OR tea) NEAR/1 (中毒 OR 拉肚子)", "tea 后拉肚子", true),
        ("recall* NEAR/0 tea", "recalling tea", true),
        // Far more places than are kept of a plain term.
        (
            "奶茶 NEAR/1 中毒 店里",
            &format!("{} 店里 {}。奶茶，中毒", "奶茶 在店里 ".repeat(50), "不好 中毒 ".repeat(50)),
            true,
        ),
        ("recall*", "Recalled at once", true),
        ("recall*", "prerecall", false),
        ("recall", "recalled", false),
        ("recall* NOT recall", "recalled", true),
        ("#奶茶", "今天#奶茶#真好", true),
        ("#奶茶#", "今天 #奶茶 真好", true),
        ("#奶茶", "＃奶茶［超话］＃", true),
        ("#奶茶", "#奶茶店#", false),
        ("#tea", "#teatime", false),
        ("#tea", "tea", false),
        ("@acme", "thanks @Acme, bye", true),
        ("@acme", "谢谢@acme 再见", true),
        ("@acme", "mail me@acme or not", false),
        ("@acme", "@acme_help", false),
        ("@acme @acme_help", "@acme_help @acme", true),
        ("case:AirTag", "my AirTag is gone", true),
        ("case:AirTag", "my airtag is gone", false),
        ("case:AirTag airtag", "AIRTAG AirTag", true),
        ("case:\"US\" NOT case:\"us\"", "the US", true),
        ("case:\"US\"", "us and thus", false),
        ("case:US", &format!("{} US", "us ".repeat(100)), true),
        ("退款{3}", "退款！退款！退款！", true),
        ("退款{3}", "退款！退款！", false),
        ("哈哈{2}", "哈哈哈", false),
        ("(退款 OR refund){2}", "退款 refund", true),
        ("退款{60}", &"退款".repeat(60), true),
        ("退款{60}", &"退款".repeat(59), false),
        ("\"he said \\\"no\\\"\"", "He said \"no\" twice", true),
    ] {
        assert_eq!(holds(query, &mention(text)), expected, "{query} in {text}");
    }
}

/// Cells of the rows between two lines of the reference that begin so.
fn rows(from: &str, to: &str) -> Vec<[String; 4]> {
    let reference = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/rulebook.md"));
    let part =
        reference.split_once(from).and_then(|(_, rest)| rest.split_once(to)).expect("in the reference").0;
    let rows = part.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let cells =
        rows.map(|row| row.split(" | ").map(|cell| cell.trim_matches('`').to_owned()).collect::<Vec<_>>());
    cells.filter(|cells| cells[0] != "write").map(|cells| cells.try_into().expect("four cells")).collect()
}

#[test]
fn every_example_of_the_reference_is_true() {
    let words = rows("## Queries", "**How far apart.**");
    assert!(words.len() > 20, "{}", words.len());
    for [query, _, found, other] in &words {
        assert!(holds(query, &mention(found)), "{query} in {found}");
        assert!(!holds(query, &mention(other)), "{query} in {other}");
    }
    let reference = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/rulebook.md"));
    let json = reference.split_once("tried on this post:").expect("the post").1;
    let json = json.split("```").nth(1).and_then(|block| block.strip_prefix("json")).expect("a block");
    let post = Mention::parse(json.as_bytes(), mention("").observed_at).expect("a mention");
    let fields = rows("tried on this post:", "`list:alarm`");
    assert!(fields.len() > 8, "{}", fields.len());
    for [_, _, found, other] in &fields {
        assert!(holds(found, &post), "{found}");
        assert!(!holds(other, &post), "{other}");
    }
}

#[test]
fn fields_match_what_a_mention_says() {
    let mut post = mention("喝完拉肚子");
    assert!(!holds("title:喝完", &post) && !holds("url:a OR author:b OR region:c OR site:d", &post));
    assert!(holds("thread:weibo:1", &post));
    post.title = Some("奶茶 Recall 中".to_owned());
    post.url = Some("https://User@News.Example.com:8080/Tea/1?x=2#y".to_owned());
    post.region = Some("广东".to_owned());
    post.thread = Some("weibo:7".to_owned());
    let author =
        Author {
            key: "479a753d69fa67de".to_owned(), name: Some("财***报".to_owned()), ..Author::default()
        };
    post.author = Some(Author { followers: Some(1_000), ..author });
    for (query, expected) in [
        ("title:奶茶", true),
        ("title:(奶茶 recal*)", true),
        ("title:(奶茶 拉肚子)", false),
        ("title:(奶茶 NOT 拉肚子) 拉肚子", true),
        ("title:拉肚子", false),
        ("title:(奶茶 NEAR/1 中)", true),
        ("奶茶 NEAR/9 拉肚子", false),
        ("\"中 喝完\"", false),
        ("author:财***报", true),
        ("author:财***", false),
        ("author:479a753d69fa67de", true),
        ("region:廣東", true),
        ("region:广", false),
        ("url:example.com:8080/tea/", true),
        ("url:coffee", false),
        ("site:example.com", true),
        ("site:news.example.com", true),
        ("site:ample.com", false),
        ("site:com.evil", false),
        ("thread:weibo:7", true),
        ("thread:weibo:1", false),
        ("reach>=1000", true),
        ("reach>1000", false),
        ("followers:1000..2000", true),
        ("followers:1001..2000", false),
        ("followers:..1000", true),
    ] {
        assert_eq!(holds(query, &post), expected, "{query}");
    }
}

#[test]
fn a_text_of_one_letter_stays_linear() {
    // Quadratic work would take minutes here.
    let query = "case:\"aA\" OR a茶 NEAR/3 ab* OR 茶茶 NEAR/2 茶茶茶 OR 茶茶{1000} OR aa*";
    for text in ["茶".repeat(300_000), "a".repeat(1_000_000), "aa ".repeat(300_000)] {
        scan(&Matcher::from_parts(&[monitor("m", query)], &[], &[]).expect("builds"), &mention(&text));
    }
}

#[test]
fn entries_of_a_list_are_terms_of_every_kind() {
    let lists = [list("words", &["recall*", "#茶", "@acme", "case:US", "food poisoning", "us bank"])];
    for (text, expected) in [
        ("It was recalled", &["recall*"][..]),
        ("今天#茶#", &["#茶"]),
        ("喝茶", &[]),
        ("thanks @Acme", &["@acme"]),
        ("acme", &[]),
        ("the US and us", &["US"]),
        ("us", &[]),
        ("US bank", &["US", "us bank"]),
        ("us bank", &["us bank"]),
        ("food and poisoning", &[]),
        ("Food poisoning", &["food poisoning"]),
    ] {
        let matcher =
            Matcher::from_parts(&[monitor("m", "list:words")], &[category("c", "list:words")], &lists)
                .expect("builds");
        let found = scan(&matcher, &mention(text));
        let terms: Vec<&str> = found.categories.iter().flat_map(|c| &c.terms).map(String::as_str).collect();
        assert_eq!(terms, expected, "{text}");
        assert_eq!(found.monitors.len(), usize::from(!expected.is_empty()), "{text}");
    }
    let near = Matcher::from_parts(&[monitor("m", "list:words NEAR/1 奶茶")], &[], &lists).expect("builds");
    assert_eq!(scan(&near, &mention("recalls 奶茶")).monitors.len(), 1);
    assert!(scan(&near, &mention("us 奶茶")).monitors.is_empty());
}
