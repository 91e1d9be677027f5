//! The pages, rendered on the server. Forms are `POST` and answer `303`. Refuses to show a button to somebody who may
//! not press it, which is a courtesy: the gate decides.

pub(crate) mod audit;
pub(crate) mod home;
pub(crate) mod incident;
pub(crate) mod library;
pub(crate) mod login;
pub(crate) mod parts;
pub(crate) mod silences;
pub(crate) mod sources;
