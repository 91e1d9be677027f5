//! Timelines: each is told once and must hold on the embedded parts, on real Redis, and on real Kafka and Redis.
#![expect(clippy::panic, reason = "a test file: an unexpected fault ends the test")]

use std::future::Future;

use jiff::SignedDuration;
use tocsin_bus::Topic;
use tocsin_escalate::{Incident, State};
use tocsin_rules::{Finding, Level, Op, Transition};
use tocsin_tests::story::{Mood, Pager, Story, Way};

type Told = anyhow::Result<()>;

const AT_ONCE: SignedDuration = SignedDuration::ZERO;

/// Tells one story on every way; a way whose parts are not there is skipped loudly.
async fn told_on<F: Future<Output = Told>>(ways: &[Way], tell: impl Fn(Story) -> F) {
    for &way in ways {
        match Story::on(way).await {
            Ok(Ok(story)) => {
                if let Err(fault) = tell(story).await {
                    panic!("{way}: {fault:?}");
                }
            }
            Ok(Err(skip)) => skip.announce(part(way)),
            Err(fault) => panic!("{way}: {fault:?}"),
        }
    }
}

fn part(way: Way) -> &'static str {
    match way {
        Way::Embedded | Way::Redis | Way::OwnRedis => "redis",
        Way::Real | Way::RealOwnRedis => "kafka",
    }
}

fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

/// The one incident there is.
async fn only_incident(story: &Story) -> anyhow::Result<Incident> {
    let mut all = story.incidents().await?;
    anyhow::ensure!(all.len() == 1, "one incident, not {}: {all:?}", all.len());
    all.pop().ok_or_else(|| anyhow::anyhow!("none"))
}

fn count(finding: &Finding, threshold: &str) -> Option<f64> {
    finding.reasons.iter().find(|reason| reason.threshold == threshold).map(|reason| reason.value)
}

#[tokio::test]
async fn a_storm_nobody_answers_climbs_the_ladder() {
    told_on(&Way::ALL, |mut story| async move {
        story.at("10:00").await?;
        story.angry(40, AT_ONCE).await?;
        story.expect_pages(&["10:00 lin first"])?;
        let incident = only_incident(&story).await?;
        assert_eq!((incident.level, incident.peak), (Level::High, Level::High));
        assert_eq!(incident.state, State::Confirmed, "high confirms itself");

        story.at("10:04:59").await?;
        story.expect_pages(&[])?;
        story.at("10:05").await?;
        story.expect_pages(&["10:05 mei escalated"])?;
        story.at("10:14:59").await?;
        story.expect_pages(&[])?;
        story.at("10:15").await?;
        story.expect_pages(&["10:15 zhou escalated"])?;
        only_incident(&story).await?;
        story.end().await
    })
    .await;
}

#[tokio::test]
async fn acknowledged_is_left_alone() {
    Box::pin(told_on(&Way::ALL, |mut story| async move {
        story.at("10:00").await?;
        story.angry(40, AT_ONCE).await?;
        story.expect_pages(&["10:00 lin first"])?;
        story.at("10:03").await?;
        let taken = story.acknowledge("lin").await?;
        assert_eq!(taken.acknowledged.map(|a| a.by.who).as_deref(), Some("lin"));
        // It goes on raging at the same level: nobody is called again.
        story.angry(40, minutes(10)).await?;
        story.at("10:28").await?;
        story.expect_pages(&[])?;
        let incident = only_incident(&story).await?;
        assert_eq!((incident.level, incident.next_page_at), (Level::High, None));
        story.end().await
    }))
    .await;
}

#[tokio::test]
async fn a_rise_after_the_acknowledgement_pages_anew() {
    told_on(&Way::ALL, |mut story| async move {
        story.at("10:00").await?;
        story.complaints(12, minutes(2)).await?;
        assert_eq!(only_incident(&story).await?.level, Level::Medium);
        story.expect_pages(&["10:01 lin first"])?;
        story.at("10:03").await?;
        story.acknowledge("lin").await?;
        story.at("10:06").await?;
        story.expect_pages(&[])?;

        story.angry(40, AT_ONCE).await?;
        story.expect_pages(&["10:06 lin level_raised"])?;
        let incident = only_incident(&story).await?;
        assert_eq!((incident.level, incident.plan.id.as_str()), (Level::High, "crisis"));
        assert!(incident.acknowledged.is_none(), "taken at medium is not taken at high");
        assert_eq!(incident.former_acknowledgements.len(), 1);
        story.at("10:11").await?;
        story.expect_pages(&["10:11 mei escalated"])?;
        story.acknowledge("mei").await?;
        story.at("10:20").await?;
        story.end().await
    })
    .await;
}

