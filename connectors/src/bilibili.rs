//! Bilibili's open platform, as far as it goes: the account's own videos and their counters. It offers no comment
//! interface and no search; neither is invented here.

mod pull;
mod sign;
mod videos;

pub(crate) use pull::Settings;
use sign::headers;
use videos::{COUNT, LIST_PATH, NoData, SOURCE, STAT_PATH, counters, list};

#[cfg(test)]
mod tests;
