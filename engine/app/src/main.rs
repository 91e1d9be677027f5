//! Tocsin.
fn main() {}
