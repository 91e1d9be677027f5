//! Choice, deadline and order with a scripted second model; with the feature `bert`, the same through real libtorch.

use std::sync::Mutex;

use proptest::prelude::*;
use tocsin_bus::ManualClock;
use tocsin_rules::{Author, Label};

use super::*;
use crate::{fixtures::mention, linear::Probabilities};

/// Answers by script, one entry a text asked; `Ok` carries the probability of negative.
#[derive(Debug, Default)]
pub(crate) struct Scripted {
    script: Mutex<Vec<Result<f32, Refusal>>>,
    /// Asked, with the deadline given.
    heard: Mutex<Vec<(String, Duration)>>,
    /// Room in the queue; a text leaves it when its answer is awaited.
    room: Option<usize>,
    waiting: Arc<std::sync::atomic::AtomicUsize>,
}

impl Scripted {
    pub(crate) fn of(script: impl IntoIterator<Item = Result<f32, Refusal>>) -> Arc<Self> {
        let mut script: Vec<_> = script.into_iter().collect();
        script.reverse();
        Arc::new(Self { script: Mutex::new(script), ..Self::default() })
    }

    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("whole").iter().map(|(text, _)| text.clone()).collect()
    }
}

fn mood(negative: f32) -> Sentiment {
    Probabilities { negative, neutral: 1.0 - negative, positive: 0.0 }.sentiment("bert")
}

impl Second for Scripted {
    fn ask(&self, text: String, deadline: Duration) -> Result<Answer, Refusal> {
        use std::sync::atomic::Ordering::SeqCst;
        if self.room.is_some_and(|room| self.waiting.load(SeqCst) >= room) {
            return Err(Refusal::Full);
        }
        self.heard.lock().expect("whole").push((text, deadline));
        let said = self.script.lock().expect("whole").pop().unwrap_or(Ok(0.9));
        if let Err(refusal @ (Refusal::Full | Refusal::Stopped)) = said {
            return Err(refusal);
        }
        self.waiting.fetch_add(1, SeqCst);
        let waiting = self.waiting.clone();
        Ok(Box::pin(async move {
            waiting.fetch_sub(1, SeqCst);
            said.map(mood)
        }))
    }
}

fn clock() -> ManualClock {
    ManualClock::at("2026-09-10T02:00:00Z".parse().expect("a time"))
}

fn cascade(second: Arc<dyn Second>, pace: Option<Pace>) -> Cascade {
    Cascade::of(
        second,
        false,
        &Settings { limit: 0.7, weight: 1.0, followers: 1_000, ..Settings::default() },
        pace,
    )
}

fn wanted(at: usize, followers: u64, confidence: f32) -> Wanted {
    let rest = (1.0 - confidence) / 2.0;
    let linear = Probabilities { negative: confidence, neutral: rest, positive: rest };
    Wanted { at, text: format!("text {at}"), followers, linear }
}

fn pace() -> Pace {
    Pace::new(Duration::from_millis(500), 1_000)
}

#[test]
fn the_uncertain_and_the_far_reaching_are_wanted() {
    let followed = |followers: Option<u64>| {
        let mut m = mention("weibo:1", "艾克美//@别人:骂人的话");
        m.author = followers.map(|f| Author { followers: Some(f), ..Author::default() });
        m
    };
    let cascade = cascade(Scripted::of([]), None);
    let of = |p: f32, followers| cascade.wants(3, &followed(followers), &mood(p)).map(|w| (w.at, w.text));
    let yes = Some((3, "艾克美".to_owned()));
    assert_eq!(of(0.9, None), None);
    assert_eq!(of(0.31, Some(999)), yes, "the larger of .31 and .69 is below .7");
    assert_eq!(of(0.7, Some(999)), None, "at the limit is certain");
    assert_eq!(of(0.9, Some(1_000)), yes);
    assert_eq!(Cascade::linear().wants(0, &followed(Some(5_000)), &mood(0.4)), None);
    let always = Cascade::of(Scripted::of([]), true, &Settings::default(), None);
    assert!(always.wants(0, &followed(None), &mood(0.99)).is_some());
    assert_eq!(
        [Cascade::linear().model(), cascade.model(), always.model()],
        [Model::Linear, Model::Cascade, Model::Bert]
    );
}

#[test]
fn a_title_is_read_and_what_others_wrote_is_not() {
    let mut m = mention("weibo:1", "//@别人:转发的话");
    assert_eq!(own_words(&m), "//@别人:转发的话", "nothing of its own: better that than nothing");
    m.title = Some("标题".into());
    m.text = "正文//@别人:话".into();
    assert_eq!(own_words(&m), "标题\n正文");
}

