//! A server on this machine that stands in for a platform: answers by script, down to cut connections, silence and
//! garbage, and keeps what was asked. Tests only.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::Item;

/// One scripted answer.
#[derive(Debug, Clone)]
pub(crate) enum Play {
    /// Status, headers, body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// Says it is longer than what it sends, then hangs up.
    Cut(String),
    /// Takes the request and never answers.
    Silence,
    /// Not HTTP at all.
    Garbage(Vec<u8>),
}

impl Play {
    /// 200 with JSON.
    pub(crate) fn json(body: impl Into<String>) -> Self {
        Self::Answer(200, Vec::new(), body.into())
    }

    /// A status with a body.
    pub(crate) fn status(status: u16, body: &str) -> Self {
        Self::Answer(status, Vec::new(), body.to_owned())
    }
}

/// The server; gone when dropped.
#[derive(Debug)]
pub(crate) struct Standin {
    pub(crate) address: String,
    state: Arc<State>,
    _running: JoinSet<()>,
}

#[derive(Debug, Default)]
struct State {
    script: Mutex<VecDeque<Play>>,
    asked: Mutex<Vec<String>>,
}

impl Standin {
    /// Begins with these answers; asked for more, it says 404.
    pub(crate) async fn start(script: impl IntoIterator<Item = Play>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(State::default());
        let server = state.clone();
        let mut running = JoinSet::new();
        running.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                server.serve(stream).await;
            }
        });
        let standin = Self { address, state, _running: running };
        standin.play(script);
        standin
    }

    /// Adds answers.
    pub(crate) fn play(&self, plays: impl IntoIterator<Item = Play>) {
        self.state.script.lock().expect("lock").extend(plays);
    }

    /// Requests so far: head and body as they came.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.state.asked.lock().expect("lock").clone()
    }
}

impl State {
    async fn serve(&self, mut stream: TcpStream) {
        let Some(request) = request(&mut stream).await else { return };
        self.asked.lock().expect("lock").push(request);
        let play = self.script.lock().expect("lock").pop_front();
        let bytes = match play.unwrap_or(Play::status(404, "script over")) {
            Play::Answer(status, headers, body) => {
                let headers: String =
                    headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
                let length = body.len();
                format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
                    .into_bytes()
            }
            Play::Cut(body) => {
                let length = body.len() + 100;
                format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
                    .into_bytes()
            }
            Play::Silence => {
                // Held open until the other side gives up.
                let _ = stream.read(&mut [0; 1]).await;
                return;
            }
            Play::Garbage(bytes) => bytes,
        };
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
    }
}

async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let read = stream.read(&mut piece).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .to_lowercase()
                .split("content-length: ")
                .nth(1)
                .and_then(|rest| rest.split("\r\n").next()?.trim().parse::<usize>().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(text.into_owned());
            }
        }
    }
}

/// Fetches and acknowledges until nothing more waits; all items.
pub(crate) async fn drain(
    source: &mut dyn crate::DynSource,
    now: jiff::Timestamp,
) -> Result<Vec<Item>, crate::Error> {
    let mut items = Vec::new();
    for _ in 0..1000 {
        let batch = source.fetch(now).await?;
        source.acknowledged().await?;
        items.extend(batch.items);
        if !batch.more {
            return Ok(items);
        }
    }
    panic!("the source never ends")
}

/// Ids of the mentions among items.
pub(crate) fn ids(items: &[Item]) -> Vec<String> {
    items.iter().filter_map(|item| item.clone().mention()).map(|mention| mention.id).collect()
}

/// A secret in a file.
pub(crate) fn secret(folder: &std::path::Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file");
    path.display().to_string()
}
