//! An incident's pages as mails through a real SMTP server on loopback, from the posts to what a mail reader decodes.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test file: an unexpected fault ends the test")]

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use jiff::SignedDuration;
use serde_json::{Value, json};
use tocsin_bus::{Clock, SystemClock};
use tocsin_escalate::{
    channel::{Config, Registry, email},
    render::{self, Renderer},
};
use tocsin_tests::{
    Skip,
    engine::{Engine, tocsin},
    site::Site,
    story::{Pager, Story, Way},
};

const PYTHON: &str = "/usr/bin/python3";

/// A mail server that prints each mail as its reader would see it, one JSON object a line.
const SERVER: &str = r#"
import email, email.policy, json, sys
from aiosmtpd.controller import Controller
class Printer:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = {p.get_content_type(): p.get_content() for p in mail.walk() if not p.is_multipart()}
        print(json.dumps({"to": envelope.rcpt_tos, "from": envelope.mail_from, "parts": parts,
                          "headers": {k.lower(): str(v) for k, v in mail.items()}}), flush=True)
        return "250 taken"
Controller(Printer(), hostname="127.0.0.1", port=int(sys.argv[1])).start()
sys.stdin.read()
"#;

struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start() -> Result<Self, Skip> {
        let there = Command::new(PYTHON).args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status();
        if !there.is_ok_and(|status| status.success()) {
            return Err(Skip("no aiosmtpd (Debian: python3-aiosmtpd)".into()));
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(PYTHON)
            .args(["-u", "-c", SERVER, &port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let server = Self { child, port };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(server);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the mail server did not start");
    }

    /// Stops it and returns every mail.
    fn mails(mut self) -> Vec<Value> {
        drop(self.child.stdin.take());
        let out = BufReader::new(self.child.stdout.take().unwrap());
        let mails = out.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
        let _ = self.child.wait();
        mails
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn pages_arrive_as_one_thread_in_each_readers_language() {
    let server = match Server::start() {
        Ok(server) => server,
        Err(skip) => return skip.announce("smtp"),
    };
    let account = email::Config {
        host: "127.0.0.1".into(),
        port: Some(server.port),
        tls: email::Tls::None,
        from: "Tocsin <tocsin@aurora.example>".into(),
        ..email::Config::default()
    };
    let settings = render::Config {
        base_url: Some("https://tocsin.aurora.example".into()),
        ..render::Config::default()
    };
    let renderer = Arc::new(Renderer::new(&settings, None).unwrap());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let configs = BTreeMap::from([("pager".to_owned(), Config::Email(account))]);
    let channels = Registry::build(&configs, &renderer, &clock).unwrap();

    let mut story = Story::with(Way::Embedded, 3, Pager::default(), channels).await.unwrap().unwrap();
    story.at("10:00").await.unwrap();
    story.angry(40, SignedDuration::ZERO).await.unwrap();
    story.at("10:06").await.unwrap();
    let incident = story.incidents().await.unwrap().remove(0);
    story.acknowledge("mei").await.unwrap();
    story.at("10:25").await.unwrap();
    story.end().await.unwrap();

    let mails = server.mails();
    assert_eq!(mails.len(), 2, "one mail a page: {mails:#?}");
    let header = |n: usize, name: &str| mails[n]["headers"][name].as_str().unwrap_or_default().to_owned();
    let text = |n: usize| mails[n]["parts"]["text/plain"].as_str().unwrap().to_owned();
    let html = |n: usize| mails[n]["parts"]["text/html"].as_str().unwrap().to_owned();

    assert_eq!(mails[0]["to"], json!(["lin@aurora.example"]));
    assert_eq!(mails[1]["to"], json!(["mei@aurora.example"]));
    assert!(header(0, "to").contains("林安"), "{}", header(0, "to"));
    for n in [0, 1] {
        assert_eq!(mails[n]["from"], "tocsin@aurora.example");
        assert!(header(n, "subject").contains("极光 Aurora"), "{}", header(n, "subject"));
        assert!(header(n, "references").contains(&incident.id), "one thread an incident");
        assert_eq!(header(n, "references"), header(1 - n, "references"));
        assert_eq!(header(n, "auto-submitted"), "auto-generated");
        assert!(header(n, "x-priority").starts_with('1'), "{}", header(n, "x-priority"));
        let link = format!("https://tocsin.aurora.example/incidents/{}", incident.id);
        assert!(text(n).contains(&link) && html(n).contains(&link), "{}", text(n));
    }
    assert_ne!(header(0, "message-id"), header(1, "message-id"));
    assert!(header(0, "subject").contains("高风险"), "{}", header(0, "subject"));
    assert_eq!(header(1, "subject"), format!("[HIGH][{}] 极光 Aurora", incident.id));
    assert!(text(0).contains("十分钟负面条数") && html(0).contains("十分钟负面条数"), "{}", text(0));
    assert!(text(1).contains("Negative mentions in 10 minutes"), "{}", text(1));
}

/// A report out of a running console, mailed as a scheduler would have it mailed.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_mailed_to_everybody_named() {
    let server = match Server::start() {
        Ok(server) => server,
        Err(skip) => return skip.announce("smtp"),
    };
    let site = Site::new("-", "-", "mail").await.unwrap();
    let door = site.door().unwrap();
    let mail = format!(
        "  mail: {{kind: email, host: 127.0.0.1, port: {}, tls: none, from: \"Tocsin <tocsin@aurora.example>\"}}\n",
        server.port
    );
    let config = format!("{}{mail}", site.embedded_config(door.port));
    let engine = Engine::start(site.folder.path(), "engine", &config, None).unwrap();
    if let Err(fault) = door.ready().await {
        panic!("{fault:#}: {}", engine.log_tail());
    }
    let token = site.folder.path().join("token");
    std::fs::write(&token, "a token of the tests").unwrap();
    let (token, url) = (token.display().to_string(), format!("http://127.0.0.1:{}", door.port));
    let file = site.folder.path().join("engine.yaml").display().to_string();
    let report = |to: &str| {
        let words = [
            "report",
            "day",
            "--date",
            "2026-09-10",
            "--url",
            &url,
            "--token-file",
            &token,
            "--config",
            &file,
        ];
        tocsin(&[&words[..], &["--mail", to]].concat()).unwrap()
    };
    let both = tokio::task::block_in_place(|| report("chief@aurora.example,board@aurora.example"));
    assert_eq!(both.code, Some(0), "{}", both.stderr);
    assert_eq!(both.stdout, "chief@aurora.example: delivered\nboard@aurora.example: delivered\n");
    let again = tokio::task::block_in_place(|| report("chief@aurora.example,nobody"));
    assert_eq!(again.code, Some(1), "{}", again.stdout);
    assert!(again.stdout.contains("nobody: not delivered"), "{}", again.stdout);
    let mails = server.mails();
    let to: Vec<&Value> = mails.iter().map(|mail| &mail["to"][0]).collect();
    assert_eq!(to, ["chief@aurora.example", "board@aurora.example", "chief@aurora.example"]);
    for mail in &mails {
        assert_eq!(mail["headers"]["subject"], "日报 2026-09-10");
        assert!(mail["parts"]["text/html"].as_str().unwrap().contains("<h1>日报 2026-09-10</h1>"));
    }
    assert_eq!(mails[0]["headers"]["message-id"], mails[2]["headers"]["message-id"]);
    assert_ne!(mails[0]["headers"]["message-id"], mails[1]["headers"]["message-id"]);
}
