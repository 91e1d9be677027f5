//! E-mail over SMTP: one message per page, threaded per incident, with a Message-ID that retries keep.
//!
//! Refuses to send in the clear to anything but loopback, and any value carrying a line break. The dialogue is driven
//! command by command so that a fault before the message (try again) and after it (nobody knows) stay apart.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use lettre::{
    Address,
    transport::smtp::{
        Error as SmtpError,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::ClientId,
    },
};
use serde::Deserialize;

use super::{
    BoxFuture, Channel, Document, Fault, Kind, Secret,
    classify::mail::{Stage, judge},
    http, secret,
};
use crate::{
    delivery::{Delivery, Digest, Page},
    render::Renderer,
    throttle::{Lane, Limit},
};

mod message;

/// Mails a minute to one address: nobody reads more, and servers take floods for spam.
const LIMITS: &[Limit] = &[Limit::per(30, 60)];
/// Incidents one digest names.
const NAMES: usize = 200;

/// Wait for the server's goodbye.
const FAREWELL: Duration = Duration::from_millis(500);

/// Settings of one mail account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Server name, also checked against its certificate.
    pub host: String,
    /// Port; 587 for STARTTLS, 465 for TLS, 25 for none, unless given.
    pub port: Option<u16>,
    /// How the connection is protected.
    pub tls: Tls,
    /// Further root certificate (PEM) for a server of one's own.
    pub ca_file: Option<PathBuf>,
    /// Content of `ca_file`.
    #[serde(skip)]
    pub ca_pem: Option<String>,
    /// Account, if the server wants one.
    pub username: Option<String>,
    /// Its password.
    pub password: Secret,
    /// File holding `password`.
    pub password_file: Option<PathBuf>,
    /// Sender, e.g. `Tocsin <tocsin@example.com>`; its domain also names threads and list.
    pub from: String,
    /// Longest wait for one answer, seconds.
    pub timeout_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: None,
            tls: Tls::Starttls,
            ca_file: None,
            ca_pem: None,
            username: None,
            password: Secret::default(),
            password_file: None,
            from: String::new(),
            timeout_seconds: 20,
        }
    }
}

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// Plain greeting, then TLS or nothing.
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// No protection: loopback only.
    None,
}

impl secret::SecretFiles for Config {
    fn read_secrets(&mut self, read: &dyn Fn(&Path) -> std::io::Result<String>) -> Result<(), Fault> {
        secret::from_file("password_file", &mut self.password, self.password_file.as_ref(), read)?;
        if let Some(path) = &self.ca_file {
            let pem = read(path)
                .map_err(|e| Fault("ca_file", format!("cannot read {}: {}", path.display(), e.kind())))?;
            self.ca_pem = Some(pem);
        }
        Ok(())
    }
}

/// The channel.
pub struct Email {
    host: String,
    port: u16,
    tls: Tls,
    parameters: Option<TlsParameters>,
    credentials: Option<(String, Secret)>,
    composer: message::Composer,
    hello: ClientId,
    timeout: Duration,
}

impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Email").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

impl Email {
    pub(super) fn new(config: &Config, renderer: Arc<Renderer>) -> Result<Self, Fault> {
        if config.host.is_empty() {
            return Err(Fault("host", "the mail server's name is needed".into()));
        }
        let loopback =
            config.host == "localhost" || config.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if config.tls == Tls::None && !loopback {
            return Err(Fault("tls", "none is for loopback only: use starttls or tls".into()));
        }
        if config.username.is_some() && config.password.is_empty() {
            return Err(Fault("password", "username is set but no password".into()));
        }
        let from = config
            .from
            .parse()
            .map_err(|_| Fault("from", "not a mail address: `Name <user@domain>`".into()))?;
        let parameters = match config.tls {
            Tls::None => None,
            Tls::Starttls | Tls::Tls => Some(parameters(config)?),
        };
        let port = config.port.unwrap_or(match config.tls {
            Tls::Starttls => 587,
            Tls::Tls => 465,
            Tls::None => 25,
        });
        let domain = |a: &lettre::message::Mailbox| a.email.domain().to_owned();
        let hello = ClientId::Domain(domain(&from));
        Ok(Self {
            host: config.host.clone(),
            port,
            tls: config.tls,
            parameters,
            credentials: config.username.clone().map(|user| (user, config.password.clone())),
            composer: message::Composer { domain: domain(&from), from, renderer },
            hello,
            timeout: Duration::from_secs(config.timeout_seconds.clamp(1, 300)),
        })
    }

    async fn mail(&self, composed: Result<(Address, Vec<u8>), Delivery>) -> Delivery {
        let (to, bytes) = match composed {
            Ok(mail) => mail,
            Err(refusal) => return refusal,
        };
        let mut connection = match self.greet().await {
            Ok(connection) => connection,
            Err(refusal) => return refusal,
        };
        let delivery = self.hand_over(&mut connection, to, &bytes).await;
        // A polite end where the server still listens; the delivery is settled either way.
        let _ = tokio::time::timeout(FAREWELL, connection.abort()).await;
        delivery
    }

