//! Any bytes from any platform: never a panic, every mention canonical, no refusal that quotes what people wrote. One
//! target a parser; each runs for `TOCSIN_FUZZ_EACH_SECONDS` (1 unless set); `TOCSIN_FUZZ_SEED` repeats one round.
#![expect(clippy::expect_used, clippy::print_stderr, clippy::print_stdout, reason = "a test")]

use std::time::{Duration, Instant};

use jiff::Timestamp;
use tocsin_connectors::{
    Item, bluesky, brandwatch, dataminr, gdelt, hackernews, mastodon, meltwater_search, reddit, talkwalker,
    x, youtube,
};
use tocsin_rules::Mention;

/// Stands in every text of the samples.
const WORDS: &str = "whatpeoplewrote";

/// What goes between, instead of and into the values of a sample.
const FRAGMENTS: &[&str] = &[
    "null",
    "true",
    "-1",
    "0",
    "1e999",
    "18446744073709551616",
    "\"\"",
    "{}",
    "[]",
    "[[[[",
    "{\"a\":",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    ",",
    ":",
    "}",
    "]",
    "\u{feff}",
    "\0",
    "<p>",
    "&#x0;",
    "&amp;",
    "<!--",
    "\"https://a.example/?token=s\"",
    "at://",
    "\"2026-09-10T03:20:00Z\"",
    "\"9999-12-31T23:59:59Z\"",
    "1789010000123456",
    "\"[deleted]\"",
    "data: ",
    "\n\n",
    "event: update\n",
    ":\n",
    "\"whatpeoplewrote\"",
    "中文",
    "👩\u{200d}🚒",
    "e\u{301}",
];

/// A fixed sequence for each seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).expect("fits")
    }

    /// The sample with some of it cut, doubled, replaced or flipped.
    fn mutated(&mut self, sample: &str) -> Vec<u8> {
        let mut bytes = sample.as_bytes().to_vec();
        for _ in 0..self.below(6) {
            let at = self.below(bytes.len() + 1);
            let fragment = FRAGMENTS[self.below(FRAGMENTS.len())].bytes();
            match self.below(7) {
                0 => bytes.truncate(at),
                1 => drop(bytes.splice(at..at, fragment)),
                2 => {
                    let end = (at + self.below(12)).min(bytes.len());
                    drop(bytes.splice(at..end, fragment));
                }
                // The whole value after a colon becomes another.
                3 | 4 => {
                    let Some(from) = bytes[at..].iter().position(|b| *b == b':').map(|found| at + found + 1)
                    else {
                        continue;
                    };
                    let ends = |b: &u8| matches!(b, b',' | b'}' | b']');
                    let to = bytes[from..].iter().position(ends).map_or(bytes.len(), |found| from + found);
                    drop(bytes.splice(from..to, fragment));
                }
                5 => {
                    let end = (at + self.below(40)).min(bytes.len());
                    let piece = bytes[at..end].to_vec();
                    drop(bytes.splice(at..at, piece));
                }
                _ => {
                    let bit = 1 << self.below(8);
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= bit;
                    }
                }
            }
        }
        bytes
    }
}

fn now() -> Timestamp {
    "2026-09-10T04:00:00Z".parse().expect("a time")
}

/// What must hold of every item.
fn sound(items: &[Item]) {
    for item in items {
        match item {
            Item::Mention(mention) => {
                let json = serde_json::to_vec(mention).expect("JSON");
                let again = Mention::parse(&json, now()).expect("canonical");
                assert_eq!(again.id, mention.id);
            }
            Item::Rejected(rejected) => silent(rejected),
        }
    }
}

/// A refusal says nothing of what people wrote.
fn silent(why: impl std::fmt::Display) {
    assert!(!why.to_string().contains(WORDS), "{why}");
}

