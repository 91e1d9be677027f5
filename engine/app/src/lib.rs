//! The binary's parts: command line, configuration, wiring. Refuses logic: each stage's is in its crate.

pub mod check;
pub mod cli;
pub mod config;
pub mod connect;
pub mod console;
pub mod demo;
pub mod detect_series;
pub mod drill;
pub mod eval;
pub mod explain;
pub mod flow;
pub mod http;
pub mod import;
pub mod incidents;
pub mod model;
pub mod parts;
pub mod query;
pub mod reload;
pub mod replay;
pub mod report;
pub mod rules;
pub mod run;
pub mod score;
pub mod sentiment;
pub mod tally;
pub mod telemetry;
