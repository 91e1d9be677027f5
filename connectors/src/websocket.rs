//! A WebSocket that is read only: connects with a time-out, answers pings, asks a silent server whether it is there, and
//! caps frames. Refuses to put an address with its query into a message.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tocsin_bus::Clock;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        http::{HeaderName, HeaderValue},
        protocol::WebSocketConfig,
    },
};
use url::Url;

use crate::{Error, http::redacted};

/// To reach the server and shake hands.
const CONNECT: Duration = Duration::from_secs(15);
/// Silence after which the server is asked whether it is there, and as much again until it counts as gone.
const SILENCE: Duration = Duration::from_secs(30);
/// Longest frame, bytes.
const LONGEST: usize = 2 << 20;

/// An open connection.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    clock: Arc<dyn Clock>,
    at: String,
    heard: Duration,
    asked: bool,
}

/// What the next look brought.
pub(crate) enum Received {
    /// A text or binary frame.
    Frame(Bytes),
    /// Nothing within the time.
    Quiet,
    /// The server closed it.
    Ended,
}

/// The server did not open a WebSocket.
pub(crate) enum NotOpened {
    /// It answered over HTTP; as much of the body as came with the headers.
    Answer { status: u16, body: Vec<u8>, retry_after: Option<String> },
    /// It could not be reached.
    Error(Error),
}

impl Socket {
    /// Connects; `headers` are added to the request.
    pub(crate) async fn connect(
        url: &Url,
        headers: &[(&'static str, String)],
        clock: Arc<dyn Clock>,
    ) -> Result<Self, NotOpened> {
        let at = redacted(url);
        let failed = |what: &str| NotOpened::Error(Error::transient(format!("{at}: {what}")));
        // An error only means that somebody was first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut request = url.as_str().into_client_request().map_err(|_| failed("no WebSocket address"))?;
        for (name, value) in headers {
            let value = HeaderValue::from_str(value)
                .map_err(|_| NotOpened::Error(Error::options(format!("{name}: not fit for a header"))))?;
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        let config = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
        let connected = tokio::select! {
            connected = connect_async_with_config(request, Some(config), true) => connected,
            () = clock.sleep(CONNECT) => return Err(failed("timed out")),
        };
        match connected {
            Ok((stream, _)) => Ok(Self { stream, heard: clock.elapsed(), clock, at, asked: false }),
            Err(tungstenite::Error::Http(response)) => Err(NotOpened::Answer {
                status: response.status().as_u16(),
                retry_after: response
                    .headers()
                    .get("retry-after")
                    .and_then(|value| value.to_str().ok())
                    .map(str::to_owned),
                body: response.into_body().unwrap_or_default(),
            }),
            Err(_) => Err(failed("cannot be reached")),
        }
    }

    /// Sends a text frame.
    pub(crate) async fn send(&mut self, text: String) -> Result<(), Error> {
        let sent = self.stream.send(Message::text(text)).await;
        sent.map_err(|_| Error::transient(format!("{} broke off", self.at)))
    }

    /// The next frame, waiting at most `within`. May be dropped at any time without losing a frame.
    pub(crate) async fn next(&mut self, within: Duration) -> Result<Received, Error> {
        let clock = Arc::clone(&self.clock);
        let patience = clock.sleep(within);
        tokio::pin!(patience);
        loop {
            tokio::select! {
                biased;
                message = self.stream.next() => {
                    self.heard = self.clock.elapsed();
                    self.asked = false;
                    match message {
                        Some(Ok(Message::Text(text))) => return Ok(Received::Frame(Bytes::from(text))),
                        Some(Ok(Message::Binary(bytes))) => return Ok(Received::Frame(bytes)),
                        Some(Ok(Message::Close(_))) | None => return Ok(Received::Ended),
                        Some(Ok(_)) => {}
                        Some(Err(tungstenite::Error::Capacity(_))) => {
                            return Err(Error::TooLarge { limit: LONGEST });
                        }
                        Some(Err(_)) => return Err(Error::transient(format!("{} broke off", self.at))),
                    }
                }
                () = &mut patience => break,
            }
        }
        let silent = self.clock.elapsed().saturating_sub(self.heard);
        if silent > SILENCE * 2 {
            return Err(Error::transient(format!("{}: silent", self.at)));
        }
        if silent > SILENCE && !self.asked {
            self.asked = true;
            let asked = self.stream.send(Message::Ping(Bytes::new())).await;
            asked.map_err(|_| Error::transient(format!("{} broke off", self.at)))?;
        }
        Ok(Received::Quiet)
    }
}

/// Reads a WebSocket address from a setting; http and https are taken for ws and wss.
pub(crate) fn socket_url(text: &str) -> Result<Url, Error> {
    let text = text.trim();
    let text = match text.split_once("://") {
        Some(("https" | "wss", rest)) => format!("wss://{rest}"),
        Some(("http" | "ws", rest)) => format!("ws://{rest}"),
        _ => return Err(Error::options("a WebSocket address begins with wss:// or ws://")),
    };
    let url = Url::parse(&text).map_err(|fault| Error::options(format!("no WebSocket address: {fault}")))?;
    if url.has_host() { Ok(url) } else { Err(Error::options("a WebSocket address names a host")) }
}
