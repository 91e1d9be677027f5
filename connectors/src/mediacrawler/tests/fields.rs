//! Every field the tool writes, platform by platform, in the dialect with raw ids and in the one with hashes: what becomes
//! of each, what is left behind, and the values that stand for none. All records are composed here.

use super::*;

/// What a record of either dialect must become, but for its author.
struct Row {
    folder: &'static str,
    /// Fields both dialects have.
    record: Value,
    /// Fields only the older one has; none of their values may survive but the id the key is made of.
    raw: Value,
    /// As [`shown`].
    expected: &'static str,
}

/// Author of the older dialect; the newer one has its hash.
const RAW_ID: &str = "10086000777";

fn rows() -> Vec<Row> {
    let row = |folder, record, raw, expected| Row { folder, record, raw, expected };
    vec![
        // A film without a title; a counter that is no number; both tokens.
        row(
            "xhs",
            json!({"note_id":"6701","type":"video","title":"电饭煲内胆掉漆用了两个月","desc":"电饭煲内胆掉漆用了两个月，找谁说理","video_url":"https://video.example/1.mp4","time":1790000000000_i64,"last_update_time":1790000100000_i64,"nickname":"@","liked_count":"10万+","collected_count":"3.4万","comment_count":"评论","share_count":"None","image_list":"","tag_list":"","last_modify_ts":1790000500000_i64,"note_url":"https://www.xiaohongshu.com/explore/6701?xsec_token=LEAK-t&xsec_source=pc_search","source_keyword":"电饭煲","xsec_token":"LEAK-t"}),
            json!({"user_id":RAW_ID,"avatar":"https://LEAK-a.example/1.jpg","ip_location":"LEAK-ip"}),
            "xiaohongshu:6701 video -|电饭煲内胆掉漆用了两个月，找谁说理 2026-09-21T14:13:20Z xiaohongshu:6701 - https://www.xiaohongshu.com/explore/6701 100000/-/-/-/34000",
        ),
        row(
            "xhs",
            json!({"comment_id":"6702","create_time":1790000200000_i64,"note_id":"6701","content":"我的也掉了","nickname":"@","sub_comment_count":"","pictures":"","parent_comment_id":"6799","last_modify_ts":1790000500000_i64,"like_count":"1,024"}),
            json!({"user_id":RAW_ID,"avatar":"https://LEAK-a.example/1.jpg","ip_location":"LEAK-ip"}),
            "xiaohongshu:6702 comment -|我的也掉了 2026-09-21T14:16:40Z xiaohongshu:6701 xiaohongshu:6799 - 1024/-/-/-/-",
        ),
        // A set of pictures; every counter unknown.
        row(
            "dy",
            json!({"aweme_id":"7555","aweme_type":"68","title":"奶茶里有虫","desc":"奶茶里有虫","create_time":1790001000,"nickname":"@","liked_count":"None","collected_count":"None","comment_count":"None","share_count":"12","last_modify_ts":1790001500000_i64,"aweme_url":"https://www.douyin.com/video/7555","cover_url":"","video_download_url":"","music_download_url":"","note_download_url":"https://img.example/1.jpg","source_keyword":""}),
            json!({"user_id":RAW_ID,"sec_uid":"LEAK-s","short_user_id":"LEAK-h","user_unique_id":"LEAK-u","user_signature":"LEAK-g","avatar":"LEAK-a","ip_location":"LEAK-ip"}),
            "douyin:7555 post -|奶茶里有虫 2026-09-21T14:30:00Z douyin:7555 - https://www.douyin.com/video/7555 -/-/12/-/-",
        ),
        row(
            "dy",
            json!({"comment_id":"7556","create_time":1790001100,"aweme_id":"7555","content":"","nickname":"@","sub_comment_count":"3","like_count":0,"last_modify_ts":1790001500000_i64,"parent_comment_id":"0","pictures":"https://img.example/2.jpg"}),
            json!({"user_id":RAW_ID,"sec_uid":"LEAK-s","short_user_id":"LEAK-h","user_unique_id":"LEAK-u","user_signature":"LEAK-g","avatar":"LEAK-a","ip_location":"LEAK-ip"}),
            "douyin:7556 comment -|[图片] 2026-09-21T14:31:40Z douyin:7555 douyin:7555 - 0/3/-/-/-",
        ),
        // The caption is cut in `desc` and whole in `title`.
        row(
            "ks",
            json!({"video_id":"3xzz","video_type":"1","title":"快递被扔出三米远监控全拍下","desc":"快递被扔出三米远","create_time":1790002000123_i64,"nickname":"@","liked_count":"1.5万","viewd_count":"2亿","last_modify_ts":1790002500000_i64,"video_url":"https://www.kuaishou.com/short-video/3xzz","video_cover_url":"","video_play_url":"https://v.example/3","source_keyword":"快递"}),
            json!({"user_id":RAW_ID,"avatar":"LEAK-a"}),
            "kuaishou:3xzz video -|快递被扔出三米远监控全拍下 2026-09-21T14:46:40.123Z kuaishou:3xzz - https://www.kuaishou.com/short-video/3xzz 15000/-/-/200000000/-",
        ),
        row(
            "ks",
            json!({"comment_id":8800,"create_time":1790002100000_i64,"video_id":"3xzz","content":"哪家快递","nickname":"@","sub_comment_count":0,"last_modify_ts":1790002500000_i64}),
            json!({"user_id":RAW_ID,"avatar":"LEAK-a"}),
            "kuaishou:8800 comment -|哪家快递 2026-09-21T14:48:20Z kuaishou:3xzz kuaishou:3xzz - -/0/-/-/-",
        ),
        // A user id that is a number; counters left empty.
        row(
            "bili",
            json!({"video_id":"1160","video_type":"video","title":"拆开这台空气净化器","desc":"","create_time":1790003000,"nickname":"@","liked_count":"","disliked_count":"","video_play_count":"9","video_favorite_count":"","video_share_count":"","video_coin_count":"","video_danmaku":"","video_comment":"2","last_modify_ts":1790003500000_i64,"video_url":"https://www.bilibili.com/video/av1160","video_cover_url":"","source_keyword":"净化器"}),
            json!({"user_id":10_086_000_777_u64,"avatar":"LEAK-a"}),
            "bilibili:1160 video 拆开这台空气净化器| 2026-09-21T15:03:20Z bilibili:1160 - https://www.bilibili.com/video/av1160 -/2/-/9/-",
        ),
        row(
            "bili",
            json!({"comment_id":"2500","parent_comment_id":"2499","create_time":1790003100,"video_id":"1160","content":"滤网是空的&quot;？","nickname":"@","sub_comment_count":0,"like_count":7,"last_modify_ts":1790003500000_i64}),
            json!({"user_id":10_086_000_777_u64,"avatar":"LEAK-a","sex":"LEAK-x","sign":"LEAK-g"}),
            "bilibili:2500 comment -|滤网是空的\"？ 2026-09-21T15:05:00Z bilibili:1160 bilibili:2499 - 7/0/-/-/-",
        ),
        row(
            "bili",
            json!({"dynamic_id":"99","user_name":"@","text":"停更说明","type":"DRAW","pub_ts":1790003200,"total_comments":1,"total_forwards":0,"total_liked":4,"last_modify_ts":1790003500000_i64}),
            json!({"user_id":RAW_ID}),
            "bilibili:99 post -|停更说明 2026-09-21T15:06:40Z bilibili:99 - - 4/1/0/-/-",
        ),
        // Cut, with the word of the button behind it.
        row(
            "wb",
            json!({"note_id":"5300","content":"该店回应称涉事员工已停职，后续...全文","create_time":1790004000,"create_date_time":"2026-09-21 23:20:00+08:00","liked_count":"1万","comments_count":"0","shared_count":"","last_modify_ts":1790004500000_i64,"note_url":"https://m.weibo.cn/detail/5300","nickname":"@","source_keyword":"停职"}),
            json!({"user_id":RAW_ID,"gender":"LEAK-x","profile_url":"https://m.weibo.cn/u/10086000777?LEAK-p","avatar":"LEAK-a","ip_location":"LEAK-ip"}),
            "weibo:5300 post -|该店回应称涉事员工已停职，后续... 2026-09-21T15:20:00Z weibo:5300 - https://m.weibo.cn/detail/5300 10000/0/-/-/-",
        ),
        row(
            "wb",
            json!({"comment_id":"5399","create_time":1790004100,"create_date_time":"2026-09-21 23:21:40+08:00","note_id":"5300","content":"请看全文","sub_comment_count":"0","comment_like_count":"6","last_modify_ts":1790004500000_i64,"parent_comment_id":"5390","nickname":"@"}),
            json!({"user_id":RAW_ID,"gender":"LEAK-x","profile_url":"LEAK-p","avatar":"LEAK-a","ip_location":"LEAK-ip"}),
            "weibo:5399 comment -|请看全文 2026-09-21T15:21:40Z weibo:5300 weibo:5390 - 6/0/-/-/-",
        ),
        row(
            "tieba",
            json!({"note_id":"9200","title":"电池三个月鼓包","desc":"","note_url":"https://tieba.baidu.com/p/9200","publish_time":"2026-09-21 23:59","user_nickname":"@","tieba_name":"手机吧","tieba_link":"https://tieba.baidu.com/f?kw=x","total_replay_num":0,"total_replay_page":1,"source_keyword":"鼓包","last_modify_ts":1790010000000_i64}),
            json!({"user_link":RAW_ID,"user_avatar":"LEAK-a"}),
            "tieba:9200 post 电池三个月鼓包| 2026-09-21T15:59:00Z tieba:9200 - https://tieba.baidu.com/p/9200 -/0/-/-/-",
        ),
        row(
            "tieba",
            json!({"comment_id":"1600","parent_comment_id":"1599","content":"赶紧停用","user_nickname":"@","publish_time":"2026-09-22 00:00","sub_comment_count":0,"note_id":"9200","note_url":"https://tieba.baidu.com/p/9200","tieba_id":"7","tieba_name":"手机吧","tieba_link":"https://tieba.baidu.com/f?kw=x","last_modify_ts":1790010000000_i64}),
            json!({"user_link":RAW_ID,"user_avatar":"LEAK-a","ip_location":"LEAK-ip"}),
            "tieba:1600 comment -|赶紧停用 2026-09-21T16:00:00Z tieba:9200 tieba:1599 https://tieba.baidu.com/p/9200 -/0/-/-/-",
        ),
        // A column, and a clip whose text is empty.
        row(
            "zhihu",
            json!({"content_id":"3700","content_type":"article","content_text":"复盘一次召回","content_url":"https://zhuanlan.zhihu.com/p/3700","question_id":"","title":"召回为什么慢","desc":"摘要","created_time":1790005000,"updated_time":1790005000,"voteup_count":0,"comment_count":0,"source_keyword":"召回","user_nickname":"@","last_modify_ts":1790005500000_i64}),
            json!({"user_id":RAW_ID,"user_link":"https://www.zhihu.com/people/LEAK-p","user_avatar":"LEAK-a","user_url_token":"LEAK-k"}),
            "zhihu:3700 article 召回为什么慢|复盘一次召回 2026-09-21T15:36:40Z zhihu:3700 - https://zhuanlan.zhihu.com/p/3700 0/0/-/-/-",
        ),
        row(
            "zhihu",
            json!({"content_id":"3701","content_type":"zvideo","content_text":"","content_url":"https://www.zhihu.com/zvideo/3701","question_id":"","title":"现场","desc":"爆炸后的车间","created_time":1790005100,"updated_time":0,"voteup_count":1,"comment_count":2,"source_keyword":"","user_nickname":"@","last_modify_ts":1790005500000_i64}),
            json!({"user_id":RAW_ID,"user_link":"LEAK-p","user_avatar":"LEAK-a","user_url_token":"LEAK-k"}),
            "zhihu:3701 video 现场|爆炸后的车间 2026-09-21T15:38:20Z zhihu:3701 - https://www.zhihu.com/zvideo/3701 1/2/-/-/-",
        ),
        row(
            "zhihu",
            json!({"comment_id":"1200","parent_comment_id":"1199","content":"同问","publish_time":1790005200,"sub_comment_count":0,"like_count":1,"dislike_count":0,"content_id":"3701","content_type":"zvideo","user_nickname":"@","last_modify_ts":1790005500000_i64}),
            json!({"user_id":RAW_ID,"user_link":"LEAK-p","user_avatar":"LEAK-a","ip_location":"LEAK-ip"}),
            "zhihu:1200 comment -|同问 2026-09-21T15:40:00Z zhihu:3701 zhihu:1199 - 1/0/-/-/-",
        ),
    ]
}

