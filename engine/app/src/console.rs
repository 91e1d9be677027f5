//! The demo's console: loopback only, no login, its pager shown on the pages.

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use tocsin_console::{Config, Parts, Rank, Readiness};
use tocsin_escalate::render::{self, Renderer};
use tocsin_rules::Rulebook;

use crate::drill::Drill;

/// A console over a drill.
pub fn demo(drill: &Drill, rulebook: Arc<Rulebook>, renderer: &render::Config) -> anyhow::Result<Router> {
    let parts = Parts {
        desk: drill.desk().clone(),
        rulebook: Arc::new(ArcSwap::from(rulebook)),
        clock: drill.clock(),
        renderer: Arc::new(Renderer::new(renderer, None)?),
        signer: None,
        local: Some(drill.pager().clone()),
        readiness: Readiness::default(),
        sources: None,
    };
    // a visitor may try everything, to the resolution
    let settings = Config { demo: Some(Rank::Commander), ..Config::demo() };
    Ok(tocsin_console::router(&settings, parts)?)
}
