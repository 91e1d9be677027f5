//! Where mentions come from: files and signed HTTP ingest.
