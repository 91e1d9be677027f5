//! Against a stand-in hub.

use std::path::Path;

use serde_json::json;

use super::*;
use crate::{
    DynSource, Fault,
    standin::{Play, Standin, secret},
    testing::parts,
};

fn now() -> Timestamp {
    "2026-09-10T03:30:00Z".parse().expect("a time")
}

fn open(folder: &Path, hub: &str) -> Box<dyn DynSource> {
    let file = secret(folder, "secret", "hub-secret");
    let settings = json!({"channels":["UCa","UCb"],"callback":"https://t.example/hooks/yt","secret_file":file,"hub":hub});
    let settings: Settings = serde_json::from_value(settings).expect("settings");
    assert!(SourceSettings::check(&settings).is_empty());
    match SourceSettings::open(&settings, parts("lease", folder)) {
        Ok(Opened::Source(source)) => source,
        _ => panic!("no source"),
    }
}

async fn round(source: &mut dyn DynSource, now: Timestamp) -> Result<usize, Error> {
    for done in 1..10 {
        let batch = source.fetch(now).await?;
        assert!(batch.items.is_empty());
        source.acknowledged().await?;
        if !batch.more {
            return Ok(done);
        }
    }
    panic!("the round never ends")
}

#[tokio::test]
async fn asks_for_every_channel_and_again_after_a_day_also_across_restarts() {
    let folder = tempfile::tempdir().expect("a folder");
    let hub = Standin::start([Play::status(202, ""), Play::status(202, "")]).await;
    let mut source = open(folder.path(), &hub.address);
    assert_eq!(round(&mut *source, now()).await.expect("asked"), 2);
    let asked = hub.asked();
    let form = asked[0].split("\r\n\r\n").nth(1).unwrap_or_default();
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert_eq!(value("hub.mode"), Some("subscribe"));
    assert_eq!(value("hub.topic"), Some("https://www.youtube.com/xml/feeds/videos.xml?channel_id=UCa"));
    assert_eq!(value("hub.callback"), Some("https://t.example/hooks/yt"));
    assert_eq!((value("hub.secret"), value("hub.lease_seconds")), (Some("hub-secret"), Some("864000")));
    assert!(asked[1].contains("channel_id%3DUCb"));

    drop(source);
    let mut source = open(folder.path(), &hub.address);
    let later = |seconds: i64| now().saturating_add(SignedDuration::from_secs(seconds)).expect("in range");
    assert_eq!(round(&mut *source, later(86_399)).await.expect("nothing due"), 1);
    assert_eq!(hub.asked().len(), 2);
    hub.play([Play::status(202, ""), Play::status(202, "")]);
    assert_eq!(round(&mut *source, later(86_400)).await.expect("asked"), 2);
    assert_eq!(hub.asked().len(), 4);
}

#[tokio::test]
async fn a_hub_that_fails_leaves_the_rest_due() {
    let folder = tempfile::tempdir().expect("a folder");
    let hub = Standin::start([Play::status(202, ""), Play::status(503, "busy")]).await;
    let mut source = open(folder.path(), &hub.address);
    let error = round(&mut *source, now()).await.expect_err("a fault");
    assert_eq!(error.fault(), Fault::Transient);
    assert!(!error.to_string().contains("hub-secret"));
    for (play, fault) in [
        (Play::status(400, "no"), Fault::Refused),
        (Play::Silence, Fault::Transient),
        (Play::Garbage(b"?".to_vec()), Fault::Transient),
    ] {
        hub.play([play]);
        assert_eq!(round(&mut *source, now()).await.expect_err("a fault").fault(), fault);
    }
    hub.play([Play::status(202, "")]);
    assert_eq!(round(&mut *source, now()).await.expect("asked"), 1);
    assert!(
        hub.asked().iter().filter(|request| request.contains("UCa")).count() == 1,
        "taken once is enough"
    );
}
