//! The scripted crisis of the demo: a made-up drinks brand, a foreign body in a bottle, Chinese and English.
//!
//! A morning of ordinary chatter, one angry post, forty within minutes, the press, then silence. Everything is made up
//! here; the same seed gives the same mentions. Refuses to know anything of thresholds: it only tells the story.

use jiff::{SignedDuration, Timestamp};
use tocsin_rules::{Author, Kind, Mention, Metrics, Op, Platform, Verified};

/// Ordinary days.
const CALM: &[(Platform, &str)] = &[
    (Platform::Weibo, "午饭配一瓶青禾，今天也要好好吃饭"),
    (Platform::Xiaohongshu, "青禾新口味测评：白桃味清爽，适合夏天"),
    (Platform::Douyin, "跟着同事拼单买了一箱青禾，明天到"),
    (Platform::X, "Tried the white peach Qinghe today, quite refreshing."),
    (Platform::Zhihu, "青禾和别家的无糖茶有什么区别？"),
    (Platform::Bilibili, "开箱青禾联名款，包装挺好看的"),
    (Platform::Weibo, "便利店青禾第二件半价，囤了四瓶"),
    (Platform::Reddit, "Where can I get Qinghe tea in Singapore?"),
    (Platform::Tieba, "青禾校园活动有人去吗，周六下午"),
    (Platform::Xiaohongshu, "青禾瓶子洗干净拿来插花，意外地好看"),
];

/// The storm, by people.
const ANGRY: &[(Platform, &str)] = &[
    (Platform::Weibo, "青禾这瓶里有虫子！孩子喝了一半才发现，太恶心了，必须给个说法[怒]"),
    (Platform::Weibo, "我也喝到了，青禾瓶底一团黑色异物，打客服电话没人接，气死了"),
    (Platform::Xiaohongshu, "避雷青禾！喝出异物，客服态度还特别差，再也不买了"),
    (Platform::Douyin, "青禾喝出虫子视频来了，大家千万别喝，已经拉肚子进医院了"),
    (Platform::Weibo, "青禾质量太差了，已经打12315投诉，要求退款赔偿"),
    (Platform::X, "Found a bug in my Qinghe bottle. Disgusting. My kid is sick, never buying this again."),
    (Platform::Tieba, "青禾虫子那批是哪个厂的？垃圾品控，坑人"),
    (Platform::Weibo, "青禾客服让我自己拍照证明不是我放进去的，恶心，抵制青禾"),
    (Platform::Zhihu, "如何看待青禾喝出虫子后客服甩锅消费者？太让人失望了"),
    (Platform::Reddit, "Qinghe contamination is awful, three people in my dorm are ill. Recall it already!"),
    (Platform::Bilibili, "青禾翻车现场，瓶里的虫子还在动，吓死我了，恶心吐了"),
    (Platform::Xiaohongshu, "给宝宝买的青禾里有异物，后怕，要求召回，太可怕了"),
];

/// The press.
const PRESS: &[(Platform, Verified, &str, u64)] = &[
    (
        Platform::Weibo,
        Verified::Media,
        "多名消费者称青禾饮料喝出虫子，企业客服被指推诿，记者致电未获回应",
        4_200_000,
    ),
    (Platform::News, Verified::Media, "青禾饮料疑现异物 多人腹泻就医 市场监管部门介入调查", 1_800_000),
    (
        Platform::Weibo,
        Verified::Government,
        "针对网传青禾饮料喝出异物一事，我局已介入调查，涉事批次产品先行下架封存",
        650_000,
    ),
    (
        Platform::X,
        Verified::Media,
        "Chinese drinks maker Qinghe faces outrage and recall calls after insects found in bottles",
        900_000,
    ),
];

/// One story, in order of publication. `start` is when the calm morning begins; the storm breaks an hour later.
pub fn mentions(start: Timestamp) -> Vec<Mention> {
    let mut rng = SplitMix(0x7063_5349);
    let mut told = Vec::new();
    let mut tell = |at: i64, platform, verified, text: &str, followers: u64, metrics: Metrics| {
        let n = told.len();
        let published_at = start + SignedDuration::from_secs(at);
        told.push(Mention {
            id: format!("{platform}:demo{n:04}"),
            platform,
            kind: if platform == Platform::News { Kind::Article } else { Kind::Post },
            text: text.to_owned(),
            title: None,
            lang: None,
            url: Some(format!("https://{platform}.example/{n:04}")),
            author: Some(Author {
                key: format!("{:016x}", blake3_key(n, verified)),
                name: None,
                followers: Some(followers),
                verified,
            }),
            published_at,
            observed_at: published_at + SignedDuration::from_secs(2),
            thread: None,
            parent: None,
            repost_of: None,
            metrics,
            region: Some("CN".to_owned()),
            source: Some("demo".to_owned()),
            sample_cap: None,
            op: Op::Create,
        });
    };

    // An hour of calm, then calm beneath the storm and after it.
    let mut at = 30;
    while at < 4 * 3600 {
        let (platform, text) = CALM[rng.below(CALM.len())];
        tell(at, platform, Verified::None, text, 50 + rng.below(900) as u64, Metrics::default());
        at += 150 + rng.below(120) as i64;
    }
    // 10:00 one post, 10:02 more, forty by 10:10, thinning out until 10:24.
    let mut at = 3600;
    for n in 0..64 {
        let (platform, text) = ANGRY[if n < ANGRY.len() { n } else { rng.below(ANGRY.len()) }];
        let seen = Metrics {
            likes: Some(20 + rng.below(3000) as u64),
            comments: Some(rng.below(600) as u64),
            reposts: Some(rng.below(400) as u64),
            ..Metrics::default()
        };
        tell(at, platform, Verified::None, text, 80 + rng.below(40_000) as u64, seen);
        at += if n == 0 {
            110
        } else if n < 42 {
            6 + rng.below(12) as i64
        } else {
            20 + rng.below(40) as i64
        };
    }
    for (n, &(platform, verified, text, followers)) in PRESS.iter().enumerate() {
        let seen = Metrics {
            likes: Some(30_000),
            comments: Some(9_000),
            reposts: Some(12_500),
            views: Some(2_400_000),
            favorites: None,
        };
        tell(3600 + 380 + 170 * n as i64, platform, verified, text, followers, seen);
    }
    told.sort_by(|a, b| a.published_at.cmp(&b.published_at).then_with(|| a.id.cmp(&b.id)));
    told
}

fn blake3_key(n: usize, verified: Verified) -> u64 {
    let hash = blake3::hash(format!("demo author {n} {verified}").as_bytes());
    u64::from_le_bytes(hash.as_bytes()[..8].try_into().unwrap_or_default())
}

/// Steele, Lea and Flood 2014; enough for a story.
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_story_is_the_same_each_time_and_in_order() {
        let start: Timestamp = "2026-09-10T01:00:00Z".parse().expect("a date");
        let told = mentions(start);
        assert_eq!(told, mentions(start));
        assert!(told.is_sorted_by_key(|m| m.published_at));
        let storm = told
            .iter()
            .filter(|m| {
                let at = m.published_at.duration_since(start).as_secs();
                (3600..4200).contains(&at) && ANGRY.iter().any(|(_, t)| *t == m.text)
            })
            .count();
        assert!(storm >= 40, "forty angry posts in ten minutes, got {storm}");
    }
}