/// Names the seed if a round panics.
struct Told(u64);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("repeat with TOCSIN_FUZZ_SEED={}", self.0);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long to go on is asked of the machine, not of the product"
)]
fn target(samples: &[&str], mut read: impl FnMut(&[u8])) {
    let number =
        |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().expect("a whole number"));
    let seconds = number("TOCSIN_FUZZ_EACH_SECONDS").unwrap_or(1);
    let fixed = number("TOCSIN_FUZZ_SEED");
    let started = Instant::now();
    let mut rounds = 0u64;
    while rounds == 0 || fixed.is_none() && started.elapsed() < Duration::from_secs(seconds) {
        let seed = fixed.unwrap_or(20_260_910 + rounds);
        let _told = Told(seed);
        let mut chance = Chance(seed);
        let sample = samples[chance.below(samples.len())];
        read(&chance.mutated(sample));
        rounds += 1;
    }
    println!("{rounds} rounds");
}

const V1: &str = r#"{"did":"did:plc:a","time_us":1789010000123456,"cursor":88120033,"kind":"commit","commit":{"rev":"3lx","operation":"create","collection":"app.bsky.feed.post","rkey":"3lxy","cid":"b","record":{"$type":"app.bsky.feed.post","text":"whatpeoplewrote","langs":["en"],"createdAt":"2026-09-10T03:13:20.100Z","reply":{"root":{"uri":"at://did:b/app.bsky.feed.post/1"},"parent":{"uri":"at://did:c/app.bsky.feed.post/2"}},"embed":{"media":{"external":{"title":"whatpeoplewrote","uri":"https://a.example"}},"record":{"record":{"uri":"at://did:d/app.bsky.feed.post/3"}}}}}}"#;
const V2: &str = r#"{"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#commit","seq":88120033,"did":"did:plc:a","time":"2026-09-10T03:13:20.123456Z","rev":"3lx","operation":"update","collection":"app.bsky.feed.post","rkey":"3lxy","record":{"text":"whatpeoplewrote","createdAt":"2026-09-10T03:13:20Z"}}}"#;
const INFO: &str = r#"{"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#info","name":"OutdatedCursor","message":"whatpeoplewrote"}}"#;
const STATUS: &str = r#"{"id":"115","created_at":"2026-09-10T03:20:00.000Z","in_reply_to_id":"7","spoiler_text":"whatpeoplewrote","visibility":"public","language":"en","uri":"https://m.example/s/115","url":"https://m.example/@ann/115","replies_count":0,"reblogs_count":0,"favourites_count":0,"content":"<p>whatpeoplewrote</p>","reblog":null,"account":{"id":"1","username":"ann","uri":"https://m.example/users/ann","display_name":"whatpeoplewrote","bot":false,"followers_count":210},"media_attachments":[{"type":"image","description":"whatpeoplewrote"}],"poll":{"options":[{"title":"whatpeoplewrote"}]}}"#;

#[test]
fn jetstream() {
    use bluesky::event::{Frame, Wire, frame};
    target(&[V1, V2, INFO], |bytes| {
        for wire in [Wire::V1, Wire::V2] {
            match frame(bytes, wire, now()) {
                Frame::Post(item, _) | Frame::Garbage(item) => sound(&[item]),
                Frame::Word(word) => silent(word),
                Frame::Other(..) => {}
            }
        }
    });
}

#[test]
fn bluesky_search() {
    let page = r#"{"cursor":"100","posts":[{"uri":"at://did:plc:a/app.bsky.feed.post/1","author":{"did":"did:plc:a","displayName":"whatpeoplewrote"},"record":{"text":"whatpeoplewrote","createdAt":"2026-09-10T03:00:00Z","langs":["en"]},"replyCount":1,"likeCount":3,"indexedAt":"2026-09-10T03:00:01.5Z"}]}"#;
    target(&[page], |bytes| match bluesky::search::page(bytes, now()) {
        Ok(page) => sound(&page.parsed.items),
        Err(why) => silent(why),
    });
}

