//! [`Record`]: the bare facts of one counted mention, small enough to keep for every mention of the longest window (one line of
//! the cache), and enough to count it again under other thresholds. Refuses to keep text.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use tocsin_rules::{
    Hit, Kind, Label, Platform, Verified,
    threshold::{Counter, SourceClass},
};

/// Mood is kept as p_positive - p_negative in ten-thousandths.
pub(crate) const MOOD_SCALE: f64 = 10_000.0;
/// An unknown counter.
const UNKNOWN: u32 = u32::MAX;
/// Terms and categories kept of one mention.
const MAX_TAGS: usize = 16;
/// Followers from which an account is an influencer.
const INFLUENCER_FOLLOWERS: u32 = 100_000;

/// Slots of the criteria, ascending.
pub(crate) type Slots = SmallVec<[u16; 16]>;
/// Tags of a mention.
pub(crate) type Tags = SmallVec<[u32; 4]>;
/// Tags kept in the record itself.
const NEAR_TAGS: usize = 3;
/// A counter the record itself does not hold.
const FAR: u16 = u16::MAX;

/// Facts of one counted mention. They fill one line of the cache, since a mention is touched when it enters and when it leaves
/// a window, and hardly ever in between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
#[repr(align(64))]
pub(crate) struct Record {
    /// Hash of the mention's id.
    pub(crate) id: u64,
    /// What does not fit: large counters, many tags.
    more: Option<Box<More>>,
    /// Slots of the criteria in force that this mention counts in, the first 32 as bits; worked out again after loading.
    pub(crate) slots: u32,
    /// Event time, seconds since 1970.
    pub(crate) at: u32,
    /// Hash of the author's key; 0 when unknown.
    pub(crate) author: u32,
    /// Hash of the near-duplicate cluster; 0 for none.
    pub(crate) cluster: u32,
    /// Followers, at most `u32::MAX`; 0 when unknown.
    pub(crate) followers: u32,
    /// Hashes of matched terms and of categories; 0 for none.
    tags: [u32; NEAR_TAGS],
    /// Likes, comments, reposts, views, favorites; [`FAR`] when unknown.
    counters: [u16; 5],
    /// See [`MOOD_SCALE`].
    pub(crate) mood: i16,
    /// Index into `Platform::ALL`.
    pub(crate) platform: u8,
    /// Index into `Kind::ALL`.
    kind: u8,
    flags: u8,
}

/// All counters and tags of a mention whose record cannot hold them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct More {
    counters: [u32; 5],
    tags: Tags,
}

/// As written.
#[derive(Serialize, Deserialize)]
struct Stored {
    id: u64,
    at: u32,
    author: u32,
    cluster: u32,
    followers: u32,
    mood: i16,
    platform: u8,
    kind: u8,
    flags: u8,
    /// Absent when all are unknown.
    counters: Option<[u32; 5]>,
    tags: Tags,
}

impl From<Stored> for Record {
    fn from(stored: Stored) -> Self {
        let Stored { id, at, author, cluster, followers, mood, platform, kind, flags, counters, tags } =
            stored;
        let bare = Self { id, at, author, cluster, followers, mood, platform, kind, flags, ..Self::NONE };
        bare.with(counters.unwrap_or([UNKNOWN; 5]), tags)
    }
}

impl From<Record> for Stored {
    fn from(record: Record) -> Self {
        let counters = record.counters();
        let counters = counters.iter().any(|counter| *counter != UNKNOWN).then_some(counters);
        let tags = record.tags().collect();
        let Record { id, at, author, cluster, followers, mood, platform, kind, flags, .. } = record;
        Self { id, at, author, cluster, followers, mood, platform, kind, flags, counters, tags }
    }
}

const NEGATIVE: u8 = 1;
const SAMPLED: u8 = 2;
const MEDIA: u8 = 4;
const GOVERNMENT: u8 = 8;
const ABROAD: u8 = 16;
const CHINESE: u8 = 32;
const TERMED: u8 = 64;

/// Terms and categories whose tags are kept.
const MAX_KNOWN_TAGS: usize = 1 << 16;

/// Tags of terms and categories met before: the same few come again and again, and a look-up is cheaper than a hash that
/// holds against chosen text.
#[derive(Debug, Default)]
pub(crate) struct KnownTags {
    terms: FxHashMap<Word, u32>,
    categories: FxHashMap<Word, u32>,
}

/// A word as a key: what is short lies in the table itself, so that a look-up touches one place.
pub(crate) type Word = SmallVec<[u8; 24]>;

