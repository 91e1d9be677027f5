//! Reddit: new submissions and comments of subreddits, and search. Refuses to poll faster than the rate headers allow.

pub mod listing;
pub mod poll;
