//! TrendRadar's word file.

use super::*;

fn read(text: &str) -> String {
    told(&import(Origin::TrendRadar, text, "", "pr"))
}

#[test]
fn groups_become_monitors() {
    let table = [
        ("青禾", "青禾: 青禾"),
        ("青禾\n云茶\n", "青禾 / 云茶: 青禾 OR 云茶"),
        ("[茶饮]\n青禾\n云茶", "茶饮: 青禾 OR 云茶"),
        ("青禾\n+漏水\n+起火", "青禾 / 漏水 / 起火: 青禾 漏水 起火"),
        ("+苹果\n+发布会", "苹果 / 发布会: 苹果 发布会"),
        ("苹果\n!水果\n!果园", "苹果: 苹果 NOT (水果 OR 果园)"),
        ("青禾 => 青禾集团\n云茶", "青禾集团 / 云茶: 青禾 OR 云茶"),
        ("/青禾|云茶/ => 茶饮", "茶饮: 青禾 OR 云茶"),
        ("/青禾|云茶/i\n+/漏水|起火/", "/青禾|云茶/i / /漏水|起火/: (青禾 OR 云茶) (漏水 OR 起火)"),
        ("青禾\r\n\r\n云茶\r\n", "青禾: 青禾\n云茶: 云茶"),
        ("# 说明\n青禾\n# 再说\n云茶", "青禾 / 云茶: 青禾 OR 云茶"),
        ("[WORD_GROUPS]\n[茶饮]\n青禾", "茶饮: 青禾"),
        ("[word_groups]\n\n青禾", "青禾: 青禾"),
        ("/\\bDJI\\b/ => 大疆", "大疆: DJI"),
        (
            "/(?<![a-zA-Z])ai(?![a-zA-Z])/i\n人工智能",
            "/(?<![a-zA-Z])ai(?![a-zA-Z])/i / 人工智能: ai OR 人工智能",
        ),
        (
            "青禾\n\n[GLOBAL_FILTER]\n震惊\n标题党\n\n广告",
            "青禾: 青禾 NOT list:global-filter\nlist global-filter: 震惊 | 标题党 | 广告",
        ),
        (
            "[GLOBAL_FILTER]\n/速看|急转发/\n青 禾\n\n[WORD_GROUPS]\n云茶",
            "云茶: 云茶 NOT (list:global-filter OR \"青 禾\")\nlist global-filter: 速看 | 急转发",
        ),
        ("[GLOBAL_FILTER]\n10万+\n\n[WORD_GROUPS]\n云茶\n!雾茶", "云茶: 云茶 NOT 雾茶 NOT 10万+"),
    ];
    for (text, expected) in table {
        // What is said of Latin words has a test of its own.
        let told: Vec<String> =
            read(text).lines().filter(|line| !line.contains("match whole here")).map(str::to_owned).collect();
        assert_eq!(told.join("\n"), expected, "{text}");
        comes_back(&import(Origin::TrendRadar, text, "", "pr"));
    }
}

#[test]
fn what_is_not_carried_over_is_told_at_its_place() {
    let text = "[GLOBAL_FILTER]\n!广告\n震惊\n/^震惊/\n\n[WORD_GROUPS]\n[茶饮]\n青禾\n@5\n@很多\n/青禾.*漏水/\n/第\\d{4}期/ => 期号\n\n\
        云茶\n茶\n[别名]\n  +/起火(?=了)/\n\n/(坏/\n\n!雾茶\n\n春茶\n  \n秋茶\niPhone\nAI\n=> 空\n";
    insta::assert_snapshot!(read(text));
    comes_back(&import(Origin::TrendRadar, text, "", "pr"));
}

#[test]
fn latin_words_are_found_inside_longer_ones_there() {
    insta::assert_snapshot!(read("\nai\n人工智能\niphone"), @r"
    ai / 人工智能 / iphone: ai OR 人工智能 OR iphone
    2:1: note: `ai` and 1 more: Latin words and numbers match whole here, TrendRadar finds them inside longer ones too; `ai*` finds words that begin so
    ");
}

#[test]
fn single_characters_are_kept_where_something_longer_must_be_there() {
    assert_eq!(read("茶\n奶\n+青禾"), "茶 / 奶 / 青禾: (茶 OR 奶) 青禾");
    insta::assert_snapshot!(read("茶\n青禾"), @r"
    茶 / 青禾: 青禾
    1:1: not carried over: `茶`: a single character is in almost every text; use a longer term
    ");
}

#[test]
fn a_group_that_lost_what_it_must_have_is_left_out() {
    insta::assert_snapshot!(read("青禾\n+/漏.水/\n\n/^青禾/\n+起火\n\n云茶"), @r"
    云茶: 云茶
    1:1: not carried over: group `青禾 / /漏.水/` is left out: a word it must have is not carried over
    2:4: not carried over: in `/漏.水/`: `.` is any character, which is no list of words
    4:1: not carried over: group `/^青禾/ / 起火` is left out: none of its words is carried over
    4:2: not carried over: in `/^青禾/`: the beginning or end of a text cannot be asked for; `title:(…)` holds a query to the title
    ");
}

#[test]
fn alternatives_that_are_words_are_kept_beside_those_that_are_not() {
    insta::assert_snapshot!(read("[手机]\n/青禾手机|Phone $1$|云茶\\d+/\n!/山寨|高仿.*/\n!/二手$|转卖/"), @r"
    手机: 青禾手机 NOT (山寨 OR 高仿 OR 转卖)
    2:13: not carried over: in `/青禾手机|Phone $1$|云茶\d+/`: the beginning or end of a text cannot be asked for; `title:(…)` holds a query to the title
    2:19: not carried over: in `/青禾手机|Phone $1$|云茶\d+/`: a letter that goes on repeating is no list of words
    4:2: note: without the whole of this exclusion `手机` finds more
    4:5: not carried over: in `/二手$|转卖/`: the beginning or end of a text cannot be asked for; `title:(…)` holds a query to the title
    ");
}