fn known(tags: &mut FxHashMap<Word, u32>, word: &str, hash: fn(&str) -> u32) -> u32 {
    if let Some(tag) = tags.get(word.as_bytes()) {
        return *tag;
    }
    let tag = hash(word);
    // Whoever sends ever new words gains nothing by it.
    if tags.len() < MAX_KNOWN_TAGS && word.len() <= 256 {
        tags.insert(word.as_bytes().into(), tag);
    }
    tag
}

/// Authors come under a hash already; any other key is hashed here.
fn author_tag(key: &str) -> u32 {
    match u64::from_str_radix(key, 16) {
        Ok(hash) if key.len() == 16 => fold(hash.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        _ => hash32(key),
    }
}

/// First eight bytes of a BLAKE3 hash.
pub(crate) fn hash64(text: &str) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..8]);
    u64::from_le_bytes(first)
}

/// Four bytes of a hash, never 0.
pub(crate) fn hash32(text: &str) -> u32 {
    fold(hash64(text))
}

fn fold(wide: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "a hash is cut on purpose")]
    let narrow = (wide ^ (wide >> 32)) as u32;
    narrow.max(1)
}

/// Tag of a matched term: terms are compared without case.
pub(crate) fn term_tag(term: &str) -> u32 {
    hash32(&format!("t:{}", term.to_lowercase()))
}

/// Tag of a category.
pub(crate) fn category_tag(id: &str) -> u32 {
    hash32(&format!("c:{id}"))
}

fn saturate(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(UNKNOWN - 1).min(UNKNOWN - 1)
}

/// Event time in whole seconds: `published_at`, clamped to at most `observed_at` and to what 32 bits hold.
pub(crate) fn event_seconds(hit: &Hit) -> u32 {
    let at = hit.subject.published_at.min(hit.subject.observed_at).as_second();
    u32::try_from(at.max(0)).unwrap_or(u32::MAX)
}

