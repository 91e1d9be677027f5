use std::time::Duration;

use super::*;
use crate::render::samples;

const SECRETS: [&str; 5] = [
    "SECRETPASSWORD",
    "abcdefabcdefabcdefabcdefabcdef99",
    "SECRETSIGNINGKEY",
    "SECRETOLDKEY1234",
    "SECRETPATH",
];

fn configs(port: u16) -> BTreeMap<String, Config> {
    let text = format!(
        r#"{{
        "mail": {{"kind":"email","host":"127.0.0.1","port":{port},"tls":"none","from":"t@example.com",
                 "username":"u","password":"{}","timeout_seconds":1}},
        "duty": {{"kind":"pagerduty","routing_key":"{}","url":"http://127.0.0.1:{port}/v2/enqueue"}},
        "hook": {{"kind":"webhook","url":"http://127.0.0.1:{port}/{}","signing_key":"{}","old_signing_key":"{}",
                 "allow_private_targets":["127.0.0.1"]}},
        "pager": {{"kind":"local"}}
    }}"#,
        SECRETS[0], SECRETS[1], SECRETS[4], SECRETS[2], SECRETS[3]
    );
    serde_json::from_str(&text).unwrap()
}

fn registry(port: u16) -> Registry {
    receiver::tls();
    Registry::build(&configs(port), &samples::renderer(), &receiver::clock()).unwrap()
}

/// Echoes all secrets in every answer, whatever is asked.
async fn echo() -> (u16, tokio::task::JoinSet<()>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        let said = SECRETS.join(" ");
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = vec![0; 1 << 16];
            // An HTTP client speaks first; a mail client waits for the greeting.
            let wait = Duration::from_millis(100);
            match tokio::time::timeout(wait, stream.read(&mut buffer)).await {
                Ok(_) => {
                    let body =
                        format!(r#"{{"status":"invalid event","message":"{said}","errors":["{said}"]}}"#);
                    let head = format!("HTTP/1.1 400 Bad Request\r\nContent-Length: {}\r\n\r\n", body.len());
                    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
                }
                Err(_) => {
                    let _ = stream.write_all(format!("554 5.7.1 {said}\r\n").as_bytes()).await;
                }
            }
        }
    });
    (port, tasks)
}

#[tokio::test]
async fn no_adapter_leaks_a_secret() {
    let (port, _echo) = echo().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut shown = format!("{:?} ", configs(port));
    shown.push_str(&format!("{:?}\n", registry(port)));
    for port in [port, closed] {
        let registry = registry(port);
        for (id, channel) in registry.iter() {
            let mut page = samples::page();
            if id == "duty" {
                page.contact.address.clear();
            }
            let delivery = channel.send(&page).await;
            let expected = if id == "pager" { "delivered" } else { "" };
            assert!(expected.is_empty() || delivery.as_str() == expected);
            shown.push_str(&format!("{id} {delivery:?} {}\n", serde_json::to_string(&delivery).unwrap()));
            shown.push_str(&format!("{:?}\n", channel.tell(&page.incident, News::Closed).await));
        }
    }
    // Each adapter blots out its own secrets; the echo server also says the others', which only it could know.
    let own = [("mail", 0), ("duty", 1), ("hook", 2), ("hook", 3), ("hook", 4)];
    for (id, at) in own {
        for line in shown.lines().filter(|l| l.starts_with(id)) {
            assert!(!line.contains(SECRETS[at]), "{} in {line}", SECRETS[at]);
        }
    }
    let printed = shown.lines().next().unwrap();
    assert!(SECRETS.iter().all(|s| !printed.contains(s)), "{printed}");
}

#[test]
fn unknown_fields_and_kinds_are_refused() {
    for text in [
        r#"{"kind":"email","host":"h","pasword":"x"}"#,
        r#"{"kind":"pagerduty","routing_key":"x","region":"mars"}"#,
        r#"{"kind":"pigeon"}"#,
        r#"{"kind":"local","keep":5,"extra":1}"#,
        r#"{"kind":"webhook","allow_private_targets":["10.0.0.0/99"]}"#,
    ] {
        assert!(serde_json::from_str::<Config>(text).is_err(), "{text}");
    }
}

#[test]
fn all_faults_at_once_and_by_name() {
    receiver::tls();
    let configs: BTreeMap<String, Config> = serde_json::from_str(
        r#"{"a":{"kind":"email","host":"h","from":"x"},"b":{"kind":"webhook","url":"http://x.example"},"c":{"kind":"pagerduty"}}"#,
    )
    .unwrap();
    let faults = Registry::build(&configs, &samples::renderer(), &receiver::clock()).unwrap_err();
    let shown: Vec<_> = faults.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    channels.a.from: not a mail address: `Name <user@domain>`
    channels.b.url: must be https; http only to allow_private_targets
    channels.c.routing_key: an integration key is needed, here or under routes
    ");
}

#[test]
fn every_secret_of_every_kind_may_stand_in_a_file() {
    receiver::tls();
    let url = "https://hooks.example.com/x?k=1";
    let table = [
        (r#"{"kind":"opsgenie","api_key_file":"/run/f"}"#, "key"),
        (r#"{"kind":"alertmanager","urls":["https://am.example.com"],"token_file":"/run/f"}"#, "key"),
        (r#"{"kind":"dingtalk","url_file":"/run/f"}"#, url),
        (r#"{"kind":"feishu","url_file":"/run/f"}"#, url),
        (r#"{"kind":"wecom","url_file":"/run/f"}"#, url),
        (r#"{"kind":"slack","webhook_url_file":"/run/f"}"#, url),
        (r#"{"kind":"slack","bot_token_file":"/run/f","buttons":true}"#, "xoxb-1"),
        (r#"{"kind":"telegram","token_file":"/run/f"}"#, "1:abc"),
        (r#"{"kind":"ntfy","topic_file":"/run/f","token_file":"/run/f"}"#, "topic"),
        (r#"{"kind":"teams","url_file":"/run/f"}"#, url),
    ];
    for (text, secret) in table {
        let mut config: Config = serde_json::from_str(text).unwrap();
        config.read_secrets("c", &|_| Ok(format!("{secret}\n"))).unwrap();
        let built = Registry::build(
            &BTreeMap::from([("c".to_owned(), config)]),
            &samples::renderer(),
            &receiver::clock(),
        );
        assert!(built.is_ok(), "{text}: {:?}", built.err());
        let mut config: Config = serde_json::from_str(text).unwrap();
        let fault = config.read_secrets("c", &|_| Err(std::io::ErrorKind::NotFound.into())).unwrap_err();
        assert!(fault.to_string().contains("/run/f"), "{fault}");
    }
}

#[test]
fn secrets_come_from_files() {
    let mut configs = configs(1);
    let Some(Config::PagerDuty(config)) = configs.get_mut("duty") else { panic!() };
    config.route_files.insert("night".into(), "/run/secrets/night".into());
    for (id, config) in &mut configs {
        config.read_secrets(id, &|_| Ok("n".repeat(32))).unwrap();
    }
    let Some(Config::PagerDuty(config)) = configs.get("duty") else { panic!() };
    assert_eq!(config.routes["night"], Secret::new("n".repeat(32)));
    let Some(Config::Email(mail)) = configs.get_mut("mail") else { panic!() };
    mail.password_file = Some("/run/secrets/mail".into());
    let error = configs.get_mut("mail").unwrap().read_secrets("mail", &|_| Ok("x".into())).unwrap_err();
    assert_eq!(error.to_string(), "channels.mail.password_file: given both directly and as a file: keep one");
}