#[test]
fn mastodon_pages_events_and_frames() {
    use mastodon::event::{Known, Piece, SseReader, event, frame};
    let page = format!("[{STATUS},{STATUS}]");
    let body = format!("event: update\ndata: {STATUS}\n\n:thump\nevent: delete\ndata: 115\n\n");
    let message = serde_json::json!({"stream": ["public"], "event": "update", "payload": STATUS}).to_string();
    target(&[STATUS, &page, &body, &message], |bytes| {
        match mastodon::status::page(bytes, true, now()) {
            Ok(page) => sound(&page.parsed.items),
            Err(why) => silent(why),
        }
        let mut known = Known::default();
        let mut reader = SseReader::default();
        for piece in bytes.chunks(7).flat_map(|chunk| reader.feed(chunk)) {
            if let Piece::Event(sse) = piece {
                sound(&event(&sse.name, sse.data.as_bytes(), &mut known, true, now()).items);
            }
        }
        if let Ok(parsed) = frame(bytes, &mut known, false, now()) {
            sound(&parsed.items);
        }
    });
}

#[test]
fn x_lines() {
    let post = r#"{"data":{"id":"1965600000000000001","text":"whatpeoplewrote","author_id":"9","created_at":"2026-09-10T03:40:00.000Z","lang":"en","conversation_id":"1","edit_history_tweet_ids":["1"],"referenced_tweets":[{"type":"retweeted","id":"7"}],"note_tweet":{"text":"whatpeoplewrote"},"public_metrics":{"like_count":0}},"includes":{"users":[{"id":"9","name":"whatpeoplewrote","verified_type":"business","public_metrics":{"followers_count":1}}],"tweets":[{"id":"7","text":"whatpeoplewrote"}]}}"#;
    let problem = r#"{"errors":[{"title":"operational-disconnect","disconnect_type":"UpstreamOperationalDisconnect","type":"https://api.twitter.com/2/problems/operational-disconnect"}]}"#;
    target(&[post, problem], |bytes| {
        if let x::line::Line::Post(item) = x::line::line(bytes, now()) {
            sound(&[item]);
        }
    });
}

#[test]
fn reddit_listings() {
    let page = r#"{"kind":"Listing","data":{"after":"t3_b","children":[{"kind":"t3","data":{"id":"1n","name":"t3_1n","title":"whatpeoplewrote","selftext":"whatpeoplewrote","author":"dee","author_fullname":"t2_a","created_utc":1789013000.0,"score":14,"num_comments":6,"permalink":"/r/acme/comments/1n/x/"}},{"kind":"t1","data":{"id":"c1","name":"t1_c1","body":"whatpeoplewrote","author":"eff","link_id":"t3_1n","parent_id":"t1_c0","created_utc":1789013100}}]}}"#;
    target(&[page], |bytes| match reddit::listing::listing(bytes, now()) {
        Ok(listing) => sound(&listing.parsed.items),
        Err(why) => silent(why),
    });
}

#[test]
fn hackernews_items() {
    use hackernews::item;
    let comment = r#"{"by":"eff","id":45200001,"parent":45200000,"text":"whatpeoplewrote <i>x</i>&#x27;","time":1789013500,"type":"comment"}"#;
    let story = r#"{"by":"a","descendants":3,"id":1,"score":57,"time":1789013500,"title":"whatpeoplewrote","type":"story","url":"https://e.example/"}"#;
    target(&[comment, story, "null", r#"{"items":[1],"profiles":[]}"#], |bytes| {
        match item::read(bytes, Some(7), now()) {
            Ok(Ok(mention)) => sound(&[Item::Mention(Box::new(mention))]),
            Ok(Err(_)) => {}
            Err(why) => silent(why),
        }
        let _ = (item::parent(bytes), item::newest(bytes), item::changed(bytes));
    });
}

#[test]
fn youtube_threads() {
    let page = r#"{"nextPageToken":"N","items":[{"id":"Ug","snippet":{"videoId":"v","totalReplyCount":2,"isPublic":true,"topLevelComment":{"id":"Ug","snippet":{"textDisplay":"whatpeoplewrote","textOriginal":"whatpeoplewrote","authorDisplayName":"@cee","authorChannelId":{"value":"UC"},"likeCount":9,"publishedAt":"2026-09-10T03:30:00Z"}}},"replies":{"comments":[{"id":"Ug.1","snippet":{"parentId":"Ug","textDisplay":"whatpeoplewrote","publishedAt":"2026-09-10T03:31:00Z"}}]}}]}"#;
    target(&[page, r#"{"error":{"errors":[{"reason":"quotaExceeded"}]}}"#], |bytes| {
        match youtube::threads::page(bytes, now()) {
            Ok(page) => sound(&page.parsed.items),
            Err(why) => silent(why),
        }
        let _ = youtube::threads::error_reason(bytes);
    });
}

