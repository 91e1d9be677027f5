//! Section `detection`: windows, thresholds, grading, matrix. Refuses grades nothing reaches and matrices that fall
//! where risk rises.

use super::{
    cursor::{Cursor, Fields, Reader, clip},
    names::NameKind,
    read_watch::platform,
};
use crate::{
    level::{Impact, Level, Likelihood, Matrix},
    mention::{Kind, Platform},
    threshold::{Bound, Condition, Counter, Detection, GradeRule, Indicator, SourceClass, Threshold},
};

/// Longest window, seconds: a week.
const LONGEST_WINDOW: u64 = 7 * 86_400;
/// Longest window of topics of hot-search boards, seconds: two weeks.
const LONGEST_BOARD_WINDOW: u64 = 14 * 86_400;

pub(super) fn detection(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Detection> {
    let keys = &[
        "bucket",
        "max_age",
        "allowed_lateness",
        "cool_down",
        "thresholds",
        "impact",
        "likelihood",
        "matrix",
    ];
    let f = at.fields(r, keys)?;
    let bucket = f.maybe(r, "bucket", |c, r| {
        let bucket = c.span(r)?;
        if !(10..=3_600).contains(&bucket) {
            c.fault(r, "a bucket is 10s to 1h wide");
            return None;
        }
        Some(bucket)
    });
    let max_age = f.maybe(r, "max_age", Cursor::span);
    let allowed_lateness = f.maybe(r, "allowed_lateness", Cursor::duration);
    let cool_down = f.maybe(r, "cool_down", Cursor::duration);
    let width = bucket.flatten().unwrap_or(60);
    let thresholds = f.need(r, "thresholds").and_then(|c| {
        let thresholds = c.each(r, |item, r| threshold(item, r, width))?;
        if thresholds.is_empty() {
            c.fault(r, "there is no threshold, so nothing would ever be found");
            return None;
        }
        flat_k_of(&c, r, &thresholds).then_some(thresholds)
    });
    let impact = f.need(r, "impact").and_then(|c| grades(&c, r, &Impact::ALL, Impact::as_str));
    let likelihood =
        f.need(r, "likelihood").and_then(|c| grades(&c, r, &Likelihood::ALL, Likelihood::as_str));
    let matrix = f.need(r, "matrix").and_then(|c| matrix(&c, r));
    Some(Detection {
        bucket_seconds: bucket?.unwrap_or(60),
        max_age_seconds: max_age?.unwrap_or(6 * 3_600),
        allowed_lateness_seconds: allowed_lateness?.unwrap_or(600),
        cool_down_seconds: cool_down?.unwrap_or(1_800),
        thresholds: thresholds?,
        impact: impact?,
        likelihood: likelihood?,
        matrix: matrix?,
    })
}

fn threshold(at: &Cursor<'_>, r: &mut Reader<'_>, bucket: u64) -> Option<Threshold> {
    let f = at.fields(r, &["id", "name", "when"])?;
    let id = f.need(r, "id").and_then(|c| c.define(r, NameKind::Threshold));
    let name = f.need(r, "name").and_then(|c| c.wording(r));
    let condition = f.need(r, "when").and_then(|c| condition(&c, r, bucket));
    Some(Threshold { id: id?, name: name?, condition: condition? })
}

fn condition(at: &Cursor<'_>, r: &mut Reader<'_>, bucket: u64) -> Option<Condition> {
    let (given, _) = at.entries(r)?;
    let has = |key| given.get(key).is_some();
    if has("flatline") {
        return flatline(at, r, bucket);
    }
    if has("growth") {
        return growth(at, r, bucket);
    }
    match (has("indicator"), has("any_mention"), has("k")) {
        (true, false, false) if has("ratio") => ratio(at, r, bucket),
        (true, false, false) if has("surprise") => surprise(at, r, bucket),
        (true, false, false) if has("surge") => surge(at, r, bucket),
        (true, false, false) => window(at, r, bucket),
        (false, true, false) => any_mention(at, r, bucket),
        (false, false, true) => {
            let f = at.fields(r, &["k", "of"])?;
            let of = f.need(r, "of").and_then(|c| c.each(r, |item, r| item.refer(r, NameKind::Threshold)));
            let most = of.as_ref().map_or(99, |of| u32::try_from(of.len()).unwrap_or(99));
            let k = f.need(r, "k").and_then(|c| c.small(r, 1, most));
            Some(Condition::KOf { k: k?, of: of? })
        }
        _ => {
            at.fault(
                r,
                "a condition has exactly one of `indicator`, `any_mention`, `growth`, `flatline`, `k`",
            );
            None
        }
    }
}

fn window(at: &Cursor<'_>, r: &mut Reader<'_>, bucket: u64) -> Option<Condition> {
    let f = at.fields(r, &["indicator", "of", "window", "at_least", "at_most", "min_sample"])?;
    let indicator = indicator(&f, r);
    let of = indicator.and_then(|indicator| narrowing(at, &f, r, indicator));
    let window_seconds = window_length(&f, r, bucket, indicator);
    let bound = indicator.and_then(|indicator| bound(at, &f, r, indicator));
    let min_sample = f.maybe(r, "min_sample", |c, r| c.small(r, 1, 1_000_000));
    let indicator = indicator?;
    let mean =
        matches!(indicator, Indicator::NegativeShare | Indicator::MeanMood | Indicator::CrisisTopicShare);
    if mean && min_sample == Some(None) {
        at.fault(r, format!("`{indicator}` needs `min_sample`, else a single post decides"));
        return None;
    }
    Some(Condition::Window {
        indicator,
        of: of?,
        window_seconds: window_seconds?,
        bound: bound?,
        min_sample: min_sample?.unwrap_or(0),
    })
}

fn ratio(at: &Cursor<'_>, r: &mut Reader<'_>, bucket: u64) -> Option<Condition> {
    let f = at.fields(r, &["indicator", "of", "window", "ratio", "floor"])?;
    let indicator = indicator(&f, r);
    let of = indicator.and_then(|indicator| narrowing(at, &f, r, indicator));
    let window_seconds = window_length(&f, r, bucket, indicator);
    let at_least = f.need(r, "ratio").and_then(|c| c.number(r, 1.01, 10_000.0));
    let floor = f.need(r, "floor").and_then(|c| c.number(r, 0.0, 1e15));
    if indicator == Some(Indicator::MeanMood) {
        at.fault(r, "`mean_mood` may be negative, so it has no ratio; use `at_most`");
        return None;
    }
    if let Some(topics) = indicator.filter(|i| i.is_of_boards()) {
        at.fault(r, format!("`{topics}` has no ratio: boards are empty most days; use `surprise`"));
        return None;
    }
    Some(Condition::Ratio {
        indicator: indicator?,
        of: of?,
        window_seconds: window_seconds?,
        at_least: at_least?,
        min_value: floor?,
    })
}

fn surprise(at: &Cursor<'_>, r: &mut Reader<'_>, bucket: u64) -> Option<Condition> {
    let f = at.fields(r, &["indicator", "of", "window", "surprise", "floor"])?;
    let indicator = indicator(&f, r);
    let of = indicator.and_then(|indicator| narrowing(at, &f, r, indicator));
    let window_seconds = window_length(&f, r, bucket, indicator);
    let at_least = f.need(r, "surprise").and_then(|c| c.number(r, 0.5, 100.0));
    let floor = f.need(r, "floor").and_then(|c| c.number(r, 0.0, 1e15));
    if let Some(other) = indicator.filter(|i| !i.is_count() && *i != Indicator::NegativeShare) {
        at.fault(r, format!("`{other}` has no surprise; counts of mentions and `negative_share` have"));
        return None;
    }
    Some(Condition::Surprise {
        indicator: indicator?,
        of: of?,
        window_seconds: window_seconds?,
        at_least: at_least?,
        min_value: floor?,
    })
}

fn surge(at: &Cursor<'_>, r: &mut Reader<'_>, bucket: u64) -> Option<Condition> {
    let f = at.fields(r, &["indicator", "window", "surge"])?;
    let indicator = indicator(&f, r);
    let window_seconds = window_length(&f, r, bucket, indicator);
    let at_least = f.need(r, "surge").and_then(|c| c.number(r, 0.5, 100.0));
    if indicator.is_some_and(|i| !matches!(i, Indicator::Volume | Indicator::NegativeCount)) {
        at.fault(r, "surges are looked for in `volume` and `negative_count`");
        return None;
    }
    Some(Condition::Surge { indicator: indicator?, window_seconds: window_seconds?, at_least: at_least? })
}

fn flatline(at: &Cursor<'_>, r: &mut Reader<'_>, bucket: u64) -> Option<Condition> {
    let f = at.fields(r, &["flatline", "surprise"])?;
    let window_seconds = length_of(&f.need(r, "flatline")?, r, bucket, LONGEST_WINDOW, 7);
    let at_least = f.need(r, "surprise").and_then(|c| c.number(r, 0.5, 100.0));
    Some(Condition::Flatline { window_seconds: window_seconds?, at_least: at_least? })
}

fn any_mention(at: &Cursor<'_>, r: &mut Reader<'_>, bucket: u64) -> Option<Condition> {
    let f = at.fields(r, &["any_mention", "at_least", "platforms", "kinds", "negative_only", "window"])?;
    let counter = f.need(r, "any_mention").and_then(|c| c.word(r, "counter", Counter::ALL, Counter::as_str));
    let at_least = f.need(r, "at_least").and_then(|c| c.count(r, 1, u64::MAX));
    let posts = posts(&f, r);
    let window_seconds = window_length(&f, r, bucket, None);
    let (platforms, kinds, negative_only) = posts?;
    Some(Condition::AnyMention {
        counter: counter?,
        at_least: at_least?,
        platforms,
        kinds,
        negative_only,
        window_seconds: window_seconds?,
    })
}

fn growth(at: &Cursor<'_>, r: &mut Reader<'_>, bucket: u64) -> Option<Condition> {
    let f = at.fields(r, &["growth", "platforms", "kinds", "negative_only", "window"])?;
    // What is gained in ten minutes is the least that makes a rate.
    let at_least = f.need(r, "growth").and_then(|c| c.count(r, 6, u64::from(u32::MAX)));
    let posts = posts(&f, r);
    let window_seconds = window_length(&f, r, bucket, None);
    let (platforms, kinds, negative_only) = posts?;
    let (at_least, window_seconds) = (at_least?, window_seconds?);
    Some(Condition::Growth { at_least, platforms, kinds, negative_only, window_seconds })
}

/// Which single posts are looked at: platforms and kinds, none for all; negative ones only unless told otherwise.
fn posts(f: &Fields<'_>, r: &mut Reader<'_>) -> Option<(Vec<Platform>, Vec<Kind>, bool)> {
    let platforms = f.maybe(r, "platforms", |c, r| c.each(r, platform));
    let kinds =
        f.maybe(r, "kinds", |c, r| c.each(r, |item, r| item.word(r, "kind", Kind::ALL, Kind::as_str)));
    let negative_only = f.maybe(r, "negative_only", Cursor::flag);
    Some((platforms?.unwrap_or_default(), kinds?.unwrap_or_default(), negative_only?.unwrap_or(true)))
}

fn indicator(f: &Fields<'_>, r: &mut Reader<'_>) -> Option<Indicator> {
    f.need(r, "indicator").and_then(|c| c.word(r, "indicator", Indicator::ALL, Indicator::as_str))
}

#[expect(clippy::option_option, reason = "absent and faulty are two different answers")]
fn narrowing(
    at: &Cursor<'_>,
    f: &Fields<'_>,
    r: &mut Reader<'_>,
    indicator: Indicator,
) -> Option<Option<String>> {
    match indicator {
        Indicator::KeywordCount => {
            let c = f.need(r, "of")?;
            let text = c.text(r)?;
            if let Some(list) = text.strip_prefix("list:") {
                r.names.refer(super::names::Name {
                    kind: NameKind::List,
                    id: list.to_owned(),
                    place: c.node.place,
                    path: c.path.clone(),
                });
            }
            Some(Some(text.to_owned()))
        }
        Indicator::CategoryCount => f.need(r, "of")?.refer(r, NameKind::Category).map(Some),
        Indicator::SourceClassCount => {
            let class = f.need(r, "of")?.word(r, "source class", SourceClass::ALL, SourceClass::as_str)?;
            Some(Some(class.as_str().to_owned()))
        }
        _ if f.get("of").is_some() => {
            at.fault(
                r,
                format!("`of` narrows keyword_count, category_count and source_class_count, not {indicator}"),
            );
            None
        }
        _ => Some(None),
    }
}

fn window_length(
    f: &Fields<'_>,
    r: &mut Reader<'_>,
    bucket: u64,
    indicator: Option<Indicator>,
) -> Option<u64> {
    let c = f.need(r, "window")?;
    match indicator {
        Some(indicator) if indicator.is_of_boards() => length_of(&c, r, bucket, LONGEST_BOARD_WINDOW, 14),
        _ => length_of(&c, r, bucket, LONGEST_WINDOW, 7),
    }
}

/// A window of whole buckets, at most so long.
fn length_of(c: &Cursor<'_>, r: &mut Reader<'_>, bucket: u64, longest: u64, days: u32) -> Option<u64> {
    let seconds = c.span(r)?;
    if seconds % bucket != 0 {
        c.fault(r, format!("the window must be a whole number of buckets of {bucket} s"));
        return None;
    }
    if seconds > longest {
        c.fault(r, format!("the longest window is {days}d"));
        return None;
    }
    Some(seconds)
}

fn bound(at: &Cursor<'_>, f: &Fields<'_>, r: &mut Reader<'_>, indicator: Indicator) -> Option<Bound> {
    let (least, most) = match indicator {
        Indicator::NegativeShare | Indicator::CrisisTopicShare => (0.01, 1.0),
        Indicator::MeanMood => (-1.0, 1.0),
        _ => (1.0, 1e15),
    };
    match (f.get("at_least"), f.get("at_most")) {
        (Some(c), None) if indicator != Indicator::MeanMood => c.number(r, least, most).map(Bound::AtLeast),
        (None, Some(c)) if indicator == Indicator::MeanMood => c.number(r, least, most).map(Bound::AtMost),
        _ if indicator == Indicator::MeanMood => {
            at.fault(r, "`mean_mood` takes `at_most`: low is bad");
            None
        }
        _ => {
            at.fault(r, format!("`{indicator}` takes `at_least`"));
            None
        }
    }
}

/// Whether every `k of` counts plain thresholds only.
fn flat_k_of(at: &Cursor<'_>, r: &mut Reader<'_>, thresholds: &[Threshold]) -> bool {
    let nested =
        |id: &String| thresholds.iter().any(|t| t.id == *id && matches!(t.condition, Condition::KOf { .. }));
    let mut sound = true;
    for (index, threshold) in thresholds.iter().enumerate() {
        let Condition::KOf { of, .. } = &threshold.condition else { continue };
        for id in of.iter().filter(|id| nested(id)) {
            let item = at.items(r).and_then(|items| items.into_iter().nth(index));
            item.as_ref()
                .unwrap_or(at)
                .fault(r, format!("`{id}` is itself a `k` of others; name plain thresholds"));
            sound = false;
        }
    }
    sound
}

/// A mapping from grade to alternatives; each alternative is one threshold or a list of thresholds met together.
fn grades<G: Copy + Ord>(
    at: &Cursor<'_>,
    r: &mut Reader<'_>,
    all: &[G; 4],
    spell: fn(G) -> &'static str,
) -> Option<Vec<GradeRule<G>>> {
    let keys: Vec<&str> = all[1..].iter().map(|grade| spell(*grade)).collect();
    let mut rules = Some(Vec::new());
    let lowest = spell(all[0]);
    let f = at.fields(r, &[keys.as_slice(), &[lowest]].concat())?;
    if let Some(c) = f.get(lowest) {
        c.fault(r, format!("`{lowest}` is what remains when nothing else is reached; leave it out"));
        rules = None;
    }
    for grade in all[1..].iter().rev() {
        let Some(c) = f.get(spell(*grade)) else { continue };
        let any = c.each(r, |item, r| match item.node.value {
            super::yaml::Value::List(_) => {
                let all_of = item.each(r, |id, r| id.refer(r, NameKind::Threshold))?;
                if all_of.is_empty() {
                    item.fault(r, "an empty alternative would always hold");
                    return None;
                }
                Some(all_of)
            }
            _ => item.refer(r, NameKind::Threshold).map(|id| vec![id]),
        });
        match (any, rules.as_mut()) {
            (Some(any), Some(rules)) => rules.push(GradeRule { grade: *grade, any }),
            _ => rules = None,
        }
    }
    if rules.as_ref().is_some_and(|rules| rules.iter().all(|rule| rule.any.is_empty())) {
        at.fault(r, format!("no grade can be reached; give at least one of {}", keys.join(", ")));
        return None;
    }
    rules
}

/// Four rows by impact of four levels by likelihood.
fn matrix(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Matrix> {
    let keys: Vec<&str> = Impact::ALL.iter().map(|impact| impact.as_str()).collect();
    let f = at.fields(r, &keys)?;
    let mut rows = [None; 4];
    for (row, key) in rows.iter_mut().zip(&keys) {
        *row = f.need(r, key).and_then(|c| {
            let levels = c.each(r, |item, r| item.word(r, "level", &Level::ALL, Level::as_str))?;
            let row = <[Level; 4]>::try_from(levels.as_slice()).ok();
            if row.is_none() {
                let count = levels.len();
                c.fault(
                    r,
                    format!("a row has four levels (unlikely, possible, likely, certain), this one {count}"),
                );
            }
            row
        });
    }
    let [Some(minor), Some(moderate), Some(major), Some(severe)] = rows else { return None };
    let matrix = Matrix([minor, moderate, major, severe]);
    if matrix.0.iter().flatten().all(|level| *level == Level::None) {
        at.fault(r, "every cell is none, so nothing would ever be found");
        return None;
    }
    let falling =
        Impact::ALL.iter().flat_map(|i| Likelihood::ALL.iter().map(move |l| (*i, *l))).find(|(i, l)| {
            let level = matrix.level(*i, *l);
            let worse_impact = Impact::ALL.get(*i as usize + 1).map(|i| matrix.level(*i, *l));
            let surer = Likelihood::ALL.get(*l as usize + 1).map(|l| matrix.level(*i, *l));
            worse_impact.is_some_and(|next| next < level) || surer.is_some_and(|next| next < level)
        });
    if let Some((impact, likelihood)) = falling {
        let level = matrix.level(impact, likelihood).as_str();
        let (impact, likelihood) = (clip(impact.as_str()), clip(likelihood.as_str()));
        at.fault(
            r,
            format!(
                "the level falls from {level} beyond {impact} and {likelihood}; it may only rise or stay"
            ),
        );
        return None;
    }
    Some(matrix)
}