#[tokio::test]
async fn both_models_have_their_part_in_an_answer() {
    for pace in [None, Some(pace())] {
        let settings = Settings { limit: 0.7, weight: 0.5, ..Settings::default() };
        // neutral .5 of linear, negative .9 of the second: √(.25 · .9) against √(.5 · .1), and nothing for positive
        let mut cascade = Cascade::of(Scripted::of([Ok(0.9)]), false, &settings, pace);
        let linear = Probabilities { negative: 0.25, neutral: 0.5, positive: 0.25 };
        let asked = Wanted { at: 0, text: "text".into(), followers: 0, linear };
        let settled = cascade.settle(vec![asked], 1, Duration::ZERO, &clock()).await;
        let answer = settled[0].1.as_ref().expect("an answer");
        let (n, z) = (0.225_f32.sqrt(), 0.05_f32.sqrt());
        assert_eq!((&*answer.model, answer.label, answer.p_positive), (NAME, Label::Negative, 0.0));
        assert!((answer.p_negative - n / (n + z)).abs() < 1e-6, "{answer:?}");
    }
}

proptest! {
    /// Two models joined are a distribution, whatever they say; at weight 1 the second's own.
    #[test]
    fn joined_models_are_a_distribution(scores in prop::array::uniform4(-40.0_f32..40.0), weight in 0.01_f32..=1.0) {
        let [a, b, c, d] = scores;
        let (linear, second) = (Probabilities::of_scores(a, b), Probabilities::of_scores(c, d));
        let joined = linear.joined(&second, weight);
        let sum = joined.negative + joined.neutral + joined.positive;
        prop_assert!((sum - 1.0).abs() < 1e-4, "{joined:?}");
        prop_assert!(joined.negative >= 0.0 && joined.neutral >= 0.0 && joined.positive >= 0.0);
        let alone = linear.joined(&second, 1.0);
        prop_assert!((alone.negative - second.negative).abs() < 1e-4, "{alone:?} {second:?}");
    }
}

#[tokio::test]
async fn every_refusal_leaves_linears_answer_and_says_why() {
    let script = [
        Ok(0.8),
        Err(Refusal::Full),
        Err(Refusal::Late),
        Err(Refusal::Failed),
        Err(Refusal::Stopped),
        Ok(0.2),
    ];
    let second = Scripted::of(script);
    let mut cascade = cascade(second.clone(), Some(pace()));
    let all = (0..6).map(|at| wanted(at, 0, 0.5)).collect();
    let mut settled = cascade.settle(all, 6, Duration::ZERO, &clock()).await;
    settled.sort_by_key(|(at, _)| *at);
    let said: Vec<_> = settled.into_iter().map(|(at, answer)| (at, answer.map(|s| s.label))).collect();
    let expected = [
        Ok(Label::Negative),
        Err(Refusal::Full),
        Err(Refusal::Late),
        Err(Refusal::Failed),
        Err(Refusal::Stopped),
        Ok(Label::Neutral),
    ];
    assert_eq!(said, expected.into_iter().enumerate().collect::<Vec<_>>());
    let heard = second.heard.lock().expect("whole");
    assert!(
        heard.iter().all(|(_, deadline)| *deadline == Duration::from_millis(500)),
        "one deadline: {heard:?}"
    );
}

#[tokio::test]
async fn beyond_what_is_served_the_far_reaching_and_least_certain_are_asked_first() {
    let second = Scripted::of([]);
    let mut cascade = cascade(second.clone(), Some(pace()));
    let mut all: Vec<_> = (0_u8..20).map(|at| wanted(at.into(), 0, 0.4 + f32::from(at % 7) / 50.0)).collect();
    all[13].followers = 5_000;
    all[4].followers = 90_000;
    all[9].followers = 999;
    let settled = cascade.settle(all, 20, Duration::ZERO, &clock()).await;
    let busy = settled.iter().filter(|(_, answer)| *answer == Err(Refusal::Busy)).count();
    assert_eq!((settled.len(), busy), (20, 12), "eight at first");
    assert_eq!(second.heard(), [4, 13, 0, 7, 14, 1, 8, 15].map(|at| format!("text {at}")));
}

#[tokio::test]
async fn a_lagging_stream_does_not_wait() {
    let second = Scripted::of([]);
    let mut cascade = cascade(second.clone(), Some(Pace::new(Duration::from_millis(500), 10)));
    let all = || (0..10).map(|at| wanted(at, 0, 0.5)).collect::<Vec<_>>();
    let settled = cascade.settle(all(), 10, Duration::ZERO, &clock()).await;
    assert!(settled.iter().all(|(_, answer)| *answer == Err(Refusal::Busy)) && second.heard().is_empty());
    assert_eq!(
        cascade.settle(all(), 9, Duration::ZERO, &clock()).await.iter().filter(|(_, a)| a.is_ok()).count(),
        8
    );
}

