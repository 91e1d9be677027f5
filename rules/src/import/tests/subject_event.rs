//! The table of subject, event, region and stop words.

use super::*;

fn read(text: &str) -> String {
    told(&import(Origin::SubjectEvent, text, "", "pr"))
}

#[test]
fn schemes_become_monitors() {
    let table = [
        (
            "方案名称,主体词,事件词,地域词,排除词\n青禾质量,青禾、青禾科技,漏水、起火,广东,招聘、青禾县",
            "青禾质量: (青禾 OR 青禾科技) (漏水 OR 起火) (广东 OR region:广东) NOT (招聘 OR 青禾县)",
        ),
        (
            "name,subject,event,region,stop words\nQinghe quality,Qinghe; Qinghe Tech,leak | fire,Guangdong,jobs",
            "Qinghe quality: (Qinghe OR \"Qinghe Tech\") (leak OR fire) (Guangdong OR region:Guangdong) NOT jobs",
        ),
        ("主体词\t事件词\n青禾\t漏水|起火", "青禾: 青禾 (漏水 OR 起火)"),
        ("品牌;事件\n青禾、云茶;召回", "青禾: (青禾 OR 云茶) 召回"),
        ("事件词\n食物中毒", "食物中毒: 食物中毒"),
        ("\u{feff}主体词,排除词\r\n青禾,\r\n\r\n云茶,雾茶\r\n", "青禾: 青禾\n云茶: 云茶 NOT 雾茶"),
        ("主体词\n\"青禾\n云茶\"", "青禾: 青禾 OR 云茶"),
        ("主体词\n\"青禾,\"\"云 茶\"\"\"", "青禾: 青禾 OR \"云 茶\""),
        ("主体词,事件词,排除词\n云茶,拉+肚子,山", "云茶: 云茶 拉 肚子 NOT 山"),
        ("主体词\nC++、Google+", "C++: C++ OR Google+"),
        ("主体词,事件词\nfood poisoning,recall", "\"food poisoning\": \"food poisoning\" recall"),
        ("*主体词*,Stopwords\n青禾,广告", "青禾: 青禾 NOT 广告"),
        (
            "主体词,地域词\n青禾,\"深圳、New York\"",
            "青禾: 青禾 (深圳 OR region:深圳 OR \"New York\" OR region:\"New York\")",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(read(text), expected, "{text}");
        comes_back(&import(Origin::SubjectEvent, text, "", "pr"));
    }
    assert_eq!(query(Origin::SubjectEvent, "主体词\n小米+召回、“小米 SU7”"), "(小米 召回) OR \"小米 SU7\"");
    assert_eq!(query(Origin::SubjectEvent, "主体词\n“Tea Talk”，「云 茶」"), "\"Tea Talk\" OR \"云 茶\"");
}

#[test]
fn every_known_head_is_read() {
    for head in ["主体词", "主体", "主体关键词", "监测主体", "品牌词", "subject", "Subjects", " BRAND "]
    {
        assert_eq!(query(Origin::SubjectEvent, &format!("{head}\n青禾")), "青禾", "{head}");
    }
    for head in ["事件词", "敏感词", "负面词", "event words"] {
        assert_eq!(query(Origin::SubjectEvent, &format!("主体,{head}\n青禾,漏水")), "青禾 漏水", "{head}");
    }
    for head in ["地域词", "地区", "区域词", "location"] {
        let query = query(Origin::SubjectEvent, &format!("主体,{head}\n青禾,广东"));
        assert_eq!(query, "青禾 (广东 OR region:广东)", "{head}");
    }
    for head in ["排除词", "过滤词", "屏蔽词", "歧义词", "Exclude", "stop words"] {
        assert_eq!(
            query(Origin::SubjectEvent, &format!("主体,{head}\n青禾,广告")),
            "青禾 NOT 广告",
            "{head}"
        );
    }
}

#[test]
fn bad_rows_are_told_with_line_and_column() {
    let text = "方案名称,主体词,事件词,地域词,排除词,主体,预算\n\
        空,,,广东,\n\
        短,青禾,漏,,\n\
        标点,青禾、！！,,,\n\
        好,青禾 云茶,漏水,,,雾茶,100\n\
        多,青禾,漏水,,,,,多出\n\
        只有排除,,,,广告\n";
    insta::assert_snapshot!(read(text));
    insta::assert_snapshot!(read("名称,地域\n青禾,广东"), @"1:1: not carried over: the first row names no column of subject words (主体词, subject) or event words (事件词, event)");
    insta::assert_snapshot!(read("subjct,event\n青禾,漏水"), @r"
    漏水: 漏水
    1:1: not carried over: unknown column `subjct`; did you mean `subject`?
    ");
    insta::assert_snapshot!(read("主体词,事件词\n青禾,\"漏水\n云茶,起火"), @"2:4: not carried over: this quote is never closed, so every row after it is in one cell");
}
