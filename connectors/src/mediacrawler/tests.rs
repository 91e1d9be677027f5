//! Every platform, both dialects, contents and comments, in all three file formats. The records are composed here.

mod fields;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::*;
use crate::{Format, Item, ReadOptions, read};

/// One entry in the 2026 dialect, and what it must become: id, kind, title, text, published, thread, parent, link,
/// likes/comments/reposts/views/favorites.
struct Case {
    folder: &'static str,
    record: Value,
    expected: &'static str,
}

fn cases() -> Vec<Case> {
    let case = |folder, record, expected| Case { folder, record, expected };
    vec![
        case(
            "xhs",
            json!({"note_id":"66f0","type":"normal","title":"净水器漏水","desc":"客服让我找物业 &amp; 避雷\n\"真的\",三天","video_url":"","time":1789000123000_i64,"last_update_time":1789000456000_i64,"creator_hash":"@","nickname":"@","liked_count":"1.2万","collected_count":"356","comment_count":"10万+","share_count":"","image_list":"https://img.example/1.jpg","tag_list":"售后","last_modify_ts":1789000900123_i64,"note_url":"https://www.xiaohongshu.com/explore/66f0?xsec_token=SECRET&xsec_source=pc_search","source_keyword":"净水器","xsec_token":"SECRET"}),
            "xiaohongshu:66f0 post 净水器漏水|客服让我找物业 & 避雷\n\"真的\",三天 2026-09-10T00:28:43Z xiaohongshu:66f0 - https://www.xiaohongshu.com/explore/66f0 12000/100000/-/-/356",
        ),
        case(
            "xhs",
            json!({"comment_id":"66c1","create_time":1789000300000_i64,"note_id":"66f0","content":"我家也漏","creator_hash":"@","nickname":"@","sub_comment_count":"3","pictures":"","parent_comment_id":0,"last_modify_ts":1789000901456_i64,"like_count":"45"}),
            "xiaohongshu:66c1 comment -|我家也漏 2026-09-10T00:31:40Z xiaohongshu:66f0 xiaohongshu:66f0 - 45/3/-/-/-",
        ),
        case(
            "dy",
            json!({"aweme_id":"7480","aweme_type":"0","title":"排队两小时","desc":"排队两小时","create_time":1789001000,"creator_hash":"@","nickname":"@","liked_count":"20311","collected_count":"118","comment_count":"964","share_count":"None","last_modify_ts":1789001300000_i64,"aweme_url":"https://www.douyin.com/video/7480","cover_url":"","video_download_url":"","music_download_url":"","note_download_url":"","source_keyword":"门店"}),
            "douyin:7480 video -|排队两小时 2026-09-10T00:43:20Z douyin:7480 - https://www.douyin.com/video/7480 20311/964/-/-/118",
        ),
        case(
            "dy",
            json!({"comment_id":"7489","create_time":1789001100,"aweme_id":"7480","content":"我也遇到过","creator_hash":"@","nickname":"@","sub_comment_count":"0","like_count":12,"last_modify_ts":1789001301000_i64,"parent_comment_id":"7488","pictures":""}),
            "douyin:7489 comment -|我也遇到过 2026-09-10T00:45:00Z douyin:7480 douyin:7488 - 12/0/-/-/-",
        ),
        case(
            "ks",
            json!({"video_id":"3xab","video_type":"1","title":"外卖吃出钉子","desc":"外卖吃出钉子","create_time":1789002000000_i64,"creator_hash":"@","nickname":"@","liked_count":"8841","viewd_count":"310022","last_modify_ts":1789002300000_i64,"video_url":"https://www.kuaishou.com/short-video/3xab","video_cover_url":"","video_play_url":"","source_keyword":"外卖"}),
            "kuaishou:3xab video -|外卖吃出钉子 2026-09-10T01:00:00Z kuaishou:3xab - https://www.kuaishou.com/short-video/3xab 8841/-/-/310022/-",
        ),
        case(
            "ks",
            json!({"comment_id":"9001","create_time":1789002100000_i64,"video_id":"3xab","content":"哪个牌子","creator_hash":"@","nickname":"@","sub_comment_count":"2","last_modify_ts":1789002302000_i64}),
            "kuaishou:9001 comment -|哪个牌子 2026-09-10T01:01:40Z kuaishou:3xab kuaishou:3xab - -/2/-/-/-",
        ),
        case(
            "bili",
            json!({"video_id":"1150","video_type":"video","title":"实测刹车距离","desc":"全程无剪辑","create_time":1789003000,"creator_hash":"@","nickname":"@","liked_count":"52000","disliked_count":"0","video_play_count":"1280000","video_favorite_count":"9100","video_share_count":"4300","video_coin_count":"12000","video_danmaku":"8800","video_comment":"7021","last_modify_ts":1789003300000_i64,"video_url":"https://www.bilibili.com/video/av1150","video_cover_url":"","source_keyword":"刹车"}),
            "bilibili:1150 video 实测刹车距离|全程无剪辑 2026-09-10T01:16:40Z bilibili:1150 - https://www.bilibili.com/video/av1150 52000/7021/4300/1280000/9100",
        ),
        case(
            "bili",
            json!({"comment_id":"2400","parent_comment_id":"0","create_time":1789003100,"video_id":"1150","content":"会出人命","creator_hash":"@","nickname":"@","sub_comment_count":61,"like_count":3301,"last_modify_ts":1789003302000_i64}),
            "bilibili:2400 comment -|会出人命 2026-09-10T01:18:20Z bilibili:1150 bilibili:1150 - 3301/61/-/-/-",
        ),
        case(
            "bili",
            json!({"dynamic_id":"88","creator_hash":"@","user_name":"@","text":"今天不更新","type":"WORD","pub_ts":1789003000,"total_comments":5,"total_forwards":2,"total_liked":9,"last_modify_ts":1789003300000_i64}),
            "bilibili:88 post -|今天不更新 2026-09-10T01:16:40Z bilibili:88 - - 9/5/2/-/-",
        ),
        case(
            "wb",
            json!({"note_id":"5200","content":"#品牌道歉# 这也叫道歉？A&lt;B","create_time":1789004000,"create_date_time":"2026-09-10 09:33:20+08:00","liked_count":"33012","comments_count":"5120","shared_count":"10244","last_modify_ts":1789004300000_i64,"note_url":"https://m.weibo.cn/detail/5200","creator_hash":"@","nickname":"@","source_keyword":"道歉"}),
            "weibo:5200 post -|#品牌道歉# 这也叫道歉？A<B 2026-09-10T01:33:20Z weibo:5200 - https://m.weibo.cn/detail/5200 33012/5120/10244/-/-",
        ),
        case(
            "wb",
            json!({"comment_id":"5299","create_time":"","create_date_time":"2026-09-10 09:35:00+08:00","note_id":"5200","content":"抵制","sub_comment_count":"4","comment_like_count":"801","last_modify_ts":1789004301000_i64,"parent_comment_id":"5299","creator_hash":"@","nickname":"@"}),
            "weibo:5299 comment -|抵制 2026-09-10T01:35:00Z weibo:5200 weibo:5200 - 801/4/-/-/-",
        ),
        case(
            "tieba",
            json!({"note_id":"9100","title":"充电桩乱扣费吗","desc":"扣了三次","note_url":"https://tieba.baidu.com/p/9100","publish_time":"2026-09-10 10:02","creator_hash":"@","user_nickname":"@","tieba_name":"电动车吧","tieba_link":"https://tieba.baidu.com/f?kw=test","total_replay_num":87,"total_replay_page":3,"source_keyword":"充电桩","last_modify_ts":1789006000000_i64}),
            "tieba:9100 post 充电桩乱扣费吗|扣了三次 2026-09-10T02:02:00Z tieba:9100 - https://tieba.baidu.com/p/9100 -/87/-/-/-",
        ),
        case(
            "tieba",
            json!({"comment_id":"1500","parent_comment_id":"","content":"同款，已投诉","creator_hash":"@","user_nickname":"@","publish_time":"2026-09-10 10:15","sub_comment_count":1,"note_id":"9100","note_url":"https://tieba.baidu.com/p/9100","tieba_id":"123456","tieba_name":"电动车吧","tieba_link":"https://tieba.baidu.com/f?kw=test","last_modify_ts":1789006001000_i64}),
            "tieba:1500 comment -|同款，已投诉 2026-09-10T02:15:00Z tieba:9100 tieba:9100 https://tieba.baidu.com/p/9100 -/1/-/-/-",
        ),
        case(
            "zhihu",
            json!({"content_id":"3600","content_type":"answer","content_text":"作为前员工说两句","content_url":"https://www.zhihu.com/question/6/answer/3600","question_id":"6","title":"如何看待泄露？","desc":"","created_time":1789007000,"updated_time":1789007600,"voteup_count":2411,"comment_count":305,"source_keyword":"泄露","creator_hash":"@","user_nickname":"@","last_modify_ts":1789008000000_i64}),
            "zhihu:3600 answer 如何看待泄露？|作为前员工说两句 2026-09-10T02:23:20Z zhihu:3600 - https://www.zhihu.com/question/6/answer/3600 2411/305/-/-/-",
        ),
        case(
            "zhihu",
            json!({"comment_id":"1100","parent_comment_id":"","content":"能证实吗","publish_time":1789007700,"sub_comment_count":2,"like_count":40,"dislike_count":1,"content_id":"3600","content_type":"answer","creator_hash":"@","user_nickname":"@","last_modify_ts":1789008001000_i64}),
            "zhihu:1100 comment -|能证实吗 2026-09-10T02:35:00Z zhihu:3600 zhihu:3600 - 40/2/-/-/-",
        ),
    ]
}