#[tokio::test]
async fn a_launch_wakes_nobody() {
    told_on(&Way::ALL, |mut story| async move {
        story.at("10:00").await?;
        story.happy(200, minutes(20)).await?;
        // Even with as many angry ones as would make a storm alone: the share keeps it silent.
        story.happy(30, AT_ONCE).await?;
        story.angry(26, AT_ONCE).await?;
        story.at("11:00").await?;
        assert!(story.incidents().await?.is_empty());
        assert!(story.findings().await?.is_empty());
        assert_eq!(story.flow().hit_verdicts().total(), 256);
        story.end().await
    })
    .await;
}

#[tokio::test]
async fn bad_input_costs_its_own_verdict_and_nothing_else() {
    told_on(&Way::ALL, |mut story| async move {
        story.at("10:00").await?;
        let bad: [&[u8]; 8] = [
            b"",
            b"nonsense",
            b"\xff\xfe\x00",
            b"[]",
            b"{\"id\":1}",
            b"{\"id\":\"weibo:1\",\"platform\":\"weibo\",\"kind\":\"post\",\"published_at\":\"2026-09-10T02:00:00Z\"}",
            b"{\"id\":\"icq:1\",\"platform\":\"icq\",\"kind\":\"post\",\"text\":\"aurora\",\"published_at\":\"2026-09-10T02:00:00Z\"}",
            b"{\"id\":\"x:1\",\"platform\":\"x\",\"kind\":\"post\",\"text\":\"aurora\",\"published_at\":\"yesterday\"}",
        ];
        for (n, payload) in bad.iter().enumerate() {
            story.raw(payload).await?;
            story.angry(5, AT_ONCE).await?;
            story.post(Mood::Elsewhere, 2, AT_ONCE).await?;
            story.at(&format!("10:00:{:02}", n + 1)).await?;
        }
        let verdicts = story.flow().mention_verdicts();
        assert_eq!(verdicts.emitted, 40);
        assert_eq!(verdicts.dropped.values().sum::<u64>(), 16, "{verdicts:?}");
        assert_eq!(verdicts.deadlettered.values().sum::<u64>(), 8, "{verdicts:?}");
        assert_eq!(verdicts.total(), 64);
        assert_eq!(verdicts.records(Topic::Hits), 40);
        assert_eq!(story.flow().hit_verdicts().emitted, 40);
        only_incident(&story).await?;
        story.expect_pages(&["10:00 lin first"])?;
        story.end().await
    })
    .await;
}

#[tokio::test]
async fn recovery_tells_those_who_were_paged() {
    told_on(&Way::ALL, |mut story| async move {
        story.at("10:00").await?;
        story.angry(40, AT_ONCE).await?;
        story.at("10:05").await?;
        story.expect_pages(&["10:00 lin first", "10:05 mei escalated"])?;
        story.acknowledge("mei").await?;
        story.at("13:00").await?;
        let recovered = only_incident(&story).await?.recovered_at;
        let Some(_) = recovered else { anyhow::bail!("not recovered by 13:00") };
        let pages = story.pages();
        let notices: Vec<&str> = pages[2..].iter().map(|page| page.to.as_str()).collect();
        let mut sorted = notices.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, ["lin", "mei"], "those paged, once each, and nobody else");
        assert!(pages[2..].iter().all(|page| page.reason.as_str() == "recovered"));
        let wanted: Vec<String> =
            pages[2..].iter().map(|page| format!("{} {} recovered", clock_of(page.at), page.to)).collect();
        // The last post leaves the window at 10:10; the cool-down is twenty minutes, and passage of time is judged ten
        // minutes later, when no post that is in time can come any more.
        assert!(wanted.iter().all(|line| line.as_str() > "10:3" && line.as_str() < "10:5"), "{wanted:?}");
        story.expect_pages(&wanted.iter().map(String::as_str).collect::<Vec<_>>())?;
        let transitions: Vec<Transition> = story.findings().await?.iter().map(|f| f.transition).collect();
        assert_eq!(transitions.first(), Some(&Transition::Opened));
        assert_eq!(transitions.last(), Some(&Transition::Recovered));
        story.end().await
    })
    .await;
}

