//! Dataminr: alerts of the account's lists. Refuses to count an alert as a post of the public: it is the vendor's word.

pub mod alerts;
pub mod poll;
