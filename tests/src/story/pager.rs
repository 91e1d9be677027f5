//! A pager that keeps every page it was given. Refuses to be lenient: the same page twice is kept twice.

use std::sync::{Arc, Mutex, PoisonError};

use tocsin_escalate::{
    Delivery, Page,
    channel::{BoxFuture, Channel, Kind},
};

/// Clones share one list.
#[derive(Debug, Clone, Default)]
pub struct Pager(Arc<Mutex<Vec<Page>>>);

impl Pager {
    /// Everything sent so far, in order.
    pub fn pages(&self) -> Vec<Page> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Channel for Pager {
    fn kind(&self) -> Kind {
        Kind::Local
    }

    fn send<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Delivery> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(page.clone());
        Box::pin(async { Delivery::Delivered { provider_id: None } })
    }
}
