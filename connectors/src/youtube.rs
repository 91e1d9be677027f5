//! YouTube: comments under the videos of channels and under single videos, by the Data API. Refuses to search the whole
//! platform for words: a search costs a hundred times what a page of comments does.

pub mod poll;
pub mod threads;
