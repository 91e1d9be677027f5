//! Duplicate filter, match, language, sentiment and crisis type of one mention.