fn clock_of(at: jiff::Timestamp) -> String {
    (at + SignedDuration::from_hours(8)).to_zoned(jiff::tz::TimeZone::UTC).strftime("%H:%M").to_string()
}

#[tokio::test]
async fn one_post_counts_once_and_a_retraction_takes_it_back() {
    told_on(&Way::ALL, |mut story| async move {
        story.at("10:00").await?;
        // One short of a storm, and every post again and again.
        let ids = story.angry(24, AT_ONCE).await?;
        story.again(&ids, Op::Create).await?;
        story.at("10:01").await?;
        story.again(&ids, Op::Update).await?;
        story.again(&ids, Op::Create).await?;
        story.at("10:02").await?;
        assert!(story.incidents().await?.is_empty(), "24 posts are 24, however often they come");

        // Ten go; then two more arrive: 16, not 26.
        story.again(&ids[..10], Op::Delete).await?;
        story.angry(2, AT_ONCE).await?;
        assert!(story.incidents().await?.is_empty(), "what was taken back does not count");

        // Nine more make 25 that stand.
        story.angry(9, AT_ONCE).await?;
        story.expect_pages(&["10:02 lin first"])?;
        let opened = story.findings().await?[0].clone();
        assert_eq!(count(&opened, "storm"), Some(25.0), "{:?}", opened.reasons);
        let gone = |id: &String| ids[..10].contains(id);
        assert!(!opened.evidence.iter().any(|post| gone(&post.id)), "retracted posts are no evidence");
        story.end().await
    })
    .await;
}

#[tokio::test]
async fn redis_dies_in_the_middle_and_nothing_is_lost() {
    told_on(&Way::KILLABLE, |mut story| async move {
        story.at("10:00").await?;
        story.angry(20, AT_ONCE).await?;
        story.expect_pages(&[])?;
        story.redis_dies_while(Mood::Angry, 20).await?;
        story.expect_pages(&["10:00 lin first"])?;
        let first = only_incident(&story).await?;
        story.at("10:03").await?;
        story.redis_dies_while(Mood::Elsewhere, 3).await?;
        story.at("10:06").await?;
        story.expect_pages(&["10:05 mei escalated"])?;
        story.acknowledge("mei").await?;
        story.at("10:20").await?;
        assert_eq!(only_incident(&story).await?.id, first.id);
        let verdicts = story.flow().mention_verdicts();
        assert_eq!((verdicts.emitted, verdicts.total()), (40, 43));
        assert_eq!(story.flow().hit_verdicts().emitted, 40);
        story.end().await
    })
    .await;
}

/// Findings and incident ids of one fixed story.
async fn retold(way: Way) -> anyhow::Result<Option<(Vec<Finding>, Vec<String>, Vec<String>)>> {
    let pager = Pager::default();
    let mut channels = tocsin_escalate::channel::Registry::default();
    channels.insert("pager", std::sync::Arc::new(pager.clone()));
    let mut story = match Story::with(way, 1, pager, channels).await? {
        Ok(story) => story,
        Err(skip) => {
            skip.announce(part(way));
            return Ok(None);
        }
    };
    story.at("10:00").await?;
    story.happy(10, minutes(5)).await?;
    story.complaints(20, minutes(2)).await?;
    story.angry(40, minutes(3)).await?;
    story.at("12:00").await?;
    let findings = story.findings().await?.to_vec();
    let incidents = story.incidents().await?.into_iter().map(|incident| incident.id).collect();
    let pages = story.pages().into_iter().map(|page| page.id).collect();
    Ok(Some((findings, incidents, pages)))
}

#[tokio::test]
async fn the_same_story_is_the_same_on_every_way() {
    let mut first = None;
    for way in [Way::Embedded, Way::Embedded, Way::Redis, Way::Real] {
        let Some(told) = retold(way).await.unwrap_or_else(|fault| panic!("{way}: {fault:?}")) else {
            continue;
        };
        assert!(told.0.len() >= 3, "{way}: opened, raised, recovered at least: {:?}", told.0);
        assert_eq!(told.1.len(), 1, "{way}");
        let first = first.get_or_insert_with(|| told.clone());
        assert_eq!(first.0, told.0, "{way}: findings");
        assert_eq!(first.1, told.1, "{way}: incidents");
        assert_eq!(first.2, told.2, "{way}: pages");
    }
}
