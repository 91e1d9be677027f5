//! The comparison of the rule matcher with its peers: texts, vocabulary, drawn queries, contenders, differences, tables.

pub mod compare;
pub mod draw;
pub mod lucene;
pub mod ours;
pub mod plain;
pub mod table;
pub mod texts;
pub mod vocabulary;
