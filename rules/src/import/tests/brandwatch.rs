//! Brandwatch queries.

use super::*;

#[test]
fn operators_that_coincide() {
    let table = [
        ("apple AND juice", "apple juice"),
        ("apple OR juice", "apple OR juice"),
        ("apple NOT juice", "apple NOT juice"),
        ("apple AND NOT juice", "apple NOT juice"),
        ("apple AND -juice", "apple NOT juice"),
        ("apple -(juice OR \"apple pie\")", "apple NOT (juice OR \"apple pie\")"),
        ("(apple AND juice) OR (apple AND sauce)", "(apple juice) OR (apple sauce)"),
        ("apple AND juice OR pear", "(apple juice) OR pear"),
        ("\"apple juice\"", "\"apple juice\""),
        ("“青禾 集团” AND 漏水", "\"青禾 集团\" 漏水"),
        ("（青禾 OR 云茶） AND 漏水", "(青禾 OR 云茶) 漏水"),
        ("\"apple juice\"~5", "apple NEAR/5 juice"),
        (
            "((apple OR orange) NEAR/5 (smartphone OR phone))",
            "(apple OR orange) NEAR/5 (smartphone OR phone)",
        ),
        ("((apple OR orange) AND (smartphone OR phone))~5", "(apple OR orange) NEAR/5 (smartphone OR phone)"),
        ("logitech NEAR/2f keyboard", "logitech ONEAR/2 keyboard"),
        ("logitech ONEAR/2 keyboard", "logitech ONEAR/2 keyboard"),
        ("青禾 NEAR/10 漏水", "青禾 NEAR/10 漏水"),
        ("complain*", "complain*"),
        ("\"apple ju*\"", "\"apple ju\"*"),
        ("青禾*", "青禾"),
        ("title:\"apple juice\"", "title:(\"apple juice\")"),
        ("title:apple", "title:(apple)"),
        ("title:(apple OR 青禾) AND juice", "title:(apple OR 青禾) juice"),
        ("apple <<<my comment (here>>> juice", "apple juice"),
        ("{BT} AND phone", "case:BT phone"),
        ("raw:\"Google+\"", "case:Google+"),
        ("raw:Google+", "case:Google+"),
        ("#MondayMotivation OR @brandwatch", "#MondayMotivation OR @brandwatch"),
        ("hashtags:recall OR at_mentions:acme", "#recall OR @acme"),
        ("site:twitter.com AND \"apple juice\"", "site:twitter.com \"apple juice\""),
        ("site:www.twitter.com", "site:twitter.com"),
        ("site:(twitter.com OR \"facebook.com\") AND tea", "(site:twitter.com OR site:facebook.com) tea"),
        ("url:\"msn.com/news*\" AND tea", "url:msn.com/news tea"),
        ("topLevelDomain:org AND tea", "site:org tea"),
        ("author:ladygaga", "author:ladygaga"),
        ("author:\"Tea Talk\"", "author:\"Tea Talk\""),
        ("language:en AND tea", "lang:en tea"),
        ("lang:zh AND 奶茶", "lang:zh 奶茶"),
        ("region:广东 AND 奶茶", "region:广东 奶茶"),
        ("country:(\"United Kingdom\" OR 英国) AND tea", "(region:\"United Kingdom\" OR region:英国) tea"),
        ("authorFollowers:[500 TO 100000]", "followers:500..100000"),
        ("authorFollowers:[500 TO *] AND tea", "followers>=500 tea"),
        ("reachMin:1000 AND tea", "followers>=1000 tea"),
        ("authorVerified:false AND tea", "verified:none tea"),
        (
            "authorVerified:true",
            "verified:person OR verified:media OR verified:government OR verified:enterprise OR verified:organisation",
        ),
        ("authorVerifiedType:government", "verified:government"),
        ("engagementType:COMMENT AND 青禾", "kind:comment 青禾"),
        ("apple and juice", "apple and juice"),
        ("wendy's", "\"wendy's\""),
        ("what? AND now", "\"what?\" now"),
        ("C AND 语言", "C 语言"),
    ];
    for (text, expected) in table {
        assert_eq!(query(Origin::Brandwatch, text), expected, "{text}");
        comes_back(&import(Origin::Brandwatch, text, "test", "pr"));
    }
}

#[test]
fn what_does_not_coincide_is_told_all_at_once() {
    let text = "((青禾 OR customi?e OR *phone OR col*r) AND (links:msn.com OR country:gbr OR region:usa.fl))\n\
        AND engagementType:RETWEET AND authorGender:F AND #te*a\n\
        NOT (latitude:[41 TO 44] OR subreddit: nba OR sentiment:negative)\n\
        AND (a NEAR/5 (b AND c)) AND (a NEAR/9999 b) AND (aa NEAR/5 bb NEAR/5 cc)\n\
        AND \"one two three\"~5 AND rating:[3 TO 5] AND site:msn.com/news AND language:english\n\
        AND authorFollowers:many AND author:tea* AND itemReview:(\"Xbox One\") AND https://example.com/a <<<open";
    let import = import(Origin::Brandwatch, text, "青禾", "pr");
    insta::assert_snapshot!(told(&import));
    comes_back(&import);
}

#[test]
fn broken_queries() {
    let table = [
        "",
        "AND",
        "apple AND",
        "apple OR OR juice",
        "OR apple",
        "(apple",
        "apple)",
        "\"apple",
        "NOT apple",
        "茶",
        "apple NEAR/5",
        "NEAR/5 apple",
        "apple NEAR/x juice",
        "title:",
        "site:",
        "()",
        "{}",
        "~5",
        "(a AND bb)~x",
        "-",
        "site:(a.com AND b.com)",
        "!!! OR ？？",
        "{茶}",
    ];
    let told: Vec<String> =
        table.into_iter().map(|text| format!("{text}\n{}", losses(Origin::Brandwatch, text))).collect();
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn nesting_is_bounded() {
    for text in [
        "(".repeat(10_000) + "青禾" + &")".repeat(10_000),
        "NOT ".repeat(10_000) + "青禾",
        "title:(".repeat(5_000),
    ] {
        let told = losses(Origin::Brandwatch, &text);
        assert!(!told.is_empty() && told.lines().count() < 5, "{told:.500}");
    }
}
