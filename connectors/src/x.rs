//! X: the filtered stream. Refuses to be a crawler: what the rules of the account do not match is not seen.

pub mod line;
pub mod stream;
