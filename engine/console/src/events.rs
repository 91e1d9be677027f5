//! `/events`: server-sent events, one per changed incident. Refuses to carry anything but what changed; the page looks
//! again by itself.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::App;

/// Ends streams when the server stops: they would hold it up otherwise.
#[derive(Debug, Clone)]
pub(crate) struct Stop(pub(crate) CancellationToken);

pub(crate) async fn stream(State(app): State<Arc<App>>, stop: Option<Extension<Stop>>) -> Response {
    let stop = stop.map_or_else(CancellationToken::new, |Extension(Stop(stop))| stop);
    let changes = app.desk.changes();
    let events = stream::unfold((changes, stop), |(mut changes, stop)| async move {
        let event = tokio::select! {
            () = stop.cancelled() => return None,
            change = changes.recv() => match change {
                Ok(changed) => Event::default().event("incident").json_data(changed).ok()?,
                // Too slow to hear each: one look at everything makes up for it.
                Err(RecvError::Lagged(_)) => Event::default().event("incident").data("{}"),
                Err(RecvError::Closed) => return None,
            },
        };
        Some((Ok::<_, Infallible>(event), (changes, stop)))
    });
    let alive = KeepAlive::new().interval(Duration::from_secs(15)).text("alive");
    Sse::new(events).keep_alive(alive).into_response()
}
