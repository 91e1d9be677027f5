//! The live demo in a real browser, as a person on duty uses it: see the open incident, press the button, be left alone.
//! Headless Chromium over the WebDriver protocol; with `TOCSIN_SCREENSHOTS=folder` it also takes pictures, phone size.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test file: an unexpected fault ends the test")]

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tocsin_tests::{
    Skip,
    engine::{binary, free_port},
};

/// Longest real wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between looks.
const LOOK: Duration = Duration::from_millis(200);
/// WebDriver's name for the field that holds an element's id.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A child that ends with its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One browser window.
struct Browser {
    session: String,
    http: reqwest::Client,
    _driver: Process,
    _profile: tempfile::TempDir,
}

impl Browser {
    async fn open() -> Result<Self, Skip> {
        for part in ["chromium", "chromedriver"] {
            let there =
                Command::new(part).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            if !there.is_ok_and(|status| status.success()) {
                return Err(Skip(format!("{part} is not installed")));
            }
        }
        let port = free_port().unwrap();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let driver = Process(driver);
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        let base = format!("http://127.0.0.1:{port}");
        let ready = || async { http.get(format!("{base}/status")).send().await.is_ok().then_some(()) };
        eventually("chromedriver answers", ready).await;
        let profile = tempfile::tempdir().unwrap();
        let data = format!("--user-data-dir={}", profile.path().display());
        let mut flags: Vec<&str> = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
            --disable-background-networking --disable-component-update --disable-sync --window-size=390,844 \
            --disable-dev-shm-usage --lang=en"
            .split_whitespace()
            .collect();
        flags.push(&data);
        let phone = json!({ "deviceMetrics": { "width": 390, "height": 844, "pixelRatio": 2.0 } });
        let options = json!({ "args": flags, "mobileEmulation": phone });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let made: Value =
            http.post(format!("{base}/session")).json(&wanted).send().await.unwrap().json().await.unwrap();
        let id = made["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {made}"));
        let session = format!("{base}/session/{id}");
        Ok(Self { session, http, _driver: driver, _profile: profile })
    }

    async fn ask(&self, path: &str, body: Value) -> Value {
        let answer = self.http.post(format!("{}/{path}", self.session)).json(&body).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert!(answer["value"]["error"].is_null(), "{path}: {answer}");
        answer["value"].clone()
    }

    async fn go(&self, url: &str) {
        self.ask("url", json!({ "url": url })).await;
    }

    /// Elements a selector finds.
    async fn find(&self, css: &str) -> Vec<String> {
        let found = self.ask("elements", json!({ "using": "css selector", "value": css })).await;
        let ids = found.as_array().unwrap().iter();
        ids.map(|element| element[ELEMENT].as_str().unwrap().to_owned()).collect()
    }

    async fn press(&self, element: &str) {
        self.ask(&format!("element/{element}/click"), json!({})).await;
    }

    /// What a script of one expression returns.
    async fn evaluate(&self, expression: &str) -> Value {
        self.ask("execute/sync", json!({ "script": format!("return {expression}"), "args": [] })).await
    }

    /// Saves a picture where the environment wants one.
    #[expect(clippy::disallowed_methods, reason = "the harness is steered by its environment")]
    async fn picture(&self, name: &str) {
        use base64::Engine as _;
        let Ok(folder) = std::env::var("TOCSIN_SCREENSHOTS") else { return };
        std::fs::create_dir_all(&folder).unwrap();
        let answer = self.http.get(format!("{}/screenshot", self.session)).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let bytes =
            base64::engine::general_purpose::STANDARD.decode(answer["value"].as_str().unwrap()).unwrap();
        std::fs::write(PathBuf::from(folder).join(format!("{name}.png")), bytes).unwrap();
    }

    async fn close(self) {
        let _ = self.http.delete(&self.session).send().await;
    }
}

/// Looks until there is something, or fails.
async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    for _ in 0..PATIENCE.as_millis() / LOOK.as_millis() {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(LOOK).await;
    }
    panic!("{what}: not within {PATIENCE:?}");
}

#[tokio::test]
async fn a_person_on_duty_takes_an_incident() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let browser = match Browser::open().await {
        Ok(browser) => browser,
        Err(skip) => return skip.announce("chromium"),
    };
    let port = free_port().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.jsonl");
    let demo = Command::new(binary().unwrap())
        .args(["--log-level", "error", "demo", "--speed", "300x", "--port", &port.to_string()])
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&out).unwrap())
        .spawn()
        .unwrap();
    let _demo = Process(demo);
    let site = format!("http://127.0.0.1:{port}");
    let http = browser.http.clone();
    let api = |path: String| {
        let (http, site) = (http.clone(), site.clone());
        async move { http.get(format!("{site}/api/v1{path}")).send().await.ok()?.json::<Value>().await.ok() }
    };

    // An hour of calm at 300x, then the storm.
    let incident = eventually("an incident at high", || async {
        let listed = api("/incidents".into()).await?;
        let high = listed["incidents"].as_array()?.iter().find(|incident| incident["level"] == "high")?;
        Some(high["id"].as_str()?.to_owned())
    })
    .await;
    browser.go(&site).await;
    browser.picture("incidents-phone").await;
    let card = format!("a[href='/incidents/{incident}']");
    assert!(!browser.find(&card).await.is_empty(), "the list shows the open incident");
    let wide = browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth").await;
    assert_eq!(wide, true, "a phone does not scroll sideways");

    browser.go(&format!("{site}/incidents/{incident}")).await;
    let button = browser.find(&format!("form[action='/incidents/{incident}/ack'] button")).await;
    assert_eq!(button.len(), 1, "one button to take it");
    browser.press(&button[0]).await;
    let taken = eventually("the acknowledgement", || async {
        let shown = api(format!("/incidents/{incident}")).await?;
        let shown = shown.get("incident").unwrap_or(&shown).clone();
        shown["acknowledged"].is_object().then_some(shown)
    })
    .await;
    assert_eq!(taken["acknowledged"]["by"]["via"], "demo", "{}", taken["acknowledged"]);
    assert!(taken["next_page_at"].is_null(), "nobody is to be paged any more");
    let again = eventually("the page without its button", || async {
        let left = browser.find(&format!("form[action='/incidents/{incident}/ack'] button")).await;
        left.is_empty().then_some(true)
    })
    .await;
    assert!(again);
    browser.picture("war-room-phone").await;

    // Two minutes at 300x would be ten hours; wait until at least half an hour of the story has passed.
    let at = taken["acknowledged"]["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let printed = std::fs::read_to_string(&out).unwrap();
    let lines: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let calls: Vec<&Value> = lines
        .iter()
        .filter(|line| {
            line["type"] == "page"
                && ["first", "escalated", "level_raised"].iter().any(|r| line["reason"] == *r)
        })
        .collect();
    assert!(!calls.is_empty());
    for call in calls {
        let decided = call["decided_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        assert!(decided <= at, "nobody is called after the acknowledgement at {at}: {call}");
    }
    browser.close().await;
}
