//! What the courier does with refusals, limits, silence and what is no longer wanted.

use tocsin_bus::Clock;
use tocsin_rules::{Level, Transition};

use super::*;
use crate::{
    command::Command,
    fixtures::{House, Pager, at, finding, person_acting, rulebook},
    store::embedded::Embedded,
};

async fn house(pager: Arc<Pager>, mail: Arc<Pager>) -> (House, String) {
    let store = Arc::new(Embedded::in_memory(at("08:00")).unwrap());
    let house = House::over(store, rulebook(), pager, mail);
    house.clock.advance_to(at("10:00"));
    house.desk.finding(&finding("f1", Transition::Opened, Level::Medium, at("10:00"))).await.unwrap();
    let id = crate::incident::Incident::id_for("m0", "e1");
    (house, id)
}

#[tokio::test]
async fn after_two_failures_the_next_contact_is_tried_and_both_are_on_record() {
    let down = Pager::answering(|_| Delivery::Retry { after: None });
    let (house, id) = house(down, Pager::accepting()).await;
    house.until("10:01").await;
    assert_eq!(house.pager.take().len(), 2);
    assert_eq!(house.mail.take(), ["a first mail"]);
    let records = house.desk.pages(&id).await.unwrap();
    let words: Vec<&str> = records[0].attempts.iter().map(|attempt| attempt.delivery.as_str()).collect();
    assert_eq!((records[0].status, words), (PageStatus::Delivered, vec!["retry", "retry", "delivered"]));
    assert_eq!(house.desk.timeline(&id).await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_broken_channel_is_left_at_once_and_a_page_nobody_takes_is_dead() {
    let broken = || Pager::answering(|_| Delivery::PermanentConfig { detail: "bad key".to_owned() });
    let (house, id) = house(broken(), broken()).await;
    house.until("10:01").await;
    let about_it =
        |pager: &Pager| pager.sent.lock().unwrap().iter().filter(|page| page.incident == id).count();
    assert_eq!((about_it(&house.pager), about_it(&house.mail)), (1, 1));
    let records = house.desk.pages(&id).await.unwrap();
    assert_eq!((records[0].status, records[0].why.as_deref()), (PageStatus::Dead, Some("bad key")));
    // That both channels are broken is told to nobody either: there is no third.
    assert_eq!(house.desk.store().counts(at("10:01")).await.unwrap().dead, 3);
}

#[tokio::test]
async fn a_short_limit_is_waited_for_and_a_long_one_gone_round() {
    let limited = |until: &'static str| {
        Pager::answering(move |page| {
            if page.at == at("10:00") {
                Delivery::RateLimited { until: at(until) }
            } else {
                Delivery::Unknown
            }
        })
    };
    let (short, _) = house(limited("10:00:30"), Pager::accepting()).await;
    short.until("10:00:29").await;
    assert_eq!((short.pager.take().len(), short.mail.take().len()), (1, 0));
    short.until("10:00:30").await;
    assert_eq!(short.pager.take().len(), 1);
    let (long, _) = house(limited("10:10"), Pager::accepting()).await;
    long.until("10:00:01").await;
    assert_eq!((long.pager.take().len(), long.mail.take()), (1, vec!["a first mail".to_owned()]));
}

#[tokio::test]
async fn what_was_acknowledged_meanwhile_is_dropped_and_says_so() {
    let (house, id) = house(Pager::accepting(), Pager::accepting()).await;
    let by = person_acting("b");
    house.desk.command(&id, &Command::Acknowledge, &by, "op", None).await.unwrap();
    house.until("10:30").await;
    assert!(house.pager.take().is_empty());
    let records = house.desk.pages(&id).await.unwrap();
    assert_eq!(
        (records[0].status, records[0].why.as_deref()),
        (PageStatus::Obsolete, Some("acknowledged by b"))
    );
    // Asked for by hand after the acknowledgement, one page goes out and no timer follows.
    house.desk.command(&id, &Command::Escalate, &by, "op-2", None).await.unwrap();
    house.until("10:59").await;
    assert_eq!(house.pager.take(), ["b escalated pager"]);
}

#[tokio::test]
async fn a_channel_that_hangs_delays_no_other() {
    let store = Arc::new(Embedded::in_memory(at("08:00")).unwrap());
    let mut book = rulebook();
    // b is reached by mail only; a by the pager that hangs.
    book.teams[0].people[1].contacts.remove(0);
    let house = House::over(store, book, Pager::hanging(), Pager::accepting());
    house.clock.advance_to(at("10:00"));
    for number in 0..32 {
        let mut opened = finding(&format!("f{number}"), Transition::Opened, Level::High, at("10:00"));
        opened.monitor = format!("m{number}");
        house.desk.finding(&opened).await.unwrap();
    }
    house.clock.advance_to(at("10:05"));
    house.desk.fire_timers(at("10:05")).await.unwrap();
    let shutdown = CancellationToken::new();
    let mut running = JoinSet::new();
    running.spawn(Arc::clone(&house.courier).run(shutdown.clone()));
    // The clock stands still: nothing here can have waited for the hanging channel's time to run out.
    let all_mailed = async {
        while house.mail.sent.lock().unwrap().len() < 32 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all_mailed).await.unwrap();
    assert!(house.pager.sent.lock().unwrap().len() <= 16, "a channel has so many hands and no more");
    assert!(house.mail.take().iter().all(|page| page == "b escalated mail"));
    shutdown.cancel();
    tokio::task::yield_now().await;
    while running.try_join_next().is_none() {
        house.clock.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    assert!(house.clock.now() > at("10:05"));
}
