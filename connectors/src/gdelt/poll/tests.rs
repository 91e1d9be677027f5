use serde_json::json;

use crate::{
    DynSource, Fault,
    dialect::{self, Asked, StandIn, at, endures, ids, open, text},
};

/// One headline a minute of 10 September; an answer holds the newest 250 of the window.
fn headlines(asked: &Asked, _: usize) -> axum::response::Response {
    let minute = |text: &str| -> u32 {
        assert!(text.starts_with("20260910") || text.starts_with("20260909"), "{text}");
        if text.starts_with("20260909") {
            return 0;
        }
        text[8..10].parse::<u32>().expect("hours") * 60 + text[10..12].parse::<u32>().expect("minutes")
    };
    let (from, to) = (minute(asked.get("startdatetime")), minute(asked.get("enddatetime")));
    let articles: Vec<_> = (from..=to)
        .rev()
        .take(250)
        .map(|m| json!({"url": format!("https://n.example/{m}"), "title": format!("Acme {m}"), "seendate": format!("20260910T{:02}{:02}00Z", m / 60, m % 60), "language": "English"}))
        .collect();
    dialect::json(&json!({"articles": articles}))
}

/// Rounds until there is no more, waiting as told.
async fn all(source: &mut dyn DynSource, mut now: jiff::Timestamp) -> Vec<crate::Batch> {
    let mut batches = Vec::new();
    loop {
        let batch = dialect::round(source, now).await;
        let more = batch.more;
        now = batch.not_before.unwrap_or(now);
        batches.push(batch);
        if !more {
            return batches;
        }
    }
}

#[tokio::test]
async fn a_full_window_is_read_in_parts() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(headlines).await;
    let settings = json!({"query": "\"Acme Motors\" recall", "address": service.address()});
    let mut source = open("gdelt", settings, folder.path());
    let batches = all(&mut *source, at("2026-09-10T10:00:00Z")).await;
    let mut taken = ids(&batches);
    taken.sort();
    taken.dedup();
    assert_eq!(taken.len(), 601);
    assert_eq!(batches.len(), 3);
    assert_eq!(batches[0].sample_cap, Some(250));
    let asked = service.asked();
    assert_eq!(
        (asked[0].get("startdatetime"), asked[0].get("enddatetime")),
        ("20260909100000", "20260910100000")
    );
    assert_eq!((asked[0].get("mode"), asked[0].get("maxrecords")), ("artlist", "250"));
    // The next window begins a little below the newest.
    all(&mut *source, at("2026-09-10T10:05:00Z")).await;
    assert_eq!(service.asked()[3].get("startdatetime"), "20260910093000");
}

#[tokio::test]
async fn complaints_inside_a_200_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    for (said, fault) in [
        ("Please limit requests to one every 5 seconds.", Fault::RateLimited),
        ("Your query was too short or too long.", Fault::Refused),
        ("Timespan broke.", Fault::Transient),
    ] {
        let service = StandIn::start(move |_, _| text(200, said)).await;
        let settings = json!({"query": "acme", "address": service.address()});
        let error = open("gdelt", settings, folder.path())
            .fetch(at("2026-09-10T10:00:00Z"))
            .await
            .expect_err("a fault");
        assert_eq!(error.fault(), fault, "{said}");
    }
}

#[tokio::test]
async fn keeps_the_pace_and_endures_every_trouble() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(|_, _| dialect::json(&json!({"articles": [{"url": "https://n.example/1", "title": "Acme", "seendate": "20260910T030000Z"}]}))).await;
    let mut source = open("gdelt", json!({"query": "acme", "address": service.address()}), folder.path());
    let now = at("2026-09-10T04:00:00Z");
    dialect::round(&mut *source, now).await;
    let error = source.fetch(now).await.expect_err("too soon");
    assert_eq!((error.fault(), error.until()), (Fault::RateLimited, Some(at("2026-09-10T04:00:06Z"))));
    let after = endures(&service, &mut *source, now, Fault::Credential).await;
    assert_eq!(ids(&after).len(), 1);
}