#[test]
fn gdelt_answers() {
    let list = r#"{"articles":[{"url":"https://news.example/a/1","title":"whatpeoplewrote","seendate":"20260910T034500Z","language":"English","sourcecountry":"United States"}]}"#;
    target(&[list, "Please limit requests to one every 5 seconds"], |bytes| {
        match gdelt::articles::answer(bytes, now()) {
            Ok(answer) => sound(&answer.parsed.items),
            Err(Ok(_)) => {}
            Err(Err(why)) => silent(why),
        }
    });
}

#[test]
fn brandwatch_pages() {
    let page = r#"{"nextCursor":"c2","results":[{"resourceId":"3","guid":"1965600","date":"2026-09-10T03:40:00.000+0000","added":"2026-09-10T03:43:10.000+0000","title":"whatpeoplewrote","snippet":"whatpeoplewrote","url":"https://news.example/a/1","pageType":"twitter","language":"en","countryCode":"US","author":"A","replyTo":"https://twitter.com/a/status/7","threadId":"5"}]}"#;
    target(&[page], |bytes| match brandwatch::mentions::page(bytes, None, now()) {
        Ok(page) => sound(&page.parsed.items),
        Err(why) => silent(why),
    });
}

#[test]
fn talkwalker_chunks_and_pages() {
    use talkwalker::document::{Chunk, chunk, page};
    let result = r#"{"chunk_type":"CT_RESULT","chunk_result":{"data":{"data":{"url":"https://news.example/a/1","indexed":1789011790000,"published":1789011600000,"title":"whatpeoplewrote","content":"whatpeoplewrote","lang":"en","source_type":["SOCIALMEDIA","SOCIALMEDIA_TWITTER"],"extra_author_attributes":{"id":"a","name":"whatpeoplewrote"},"article_extended_attributes":{"facebook_shares":12}}}}}"#;
    let control = r#"{"chunk_type":"CT_CONTROL","chunk_control":{"resume_offset":"o"}}"#;
    let search = r#"{"status_code":"0","pagination":{"total":1},"result_content":{"data":[{"data":{"url":"https://news.example/a/1","search_indexed":1789011790000,"published":1789011600000,"content":"whatpeoplewrote"}}]}}"#;
    target(&[result, control, search], |bytes| {
        if let Chunk::Document(item) = chunk(bytes, now()) {
            sound(&[item]);
        }
        match page(bytes, now()) {
            Ok(page) => sound(&page.parsed.items),
            Err(Ok(_)) => {}
            Err(Err(why)) => silent(why),
        }
    });
}

#[test]
fn dataminr_alerts() {
    let page = r#"{"to":"c","alerts":[{"alertId":"a-1","caption":"whatpeoplewrote","eventTime":1789011600000,"post":{"text":"whatpeoplewrote","languages":[{"lang":"en"}]},"source":{"displayName":"w","link":"https://s.example/1"},"parentAlertId":"a-0"}]}"#;
    target(&[page], |bytes| match dataminr::alerts::page(bytes, now()) {
        Ok(page) => sound(&page.parsed.items),
        Err(why) => silent(why),
    });
}

#[test]
fn meltwater_documents() {
    let page = r#"{"result":{"document_count":9,"documents":[{"id":"d1","external_id":"52","url":"https://weibo.com/1/abc","published_date":"2026-09-10T03:33:20Z","indexed_date":"2026-09-10T03:36:00Z","source":{"information_type":"social","type":"weibo"},"content_type":"post","content":{"title":"whatpeoplewrote","body":"whatpeoplewrote"},"enrichments":{"language_code":"zh"},"location":{"country_code":"cn"}}]}}"#;
    target(&[page], |bytes| match meltwater_search::documents::page(bytes, now()) {
        Ok(page) => sound(&page.parsed.items),
        Err(why) => silent(why),
    });
}