#[tokio::test]
async fn without_a_pace_a_full_queue_is_waited_out() {
    let second = Arc::new(Scripted { room: Some(3), ..Scripted::default() });
    let mut cascade = cascade(second.clone(), None);
    let settled =
        cascade.settle((0..10).map(|at| wanted(at, 0, 0.5)).collect(), 10, Duration::ZERO, &clock()).await;
    assert!(settled.iter().all(|(_, answer)| answer.is_ok()), "{settled:?}");
    assert_eq!(settled.iter().map(|(at, _)| *at).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
    assert_eq!(second.heard(), (0..10).map(|at| format!("text {at}")).collect::<Vec<_>>());

    let shut = Arc::new(Scripted { room: Some(0), ..Scripted::default() });
    let settled =
        self::cascade(shut, None).settle(vec![wanted(0, 0, 0.5)], 1, Duration::ZERO, &clock()).await;
    assert_eq!(settled, [(0, Err(Refusal::Full))], "nothing of ours would make room");
}

proptest! {
    /// Whatever the second model does, every text wanted is settled exactly once.
    #[test]
    fn everything_wanted_is_settled_once(
        script in prop::collection::vec(prop_oneof![
            Just(Ok(0.9)), Just(Err(Refusal::Full)), Just(Err(Refusal::Late)), Just(Err(Refusal::Stopped))
        ], 0..40),
        count in 0_usize..40,
        messages in 0_usize..2_000,
        paced in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mut cascade = cascade(Scripted::of(script), paced.then(pace));
        let all = (0..count).map(|at| wanted(at, at as u64 * 100, 0.5)).collect();
        let settled = runtime.block_on(cascade.settle(all, messages, Duration::ZERO, &clock()));
        let mut places: Vec<_> = settled.iter().map(|(at, _)| *at).collect();
        places.sort_unstable();
        prop_assert_eq!(places, (0..count).collect::<Vec<_>>());
    }
}

#[cfg(feature = "bert")]
mod real {
    use super::*;
    use crate::bert::{
        Architecture,
        tiny::{Tiny, Vocabulary},
    };

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let tiny = Tiny {
            architecture: Architecture::Bert,
            vocabulary: Vocabulary::WordPiece,
            classes: &["negative", "neutral", "positive"],
            seed: 7,
        };
        tiny.write(folder.path()).expect("written");
        folder
    }

    fn settings(model: &std::path::Path) -> Settings {
        let bert = BertSettings { model: model.to_owned(), queue: Some(4), ..BertSettings::default() };
        Settings { limit: 1.0, bert: Some(bert), ..Settings::default() }
    }

    #[tokio::test]
    async fn a_real_model_answers_in_order_through_a_short_queue_and_always_the_same() {
        let folder = folder();
        let texts =
            ["good phone", "这家酒店太差了", "bad", "服务很好", "refund!", "", "love", "☔", "hate", "手机"];
        let all = || {
            let wanted = |(at, text): (usize, &&str)| Wanted {
                at,
                text: (*text).to_owned(),
                followers: 0,
                linear: Probabilities { negative: 0.4, neutral: 0.3, positive: 0.3 },
            };
            texts.iter().enumerate().map(wanted).collect::<Vec<_>>()
        };
        let mut cascade = Cascade::open(&settings(folder.path()), Patience::Unlimited).expect("opens");
        assert_eq!(cascade.model(), Model::Cascade);
        let first = cascade.settle(all(), 10, Duration::ZERO, &clock()).await;
        assert_eq!(first.len(), texts.len());
        let labels = |settled: &[(usize, Result<Sentiment, Refusal>)]| {
            settled.iter().map(|(at, s)| (*at, s.as_ref().expect("an answer").label)).collect::<Vec<_>>()
        };
        assert!(first.iter().all(|(_, s)| s.as_ref().is_ok_and(|s| s.model == NAME)), "{first:?}");
        assert_eq!(labels(&first), labels(&cascade.settle(all(), 10, Duration::ZERO, &clock()).await));
    }

    #[test]
    fn a_missing_or_broken_folder_is_an_error_with_file_and_fix() {
        let missing = Cascade::open(&settings(std::path::Path::new("no/such/folder")), Patience::Unlimited);
        let said = missing.expect_err("missing").to_string();
        assert!(
            said.contains("score.sentiment.bert: ") && said.contains("there is no such folder"),
            "{said}"
        );
        let folder = folder();
        std::fs::write(folder.path().join("model.safetensors"), b"cut").expect("written");
        let said =
            Cascade::open(&settings(folder.path()), Patience::Unlimited).expect_err("broken").to_string();
        assert!(said.contains("model.safetensors"), "{said}");
    }
}
