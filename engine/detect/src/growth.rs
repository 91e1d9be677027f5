//! [`Growths`]: how fast likes, comments and reposts of single posts grow from one observation to the next. Bounded.
//! Refuses to guess: what a post had gained before it was first seen is no growth, and two observations close to each other
//! are no rate.

use serde::{Deserialize, Serialize};

use crate::{criteria::Posts, record::Record};

/// Posts watched; beyond, those that grow least go.
const KEPT: usize = 32;
/// A gain counts as that of so many seconds at least: fifty likes in a minute are not yet three thousand an hour.
const SHORTEST: u32 = 600;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Post {
    id: u64,
    /// Where its growth is measured from: when, seconds since 1970, and what it had then.
    from: u32,
    had: u32,
    /// Gained an hour, and when that was observed.
    rate: u32,
    seen: u32,
    platform: u8,
    kind: u8,
    negative: bool,
}

/// The posts of one monitor that grow, in the order in which they were first seen to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Growths {
    posts: Vec<Post>,
}

fn narrow(wide: i64) -> u32 {
    u32::try_from(wide.max(0)).unwrap_or(u32::MAX)
}

impl Growths {
    /// A known post was observed again at `observed`, seconds since 1970. `before` is what it had when it was last seen,
    /// which was after its publication: measured from there a rate is too low rather than too high.
    pub(crate) fn observe(&mut self, record: &Record, before: Option<u32>, observed: i64) {
        let Some(has) = record.engagement().filter(|_| !record.is_topic()) else { return };
        let observed = narrow(observed);
        let place = self.posts.iter().position(|post| post.id == record.id);
        let mut post = match (place, before) {
            (Some(place), _) => self.posts[place],
            (None, Some(had)) => Post {
                id: record.id,
                from: record.at,
                had,
                rate: 0,
                seen: observed,
                platform: 0,
                kind: 0,
                negative: false,
            },
            // Its counters are known for the first time.
            (None, None) => Post {
                id: record.id,
                from: observed,
                had: has,
                rate: 0,
                seen: observed,
                platform: 0,
                kind: 0,
                negative: false,
            },
        };
        (post.platform, post.kind, post.negative) =
            (record.platform, record.kind() as u8, record.is_negative());
        // An observation that comes after a later one tells nothing.
        if observed >= post.seen && observed > post.from {
            let passed = observed - post.from;
            let gained = u64::from(has.saturating_sub(post.had));
            post.rate = u32::try_from(gained * 3600 / u64::from(passed.max(SHORTEST))).unwrap_or(u32::MAX);
            post.seen = observed;
            if passed >= SHORTEST || has < post.had {
                (post.from, post.had) = (observed, has);
            }
        }
        match place {
            Some(place) => self.posts[place] = post,
            None => {
                if self.posts.len() == KEPT {
                    let slowest = (0..KEPT).min_by_key(|at| (self.posts[*at].rate, self.posts[*at].seen));
                    slowest.map(|at| self.posts.remove(at));
                }
                self.posts.push(post);
            }
        }
    }

    /// Forgets a retracted post.
    pub(crate) fn remove(&mut self, id: u64) {
        self.posts.retain(|post| post.id != id);
    }

    /// The largest gain an hour of one of these posts that was observed within the window.
    pub(crate) fn fastest(&self, posts: &Posts, window: i64, now: i64) -> u32 {
        let recent = self.posts.iter().filter(|post| now < i64::from(post.seen) + window);
        let wanted = recent.filter(|post| posts.want(post.platform, post.kind, post.negative));
        wanted.map(|post| post.rate).max().unwrap_or(0)
    }

    /// When some growth leaves one of these windows.
    pub(crate) fn next_exit(&self, windows: &[i64], now: i64) -> Option<i64> {
        let exits = self.posts.iter().filter(|post| post.rate > 0);
        let exits = exits.flat_map(|post| windows.iter().map(|window| i64::from(post.seen) + window));
        exits.filter(|at| *at > now).min()
    }
}

#[cfg(test)]
mod tests;
