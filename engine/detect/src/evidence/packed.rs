//! [`Packed`]: a post in one piece of memory instead of a dozen, for it is written often and read seldom. Refuses to outlive
//! the process: what is stored is JSON.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_rules::{Author, Kind, Metrics, Op, Platform, Subject, Verified};

/// One post as bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Packed(Vec<u8>);

/// A post whose texts lie elsewhere. All fields are always there, which postcard needs.
#[derive(Serialize, Deserialize)]
struct Flat<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    platform: Platform,
    kind: Kind,
    #[serde(borrow)]
    excerpt: Cow<'a, str>,
    #[serde(borrow)]
    url: Option<Cow<'a, str>>,
    #[serde(borrow)]
    author: Option<FlatAuthor<'a>>,
    published_at: (i64, i32),
    observed_at: (i64, i32),
    #[serde(borrow)]
    thread: Option<Cow<'a, str>>,
    #[serde(borrow)]
    repost_of: Option<Cow<'a, str>>,
    metrics: [Option<u64>; 5],
    #[serde(borrow)]
    region: Option<Cow<'a, str>>,
    sample_cap: Option<u32>,
    op: Op,
}

#[derive(Serialize, Deserialize)]
struct FlatAuthor<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    followers: Option<u64>,
    verified: Verified,
}

fn flat_time(at: Timestamp) -> (i64, i32) {
    (at.as_second(), at.subsec_nanosecond())
}

fn time((second, nanosecond): (i64, i32)) -> Timestamp {
    Timestamp::new(second, nanosecond).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl Packed {
    pub(super) fn of(subject: &Subject) -> Self {
        let mut packed = Self::default();
        packed.replace(subject);
        packed
    }

    pub(super) fn fetch(&self) -> u64 {
        self.0.iter().step_by(64).fold(0, |seen, byte| seen ^ u64::from(*byte))
    }

    /// Holds another post from now on, in the same memory.
    pub(super) fn replace(&mut self, subject: &Subject) {
        fn some(text: &Option<String>) -> Option<Cow<'_, str>> {
            text.as_deref().map(Cow::Borrowed)
        }
        let Subject {
            id,
            platform,
            kind,
            excerpt,
            url,
            author,
            published_at,
            observed_at,
            thread,
            repost_of,
            metrics: Metrics { likes, comments, reposts, views, favorites },
            region,
            sample_cap,
            op,
        } = subject;
        let flat = Flat {
            id: id.into(),
            platform: *platform,
            kind: *kind,
            excerpt: excerpt.into(),
            url: some(url),
            author: author.as_ref().map(|Author { key, name, followers, verified }| FlatAuthor {
                key: key.into(),
                name: some(name),
                followers: *followers,
                verified: *verified,
            }),
            published_at: flat_time(*published_at),
            observed_at: flat_time(*observed_at),
            thread: some(thread),
            repost_of: some(repost_of),
            metrics: [*likes, *comments, *reposts, *views, *favorites],
            region: some(region),
            sample_cap: *sample_cap,
            op: *op,
        };
        let mut bytes = std::mem::take(&mut self.0);
        bytes.clear();
        if bytes.capacity() == 0 {
            let texts = [Some(id), Some(excerpt), url.as_ref(), thread.as_ref(), repost_of.as_ref()];
            bytes.reserve_exact(texts.into_iter().flatten().map(String::len).sum::<usize>() + 96);
        }
        // Plain data into memory: it cannot fail.
        self.0 = postcard::to_extend(&flat, bytes).unwrap_or_default();
    }

    pub(super) fn subject(&self) -> Subject {
        let owned = |text: Option<Cow<'_, str>>| text.map(Cow::into_owned);
        let Ok(flat) = postcard::from_bytes::<Flat<'_>>(&self.0) else {
            // Nothing but `replace` writes here.
            unreachable!("a packed post can be read")
        };
        let [likes, comments, reposts, views, favorites] = flat.metrics;
        Subject {
            id: flat.id.into_owned(),
            platform: flat.platform,
            kind: flat.kind,
            excerpt: flat.excerpt.into_owned(),
            url: owned(flat.url),
            author: flat.author.map(|author| Author {
                key: author.key.into_owned(),
                name: owned(author.name),
                followers: author.followers,
                verified: author.verified,
            }),
            published_at: time(flat.published_at),
            observed_at: time(flat.observed_at),
            thread: owned(flat.thread),
            repost_of: owned(flat.repost_of),
            metrics: Metrics { likes, comments, reposts, views, favorites },
            region: owned(flat.region),
            sample_cap: flat.sample_cap,
            op: flat.op,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::*;

    proptest! {
        #[test]
        fn what_comes_out_is_what_went_in(
            texts in prop::collection::vec(prop::option::of(".{0,40}"), 9),
            numbers in prop::collection::vec(prop::option::of(any::<u64>()), 6),
            seconds in -377_705_023_201_i64..253_402_207_200,
            nanos in 0_i32..1_000_000_000,
            (platform, kind, verified, op) in (0_usize..25, 0_usize..9, 0_usize..6, 0_usize..3),
            cap in prop::option::of(any::<u32>()),
        ) {
            let mut subject = angry(1, NOON).subject;
            let text = |n: usize| texts[n].clone();
            subject.id = text(0).unwrap_or_default();
            subject.excerpt = text(1).unwrap_or_default();
            (subject.url, subject.thread, subject.repost_of, subject.region) = (text(2), text(3), text(4), text(5));
            subject.author = text(6).map(|key| Author {
                key,
                name: text(7),
                followers: numbers[5],
                verified: Verified::ALL[verified],
            });
            subject.published_at = Timestamp::new(seconds, nanos).unwrap();
            subject.observed_at = Timestamp::new(-seconds / 2, -nanos).unwrap_or(Timestamp::MIN);
            (subject.platform, subject.kind, subject.op) = (Platform::ALL[platform], Kind::ALL[kind], Op::ALL[op]);
            let [likes, comments, reposts, views, favorites, _] = [0, 1, 2, 3, 4, 5].map(|n| numbers[n]);
            subject.metrics = Metrics { likes, comments, reposts, views, favorites };
            subject.sample_cap = cap;
            let mut packed = Packed::of(&angry(2, NOON).subject);
            packed.replace(&subject);
            prop_assert_eq!(packed.subject(), subject);
        }
    }
}
