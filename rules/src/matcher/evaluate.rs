//! Evaluates one compiled query on what was found, and gathers the evidence. Refuses to look at the text again.

use super::{Matcher, Scratch, compile::Node};
use crate::{hit::TermMatch, mention::Mention, normal::Normal};

/// Most term matches reported of one monitor or category.
pub const MOST_MATCHES: usize = 64;

impl Matcher {
    pub(super) fn holds(&self, node: &Node, mention: &Mention, lang: &str, scratch: &Scratch) -> bool {
        let holds = |part: &Node| self.holds(part, mention, lang, scratch);
        match node {
            Node::All(parts) => parts.iter().all(holds),
            Node::Any(parts) => parts.iter().any(holds),
            Node::Not(part) => !holds(part),
            Node::Term { literal, .. } => scratch.has(*literal),
            Node::List(list) => scratch.has_list(*list),
            Node::Platform(platform) => mention.platform == *platform,
            Node::Lang(wanted) => **wanted == *lang,
            Node::Kind(kind) => mention.kind == *kind,
            Node::Verified(verified) => {
                mention.author.as_ref().map_or_else(Default::default, |author| author.verified) == *verified
            }
            Node::Followers(comparison, limit) => {
                let followers = mention.author.as_ref().and_then(|author| author.followers);
                followers.is_some_and(|followers| comparison.holds(followers, *limit))
            }
        }
    }

    /// Where the positive terms of a query that holds stand in the original.
    pub(super) fn evidence(
        &self,
        node: &Node,
        mention: &Mention,
        lang: &str,
        normal: &Normal,
        scratch: &Scratch,
    ) -> Vec<TermMatch> {
        let mut terms = Vec::new();
        self.positive(node, mention, lang, scratch, &mut terms);
        let mut places: Vec<(u32, u32, &str)> = terms
            .iter()
            .flat_map(|&(literal, written)| {
                scratch.occurrences(literal).map(move |(start, end)| (start, end, written))
            })
            .collect();
        places.sort_unstable();
        places.dedup();
        places.truncate(MOST_MATCHES);
        places
            .into_iter()
            .map(|(start, end, written)| {
                let (start, end) = normal.original(start as usize, end as usize);
                TermMatch { term: written.to_owned(), start, end }
            })
            .collect()
    }

    /// The positive terms of a query that holds, as written, in order of first appearance.
    pub(super) fn terms_of(
        &self,
        node: &Node,
        mention: &Mention,
        lang: &str,
        scratch: &Scratch,
    ) -> Vec<String> {
        let mut terms = Vec::new();
        self.positive(node, mention, lang, scratch, &mut terms);
        let mut places: Vec<(u32, u32, &str)> = terms
            .iter()
            .filter_map(|&(literal, written)| {
                scratch.occurrences(literal).next().map(|(start, end)| (start, end, written))
            })
            .collect();
        places.sort_unstable();
        let mut names: Vec<String> = Vec::new();
        for (_, _, written) in places {
            if names.len() == MOST_MATCHES {
                break;
            }
            if names.iter().all(|name| name != written) {
                names.push(written.to_owned());
            }
        }
        names
    }

    /// Found terms of the parts that hold, outside any NOT.
    fn positive<'m>(
        &'m self,
        node: &'m Node,
        mention: &Mention,
        lang: &str,
        scratch: &Scratch,
        terms: &mut Vec<(u32, &'m str)>,
    ) {
        match node {
            Node::All(parts) | Node::Any(parts) => {
                for part in parts.iter().filter(|part| self.holds(part, mention, lang, scratch)) {
                    self.positive(part, mention, lang, scratch, terms);
                }
            }
            Node::Term { literal, written } => terms.push((*literal, written)),
            Node::List(list) => {
                for &literal in &scratch.found {
                    let holders = &self.lists[literal as usize];
                    let written = holders.iter().find(|(holder, _)| holder == list);
                    terms.extend(written.map(|(_, written)| (literal, &**written)));
                }
            }
            _ => {}
        }
    }
}
