//! The platforms of the presets on this machine: one server a source, each in its own dialect, that can be killed with all
//! its connections and brought back at the same address. Refuses to know what the engine makes of the answers.

mod answers;
mod live;
mod vendors;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::Context as _;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    http::StatusCode,
    response::Response,
};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::site::now;

/// What every source must be given before it is answered.
pub const SECRET: &str = "stand-in-secret-0123456789";

/// One post: every platform has it, in words of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Post {
    /// 1, 2, …
    pub(crate) n: u64,
    pub(crate) at: Timestamp,
}

/// What was said so far, the same everywhere.
#[derive(Debug, Default)]
pub struct World {
    posts: Mutex<Vec<Post>>,
    /// Subscriptions the hub saw confirmed.
    confirmed: AtomicUsize,
}

impl World {
    /// Says one more; its number.
    pub fn say(&self) -> u64 {
        let mut posts = self.posts.lock().unwrap_or_else(PoisonError::into_inner);
        let n = posts.len() as u64 + 1;
        posts.push(Post { n, at: now() });
        n
    }

    /// Subscriptions the hub asked for that were confirmed with its challenge.
    pub fn confirmed(&self) -> usize {
        self.confirmed.load(Ordering::Relaxed)
    }

    pub(crate) fn posts(&self) -> Vec<Post> {
        self.posts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Newest first.
    pub(crate) fn newest_first(&self) -> Vec<Post> {
        self.posts().into_iter().rev().collect()
    }
}

/// The words of a post on the platform of `source`.
pub fn words(source: &str, n: u64) -> String {
    format!("云茶 又漏了 {source} no{n}.")
}

/// A request as the platforms look at it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn get(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// What a platform is asked with.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) source: String,
    pub(crate) kind: String,
    pub(crate) world: Arc<World>,
}

/// The server of one source.
#[derive(Debug)]
pub struct Server {
    place: Place,
    address: SocketAddr,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    stop: oneshot::Sender<()>,
    thread: std::thread::JoinHandle<()>,
}

impl Server {
    /// Of the source `source` of kind `kind`.
    ///
    /// # Errors
    /// When no port is left.
    pub fn start(source: &str, kind: &str, world: &Arc<World>) -> anyhow::Result<Self> {
        let place = Place { source: source.to_owned(), kind: kind.to_owned(), world: world.clone() };
        let mut server = Self { place, address: SocketAddr::from(([127, 0, 0, 1], 0)), running: None };
        server.revive()?;
        Ok(server)
    }

    /// `host:port`.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it with every connection it has.
    ///
    /// # Errors
    /// When it had ended with a panic before.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(Running { stop, thread }) = self.running.take() {
            let _ = stop.send(());
            thread.join().map_err(|_| anyhow::anyhow!("the stand-in of {} panicked", self.place.source))?;
        }
        Ok(())
    }

    /// Serves again at the same address.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn revive(&mut self) -> anyhow::Result<()> {
        let listener = std::net::TcpListener::bind(self.address).context(self.place.source.clone())?;
        listener.set_nonblocking(true)?;
        self.address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let place = self.place.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // Its own runtime: when it is dropped, every connection goes with it.
        let thread = std::thread::spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                tokio::select! {
                    _ = stopped => {}
                    () = serve(place, listener) => {}
                }
            });
        });
        self.running = Some(Running { stop, thread });
        Ok(())
    }
}

async fn serve(place: Place, listener: tokio::net::TcpListener) {
    if place.kind == "bluesky_jetstream" {
        return live::jetstream(place, listener).await;
    }
    let router = Router::new().fallback(move |request: Request| {
        let place = place.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = to_bytes(body, 1 << 20).await.unwrap_or_default();
            let query = parts.uri.query().unwrap_or_default();
            let asked = Asked {
                path: parts.uri.path().to_owned(),
                query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
                headers: parts
                    .headers
                    .iter()
                    .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
                    .collect(),
                body: String::from_utf8_lossy(&body).into_owned(),
            };
            answers::answer(&place, &asked)
        }
    });
    let _ = axum::serve(listener, router).await;
}

pub(crate) fn text(status: u16, text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

pub(crate) fn json(value: &Value) -> Response {
    text(200, value.to_string())
}
