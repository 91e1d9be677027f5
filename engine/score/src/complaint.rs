//! Does a mention want an answer from us? Addressed to us, and asking or complaining: a logistic sum of seven plain features,
//! each of which can be shown to a person.
//!
//! The weights are set by hand and documented with what they were measured on (`docs/models.md`); no labelled set that may be
//! trained on says what is addressed to a brand. Refuses to speak of a mention that is not addressed to us.

use std::{borrow::Cow, sync::LazyLock};

use daachorse::DoubleArrayAhoCorasick;
use tocsin_rules::{Complaint, Kind, Mention, TermMatch};

/// Categories that are complaints by themselves.
const CATEGORIES: [&str; 1] = ["service_failure"];
/// From this probability on a mention is flagged.
const FLAGGED: f32 = 0.5;
/// Sum without any feature.
const BIAS: f32 = -3.0;
/// Share of a feature's weight below which it is not named as a reason.
const NAMED: f32 = 0.7;

/// What a feature adds.
const MENTIONS_US: (&str, f32) = ("mentions_us", 1.3);
const DIRECT: (&str, f32) = ("direct", 1.5);
const SECOND_PERSON: (&str, f32) = ("second_person", 0.6);
const QUESTION: (&str, f32) = ("question", 1.5);
const DEMAND: (&str, f32) = ("demand", 1.8);
const CATEGORY: (&str, f32) = ("category", 1.0);
/// Times linear's probability of negative.
const NEGATIVE: (&str, f32) = ("negative", 3.5);

const QUESTIONS: &[&str] = &[
    "?",
    "？",
    "请问",
    "怎么",
    "能不能",
    "可不可以",
    "可以吗",
    "为什么",
    "为啥",
    "什么时候",
    "多久",
    "有没有",
    "是不是",
    "why is",
    "why are",
    "why do",
    "why does",
    "why did",
    "why can't",
    "why won't",
    "how do",
    "how can",
    "how long",
    "how much",
    "when will",
    "when is",
    "when are",
    "where is",
    "where are",
    "can you",
    "can i",
    "can we",
    "could you",
    "would you",
    "will you",
    "is there",
    "any update",
    "any news",
    "do you",
];
const DEMANDS: &[&str] = &[
    "退款",
    "退货",
    "退钱",
    "退订",
    "投诉",
    "客服",
    "赔偿",
    "赔付",
    "给个说法",
    "给说法",
    "解决",
    "处理一下",
    "维权",
    "12315",
    "差评",
    "联系不上",
    "没人管",
    "没人理",
    "不发货",
    "不处理",
    "催",
    "refund",
    "help",
    "waiting",
    "waited",
    "on hold",
    "customer service",
    "complaint",
    "compensate",
    "compensation",
    "fix",
    "lost my",
    "still no",
    "still not",
    "still haven't",
    "no response",
    "no reply",
    "no answer",
    "hung up",
    "cancelled",
    "canceled",
    "delayed",
    "broken",
    "rebook",
    "my money",
    "unacceptable",
    "dm me",
    "call me",
    "please",
];
const YOU: &[&str] = &[
    "你们",
    "贵司",
    "贵公司",
    "贵店",
    "您",
    "你家",
    "you",
    "your",
    "you're",
    "yall",
    "y'all",
    "u guys",
    "ur",
];

/// Finds every cue in one pass; which list it is from.
static CUES: LazyLock<Option<DoubleArrayAhoCorasick<u32>>> = LazyLock::new(|| {
    let lists = [QUESTIONS, DEMANDS, YOU].into_iter().zip(0_u32..);
    DoubleArrayAhoCorasick::with_values(lists.flat_map(|(list, at)| list.iter().map(move |cue| (cue, at))))
        .ok()
});

/// What a text says, whoever is meant.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Voice {
    /// `@name`s: characters from the sign on, half-open, in the offsets of [`TermMatch`].
    names: Vec<(u32, u32)>,
    question: bool,
    demand: bool,
    second_person: bool,
    /// A private message or a review.
    direct: bool,
    /// A comment or a question put to somebody, perhaps to us.
    put: bool,
    category: bool,
    p_negative: f32,
}

