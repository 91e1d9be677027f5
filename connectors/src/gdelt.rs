//! GDELT DOC 2.0: headlines of news sites in 65 languages, no key. Refuses to take 250 for all: that is its cap.

pub mod articles;
pub mod poll;
