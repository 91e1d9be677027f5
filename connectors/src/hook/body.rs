//! Reading a body from a stranger: a cap before and while it is read, a time-out, and only so many at once.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::{HeaderMap, header};
use tocsin_bus::Clock;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How much is read, how long, and how many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimits {
    /// Longest body, bytes.
    pub bytes: usize,
    /// Longest time from the headers to the body's end.
    pub time: Duration,
    /// Most requests in hand at once; more are told to come again.
    pub at_once: usize,
}

/// Lets in so many requests at once.
#[derive(Debug, Clone)]
pub struct Gate {
    limits: BodyLimits,
    free: Arc<Semaphore>,
}

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// Over the cap.
    TooLarge,
    /// Not all of it came in time.
    TooSlow,
    /// The connection broke off.
    Broken,
}

impl Gate {
    /// With these limits.
    pub fn new(limits: BodyLimits) -> Self {
        Self { limits, free: Arc::new(Semaphore::new(limits.at_once)) }
    }

    /// The limits.
    pub fn limits(&self) -> BodyLimits {
        self.limits
    }

    /// A place, or none: too many are in hand.
    pub(crate) fn enter(&self) -> Option<OwnedSemaphorePermit> {
        self.free.clone().try_acquire_owned().ok()
    }

    /// The whole body.
    pub(crate) async fn read(
        &self,
        headers: &HeaderMap,
        body: Body,
        clock: &dyn Clock,
    ) -> Result<Bytes, Unread> {
        let declared = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
        if declared.is_some_and(|length| length > self.limits.bytes as u64) {
            return Err(Unread::TooLarge);
        }
        tokio::select! {
            biased;
            read = self.pieces(body) => read,
            () = clock.sleep(self.limits.time) => Err(Unread::TooSlow),
        }
    }

    async fn pieces(&self, body: Body) -> Result<Bytes, Unread> {
        let mut pieces = body.into_data_stream();
        let mut whole = BytesMut::new();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|_| Unread::Broken)?;
            if whole.len() + piece.len() > self.limits.bytes {
                return Err(Unread::TooLarge);
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }
}
