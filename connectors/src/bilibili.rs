//! Bilibili's open platform, as far as it goes: the account's own videos and their counters. It offers no comment
//! interface and no search; neither is invented here.

mod sign;
mod videos;

pub(crate) use sign::headers;
pub(crate) use videos::{COUNT, LIST_PATH, NoData, Page, SOURCE, STAT_PATH, counters, list};

#[cfg(test)]
mod tests;
