//! The receiving end of the webhook channel: what was really sent, in order. Can hold its answers back, so that a crash
//! falls between sending a page and recording it. Refuses to judge: it answers 200 to whatever comes.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{Json, Router, extract::State, routing::post};
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

/// One page as it arrived.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sent {
    /// Its stable key.
    pub id: String,
    /// Person.
    pub to: String,
    /// Why.
    pub reason: String,
    /// Level.
    pub level: String,
    /// Incident.
    pub incident: String,
}

#[derive(Debug)]
struct Inbox {
    sent: Mutex<Vec<Sent>>,
    held: watch::Sender<bool>,
}

/// A receiver on loopback; gone when dropped.
#[derive(Debug)]
pub struct Pager {
    port: u16,
    inbox: Arc<Inbox>,
    _serving: JoinSet<()>,
}

impl Pager {
    /// Listens.
    ///
    /// # Errors
    /// When the machine has no port left.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let inbox = Arc::new(Inbox { sent: Mutex::default(), held: watch::Sender::new(false) });
        let router = Router::new().route("/page", post(receive)).with_state(inbox.clone());
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { port, inbox, _serving: serving })
    }

    /// Address of the webhook.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/page", self.port)
    }

    /// Everything received so far, repeats included.
    pub fn sent(&self) -> Vec<Sent> {
        self.inbox.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on (or no longer) takes pages without answering.
    pub fn hold(&self, held: bool) {
        self.inbox.held.send_replace(held);
    }
}

async fn receive(State(inbox): State<Arc<Inbox>>, Json(body): Json<Value>) {
    let page = &body["page"];
    let word = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let sent = Sent {
        id: word(&page["id"]),
        to: word(&page["to"]),
        reason: word(&page["reason"]),
        level: word(&page["level"]),
        incident: word(&page["incident"]),
    };
    inbox.sent.lock().unwrap_or_else(PoisonError::into_inner).push(sent);
    let _ = inbox.held.subscribe().wait_for(|held| !held).await;
}
