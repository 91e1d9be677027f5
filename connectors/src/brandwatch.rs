//! Brandwatch Consumer Research: mentions of the queries of a project. Refuses more than 30 calls in 10 minutes: that is
//! the plan of every client.

pub mod mentions;
pub mod poll;
