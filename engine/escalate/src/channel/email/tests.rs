//! Against a real SMTP server on loopback (`python3-aiosmtpd`), and against scripted refusals.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt};

use super::*;
use crate::{
    channel::{classify::mail::GREYLIST, secret::SecretFiles},
    delivery::PageReason,
    render::samples,
};

/// A child that ends with the test.
struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// The real server, printing each mail; none, loudly, where it is not installed.
    fn start(arguments: &[&str]) -> Option<Self> {
        let python = ["/usr/bin/python3", "python3"].into_iter().find(|python| {
            let probe = Command::new(python).args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status();
            probe.is_ok_and(|s| s.success())
        });
        let Some(python) = python else {
            eprintln!(
                "SKIPPED: no aiosmtpd (Debian: python3-aiosmtpd), so no mail went through a real server"
            );
            return None;
        };
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(python)
            .args(["-u", "-m", "aiosmtpd", "-n", "-l", &format!("127.0.0.1:{port}")])
            .args(arguments)
            .args(["-c", "aiosmtpd.handlers.Debugging", "stdout"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let server = Self { child, port };
        for _ in 0..200 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(server);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("aiosmtpd did not start");
    }

    /// The next mail as it was received.
    fn mail(&mut self) -> String {
        let mut lines = BufReader::new(self.child.stdout.as_mut().unwrap()).lines().map(Result::unwrap);
        lines.by_ref().find(|l| l.contains("MESSAGE FOLLOWS")).unwrap();
        lines.take_while(|l| !l.contains("END MESSAGE")).collect::<Vec<_>>().join("\n")
    }
}

fn config(port: u16) -> Config {
    Config {
        host: "127.0.0.1".into(),
        port: Some(port),
        tls: Tls::None,
        from: "Tocsin <tocsin@crisis.example.com>".into(),
        timeout_seconds: 2,
        ..Config::default()
    }
}

fn channel(config: &Config) -> Email {
    Email::new(config, samples::renderer()).unwrap()
}

#[tokio::test]
async fn a_real_server_takes_threaded_mail() {
    let Some(mut server) = Server::start(&[]) else { return };
    let channel = channel(&config(server.port));
    let page = samples::page();
    let delivered = channel.send(&page).await;
    assert_eq!(delivered.as_str(), "delivered", "{delivered:?}");
    let first = server.mail();
    for header in [
        "Message-ID: <s07-ab12cd34ef.0123456789abcdef0123456789abcdef@crisis.example.com>",
        "References: <s07-ab12cd34ef@crisis.example.com>",
        "In-Reply-To: <s07-ab12cd34ef@crisis.example.com>",
        "List-Id: <crisis.crisis.example.com>",
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: All",
        "X-Priority: 1",
        "Date: Thu, 10 Sep 2026 01:40:00 +0000",
    ] {
        assert!(first.contains(header), "{header} is missing from\n{first}");
    }
    let (plain, html) = (first.find("text/plain").unwrap(), first.find("text/html").unwrap());
    assert!(plain < html, "the last part is the one shown");
    assert!(first.lines().all(|l| l.len() <= 998));
    let escalated = Page { reason: PageReason::Escalated, id: "f".repeat(32), ..page };
    channel.send(&escalated).await;
    let second = server.mail();
    let subject = |mail: &str| mail.lines().find(|l| l.starts_with("Subject")).unwrap().to_owned();
    assert_eq!(subject(&first), subject(&second), "one thread");
    assert!(!second.contains("0123456789abcdef0123456789abcdef@"));
}

#[tokio::test]
async fn a_digest_is_one_mail_with_every_incident_in_it() {
    let Some(mut server) = Server::start(&[]) else { return };
    let channel = channel(&config(server.port));
    let pages = crate::channel::standin::many(60, "li@example.com");
    let delivered = channel.send_digest(&Digest::of(pages.clone())).await;
    assert_eq!(delivered.as_str(), "delivered", "{delivered:?}");
    let mail = server.mail();
    let bodies: Vec<String> = mail
        .split("Content-Transfer-Encoding: base64")
        .skip(1)
        .map(|part| {
            part.lines()
                .map(str::trim)
                .filter(|l| !l.is_empty() && !l.starts_with("--") && !l.contains(':'))
                .collect()
        })
        .collect();
    assert_eq!(bodies.len(), 2, "{mail}");
    for body in bodies {
        use base64::Engine;
        let text = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(pages.iter().all(|page| text.contains(&page.incident)), "{text}");
    }
    let lane = |address| channel.lane(address).unwrap();
    assert!(lane("a@example.com").key != lane("b@example.com").key && lane("a@example.com").digest_of >= 60);
    assert_eq!(channel.send_digest(&Digest::of(Vec::new())).await.as_str(), "payload");
}

#[tokio::test]
async fn starttls_with_a_root_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (key, certificate) = (file("key.pem"), file("cert.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", &key, "-out", &certificate])
        .stderr(Stdio::null())
        .status();
    if !made.is_ok_and(|s| s.success()) {
        eprintln!("SKIPPED: no openssl to make a certificate with, so STARTTLS was not tried");
        return;
    }
    let Some(mut server) = Server::start(&["--tlscert", &certificate, "--tlskey", &key]) else { return };
    let mut protected =
        Config { tls: Tls::Starttls, ca_file: Some(certificate.into()), ..config(server.port) };
    protected.read_secrets(&|path| std::fs::read_to_string(path)).unwrap();
    let delivered = channel(&protected).send(&samples::page()).await;
    assert_eq!(delivered.as_str(), "delivered", "{delivered:?}");
    assert!(server.mail().contains("s07-ab12cd34ef"));
    // Unknown root: nothing is sent.
    let stranger = channel(&Config { tls: Tls::Starttls, ..config(server.port) });
    assert_eq!(stranger.send(&samples::page()).await.as_str(), "config");
    // The server wants TLS and we do not: it says so.
    let bare = channel(&config(server.port)).send(&samples::page()).await;
    assert_eq!(bare.as_str(), "config", "{bare:?}");
}