#[test]
fn both_dialects_of_every_platform_become_the_same_mention() {
    let mut platforms = std::collections::BTreeSet::new();
    for row in rows() {
        let hint =
            PlatformHint::of_path(&Path::new("data").join(row.folder).join("jsonl/search_contents.jsonl"));
        let common = row.record.as_object().expect("an object");
        let named = |name: &str| {
            let mut fields = common.clone();
            for value in fields.values_mut().filter(|value| **value == "@") {
                *value = name.into();
            }
            fields
        };
        let mut old = named("修空调的老周");
        old.extend(row.raw.as_object().expect("an object").clone());
        let mut new = named("修***周");
        new.insert("creator_hash".into(), privacy::author_key(RAW_ID).into());
        assert!(is(&old) && is(&new), "{}: not told to be the tool's", row.expected);
        let made = |fields: &Fields| {
            mention(fields, hint, None).unwrap_or_else(|fault| panic!("{}: {fault}", row.expected))
        };
        let (old, new) = (made(&old), made(&new));
        assert_eq!(shown(&old), row.expected);
        assert_eq!(old, new, "the dialects agree, author and all");
        let author = old.author.as_ref().expect("an author");
        assert_eq!((author.key.len(), author.name.as_deref()), (16, Some("修***周")));
        let kept = serde_json::to_string(&old).expect("JSON");
        for raw in ["LEAK", RAW_ID, "老"] {
            assert!(!kept.contains(raw), "{raw} kept in {kept}");
        }
        platforms.insert((old.platform.to_string(), old.kind == Kind::Comment));
    }
    assert_eq!(platforms.len(), 2 * 7, "contents and comments of seven platforms");
}
