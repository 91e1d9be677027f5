//! Bluesky (AT Protocol): posts from the Jetstream, both wires, and from search. One reading of a post record for all.
//! Refuses to take the author's clock for later than the server's, and to keep handles or display names unmasked.

pub mod backfill;
pub mod event;
pub mod post;
pub mod search;
pub mod stream;
