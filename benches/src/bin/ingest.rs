//! Rate of the signed ingest endpoint and of a vendor's hook, batches acknowledged by a real Kafka, each against a handler
//! that only reads the body, checks the signature and discards, in the same run over the same HTTP server and client. And the
//! floor: a handler that checks the signature and hands each line to Kafka unread, which no parser can beat.
//! `ingest --kafka HOST:PORT [--batches N] [--size N] [--connections N] [--rounds N] [--compression zstd|lz4|none]`.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use axum::{Router, body::Bytes, http::HeaderMap, http::StatusCode, routing::post};
use jiff::Timestamp;
use serde_json::json;
use tocsin_benches::{corpus, rounds::median};
use tocsin_bus::{Clock, Driver, Record, SystemClock, Topic, kafka};
use tocsin_connectors::{
    BusPublisher, Configured, Cursor, FileCursors, Health, Hooks, IngestState, Opened, Parts, Publish,
    Secret, hook_router, http,
    ingest::{SIGNATURE_HEADER, TIMESTAMP_HEADER, sign},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const SECRET: &str = "a secret of the bench, long enough";

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the table is this program's output")]
async fn main() -> anyhow::Result<()> {
    let options = Options::read()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let bus = kafka::Bus::connect(
        kafka::Config {
            brokers: options.kafka.clone(),
            topic_prefix: format!("ingest{}", std::process::id()),
            partitions: 4,
            replication: 1,
            compression: options.compression.clone(),
            ..kafka::Config::default()
        },
        clock.clone(),
    )
    .await?;
    let publisher: Arc<dyn Publish> =
        Arc::new(BusPublisher::new(bus.producer(), clock.clone(), Duration::from_secs(30)));
    let folder = tempfile::tempdir()?;
    let server = Router::new()
        .merge(tocsin_connectors::router(IngestState::new(
            publisher.clone(),
            clock.clone(),
            vec![Secret::new(SECRET)?],
        )))
        .merge(hook_router(vendor(folder.path(), publisher.clone(), clock.clone())?))
        .merge(bare())
        .merge(unread(publisher));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(async move { axum::serve(listener, server).await });

    let start = clock.now();
    let total = options.batches * options.size;
    let mentions = corpus::mentions(total, 100, 10, start);
    let lines: Vec<String> = mentions.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
    let paths = ["/bare", "/unread", "/api/v1/mentions", "/hooks/vendor"];
    let mut rates = vec![Vec::new(); paths.len()];
    for round in 0..=options.rounds {
        for (path, rates) in paths.iter().zip(&mut rates) {
            // New bodies every time: a repeated request would be answered from memory.
            let requests: Vec<Vec<u8>> = lines
                .chunks(options.size)
                .map(|batch| request(path, round, batch, clock.now()))
                .collect::<anyhow::Result<_>>()?;
            let begun = clock.elapsed();
            send(address, requests, options.connections)
                .await
                .with_context(|| format!("{path}, round {round}"))?;
            // The first round warms up.
            if round > 0 {
                rates.push(total as f64 / (clock.elapsed() - begun).as_secs_f64());
            }
        }
    }
    serving.shutdown().await;
    println!(
        "{} batches of {} mentions ({} bytes each), {} connections, median of {} rounds",
        options.batches,
        options.size,
        lines.iter().map(String::len).sum::<usize>() / total.max(1),
        options.connections,
        options.rounds
    );
    println!("{:<58} {:>12} {:>7} {:>9} {:>9}", "", "mentions/s", "ratio", "lowest", "highest");
    let names = [
        "read, check the signature, discard",
        "floor: checked, lines unread, acknowledged by Kafka",
        "signed ingest: parsed, acknowledged by Kafka",
        "vendor hook: mapped, acknowledged by Kafka",
    ];
    for (name, all) in names.iter().zip(&rates) {
        let ratios: Vec<f64> = all.iter().zip(&rates[0]).map(|(rate, bare)| rate / bare).collect();
        println!(
            "{name:<58} {:>12.0} {:>7.3} {:>9.3} {:>9.3}",
            median(all.clone()),
            median(ratios.clone()),
            ratios.iter().copied().fold(f64::INFINITY, f64::min),
            ratios.iter().copied().fold(0.0, f64::max),
        );
    }
    Ok(())
}

fn signed(headers: &HeaderMap, body: &Bytes) -> StatusCode {
    let word = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Ok(secret) = Secret::new(SECRET) else { return StatusCode::INTERNAL_SERVER_ERROR };
    let Ok(at) = word(TIMESTAMP_HEADER).parse() else { return StatusCode::UNAUTHORIZED };
    let right = sign(&secret, at, body) == word(SIGNATURE_HEADER);
    if right { StatusCode::ACCEPTED } else { StatusCode::UNAUTHORIZED }
}

/// Only reads, checks and discards.
fn bare() -> Router {
    async fn check(headers: HeaderMap, body: Bytes) -> StatusCode {
        signed(&headers, &body)
    }
    Router::new().route("/bare", post(check)).layer(axum::extract::DefaultBodyLimit::disable())
}

/// Checks and publishes each line as it is.
fn unread(publisher: Arc<dyn Publish>) -> Router {
    let publish = move |headers: HeaderMap, body: Bytes| {
        let publisher = publisher.clone();
        async move {
            let status = signed(&headers, &body);
            let lines = body.split(|byte| *byte == b'\n').filter(|line| line.len() > 2);
            let record = |line: &[u8]| Record {
                topic: Topic::Mentions,
                key: body.slice_ref(&line[..32.min(line.len())]),
                payload: body.slice_ref(line),
                headers: vec![("schema".into(), "1".into())],
            };
            let records: Vec<Record> = lines.map(record).collect();
            match publisher.publish(&records).await {
                Ok(_) => status,
                Err(_) => StatusCode::SERVICE_UNAVAILABLE,
            }
        }
    };
    Router::new().route("/unread", post(publish)).layer(axum::extract::DefaultBodyLimit::disable())
}

fn vendor(
    folder: &std::path::Path,
    publisher: Arc<dyn Publish>,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Hooks> {
    let secret = folder.join("secret");
    std::fs::write(&secret, SECRET)?;
    let configured: Configured = serde_json::from_value(json!({
        "name": "vendor", "kind": "vendor_hook", "secret_file": secret, "items": "/list",
        "map": {
            "id": "/id", "platform": "/platform", "text": "/text", "published_at": "/published_at",
            "author.key": "/author/key", "author.followers": "/author/followers", "metrics.likes": "/metrics/likes",
            "url": "/url", "thread": "/thread",
        },
    }))?;
    let parts = Parts {
        name: "vendor".into(),
        clock: clock.clone(),
        http: http::Client::new("tocsin-bench")?,
        every: configured.poll,
        cursor: Cursor::new(Arc::new(FileCursors::open(folder.join("cursors"))?), "vendor", 1),
    };
    let Opened::Hook(hook) = configured.open(parts)? else { anyhow::bail!("a vendor's hook is a hook") };
    let health = Health::new("vendor", hook.kind(), configured.rules, clock.now());
    Ok(Hooks::new(vec![(hook, health)], publisher, clock))
}

/// One whole HTTP request.
fn request(path: &str, round: usize, batch: &[String], now: Timestamp) -> anyhow::Result<Vec<u8>> {
    let body = match path {
        "/hooks/vendor" => format!("{{\"round\":{round},\"list\":[{}]}}", batch.join(",")),
        _ => format!("{}\n{}", batch.join("\n"), " ".repeat(round)),
    };
    let at = now.as_second();
    let signature = sign(&Secret::new(SECRET)?, at, body.as_bytes());
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\n{TIMESTAMP_HEADER}: {at}\r\n{SIGNATURE_HEADER}: {signature}\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    Ok([head.into_bytes(), body.into_bytes()].concat())
}

/// Sends all over so many kept connections, one request on each at a time; all must be accepted.
async fn send(
    address: std::net::SocketAddr,
    requests: Vec<Vec<u8>>,
    connections: usize,
) -> anyhow::Result<()> {
    let requests = Arc::new(tokio::sync::Mutex::new(requests.into_iter()));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let requests = requests.clone();
        clients.spawn(async move {
            let mut stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let mut answer = Vec::new();
            loop {
                let Some(request) = requests.lock().await.next() else { return anyhow::Ok(()) };
                stream.write_all(&request).await?;
                let status = status(&mut stream, &mut answer).await?;
                ensure!(
                    matches!(status.as_slice(), b"200" | b"202"),
                    "status {}",
                    String::from_utf8_lossy(&status)
                );
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client??;
    }
    Ok(())
}

/// Reads one answer; its status.
async fn status(stream: &mut TcpStream, answer: &mut Vec<u8>) -> anyhow::Result<Vec<u8>> {
    answer.clear();
    let mut piece = [0; 4096];
    loop {
        let read = stream.read(&mut piece).await?;
        ensure!(read > 0, "the server hung up");
        answer.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(answer).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
        if body.len() >= length.unwrap_or(0) {
            return Ok(answer.get(9..12).unwrap_or_default().to_vec());
        }
    }
}

struct Options {
    kafka: String,
    batches: usize,
    size: usize,
    connections: usize,
    rounds: usize,
    compression: String,
}

impl Options {
    fn read() -> anyhow::Result<Self> {
        let mut options = Self {
            kafka: String::new(),
            batches: 500,
            size: 100,
            connections: 16,
            rounds: 7,
            compression: "zstd".to_owned(),
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let value = words.next().with_context(|| format!("{word} needs a value"))?;
            match word.as_str() {
                "--kafka" => options.kafka = value,
                "--batches" => options.batches = value.parse()?,
                "--size" => options.size = value.parse()?,
                "--connections" => options.connections = value.parse()?,
                "--rounds" => options.rounds = value.parse()?,
                "--compression" => options.compression = value,
                _ => anyhow::bail!("unknown option {word}"),
            }
        }
        ensure!(
            !options.kafka.is_empty(),
            "--kafka HOST:PORT is needed: the figure is about acknowledged batches"
        );
        Ok(options)
    }
}
