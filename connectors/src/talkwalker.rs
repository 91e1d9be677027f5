//! Talkwalker: the stream of a collector and search in a project. The token stands in the address by the vendor's design:
//! addresses are never printed. Refuses the vendor's own sentiment.

pub mod document;
pub mod poll;
pub mod stream;
