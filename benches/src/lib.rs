//! What the benches measure on: made-up mentions and a rulebook of any size, from a seed, and queries drawn from a
//! folder of texts. Refuses to hold real texts: they are not ours to ship.

pub mod corpus;
pub mod rounds;
pub mod rules;
