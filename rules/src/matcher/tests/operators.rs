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
        ("fuzzy:微信", "加我微❤信", true),
        ("fuzzy:微信", "加V信，+薇.芯", true),
        ("fuzzy:微信", "威信扫地", true),
        ("fuzzy:微信", "WeiXin同号", true),
        ("fuzzy:微信", "ＶＸ：abc", true),
        ("fuzzy:微信", "devx tools", false),
        ("fuzzy:微信", "很微小，，，，信不信", false),
        ("fuzzy:微信 NEAR/2 免费", "免费领，v❤信", true),
        ("fuzzy:微信{2}", "微.信 vx", true),
        ("fuzzy:微信{2}", "微.信", false),
        ("fuzzy:free", "fr33 and fгее", true),
        ("fuzzy:free", "f.r.e.e", true),
        ("fuzzy:free", "F R E E!", true),
        ("fuzzy:free", "freedom", false),
        ("fuzzy:free", "of reeds", false),
        ("fuzzy:together", "to get her", false),
        ("fuzzy:\"free money\"", "fr33 m0ney", true),
        ("fuzzy:\"free money\"", "f-r-e-e-m-o-n-e-y", true),
        ("fuzzy:qq群", "扣扣裙", true),
        ("fuzzy:赚钱", "赚$ 赚💰", true),
        ("fuzzy:加微信", "+v❤信", true),
        ("fuzzy:退款 NOT fuzzy:退钱", "腿款", true),
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
    let lists =
        [list("words", &["fuzzy:免费", "recall*", "#茶", "@acme", "case:US", "food poisoning", "us bank"])];
    for (text, expected) in [
        ("It was recalled", &["recall*"][..]),
        ("兔.费领", &["fuzzy:免费"]),
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

#[test]
fn fuzzy_matches_stand_in_the_original_and_say_how_they_were_read() {
    let query = Query::parse("fuzzy:微信 OR fuzzy:free").expect("valid");
    let matcher = Matcher::from_parts(&[monitor_of("m", query.clone())], &[], &[]).expect("builds");
    let mut normal = Normal::new();
    for (title, text, expected) in [
        (None, "加Ｖ\u{200B}❤信吧", &[("V❤信", "`v❤信` read as `微信`: v for 微")][..]),
        (None, "薇 芯", &[("薇 芯", "`薇 芯` read as `微信`: 薇 for 微, 芯 for 信")]),
        (None, "微-信", &[("微-信", "`微-信` read as `微信`: without its separators")]),
        (None, "FR33", &[("FR33", "`fr33` read as `free`: 3 for e")]),
        (Some("微"), "信", &[]),
    ] {
        let mut post = mention(text);
        post.title = title.map(str::to_owned);
        normal.set(&post);
        let found = matcher.scan(&post, "zh", &normal, &mut Scratch::new());
        let original = super::super::place::original(&post);
        let places = found.monitors.iter().flat_map(|monitor| &monitor.matches);
        let shown: Vec<String> =
            places.map(|m| original[m.start as usize..m.end as usize].iter().collect()).collect();
        let explained = explain(&query, &[], &post, "zh", &normal);
        let notes: Vec<&str> = explained.parts.iter().filter_map(|part| part.note.as_deref()).collect();
        let visible: Vec<String> = shown.iter().map(|s| crate::normal::fold(s)).collect();
        let wanted: Vec<String> = expected.iter().map(|(s, _)| crate::normal::fold(s)).collect();
        assert_eq!(visible, wanted, "{text}");
        assert_eq!(notes, expected.iter().map(|(_, note)| *note).collect::<Vec<_>>(), "{text}");
    }
}

#[test]
fn scripts_and_emoji_meet() {
    for (query, text, expected) in [
        // Traditional and simplified, both ways.
        ("食物中毒", "呢間餐廳食物中毒", true),
        ("退款", "佢哋唔肯退款", true),
        ("后台", "後臺崩咗", true),
        ("後臺", "后台崩了", true),
        ("颜色", "顏色", true),
        ("顏色", "颜色", true),
        ("头发", "頭髮喺碗粥入面", true),
        ("頭髮", "粥里有头发", true),
        ("\"脏 杯\"", "髒 杯", true),
        // Cantonese words are their own; its traditional spellings fold like any other.
        ("唔係", "噉樣唔系人做嘅", true),
        ("唔系", "噉樣唔係人做嘅", true),
        ("嘅嘢 食咗", "食咗佢哋嘅嘢", true),
        ("嘢食", "啲嘢食好難食", true),
        ("难食", "啲嘢食好難食", true),
        ("嗰間舖頭", "嗰间铺头执咗笠", true),
        ("嗰间铺头", "嗰間舖頭執咗笠", true),
        ("唔好食 NEAR/3 嘔", "唔好食到呕", true),
        // An emoji is one token; a joined one is as many as it joins, a skin tone is one of its own.
        ("奶茶 NEAR/1 中毒", "奶茶😱中毒", true),
        ("奶茶 NEAR/0 中毒", "奶茶😱中毒", false),
        ("奶茶 NEAR/2 中毒", "奶茶👍🏽中毒", true),
        ("奶茶 NEAR/1 中毒", "奶茶👍🏽中毒", false),
        ("奶茶 NEAR/3 中毒", "奶茶👨\u{200D}👩\u{200D}👧中毒", true),
        ("奶茶 NEAR/2 中毒", "奶茶👨\u{200D}👩\u{200D}👧中毒", false),
        ("奶茶 NEAR/1 中毒", "奶茶❤\u{FE0F}中毒", true),
        ("👍", "👍🏽", true),
        ("👍🏽", "👍", false),
        ("👍🏽", "👍🏽", true),
        ("👨\u{200D}👩\u{200D}👧", "👨👩👧", true),
        ("❤", "❤\u{FE0F}", true),
        ("❤\u{FE0F}", "❤", true),
        ("👎{3}", "👎👎🏿👎", true),
    ] {
        assert_eq!(holds(query, &mention(text)), expected, "{query} in {text}");
    }
}