const USER: &str = "5f00000000000000010001aa";
const KEY: &str = "479a753d69fa67de";

/// The record as either dialect writes it.
fn in_dialect(record: &Value, old: bool) -> Map<String, Value> {
    let mut fields = record.as_object().expect("an object").clone();
    for name in ["nickname", "user_nickname", "user_name"] {
        if fields.contains_key(name) {
            fields.insert(name.into(), if old { "小黄鱼" } else { "小***鱼" }.into());
        }
    }
    fields.insert("creator_hash".into(), KEY.into());
    if old {
        fields.remove("creator_hash");
        let id = if fields.contains_key("tieba_name") { "user_link" } else { "user_id" };
        fields.insert(id.into(), USER.into());
        fields.insert("avatar".into(), "https://img.example/face.jpg".into());
        fields.insert("ip_location".into(), "上海".into());
    }
    fields
}

fn csv_cell(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{}\"", text.replace('"', "\"\"")),
        other => other.to_string(),
    }
}

/// The three formats of one record: name and content.
fn files(fields: &Map<String, Value>) -> [(&'static str, String); 3] {
    let object = Value::Object(fields.clone());
    let header = fields.keys().cloned().collect::<Vec<_>>().join(",");
    let row = fields.values().map(csv_cell).collect::<Vec<_>>().join(",");
    [
        ("json", serde_json::to_string_pretty(&json!([object, object])).expect("json")),
        ("jsonl", format!("{object}\n{object}\n")),
        ("csv", format!("\u{feff}{header}\r\n{row}\r\n{row}\r\n")),
    ]
}

fn shown(mention: &Mention) -> String {
    let none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let m = &mention.metrics;
    let counters = [m.likes, m.comments, m.reposts, m.views, m.favorites]
        .map(|n| n.map_or("-".to_owned(), |n| n.to_string()))
        .join("/");
    format!(
        "{} {} {}|{} {} {} {} {} {counters}",
        mention.id,
        mention.kind,
        none(&mention.title),
        mention.text,
        mention.published_at,
        none(&mention.thread),
        none(&mention.parent),
        none(&mention.url)
    )
}

fn write(root: &Path, folder: &str, extension: &str, content: &str) -> PathBuf {
    let path = root.join("data").join(folder).join(format!("search_2026-09-10.{extension}"));
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("mkdir");
    std::fs::write(&path, content).expect("write");
    path
}

#[test]
fn every_platform_dialect_entry_and_format() {
    let root = tempfile::tempdir().expect("a folder");
    let mut read_in = 0;
    for case in cases() {
        for old in [false, true] {
            let fields = in_dialect(&case.record, old);
            for (extension, content) in files(&fields) {
                for format in [Format::Auto, Format::Mediacrawler] {
                    // Once in the tool's own folder, once where the path says nothing.
                    for folder in [case.folder, "elsewhere"] {
                        let path = write(root.path(), folder, extension, &content);
                        let options = ReadOptions { format, ..ReadOptions::default() };
                        let items: Vec<Item> =
                            read(&path, &options).expect("opens").map(|item| item.expect("reads")).collect();
                        assert_eq!(items.len(), 2, "{extension} {:?}", case.record);
                        for item in items {
                            let Item::Mention(mention) = item else {
                                panic!("{extension} old={old} {format:?}: {item:?}")
                            };
                            assert_eq!(shown(&mention), case.expected, "{extension} old={old} {format:?}");
                            let author = mention.author.as_ref().expect("an author");
                            assert_eq!((author.key.as_str(), author.name.as_deref()), (KEY, Some("小***鱼")));
                            assert_eq!(mention.source.as_deref(), Some(SOURCE));
                            let cap = if mention.kind == Kind::Comment { 10 } else { 15 };
                            assert_eq!(mention.sample_cap, Some(cap));
                            let seen = fields["last_modify_ts"].as_i64().expect("a number");
                            assert_eq!(mention.observed_at.as_millisecond(), seen);
                            let text = serde_json::to_string(&mention).expect("json");
                            for secret in ["SECRET", USER, "上海", "face.jpg"] {
                                assert!(!text.contains(secret), "{secret} kept in {text}");
                            }
                            read_in += 1;
                        }
                    }
                }
            }
        }
    }
    assert_eq!(read_in, 15 * 2 * 3 * 2 * 2 * 2);
}

fn one(record: Value) -> Result<Mention, Rejection> {
    mention(record.as_object().expect("an object"), None, None)
}

#[test]
fn no_word_counts_twice() {
    let note = |title: &str, desc: &str| {
        let record = json!({"note_id":"1","title":title,"desc":desc,"time":1789000123000_i64,"note_url":"","last_modify_ts":1789000123000_i64});
        one(record).map(|m| (m.title, m.text))
    };
    for (title, desc, expected) in [
        ("A", "B", (Some("A"), "B")),
        ("同一句", "同一句", (None, "同一句")),
        ("开头", "开头然后更多", (None, "开头然后更多")),
        ("开头然后…", "开头然后更多", (None, "开头然后更多")),
        ("很长的说明没有截断", "很长的说明", (None, "很长的说明没有截断")),
        ("只有标题", "", (Some("只有标题"), "")),
        ("", "只有正文", (None, "只有正文")),
    ] {
        let (expected_title, expected_text) = expected;
        let got = note(title, desc).expect("a mention");
        assert_eq!((got.0.as_deref(), got.1.as_str()), (expected_title, expected_text), "{title}|{desc}");
    }
    assert_eq!(note("", "").expect_err("nothing said").reason, RejectionReason::MissingField);
}

#[test]
fn pictures_without_words_are_marked() {
    let comment = |content: &str, pictures: &str| {
        one(
            json!({"comment_id":"1","note_id":"2","create_time":1789000123000_i64,"content":content,"pictures":pictures,"like_count":"0","last_modify_ts":1789000123000_i64}),
        )
    };
    assert_eq!(comment("", "https://img.example/1.jpg").expect("a mention").text, "[图片]");
    assert_eq!(comment("看", "https://img.example/1.jpg").expect("a mention").text, "看");
    assert_eq!(comment("", "").expect_err("nothing said").field, "text");
}

#[test]
fn refusals_name_the_field() {
    let base = json!({"comment_id":"1","note_id":"2","create_time":1789000123000_i64,"content":"x","like_count":"0","last_modify_ts":1});
    for (field, value, reason) in [
        ("comment_id", json!(""), RejectionReason::MissingField),
        ("note_id", json!(null), RejectionReason::MissingField),
        ("create_time", json!(null), RejectionReason::MissingField),
        ("create_time", json!("soon"), RejectionReason::InvalidField),
        ("create_time", json!(253_402_300_799_i64), RejectionReason::DateOutOfRange),
    ] {
        let mut record = base.clone();
        record[field] = value.clone();
        let rejection = one(record).expect_err("refused");
        assert_eq!((rejection.reason, rejection.field.as_str()), (reason, field), "{value}");
    }
    let creator = one(json!({"user_id":"1","nickname":"x","fans":3,"last_modify_ts":1}));
    assert_eq!(creator.expect_err("refused").reason, RejectionReason::InvalidField);
}

/// The folder of real captures, when it is there.
fn captures() -> Option<PathBuf> {
    let shared = option_env!("TOCSIN_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let folder = shared.join("data/fixtures/mediacrawler");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("SKIPPED: no captures at {}", folder.display());
    None
}

#[test]
fn real_captures_parse_without_one_refusal() {
    let Some(folder) = captures() else { return };
    for (name, count, kinds) in [
        ("search_contents_2025-09-05.json", 200, &[Kind::Post, Kind::Video][..]),
        ("search_comments_2025-09-05.json", 897, &[Kind::Comment][..]),
    ] {
        let items: Vec<Item> = read(&folder.join(name), &ReadOptions::default())
            .expect("opens")
            .map(|item| item.expect("reads"))
            .collect();
        let refused: Vec<_> = items.iter().filter_map(Item::rejected).collect();
        assert!(refused.is_empty(), "{refused:?}");
        assert_eq!(items.len(), count, "{name}");
        for mention in items.into_iter().filter_map(Item::mention) {
            assert_eq!(mention.platform, Platform::Xiaohongshu);
            assert!(kinds.contains(&mention.kind));
            assert!(mention.url.as_deref().is_none_or(|url| !url.contains("xsec_token")));
            assert!(mention.author.as_ref().is_some_and(|a| privacy::is_author_key(&a.key)));
            assert!(mention.published_at < mention.observed_at);
            assert!(mention.metrics.likes.is_some());
        }
    }
}
