//! The local pager: pages land in a bounded list in memory, which the console shows, and go line by line to a
//! callback. For the demo, drills and tests; refuses to claim that anybody was reached outside the house.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::{BoxFuture, Channel, Kind};
use crate::{
    delivery::{Delivery, Page},
    render::{Rendered, Renderer},
};

/// Settings of the local pager.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Pages kept; the oldest make room.
    pub keep: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { keep: 200 }
    }
}

/// One page as it was shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shown {
    /// What was sent.
    pub page: Page,
    /// As the person reads it.
    pub rendered: Rendered,
}

/// Called once per page, in order.
pub type OnPage = Arc<dyn Fn(&Shown) + Send + Sync>;

/// The pager.
pub struct Local {
    keep: usize,
    renderer: Arc<Renderer>,
    shown: Mutex<VecDeque<Shown>>,
    on_page: Option<OnPage>,
}

impl std::fmt::Debug for Local {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Local").field("keep", &self.keep).finish_non_exhaustive()
    }
}

impl Local {
    /// An empty pager.
    pub fn new(config: &Config, renderer: Arc<Renderer>) -> Self {
        Self { keep: config.keep.max(1), renderer, shown: Mutex::default(), on_page: None }
    }

    /// Calls `on_page` for each page, e.g. to print a JSON line.
    #[must_use]
    pub fn with_callback(mut self, on_page: OnPage) -> Self {
        self.on_page = Some(on_page);
        self
    }

    /// What was shown, newest first.
    pub fn shown(&self) -> Vec<Shown> {
        self.list().iter().rev().cloned().collect()
    }

    fn list(&self) -> MutexGuard<'_, VecDeque<Shown>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Channel for Local {
    fn kind(&self) -> Kind {
        Kind::Local
    }

    fn send<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Delivery> {
        Box::pin(async move {
            let delivered = Delivery::Delivered { provider_id: Some(page.id.clone()) };
            let shown = Shown { page: page.clone(), rendered: self.renderer.render(page) };
            {
                let mut list = self.list();
                if list.iter().any(|s| s.page.id == page.id) {
                    return delivered;
                }
                if list.len() >= self.keep {
                    list.pop_front();
                }
                list.push_back(shown.clone());
            }
            if let Some(on_page) = &self.on_page {
                on_page(&shown);
            }
            delivered
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[tokio::test]
    async fn keeps_the_newest_and_ignores_repeats() {
        let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let seen = count.clone();
        let local =
            Local::new(&Config { keep: 2 }, samples::renderer()).with_callback(Arc::new(move |_: &Shown| {
                seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }));
        for id in ["a", "b", "b", "c"] {
            let page = Page { id: id.into(), ..samples::page() };
            assert_eq!(local.send(&page).await.as_str(), "delivered");
        }
        let ids: Vec<_> = local.shown().into_iter().map(|s| s.page.id).collect();
        assert_eq!(ids, ["c", "b"]);
        assert_eq!(count.load(std::sync::atomic::Ordering::Relaxed), 3);
    }
}
