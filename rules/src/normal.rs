//! Text normal form.
