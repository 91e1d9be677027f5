//! One suite for both stores: every case runs on the embedded store and on a real redis-server with its own data
//! folder. Where redis-server is missing, those cases say so loudly.

mod cases;
mod crash;
mod failover;
mod guarantees;
pub(crate) mod server;

use std::sync::Arc;

use super::*;
use crate::fixtures::at;

/// A server over `dir`; none where redis-server is not installed.
pub(crate) fn redis_at(dir: &std::path::Path) -> Option<server::Server> {
    server::Server::start(dir)
}

/// A store under test and the ways its time passes.
struct Subject {
    store: Arc<dyn Store>,
    /// Redis measures the lease of a page by its own clock.
    real_leases: bool,
    server: Option<server::Server>,
    dir: tempfile::TempDir,
}

/// Lease of every claim in this suite.
const LEASE: Duration = Duration::from_millis(80);

impl Subject {
    async fn embedded() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(embedded::Embedded::open(&dir.path().join("incidents"), at("08:00")).unwrap());
        Some(Self { store, real_leases: false, server: None, dir })
    }

    async fn redis() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let server = server::Server::start(dir.path())?;
        let store = Arc::new(server.connect().await);
        Some(Self { store, real_leases: true, server: Some(server), dir })
    }

    /// Another process' handle on the same data; ours is gone.
    async fn reopen(self) -> Self {
        let Self { store, real_leases, server, dir } = self;
        drop(store);
        let store: Arc<dyn Store> = match &server {
            Some(server) => Arc::new(server.connect().await),
            None => Arc::new(embedded::Embedded::open(&dir.path().join("incidents"), at("08:00")).unwrap()),
        };
        Self { store, real_leases, server, dir }
    }

    /// Lets a lease taken at `now` run out; returns the time then.
    async fn lapse(&self, now: jiff::Timestamp) -> jiff::Timestamp {
        if self.real_leases {
            tokio::time::sleep(LEASE + Duration::from_millis(40)).await;
        }
        now + LEASE + Duration::from_millis(1)
    }
}

macro_rules! conformance {
    ($($case:ident),+ $(,)?) => {
        mod on_embedded { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(subject) = super::Subject::embedded().await { super::cases::$case(subject).await; }
            }
        )+ }
        mod on_redis { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(subject) = super::Subject::redis().await { super::cases::$case(subject).await; }
            }
        )+ }
    };
}

conformance!(
    a_commit_is_read_back_whole,
    the_same_operation_is_stored_once,
    a_stale_version_changes_nothing,
    due_timers_are_leased_and_come_back,
    a_claimed_page_is_nobody_elses_until_its_lease_lapses,
    a_late_answer_counts_only_if_it_is_a_delivery,
    a_worker_takes_back_what_it_held_before_a_restart,
    held_back_pages_leave_at_their_time_and_high_ones_first,
    numbers_follow_what_happens,
    lists_are_paged_and_filtered,
    an_acknowledgement_beats_the_timers_or_comes_after_them,
    findings_and_people_meet_without_loss,
    a_provider_with_a_state_of_its_own_hears_what_people_did_even_after_a_crash,
    nobody_is_told_what_they_never_heard_of,
    workers_share_a_limit_and_urgent_ones_have_room,
    a_block_holds_for_every_worker,
    a_lane_is_kept_by_the_same_rule,
    silences_are_kept_replaced_and_forgotten,
    a_stale_command_is_refused_and_changes_nothing,
    of_two_commands_from_one_look_one_wins,
    a_crash_at_any_call_loses_nothing_and_repeats_at_most_one_page,
);

/// A thousand acknowledgements race a thousand due timers and the pages they let out, under three workers.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_acknowledgements_race_the_timers() {
    let Some(subject) = Subject::redis().await else { return };
    guarantees::a_thousand_races(subject).await;
}

/// Redis is killed between operations; what was answered is there afterwards, and the client finds its way back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_killed_between_operations_loses_nothing() {
    let Some(mut subject) = Subject::redis().await else { return };
    for round in 1..=5_u64 {
        let change = if round == 1 { cases::opening(0) } else { cases::noted(&*subject.store, 0).await };
        let op = format!("op-{round}");
        assert_eq!(subject.store.commit(&change, &op, at("10:00")).await.unwrap(), Committed::Applied);
        let server = subject.server.as_mut().unwrap();
        server.kill();
        assert!(matches!(subject.store.load(&change.incident.id).await, Err(StoreError::Away { .. })));
        server.restart();
        let incident = cases::patiently(|| subject.store.load(&change.incident.id)).await.unwrap();
        assert_eq!(incident, change.incident);
        let again = subject.store.commit(&change, &op, at("10:00")).await.unwrap();
        assert!(matches!(again, Committed::AlreadyApplied(ref known) if **known == change.incident));
    }
    let (pages, audit) = cases::records(&*subject.store, 0).await;
    assert_eq!((pages.len(), audit.len()), (1, 5));
}

/// After a failover the address leads to another server, while the old one still answers on the old connection and
/// refuses every write: the store must leave it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_became_a_replica_is_left_for_the_one_at_its_address() {
    let Some(mut subject) = Subject::redis().await else { return };
    let change = cases::opening(0);
    let folder = subject.dir.path().to_owned();
    subject.server.as_ref().unwrap().demote().await;
    assert!(matches!(subject.store.commit(&change, "op-1", at("10:00")).await, Err(StoreError::Away { .. })));
    let _successor = subject.server.as_mut().unwrap().take_over(&folder);
    let answer = cases::patiently(|| subject.store.commit(&change, "op-1", at("10:00"))).await;
    assert_eq!(answer, Committed::Applied);
}

/// A failover may lose a timer; what the incident demands is set again, and nothing else is touched.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_timers_are_mended() {
    let Some(subject) = Subject::redis().await else { return };
    for number in 0..20 {
        let change = cases::opening(number);
        subject.store.commit(&change, &format!("op-{number}"), at("10:00")).await.unwrap();
    }
    assert_eq!(subject.store.mend_timers().await.unwrap(), 0);
    let lost = cases::opening(3).incident;
    subject.server.as_ref().unwrap().forget_timer(&lost.id).await;
    assert_eq!(subject.store.mend_timers().await.unwrap(), 1);
    let due = subject.store.claim_timers(at("10:05"), 100, LEASE).await.unwrap();
    assert_eq!(due.len(), 20);
}