impl Voice {
    /// Hears a mention with its crisis categories and linear's probability of negative.
    pub fn hear<'a>(
        mention: &Mention,
        mut categories: impl Iterator<Item = &'a str>,
        p_negative: f32,
    ) -> Self {
        let mut voice = Self::of(mention.title.as_deref(), &mention.text, p_negative);
        voice.direct = matches!(mention.kind, Kind::Message | Kind::Review);
        voice.put = matches!(mention.kind, Kind::Comment | Kind::Question);
        voice.category = categories.any(|id| CATEGORIES.contains(&id));
        voice
    }

    /// Hears a title and a text by themselves.
    pub(crate) fn of(title: Option<&str>, text: &str, p_negative: f32) -> Self {
        let mut voice = Self { p_negative, ..Self::default() };
        let mut offset = 0;
        if let Some(title) = title {
            voice.read(title, offset);
            offset = title.chars().count() as u32 + 1;
        }
        // what follows was said by somebody else
        let own = text.find("//@").filter(|end| *end > 0).map_or(text, |end| &text[..end]);
        voice.read(own, offset);
        voice
    }

    fn read(&mut self, text: &str, offset: u32) {
        let lower = text.to_ascii_lowercase();
        let bytes = lower.as_bytes();
        let inside = |at: Option<&u8>| at.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
        for cue in CUES.iter().flat_map(|cues| cues.find_overlapping_iter(&lower)) {
            let (start, end) = (cue.start(), cue.end());
            // a cue of letters is a word or words, not a part of one
            let cut = inside(bytes.get(start)) && inside(start.checked_sub(1).and_then(|at| bytes.get(at)))
                || end.checked_sub(1).is_some_and(|last| inside(bytes.get(last))) && inside(bytes.get(end));
            if !cut {
                *[&mut self.question, &mut self.demand, &mut self.second_person]
                    [cue.value().min(2) as usize] = true;
            }
        }
        if !text.contains(['@', '＠']) {
            return;
        }
        let mut from = None;
        let mut at = offset;
        for c in text.chars() {
            match c {
                '@' | '＠' => from = Some(at),
                c if c.is_alphanumeric() || matches!(c, '_' | '-' | '·' | '.') => {}
                _ => self.names.extend(from.take().map(|from| (from, at))),
            }
            at += 1;
        }
        self.names.extend(from.map(|from| (from, at)));
    }

    /// As if every `@name` were ours: for measuring on texts written to brands.
    pub(crate) fn complaint_to_any(&self) -> Option<Complaint> {
        let term = |&(from, end): &(u32, u32)| TermMatch { term: String::new(), start: from, end };
        self.complaint(&self.names.iter().map(term).collect::<Vec<_>>())
    }

    /// Whether it asks or complains to whom these terms name; `None` when it is not addressed to them.
    pub fn complaint(&self, matches: &[TermMatch]) -> Option<Complaint> {
        let named = |m: &TermMatch| self.names.iter().any(|(from, to)| *from <= m.start && m.end <= *to);
        let mentions_us = matches.iter().any(named);
        if !(mentions_us || self.direct || self.put || self.second_person || self.category) {
            return None;
        }
        let worth = |(name, weight): (&'static str, f32), value: f32| (name, weight, value);
        let of = |feature, given: bool| worth(feature, f32::from(u8::from(given)));
        let features = [
            of(MENTIONS_US, mentions_us),
            of(DIRECT, self.direct),
            of(SECOND_PERSON, self.second_person),
            of(QUESTION, self.question),
            of(DEMAND, self.demand),
            of(CATEGORY, self.category),
            worth(NEGATIVE, self.p_negative),
        ];
        let sum: f32 = BIAS + features.iter().map(|(_, weight, value)| weight * value).sum::<f32>();
        let p = 1.0 / (1.0 + (-sum).exp());
        let mut because: Vec<_> = features
            .iter()
            .filter(|(_, weight, value)| *value > 0.0 && weight * value >= NAMED.min(*weight))
            .map(|(name, weight, value)| (*name, weight * value))
            .collect();
        because.sort_by(|a, b| b.1.total_cmp(&a.1));
        let because = because.into_iter().map(|(name, _)| Cow::Borrowed(name)).collect();
        Some(Complaint { flagged: p >= FLAGGED, p, because })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixtures::mention;

    /// A post that names the brand `acme` at its first place.
    fn judged(text: &str, kind: Kind, p_negative: f32) -> Option<Complaint> {
        let mut m = mention("x:1", text);
        m.kind = kind;
        let lower = text.to_ascii_lowercase();
        let start = lower.find("acme").map(|at| lower[..at].chars().count() as u32);
        let term = start.map(|start| TermMatch { term: "acme".into(), start, end: start + 4 });
        Voice::hear(&m, [].into_iter(), p_negative).complaint(term.as_slice())
    }

    #[test]
    fn questions_and_complaints_to_us_are_flagged_and_praise_and_talk_are_not() {
        for (text, kind, p_negative, flagged) in [
            ("@Acme why is my flight delayed again", Kind::Post, 0.7, Some(true)),
            ("@Acme can I bring a second bag?", Kind::Post, 0.1, Some(true)),
            ("＠acme官方 退款什么时候到账", Kind::Post, 0.4, Some(true)),
            ("@Acme thanks for a wonderful flight", Kind::Post, 0.02, Some(false)),
            ("Acme shares fall after report", Kind::Post, 0.8, None),
            ("Acme 新品发布会好看", Kind::Comment, 0.05, Some(false)),
            ("Acme 你们能不能给个说法", Kind::Post, 0.7, Some(true)),
            ("Acme 用了两天就坏了，太失望了", Kind::Review, 0.9, Some(true)),
            ("@somebody have a look at Acme", Kind::Post, 0.1, None),
        ] {
            let said = judged(text, kind, p_negative);
            assert_eq!(said.as_ref().map(|c| c.flagged), flagged, "{text}: {said:?}");
        }
    }

    #[test]
    fn the_reasons_are_named_the_strongest_first() {
        let said =
            judged("@Acme refund please, why is there no answer?", Kind::Post, 0.8).expect("addressed");
        assert_eq!(said.because, ["negative", "demand", "question", "mentions_us"]);
        let plain = judged("love you @acme", Kind::Post, 0.0).expect("addressed");
        assert_eq!(plain.because, ["mentions_us", "second_person"]);
    }

    #[test]
    fn cues_are_whole_words_and_what_others_wrote_is_not_heard() {
        let heard = |text: &str| Voice::hear(&mention("x:1", text), [].into_iter(), 0.0);
        assert!(!heard("youth helpful prefixed").demand && !heard("youth").second_person);
        assert!(heard("Help!").demand && heard("YOUR").second_person && heard("退款").demand);
        assert!(!heard("好的//@别人:请问退款").question);
        let mut titled = mention("x:1", "@acme");
        titled.title = Some("怎么办".into());
        let voice = Voice::hear(&titled, ["service_failure"].into_iter(), 0.0);
        assert!(voice.question && voice.category);
        assert_eq!(voice.names, [(4, 9)], "offsets of title and text together");
    }

    proptest! {
        #[test]
        fn any_text_is_heard(text in "\\PC{0,80}", at in 0_u32..90, p in 0.0_f32..1.0) {
            let voice = Voice::hear(&mention("x:1", &text), [].into_iter(), p);
            let term = TermMatch { term: "x".into(), start: at, end: at + 1 };
            if let Some(said) = voice.complaint(&[term]) {
                prop_assert!((0.0..=1.0).contains(&said.p) && said.flagged == (said.p >= FLAGGED));
            }
        }
    }
}
