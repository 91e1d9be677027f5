//! Prints how long parsing, normal form and matching take, each alone, on synthetic mentions. For a quick look while
//! changing them; the figures that count come from `benches/`.
#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, reason = "a measuring tool")]

use std::{hint::black_box, time::Instant};

use tocsin_rules::{Category, Level, Matcher, Mention, Monitor, MonitorKind, Normal, Query, Scratch};

const HAN: &str = "今天在门店买到的奶茶喝完之后肚子疼得厉害联系客服一直没有人处理希望品牌方能够给消费者一个说法不要总是敷衍了事真的非常失望以后再也不会来了朋友们避雷";

fn main() {
    let han: Vec<char> = HAN.chars().collect();
    // A fixed sequence, so that two runs measure the same thing.
    let mut state = 42u64;
    let mut next = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let word = |next: &mut dyn FnMut(usize) -> usize| -> String {
        (0..4).map(|_| char::from_u32(0x4E00 + u32::try_from(next(3_000)).unwrap()).unwrap()).collect()
    };
    let words: Vec<String> = (0..10_000).map(|_| word(&mut next)).collect();
    let monitors: Vec<Monitor> = words
        .chunks(10)
        .enumerate()
        .map(|(n, terms)| Monitor {
            id: format!("m{n}"),
            name: String::new(),
            kind: MonitorKind::Brand,
            query: Query::parse(&format!(
                "({} OR {}) ({}) NOT {}",
                terms[0],
                terms[1],
                terms[2..9].join(" OR "),
                terms[9]
            ))
            .unwrap(),
            platforms: Vec::new(),
            languages: Vec::new(),
            owner: String::new(),
            ceiling: Level::High,
        })
        .collect();
    let payloads: Vec<Vec<u8>> = (0..2_000)
        .map(|n| {
            let mut text: Vec<char> = (0..120).map(|_| han[next(han.len())]).collect();
            // Every second text matches one monitor.
            let at = 10 * next(monitors.len());
            text.splice(10..14, words[at].chars());
            text.splice(40..44, words[at + 3 * (n % 2)].chars());
            let text: String = text.into_iter().collect();
            format!(
                r#"{{"id":"weibo:{n}","platform":"weibo","kind":"post","text":"{text}","url":"https://weibo.com/{n}","author":{{"key":"479a753d69fa67de","name":"财***报","followers":2300,"verified":"none"}},"published_at":"2026-09-10T01:33:20Z","observed_at":"2026-09-10T01:38:20Z","thread":"weibo:{n}","metrics":{{"likes":33,"comments":5,"reposts":1}},"region":"CN","source":"file:x"}}"#
            )
            .into_bytes()
        })
        .collect();
    let seen = "2026-09-10T01:38:20Z".parse().unwrap();
    let mentions: Vec<Mention> = payloads.iter().map(|bytes| Mention::parse(bytes, seen).unwrap()).collect();
    let categories: [Category; 0] = [];
    let started = Instant::now();
    let matcher = Matcher::from_parts(&monitors, &categories, &[]).unwrap();
    println!("build {:?}: {} terms, {:?}", started.elapsed(), matcher.terms(), matcher.bytes());
    let mut normal = Normal::new();
    let mut scratch = Scratch::new();
    let pace = |name: &str, work: &mut dyn FnMut(usize)| {
        let mut best = f64::MAX;
        for _ in 0..20 {
            let started = Instant::now();
            (0..payloads.len()).for_each(&mut *work);
            best = best.min(started.elapsed().as_secs_f64() / 2_000.0);
        }
        println!("{name:24} {:>8.0} ns  {:>10.0}/s", best * 1e9, 1.0 / best);
    };
    pace("parse", &mut |n| drop(black_box(Mention::parse(&payloads[n], seen))));
    pace("normal", &mut |n| {
        normal.set(&mentions[n]);
        black_box(normal.as_str());
    });
    let mut found = 0;
    pace("normal + scan", &mut |n| {
        normal.set(&mentions[n]);
        found += black_box(matcher.scan(&mentions[n], "zh", &normal, &mut scratch)).monitors.len();
    });
    let mut fuzzy = monitors.clone();
    for (monitor, term) in
        fuzzy.iter_mut().zip(["微信", "加微信", "qq群", "免费", "赚钱", "free", "退款", "兼职"])
    {
        monitor.query = Query::any(vec![monitor.query.clone(), Query::Fuzzy(term.to_owned())]);
    }
    let matcher = Matcher::from_parts(&fuzzy, &categories, &[]).unwrap();
    pace("the same, 8 fuzzy:", &mut |n| {
        normal.set(&mentions[n]);
        found += black_box(matcher.scan(&mentions[n], "zh", &normal, &mut scratch)).monitors.len();
    });
    println!("{found} monitors matched in all");
}