/// Answers each line by the first matching (prefix, reply); `HANG` never answers, `DROP` closes.
async fn scripted(script: &'static [(&'static str, &'static str)]) -> (u16, tokio::task::JoinSet<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (reader, mut writer) = stream.into_split();
            let mut lines = tokio::io::BufReader::new(reader).lines();
            let find = |line: &str| script.iter().find(|(p, _)| line.starts_with(p)).map(|(_, r)| *r);
            let greeting = find("GREETING").unwrap_or("220 mx ESMTP");
            writer.write_all(format!("{greeting}\r\n").as_bytes()).await.unwrap();
            let mut in_message = false;
            while let Ok(Some(line)) = lines.next_line().await {
                if in_message && line != "." {
                    continue;
                }
                let default = match line.as_str() {
                    l if l.starts_with("EHLO") => "250-mx\r\n250-AUTH PLAIN\r\n250 8BITMIME",
                    "DATA" => "354 go on",
                    "." => "250 2.0.0 queued as 4711",
                    _ => "250 ok",
                };
                let reply = find(&line).unwrap_or(default);
                in_message = reply.starts_with("354");
                match reply {
                    "HANG" => std::future::pending::<()>().await,
                    "DROP" => break,
                    reply => {
                        let _ = writer.write_all(format!("{reply}\r\n").as_bytes()).await;
                    }
                }
            }
        }
    });
    (port, tasks)
}

#[tokio::test]
async fn every_answer_has_one_meaning() {
    let table: [(&'static [(&str, &str)], &str); 14] = [
        (&[], "delivered"),
        (&[("GREETING", "421 too busy")], "retry"),
        (&[("GREETING", "554 go away")], "config"),
        (&[("AUTH", "535 5.7.8 bad credentials hunter2")], "config"),
        (&[("AUTH", "454 temporary")], "retry"),
        (&[("MAIL", "452 no space")], "retry"),
        (&[("RCPT", "450 4.7.1 greylisted")], "retry"),
        (&[("RCPT", "550 5.1.1 no such user")], "config"),
        (&[("RCPT", "554 relay denied")], "config"),
        (&[("RCPT", "DROP")], "retry"),
        (&[(".", "552 5.3.4 too big")], "payload"),
        (&[(".", "554 5.7.1 looks like spam")], "payload"),
        (&[(".", "451 try later")], "retry"),
        (&[(".", "DROP")], "unknown"),
    ];
    for (script, outcome) in table {
        let (port, _server) = scripted(script).await;
        let config = Config { username: Some("me".into()), password: Secret::new("hunter2"), ..config(port) };
        let delivery = channel(&config).send(&samples::page()).await;
        assert_eq!(delivery.as_str(), outcome, "{script:?} {delivery:?}");
        assert!(!format!("{delivery:?}").contains("hunter2"), "{delivery:?}");
    }
}

#[tokio::test]
async fn silence_after_the_final_dot_is_unknown_and_before_it_a_retry() {
    let table: [(&'static [(&str, &str)], Delivery); 3] = [
        (&[(".", "HANG")], Delivery::Unknown),
        (&[("MAIL", "HANG")], Delivery::Retry { after: None }),
        (&[("RCPT", "451 greylisted")], Delivery::Retry { after: Some(GREYLIST) }),
    ];
    for (script, want) in table {
        let (port, _server) = scripted(script).await;
        assert_eq!(channel(&config(port)).send(&samples::page()).await, want, "{script:?}");
    }
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(channel(&config(closed)).send(&samples::page()).await, Delivery::Retry { after: None });
}

#[tokio::test]
async fn without_starttls_nothing_is_sent() {
    let (port, _server) = scripted(&[]).await;
    let delivery = channel(&Config { tls: Tls::Starttls, ..config(port) }).send(&samples::page()).await;
    assert_eq!(delivery.as_str(), "config", "{delivery:?}");
}

#[tokio::test]
async fn line_breaks_and_bad_addresses_are_refused() {
    let channel = channel(&config(1));
    let mut page = samples::page();
    page.to_name = "x\r\nBcc: all@example.com".into();
    assert_eq!(channel.send(&page).await.as_str(), "payload");
    let mut page = samples::page();
    page.contact.address = "nobody".into();
    assert_eq!(channel.send(&page).await.as_str(), "config");
    let mut page = samples::page();
    page.contact.address = "a@example.com\nRCPT TO:<b@example.com>".into();
    assert_eq!(channel.send(&page).await.as_str(), "payload");
}

#[test]
fn settings_are_checked() {
    let table = [
        (Config { host: String::new(), ..config(1) }, "host"),
        (Config { host: "mail.example.com".into(), ..config(1) }, "tls"),
        (Config { username: Some("me".into()), ..config(1) }, "password"),
        (Config { from: "nobody".into(), ..config(1) }, "from"),
        (Config { tls: Tls::Tls, ca_pem: Some("no pem".into()), ..config(1) }, "ca_file"),
    ];
    for (config, field) in table {
        assert_eq!(Email::new(&config, samples::renderer()).unwrap_err().0, field);
    }
}
