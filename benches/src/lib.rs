//! Criterion benches and the throughput table.
