//! A channel that keeps every page with the moment it came, and answers as the tale says. Refuses nothing by itself.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tocsin_bus::{Clock as _, ManualClock};

use super::tale::Answers;
use crate::{
    channel::{BoxFuture, Channel, Kind},
    delivery::{Delivery, Page},
};

/// One channel of a tale, shared by all workers.
#[derive(Debug)]
pub(super) struct Recorder {
    clock: ManualClock,
    state: Mutex<(Answers, Vec<(Timestamp, Page)>)>,
}

impl Recorder {
    pub(super) fn new(clock: ManualClock) -> Arc<Self> {
        Arc::new(Self { clock, state: Mutex::new((Answers::Takes, Vec::new())) })
    }

    pub(super) fn answers(&self, answers: Answers) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0 = answers;
    }

    /// What came since the last look.
    pub(super) fn take(&self) -> Vec<(Timestamp, Page)> {
        std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).1)
    }
}

impl Channel for Recorder {
    fn kind(&self) -> Kind {
        Kind::Local
    }

    fn send<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Delivery> {
        Box::pin(async move {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if matches!(state.0, Answers::Takes | Answers::Mute) {
                state.1.push((self.clock.now(), page.clone()));
            }
            state.0.delivery()
        })
    }
}
