//! HTTP API and pages of the console.
