//! Made-up mentions of the size of a long Weibo post, and a rulebook with any number of monitors.

use jiff::Timestamp;
use tocsin_rules::{Author, Faults, Kind, Mention, Metrics, Op, Platform, Rulebook, Verified};

/// Words of ordinary and angry posts; texts are strings of them.
const WORDS: &[&str] = &[
    "今天",
    "早上",
    "去",
    "超市",
    "买了",
    "一瓶",
    "饮料",
    "味道",
    "还不错",
    "朋友",
    "推荐",
    "的",
    "结果",
    "打开",
    "一看",
    "里面",
    "有",
    "东西",
    "客服",
    "电话",
    "打了",
    "三次",
    "没人",
    "接",
    "真的",
    "很",
    "生气",
    "希望",
    "商家",
    "给个",
    "说法",
    "大家",
    "怎么看",
    "孩子",
    "喝了",
    "肚子疼",
    "医院",
    "检查",
    "包装",
    "好看",
    "价格",
    "便宜",
    "活动",
    "打折",
    "周末",
    "和",
    "家人",
    "一起",
    "吃饭",
    "服务",
    "态度",
    "不错",
    "下次",
    "还来",
    "物流",
    "太慢",
    "等了",
    "一个星期",
    "退款",
    "申请",
    "被拒",
    "投诉",
    "平台",
    "处理",
    "中",
    "转发",
    "评论",
    "支持",
    "国货",
    "加油",
    "新品",
    "发布",
    "期待",
    "测评",
    "开箱",
    "视频",
    "质量",
    "一般",
    "失望",
    "喜欢",
    "开心",
    "手机",
    "电池",
    "续航",
    "充电",
    "发热",
    "严重",
    "更新",
    "以后",
    "卡顿",
    "好多了",
    "感谢",
    "工程师",
    "上海",
    "北京",
    "广州",
    "门店",
    "排队",
    "两小时",
];

/// A number generator for made-up data (Steele, Lea and Flood 2014).
#[derive(Debug, Clone)]
pub struct Seed(pub u64);

impl Seed {
    /// Below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}

/// Brand name number `n`, two to four Han characters that occur in no word above.
pub fn brand(n: usize) -> String {
    const FIRST: &[char] = &['禾', '岚', '璟', '曜', '沐', '翊', '宸', '珞', '霁', '澜'];
    const SECOND: &[char] = &['轩', '岳', '洋', '峻', '彤', '宁', '尧', '舜', '禹', '汤'];
    let digit = |d: usize| (n / 10_usize.pow(d as u32)) % 10;
    [FIRST[digit(0)], SECOND[digit(1)], FIRST[digit(2)], SECOND[digit(3)]].iter().collect()
}

/// `n` mentions of about 119 Han characters; one in `one_in` names a brand of the rulebook.
pub fn mentions(n: usize, monitors: usize, one_in: usize, start: Timestamp) -> Vec<Mention> {
    let mut seed = Seed(42);
    (0..n)
        .map(|i| {
            let mut text = String::new();
            let mut chars = 0;
            while chars < 112 {
                let word = WORDS[seed.below(WORDS.len())];
                text.push_str(word);
                chars += word.chars().count();
                if seed.below(9) == 0 {
                    text.push('，');
                    chars += 1;
                }
            }
            if one_in > 0 && i % one_in == 0 {
                text.push_str(&brand(seed.below(monitors)));
                text.push_str("质量太差");
            }
            let published_at = start + jiff::SignedDuration::from_millis(i as i64 * 10);
            Mention {
                id: format!("weibo:{:016}", 5_200_000_000_000_000_u64 + i as u64),
                platform: Platform::Weibo,
                kind: Kind::Post,
                text,
                title: None,
                lang: Some("zh".to_owned()),
                url: Some(format!("https://weibo.example/{i:016}")),
                author: Some(Author {
                    key: format!("{:016x}", i as u64 * 0x9e37),
                    name: Some("某***某".to_owned()),
                    followers: Some(seed.below(100_000) as u64),
                    verified: Verified::None,
                }),
                published_at,
                observed_at: published_at,
                thread: Some(format!("weibo:{:016}", 5_200_000_000_000_000_u64 + (i / 3) as u64)),
                parent: None,
                repost_of: None,
                metrics: Metrics {
                    likes: Some(12),
                    comments: Some(3),
                    reposts: Some(1),
                    views: None,
                    favorites: None,
                },
                region: Some("CN".to_owned()),
                source: Some("bench".to_owned()),
                sample_cap: None,
                op: Op::Create,
            }
        })
        .collect()
}

/// The ready pack with `monitors` monitors of ten terms each in place of its own.
pub fn rulebook(monitors: usize) -> Result<Rulebook, Faults> {
    let named: Vec<(String, String)> = (0..monitors)
        .map(|n| {
            let name = brand(n);
            let latin: Vec<String> = (0..7).map(|k| format!("brand{n}x{k}")).collect();
            (
                format!("m{n}"),
                format!("({name} OR {}) NOT ({name}公益{n} OR {name}招聘{n})", latin.join(" OR ")),
            )
        })
        .collect();
    Rulebook::from_pack(&named, tocsin_rules::Sensitivity::Balanced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brands_are_different() {
        let all: std::collections::BTreeSet<String> = (0..10_000).map(brand).collect();
        assert_eq!(all.len(), 10_000);
    }

    #[test]
    fn texts_have_the_size_they_claim() {
        let start = Timestamp::UNIX_EPOCH;
        let all = mentions(200, 1_000, 10, start);
        let mean = all.iter().map(|m| m.text.chars().count()).sum::<usize>() / all.len();
        assert!((112..125).contains(&mean), "{mean}");
    }
}
