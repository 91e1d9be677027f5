//! What the benches measure on: made-up mentions and a rulebook of any size, from a seed. Refuses real texts: they are
//! not ours to ship.

pub mod corpus;
pub mod rounds;
