//! Whatever the number of workers, however often they are killed and whatever comes twice: the same findings, byte for
//! byte. Hits shuffled on their way as well, when they are held back for as long as they may be late.

use proptest::prelude::*;
use tocsin_bus::{Driver as _, Loop, LoopSettings, ManualClock, memory, publish as send};

use super::*;

const PARTITIONS: i32 = 5;
const MONITORS: u32 = 4;
/// As `detection()` allows.
const LATENESS: i64 = 600;

/// A hit and when it reaches the stream.
type Arrival = (i64, Hit);

/// How one run is disturbed.
#[derive(Debug, Clone, Default)]
struct Course {
    workers: usize,
    hold: i64,
    /// After so many arrivals this worker is killed and another one takes its place.
    kills: Vec<(usize, usize)>,
    /// How many steps each worker takes after an arrival, in turn.
    steps: Vec<usize>,
    checkpoint_messages: usize,
}

struct World {
    bus: memory::Bus,
    clock: ManualClock,
    store: MemoryCheckpoints,
    course: Course,
}

impl World {
    fn worker(&self) -> Loop<DetectStage<MemoryCheckpoints>> {
        let monitors = (0..MONITORS).map(|n| monitor(&format!("m{n}"), Level::High)).collect();
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let stage =
            DetectStage::new(rulebook_of(detection(), monitors), self.store.clone(), Arc::clone(&clock))
                .with_hold(SignedDuration::from_secs(self.course.hold));
        let settings = LoopSettings {
            tick_ms: 1,
            checkpoint_ms: u64::MAX >> 1,
            checkpoint_messages: self.course.checkpoint_messages,
            ..LoopSettings::stepped()
        };
        Loop::new(stage, &self.bus, clock, settings).unwrap()
    }
}

/// Plays the arrivals and returns the findings by id, each said once or several times alike, in order of each monitor.
async fn play(arrivals: &[Arrival], course: &Course) -> BTreeMap<String, Vec<String>> {
    let clock = ManualClock::at(time(NOON));
    let bus = memory::Bus::new(
        memory::Config { partitions: PARTITIONS, ..memory::Config::default() },
        Arc::new(clock.clone()),
    );
    let world = World { bus, clock, store: MemoryCheckpoints::default(), course: course.clone() };
    let mut workers: Vec<_> = (0..course.workers).map(|_| world.worker()).collect();
    let mut steps = course.steps.iter().cycle();
    for (index, (at, hit)) in arrivals.iter().enumerate() {
        world.clock.advance_to(time(*at));
        for result in send(&*world.bus.producer(), &[Record::of(hit).unwrap()]).await {
            result.unwrap();
        }
        for worker in &mut workers {
            for _ in 0..steps.next().copied().unwrap_or(1) {
                worker.step().await.unwrap();
            }
        }
        for (_, victim) in course.kills.iter().filter(|(after, _)| *after == index) {
            let victim = victim % workers.len();
            drop(workers.remove(victim));
            workers.push(world.worker());
        }
    }
    loop {
        for worker in &mut workers {
            while !worker.step().await.unwrap().idle {}
        }
        // Partitions change hands within a few steps of everybody.
        let owned: usize = workers.iter().map(|w| w.stage().partitions.len()).sum();
        if owned < usize::try_from(PARTITIONS).unwrap() {
            continue;
        }
        let Some(due) = workers.iter().filter_map(|w| w.stage().next_deadline()).min() else { break };
        world.clock.advance_to(due.max(world.clock.now() + SignedDuration::from_millis(1)));
    }
    let mut said: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut courses: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for message in world.bus.kept(Topic::Findings) {
        let finding: Finding = serde_json::from_slice(&message.payload).unwrap();
        match said.get(&finding.id) {
            Some(known) => assert_eq!(known, &message.payload, "one id, two statements"),
            None => {
                said.insert(finding.id, message.payload.to_vec());
                courses
                    .entry(finding.monitor)
                    .or_default()
                    .push(String::from_utf8(message.payload.to_vec()).unwrap());
            }
        }
    }
    courses
}

fn run(arrivals: &[Arrival], course: &Course) -> BTreeMap<String, Vec<String>> {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(play(arrivals, course))
}

/// Posts about some monitors over about an hour, most of them negative.
fn stream() -> impl Strategy<Value = Vec<Hit>> {
    prop::collection::vec((0_i64..40, 0..MONITORS, 0_u8..4), 40..160).prop_map(|posts| {
        let mut at = NOON;
        (0..)
            .zip(posts)
            .map(|(number, (gap, monitor, kind))| {
                at += gap;
                let mut hit = if kind == 0 { happy(number, at) } else { angry(number, at) };
                hit.monitor = format!("m{monitor}");
                hit
            })
            .collect()
    })
}

