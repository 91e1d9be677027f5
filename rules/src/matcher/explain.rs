//! Says why a query does or does not match a mention, part by part, by plain search. Refuses to be fast: it is for one
//! mention and a person, and the standard the matcher is tested against.

use serde::Serialize;

use crate::{
    mention::Mention,
    normal::{self, Normal},
    query::Query,
    rulebook::Monitor,
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
    /// Parts of this part.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Explained>,
}

/// What an explanation is about.
struct Case<'a> {
    lists: &'a [(String, Vec<String>)],
    mention: &'a Mention,
    lang: &'a str,
    normal: &'a Normal,
}

/// Explains a query. `normal` must hold the mention ([`Normal::set`]); a list that is not in `lists` is empty.
pub fn explain(
    query: &Query,
    lists: &[(String, Vec<String>)],
    mention: &Mention,
    lang: &str,
    normal: &Normal,
) -> Explained {
    Case { lists, mention, lang, normal }.explain(query)
}

/// Explains a monitor: its platforms and languages as well as its query.
pub fn explain_monitor(
    monitor: &Monitor,
    lists: &[(String, Vec<String>)],
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
pub fn matches(
    query: &Query,
    lists: &[(String, Vec<String>)],
    mention: &Mention,
    lang: &str,
    normal: &Normal,
) -> bool {
    explain(query, lists, mention, lang, normal).matched
}

impl Case<'_> {
    fn explain(&self, query: &Query) -> Explained {
        let mut parts = Vec::new();
        let mut spans = Vec::new();
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
            Query::Term(term) => {
                let (found, inside) = self.find(term);
                spans = found;
                spans.is_empty().then(|| match inside {
                    true => "stands only inside longer words".to_owned(),
                    false => "not in the text".to_owned(),
                })
            }
            Query::List(name) => match self.lists.iter().find(|(known, _)| known == name) {
                None => Some(format!("there is no list `{name}`")),
                Some((_, terms)) => {
                    spans = terms.iter().flat_map(|term| self.find(term).0).collect();
                    spans.sort_unstable();
                    spans.dedup();
                    spans.is_empty().then(|| format!("none of its {} terms is in the text", terms.len()))
                }
            },
            Query::Platform(platform) => differs("platform", platform, &self.mention.platform),
            Query::Lang(lang) => differs("language", lang.as_str(), self.lang),
            Query::Kind(kind) => differs("kind", kind, &self.mention.kind),
            Query::Verified(verified) => {
                let actual = self.mention.author.as_ref().map(|author| author.verified).unwrap_or_default();
                differs("badge", verified, &actual)
            }
            Query::Followers(comparison, limit) => {
                match self.mention.author.as_ref().and_then(|author| author.followers) {
                    None => Some("the number of followers is unknown".to_owned()),
                    Some(followers) => (!comparison.holds(followers, *limit))
                        .then(|| format!("the author has {followers} followers")),
                }
            }
        };
        Explained { text: query.to_string(), matched: refusal.is_none(), spans, reason: refusal, parts }
    }

    /// Where a term stands, and whether it stands anywhere inside a longer word.
    fn find(&self, term: &str) -> (Vec<(u32, u32)>, bool) {
        let text: Vec<(usize, char)> = self.normal.as_str().char_indices().collect();
        let term: Vec<char> = normal::fold(term).chars().collect();
        let (Some(first), Some(last)) = (term.first(), term.last()) else { return (Vec::new(), false) };
        let continues = |own: &char, neighbour: Option<&(usize, char)>| {
            normal::is_word(*own) && neighbour.is_some_and(|(_, c)| normal::is_word(*c))
        };
        let (mut spans, mut inside) = (Vec::new(), false);
        for (at, window) in text.windows(term.len()).enumerate() {
            if !window.iter().map(|(_, c)| c).eq(&term) {
                continue;
            }
            let before = at.checked_sub(1).and_then(|before| text.get(before));
            let after = text.get(at + term.len());
            if continues(first, before) || continues(last, after) {
                inside = true;
                continue;
            }
            let end = after.map_or(self.normal.as_str().len(), |(end, _)| *end);
            spans.push(self.normal.original(text[at].0, end));
        }
        (spans, inside)
    }
}

fn differs<T: PartialEq + std::fmt::Display + ?Sized>(what: &str, wanted: &T, actual: &T) -> Option<String> {
    (wanted != actual).then(|| format!("the {what} is {actual}"))
}
