//! Says why a query does or does not match a mention, part by part, by plain search. Refuses to be fast: it is for one
//! mention and a person, and the standard the matcher is tested against.

use serde::Serialize;

use super::search::{Found, Span, Text, disjoint};
use crate::{
    mention::Mention,
    normal::Normal,
    query::{Field, Query},
    rulebook::{Monitor, WordList},
};

/// One part of a query under one mention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// The part as a query.
    pub text: String,
    /// Whether it holds.
    pub matched: bool,
    /// Where a term stands in the original, in characters, half-open. Given for terms under NOT too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spans: Vec<(u32, u32)>,
    /// Why it does not hold; the first reason only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How what stands there was read as a `fuzzy:` term.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Parts of this part.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Explained>,
}

/// What an explanation is about.
struct Case<'a> {
    lists: &'a [WordList],
    mention: &'a Mention,
    lang: &'a str,
    text: Text<'a>,
}

/// Explains a query. `normal` must hold the mention ([`Normal::set`]); a list that is not in `lists` is empty.
pub fn explain(
    query: &Query,
    lists: &[WordList],
    mention: &Mention,
    lang: &str,
    normal: &Normal,
) -> Explained {
    Case { lists, mention, lang, text: Text::new(mention, normal) }.explain(query)
}

/// Explains a monitor: its platforms and languages as well as its query.
pub fn explain_monitor(
    monitor: &Monitor,
    lists: &[WordList],
    mention: &Mention,
    lang: &str,
    normal: &Normal,
) -> Explained {
    let mut parts = Vec::new();
    if !monitor.platforms.is_empty() {
        parts.push(Query::any(monitor.platforms.iter().map(|platform| Query::Platform(*platform)).collect()));
    }
    if !monitor.languages.is_empty() {
        parts.push(Query::any(monitor.languages.iter().map(|lang| Query::Lang(lang.clone())).collect()));
    }
    parts.push(monitor.query.clone());
    explain(&Query::all(parts), lists, mention, lang, normal)
}

/// Whether a query matches a mention; for one query and few texts.
pub fn matches(query: &Query, lists: &[WordList], mention: &Mention, lang: &str, normal: &Normal) -> bool {
    explain(query, lists, mention, lang, normal).matched
}

impl Case<'_> {
    fn explain(&self, query: &Query) -> Explained {
        let mut parts = Vec::new();
        let mut spans = Vec::new();
        let mut note = None;
        let refusal: Option<String> = match query {
            Query::And(all) => {
                parts = all.iter().map(|part| self.explain(part)).collect();
                parts.iter().find(|part| !part.matched).map(|part| format!("`{}` does not hold", part.text))
            }
            Query::Or(any) => {
                parts = any.iter().map(|part| self.explain(part)).collect();
                let held = parts.iter().any(|part| part.matched);
                (!held).then(|| format!("none of {} alternatives holds", parts.len()))
            }
            Query::Not(part) => {
                let part = self.explain(part);
                let refusal = part.matched.then(|| format!("`{}` holds", part.text));
                parts.push(part);
                refusal
            }
            Query::Term(_)
            | Query::Prefix(_)
            | Query::Tag(_)
            | Query::Name(_)
            | Query::Cased(_)
            | Query::Fuzzy(_) => {
                let found = self.text.find(query);
                let reason = found.spans.is_empty().then(|| why_not(&found));
                spans = found.spans;
                note = found.reading;
                reason
            }
            Query::List(name) => match self.lists.iter().find(|list| list.name == *name) {
                None => Some(format!("there is no list `{name}`")),
                Some(list) => {
                    spans = self.places(query);
                    spans
                        .is_empty()
                        .then(|| format!("none of its {} terms is in the text", list.entries.len()))
                }
            },
            Query::Near { ordered, distance, sides } => {
                parts = sides.iter().map(|side| self.explain(side)).collect();
                let [left, right] = [self.places(&sides[0]), self.places(&sides[1])];
                let (near, nearest) = self.text.near((&left, &right), *ordered, *distance);
                spans = near;
                match parts.iter().find(|part| !part.matched) {
                    _ if !spans.is_empty() => None,
                    Some(part) => Some(format!("`{}` does not hold", part.text)),
                    None => Some(match nearest {
                        Some(between) => format!("the nearest two have {between} tokens between"),
                        None => "no two stand in this order in one title or text".to_owned(),
                    }),
                }
            }
            Query::Count(least, part) => {
                spans = self.places(part);
                let count = disjoint(&spans);
                parts.push(self.explain(part));
                (count < *least as usize).then(|| format!("found {count} of {least} times"))
            }
            Query::Title(part) => match self.text.title() {
                None => Some("there is no title".to_owned()),
                Some(text) => {
                    let part = Case { text, ..*self }.explain(part);
                    let reason =
                        (!part.matched).then(|| format!("in the title `{}` does not hold", part.text));
                    parts.push(part);
                    reason
                }
            },
            Query::Field(field, value) => (!field.holds(self.mention, value)).then(|| {
                let what = if *field == Field::Url { "link" } else { field.as_str() };
                match field.of(self.mention) {
                    Some(said) => format!("the {what} is {said}"),
                    None => format!("the {what} is unknown"),
                }
            }),
            Query::FollowersBetween(least, most) => self.followers(|n| (*least..=*most).contains(&n)),
            Query::Platform(platform) => differs("platform", platform, &self.mention.platform),
            Query::Lang(lang) => differs("language", lang.as_str(), self.lang),
            Query::Kind(kind) => differs("kind", kind, &self.mention.kind),
            Query::Verified(verified) => {
                let actual = self.mention.author.as_ref().map(|author| author.verified).unwrap_or_default();
                differs("badge", verified, &actual)
            }
            Query::Followers(comparison, limit) => self.followers(|n| comparison.holds(n, *limit)),
        };
        let spans = self.text.original(&spans);
        Explained { text: query.to_string(), matched: refusal.is_none(), spans, reason: refusal, note, parts }
    }

    /// Why the author's followers are not as wanted.
    fn followers(&self, wanted: impl Fn(u64) -> bool) -> Option<String> {
        match self.mention.author.as_ref().and_then(|author| author.followers) {
            None => Some("the number of followers is unknown".to_owned()),
            Some(followers) => (!wanted(followers)).then(|| format!("the author has {followers} followers")),
        }
    }

    /// Every place of a term or list, or of several joined by OR.
    fn places(&self, query: &Query) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        for part in query.terms().unwrap_or_default() {
            match part {
                Query::List(name) => {
                    let listed = self.lists.iter().filter(|list| list.name == *name);
                    let entries = listed.flat_map(|list| &list.entries);
                    spans.extend(entries.flat_map(|entry| self.text.find(entry).spans));
                }
                term => spans.extend(self.text.find(term).spans),
            }
        }
        spans.sort_unstable();
        spans.dedup();
        spans
    }
}

fn why_not(found: &Found) -> String {
    match found {
        Found { otherwise: true, .. } => "stands there in other letter case only",
        Found { inside: true, .. } => "stands only inside longer words",
        Found { .. } => "not in the text",
    }
    .to_owned()
}

fn differs<T: PartialEq + std::fmt::Display + ?Sized>(what: &str, wanted: &T, actual: &T) -> Option<String> {
    (wanted != actual).then(|| format!("the {what} is {actual}"))
}