impl Record {
    pub(crate) fn of(hit: &Hit, id: u64, tags_met: &mut KnownTags) -> Self {
        let subject = &hit.subject;
        let author = subject.author.as_ref();
        let mut flags = 0;
        let mut set = |flag, on: bool| flags |= if on { flag } else { 0 };
        set(NEGATIVE, hit.sentiment.label == Label::Negative);
        set(SAMPLED, subject.sample_cap.is_some());
        let verified = author.map_or(Verified::None, |a| a.verified);
        set(MEDIA, subject.platform == Platform::News || verified == Verified::Media);
        set(GOVERNMENT, verified == Verified::Government);
        set(ABROAD, stands_abroad(subject.platform, subject.region.as_deref()));
        set(CHINESE, stands_in_china(subject.platform, subject.region.as_deref()));
        set(TERMED, !hit.matches.is_empty());
        let mut tags = Tags::new();
        for category in hit.categories.iter().take(MAX_TAGS) {
            tags.push(known(&mut tags_met.categories, &category.id, category_tag));
        }
        for term in hit.matches.iter().map(|found| &found.term).chain(&hit.keywords) {
            if tags.len() == MAX_TAGS {
                break;
            }
            let tag = known(&mut tags_met.terms, term, term_tag);
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        let m = &subject.metrics;
        let counters = [m.likes, m.comments, m.reposts, m.views, m.favorites];
        let mood = f64::from(hit.sentiment.p_positive) - f64::from(hit.sentiment.p_negative);
        let bare = Self {
            id,
            at: event_seconds(hit),
            author: author.filter(|a| !a.key.is_empty()).map_or(0, |a| author_tag(&a.key)),
            cluster: hit.cluster.map_or(0, fold),
            followers: author.and_then(|a| a.followers).map_or(0, saturate),
            // NaN casts to 0.
            #[expect(clippy::cast_possible_truncation, reason = "clamped")]
            mood: (mood.clamp(-1.0, 1.0) * MOOD_SCALE).round() as i16,
            platform: subject.platform as u8,
            kind: subject.kind as u8,
            flags,
            ..Self::NONE
        };
        bare.with(counters.map(|counter| counter.map_or(UNKNOWN, saturate)), tags)
    }

    /// No mention: what a free place holds.
    const NONE: Self = Self {
        id: 0,
        more: None,
        slots: 0,
        at: 0,
        author: 0,
        cluster: 0,
        followers: 0,
        tags: [0; NEAR_TAGS],
        counters: [FAR; 5],
        mood: 0,
        platform: 0,
        kind: 0,
        flags: 0,
    };

    /// Takes it out of its place.
    pub(crate) fn taken(&mut self) -> Self {
        std::mem::replace(self, Self::NONE)
    }

    /// The same with these counters and tags.
    fn with(mut self, counters: [u32; 5], tags: Tags) -> Self {
        let fits = |counter: &u32| *counter == UNKNOWN || *counter < u32::from(FAR);
        if tags.len() > NEAR_TAGS || !counters.iter().all(fits) {
            self.more = Some(Box::new(More { counters, tags }));
            return self;
        }
        self.more = None;
        self.tags = [0; NEAR_TAGS];
        self.tags[..tags.len()].copy_from_slice(&tags);
        // What is unknown is larger than what fits.
        self.counters = counters.map(|counter| u16::try_from(counter).unwrap_or(FAR));
        self
    }

    fn counters(&self) -> [u32; 5] {
        match &self.more {
            Some(more) => more.counters,
            None => self.counters.map(|near| if near == FAR { UNKNOWN } else { u32::from(near) }),
        }
    }

    /// Hashes of matched terms and of categories.
    pub(crate) fn tags(&self) -> impl Iterator<Item = u32> {
        let (near, far): (&[u32], &[u32]) = match &self.more {
            Some(more) => (&[], &more.tags),
            None => (&self.tags, &[]),
        };
        near.iter().copied().take_while(|tag| *tag != 0).chain(far.iter().copied())
    }

    /// The newer facts of the same mention: its place in time stays, and a counter that is no longer told keeps its
    /// last value.
    pub(crate) fn renew(&mut self, newer: Self) {
        let (old, at) = (self.counters(), self.at);
        let mut counters = newer.counters();
        for (new, old) in counters.iter_mut().zip(old) {
            if *new == UNKNOWN {
                *new = old;
            }
        }
        let tags = newer.tags().collect();
        *self = Self { at, ..newer.with(counters, tags) };
    }

    pub(crate) fn is_negative(&self) -> bool {
        self.flags & NEGATIVE != 0
    }

    pub(crate) fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    pub(crate) fn has_terms(&self) -> bool {
        self.flags & TERMED != 0
    }

    pub(crate) fn kind(&self) -> Kind {
        Kind::ALL.get(usize::from(self.kind)).copied().unwrap_or(Kind::Post)
    }

    pub(crate) fn is_topic(&self) -> bool {
        self.kind() == Kind::Topic
    }

    pub(crate) fn is_of(&self, class: SourceClass, home_is_china: bool) -> bool {
        match class {
            SourceClass::Media => self.flags & MEDIA != 0,
            SourceClass::Government => self.flags & GOVERNMENT != 0,
            SourceClass::Foreign => self.flags & if home_is_china { ABROAD } else { CHINESE } != 0,
            SourceClass::Influencer => self.followers >= INFLUENCER_FOLLOWERS,
        }
    }

    /// Likes, comments and reposts together; none while all are unknown.
    pub(crate) fn engagement(&self) -> Option<u32> {
        let known = self.counters().into_iter().take(3).filter(|counter| *counter != UNKNOWN);
        known.reduce(u32::saturating_add)
    }

    pub(crate) fn counter(&self, counter: Counter) -> Option<u64> {
        let value = self.counters()[counter as usize];
        (value != UNKNOWN).then(|| u64::from(value))
    }
}

/// Platforms whose public is outside China; where the platform says nothing, a declared country does.
fn stands_abroad(platform: Platform, region: Option<&str>) -> bool {
    use Platform as P;
    match platform {
        P::X
        | P::Bluesky
        | P::Mastodon
        | P::Reddit
        | P::Youtube
        | P::Hackernews
        | P::Tiktok
        | P::Instagram
        | P::Facebook => true,
        P::News | P::Forum | P::Site | P::Rss | P::Other => country(region).is_some_and(|c| c != "CN"),
        _ => false,
    }
}

/// Platforms whose public is in China; where the platform says nothing, a declared country does.
fn stands_in_china(platform: Platform, region: Option<&str>) -> bool {
    use Platform as P;
    match platform {
        P::Weibo
        | P::Wechat
        | P::Douyin
        | P::Kuaishou
        | P::Xiaohongshu
        | P::Zhihu
        | P::Bilibili
        | P::Douban
        | P::Tieba => true,
        P::News | P::Forum | P::Site | P::Rss | P::Other => country(region) == Some("CN"),
        _ => false,
    }
}

/// A region that is an ISO 3166 country code; platforms also declare provinces, which say nothing here.
fn country(region: Option<&str>) -> Option<&str> {
    region.filter(|r| r.len() == 2 && r.bytes().all(|b| b.is_ascii_uppercase()))
}