    /// Connects, protects, authenticates.
    async fn greet(&self) -> Result<AsyncSmtpConnection, Delivery> {
        let (wrapped, upgrade) = match self.tls {
            Tls::Tls => (self.parameters.clone(), None),
            Tls::Starttls => (None, self.parameters.clone()),
            Tls::None => (None, None),
        };
        let target = (self.host.as_str(), self.port);
        let connecting =
            AsyncSmtpConnection::connect_tokio1(target, Some(self.timeout), &self.hello, wrapped, None);
        let mut connection = self.within(connecting, Stage::Greeting).await?;
        if let Some(parameters) = upgrade {
            if !connection.can_starttls() {
                let _ = tokio::time::timeout(FAREWELL, connection.abort()).await;
                let detail = "the server offers no STARTTLS, so nothing was sent".to_owned();
                return Err(Delivery::PermanentConfig { detail });
            }
            self.within(connection.starttls(parameters, &self.hello), Stage::Greeting).await?;
        }
        if let Some((user, password)) = &self.credentials {
            let credentials = Credentials::new(user.clone(), password.expose().to_owned());
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            self.within(connection.auth(&mechanisms, &credentials), Stage::Account).await?;
        }
        Ok(connection)
    }

    /// Envelope and message. Only an answer to the final dot is a delivery.
    async fn hand_over(&self, connection: &mut AsyncSmtpConnection, to: Address, bytes: &[u8]) -> Delivery {
        if let Err(refusal) = self.envelope(connection, to).await {
            return refusal;
        }
        match tokio::time::timeout(self.timeout, connection.message(bytes)).await {
            Ok(Ok(response)) => Delivery::Delivered {
                provider_id: response.first_line().map(|line| http::quote(line, &self.secrets())),
            },
            Ok(Err(error)) if error.is_transient() || error.is_permanent() => {
                self.before_message(&error, Stage::Message)
            }
            // Sent, and no word of it.
            Ok(Err(_)) | Err(_) => Delivery::Unknown,
        }
    }

    async fn envelope(&self, connection: &mut AsyncSmtpConnection, to: Address) -> Result<(), Delivery> {
        let from = Some(self.composer.from.email.clone());
        self.within(connection.command(Mail::new(from, Vec::new())), Stage::Envelope).await?;
        self.within(connection.command(Rcpt::new(to, Vec::new())), Stage::Envelope).await?;
        self.within(connection.command(Data), Stage::Message).await?;
        Ok(())
    }

    /// One exchange before the message: lettre's own time limit covers the connection alone.
    async fn within<T>(
        &self,
        exchange: impl Future<Output = Result<T, SmtpError>>,
        stage: Stage,
    ) -> Result<T, Delivery> {
        match tokio::time::timeout(self.timeout, exchange).await {
            Ok(answer) => answer.map_err(|error| self.before_message(&error, stage)),
            Err(_) => Err(Delivery::Retry { after: None }),
        }
    }

    fn secrets(&self) -> Vec<&str> {
        self.credentials.iter().map(|(_, password)| password.expose()).collect()
    }

    fn before_message(&self, error: &SmtpError, stage: Stage) -> Delivery {
        let code = error.status().map(|c| c.to_string().parse::<u16>().unwrap_or(0));
        let said = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        judge(
            code,
            error.is_tls() || error.is_client() || bad_handshake(error),
            &http::quote(&said, &self.secrets()),
            stage,
        )
    }
}

/// Whether TLS refused the other side: rustls says so by an I/O error of its own kind.
fn bad_handshake(error: &SmtpError) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::InvalidData)
        {
            return true;
        }
        source = cause.source();
    }
    false
}

impl Channel for Email {
    fn kind(&self) -> Kind {
        Kind::Email
    }

    fn send<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Delivery> {
        Box::pin(self.mail(self.composer.compose(page)))
    }

    fn lane(&self, address: &str) -> Option<Lane> {
        let name = format!("{}\0{}\0{address}", self.host, self.composer.from.email);
        let key = format!("{}-{}", Kind::Email.as_str(), &blake3::hash(name.as_bytes()).to_hex()[..16]);
        Some(Lane { place: key.clone(), key, limits: LIMITS, digest_of: NAMES })
    }

    fn send_document<'a>(&'a self, document: &'a Document) -> BoxFuture<'a, Delivery> {
        Box::pin(self.mail(self.composer.compose_document(document)))
    }

    fn send_digest<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Delivery> {
        Box::pin(self.mail(self.composer.compose_digest(digest)))
    }
}

fn parameters(config: &Config) -> Result<TlsParameters, Fault> {
    let mut builder = TlsParameters::builder(config.host.clone());
    if let Some(pem) = &config.ca_pem {
        let fault = || Fault("ca_file", "holds no PEM certificate".into());
        if !pem.contains("-----BEGIN CERTIFICATE-----") {
            return Err(fault());
        }
        let certificate = Certificate::from_pem(pem.as_bytes()).map_err(|_| fault())?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|_| Fault("host", "no TLS session can be prepared for this name".into()))
}

#[cfg(test)]
mod tests;
