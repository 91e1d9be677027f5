//! Hacker News: every new item by its number, changed items by the list of updates. Refuses to guess a conversation: the
//! chain of parents is walked to the story.

pub mod item;
pub mod poll;
