//! The HTTP front: answers health, readiness and metrics from the first moment, and the whole console once the parts
//! behind it are there. Refuses to make anybody wait for Kafka or Redis to learn that they are away.

use std::{convert::Infallible, sync::Arc};

use arc_swap::ArcSwap;
use axum::{Router, extract::Request, response::Response};
use tower::ServiceExt as _;

/// A router that can be replaced while it serves.
#[derive(Debug, Clone)]
pub struct Front(Arc<ArcSwap<Router>>);

impl Front {
    /// Starts with `first`.
    pub fn new(first: Router) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(first)))
    }

    /// From the next request on.
    pub fn replace(&self, router: Router) {
        self.0.store(Arc::new(router));
    }

    /// What to serve.
    pub fn router(&self) -> Router {
        let front = self.clone();
        Router::new().fallback(move |request: Request| {
            let router = Router::clone(&front.0.load());
            async move {
                let answer: Result<Response, Infallible> = router.oneshot(request).await;
                match answer {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
        })
    }
}