/// Every hit at its time of publication plus a delay, and some a second time later on.
fn arrivals(hits: &[Hit], delays: &[i64], again: &[(prop::sample::Index, i64)]) -> Vec<Arrival> {
    let published = |hit: &Hit| hit.subject.published_at.as_second();
    let mut all: Vec<Arrival> = hits
        .iter()
        .zip(delays.iter().cycle())
        .map(|(hit, delay)| (published(hit) + delay, hit.clone()))
        .collect();
    for (which, later) in again {
        let (at, hit) = which.get(&all[..hits.len()]).clone();
        // Within the allowed lateness too, but after the first.
        let latest = published(&hit) + LATENESS - 1;
        all.push(((at + later).min(latest).max(at), hit));
    }
    // Stable: of equal instants the first delivery stays first.
    all.sort_by_key(|(at, _)| *at);
    all
}

fn courses(hold: i64) -> impl Strategy<Value = Course> {
    let workers = prop::sample::select(vec![1_usize, 2, 5]);
    let kills = prop::collection::vec((0_usize..160, 0_usize..5), 0..6);
    let steps = prop::collection::vec(0_usize..4, 1..9);
    (workers, kills, steps, 1_usize..30).prop_map(move |(workers, kills, steps, checkpoint_messages)| {
        Course { workers, hold, kills, steps, checkpoint_messages }
    })
}

fn undisturbed(hold: i64) -> Course {
    Course { workers: 1, hold, steps: vec![2], checkpoint_messages: 1, ..Course::default() }
}

fn settings() -> ProptestConfig {
    ProptestConfig { cases: 48, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(settings())]

    /// One stream, judged as it comes.
    #[test]
    fn workers_kills_and_repeats_change_no_byte(
        hits in stream(),
        delays in prop::collection::vec(0..LATENESS, 1..40),
        again in prop::collection::vec((any::<prop::sample::Index>(), 0..LATENESS), 0..20),
        course in courses(0),
    ) {
        let calm = run(&arrivals(&hits, &delays, &[]), &undisturbed(0));
        let disturbed = run(&arrivals(&hits, &delays, &again), &course);
        prop_assert_eq!(calm, disturbed);
    }

    /// Two streams of the same hits in another order, held back for the allowed lateness.
    #[test]
    fn held_back_the_order_of_arrival_changes_no_byte_either(
        hits in stream(),
        delays in prop::collection::vec(0..LATENESS, 1..40),
        again in prop::collection::vec((any::<prop::sample::Index>(), 0..LATENESS), 0..20),
        course in courses(LATENESS),
    ) {
        let straight = run(&arrivals(&hits, &[0], &[]), &undisturbed(LATENESS));
        let shuffled = run(&arrivals(&hits, &delays, &again), &course);
        prop_assert_eq!(straight, shuffled);
    }
}

#[test]
fn the_streams_of_these_tests_ring() {
    let hits: Vec<Hit> = (0..60)
        .map(|n| Hit { monitor: format!("m{}", n % MONITORS), ..angry(n, NOON + i64::from(n) * 20) })
        .collect();
    let calm = run(&arrivals(&hits, &[0], &[]), &undisturbed(0));
    let held = run(&arrivals(&hits, &[0], &[]), &undisturbed(LATENESS));
    assert_eq!(calm.len(), usize::try_from(MONITORS).unwrap());
    assert!(calm.values().all(|course| course.len() >= 4), "up and down again: {calm:#?}");
    assert_eq!(
        calm, held,
        "in order of publication, holding back changes nothing but the instant of the alarm"
    );
}

#[test]
fn judged_as_it_comes_another_order_may_say_something_else() {
    let post = |n, at| Hit { monitor: "m0".into(), ..angry(n, NOON + at) };
    let hits = [post(0, 50), post(1, 60), post(2, 540), Hit { monitor: "m0".into(), ..happy(3, NOON + 620) }];
    let (straight, shuffled) = (arrivals(&hits, &[0], &[]), arrivals(&hits, &[590, 0, 0, 0], &[]));
    assert_eq!(shuffled.last().map(|(_, hit)| hit.subject.id.as_str()), Some("weibo:0"));
    // Three in ten minutes ring; once the newest post has moved the window on, the first is in it no more.
    assert_eq!(run(&straight, &undisturbed(0)).len(), 1);
    assert_eq!(run(&shuffled, &undisturbed(0)).len(), 0);
    assert_eq!(run(&shuffled, &undisturbed(LATENESS)), run(&straight, &undisturbed(LATENESS)));
    assert_eq!(run(&straight, &undisturbed(LATENESS)), run(&straight, &undisturbed(0)));
}
