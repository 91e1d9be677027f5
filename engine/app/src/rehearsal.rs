//! `tocsin drill PLAN`: a scripted crisis through the real plan, the real desk and the real courier, on a store of its
//! own, with players who take a set part of each deadline. Every page is marked as a drill. Refuses real channels unless
//! asked, and then any speed but life's: a provider's limits count in its own minutes.

mod players;
mod report;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tocsin_bus::{Clock, ManualClock, SystemClock};
use tocsin_escalate::{
    Courier, Desk, Embedded, Incident, Page, Taken,
    channel::{Local, Registry, local},
    render::{self, Renderer},
};
use tocsin_rules::{
    Finding, Impact, Kind, Level, Likelihood, Metrics, Monitor, Op, Plan, Platform, Reason, Rulebook,
    Subject, Transition, Verified, Wording,
};

use crate::{
    cli::{self, Speed},
    config::{Config, Invalid},
    parts, rules,
};
use players::Players;

/// Start of a drill at full speed: a weekday morning in Asia, so that the output is the same each time.
const STORY_START: &str = "2026-09-10T01:00:00Z";
/// Looks in a row at which no player did anything, after which the drill ends.
const STANDSTILL: u32 = 1_000;
/// Longest a drill at the speed of life waits before it looks at its clock again.
const BEAT: Duration = Duration::from_millis(500);

/// Plays a plan and prints how it went.
pub async fn run(options: cli::Drill) -> anyhow::Result<()> {
    let config = options.config.as_deref().map(Config::load).transpose()?;
    let files = match (&options.rulebook, &config) {
        (files, _) if !files.is_empty() => files.clone(),
        (_, Some(config)) => config.rulebook.files.clone(),
        (_, None) => Vec::new(),
    };
    let rulebook = Arc::new(rules::load_files(&files)?);
    let speed = if options.real_channels { Speed::Times(1.0) } else { options.speed };
    let (wall, start) = match speed {
        Speed::Max => (None, STORY_START.parse()?),
        Speed::Times(times) => {
            let wall = SystemClock::new();
            let start = wall.now();
            (Some((wall, times)), start)
        }
    };
    let real = config.as_ref().filter(|_| options.real_channels);
    let mut stage = Stage::set(rulebook, start, wall, real)?;
    let told = stage.play(&options).await?;
    if options.json { told.print_json() } else { told.print() }
}

/// Where a drill is played.
struct Stage {
    rulebook: Arc<Rulebook>,
    clock: ManualClock,
    /// The wall clock and how many times faster the drill goes; none at full speed.
    wall: Option<(SystemClock, f64)>,
    start: Timestamp,
    desk: Desk,
    courier: Courier,
    paged: Arc<Mutex<Vec<Page>>>,
}

impl Stage {
    fn set(
        rulebook: Arc<Rulebook>,
        start: Timestamp,
        wall: Option<(SystemClock, f64)>,
        real: Option<&Config>,
    ) -> anyhow::Result<Self> {
        let clock = ManualClock::at(start);
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let store = Arc::new(Embedded::in_memory(start)?);
        let desk = Desk::new(store, Arc::new(ArcSwap::from(rulebook.clone())), shared.clone());
        let paged: Arc<Mutex<Vec<Page>>> = Arc::default();
        let channels = match real {
            Some(config) => {
                rules::check_reachable(&rulebook, &config.channels)?;
                // No signer: a link out of a drill would lead to an incident nobody else can see.
                parts::channels(config, &parts::renderer(config, &rulebook.time_zone, None)?, &shared)?
            }
            None => {
                let settings =
                    render::Config { time_zone: rulebook.time_zone.clone(), ..render::Config::default() };
                let kept = paged.clone();
                let renderer = Arc::new(Renderer::new(&settings, None)?);
                let pager = Local::new(&local::Config::default(), renderer);
                let pager = Arc::new(pager.with_callback(Arc::new(move |shown| {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push(shown.page.clone());
                })));
                let mut registry = Registry::default();
                for channel in crate::drill::channels_of(&rulebook) {
                    registry.insert_local(&channel, pager.clone());
                }
                registry
            }
        };
        let courier = Courier::new(desk.clone(), channels, "drill");
        Ok(Self { rulebook, clock, wall, start, desk, courier, paged })
    }

    async fn play(&mut self, options: &cli::Drill) -> anyhow::Result<report::Told> {
        let plan = plan_of(&self.rulebook, &options.plan)?.clone();
        let monitor = monitor_of(&self.rulebook, &plan, options.monitor.as_deref())?.clone();
        let finding = finding(&plan, &monitor, self.start);
        let Taken::Applied(opened) = self.desk.finding(&finding).await? else {
            anyhow::bail!("the crisis opened no incident: is `{}` owned by a team?", monitor.id)
        };
        if opened.plan.id != plan.id {
            let detail = format!(
                "a crisis of this level and category follows plan `{}`, never `{}`",
                opened.plan.id, plan.id
            );
            return Err(Invalid(vec![detail]).into());
        }
        tracing::info!(plan = plan.id, monitor = monitor.id, "the drill begins");
        let mut players = Players::cast(&self.rulebook, &opened, options.pace, options.unanswered);
        self.settle().await?;
        let mut idle = 0;
        loop {
            let incident = self.incident(&opened.id).await?;
            let now = self.clock.now();
            let due = self.desk.next_due().await?;
            let Some(act) = players.next(&incident, now) else { break };
            let at = due.map_or(act, |due| due.min(act)).max(now);
            if !self.wait_until(at).await? {
                players.problems.push("the drill was broken off".to_owned());
                break;
            }
            self.settle().await?;
            let incident = self.incident(&opened.id).await?;
            let given = players.given();
            players.act(&self.desk, &incident, self.clock.now()).await?;
            self.settle().await?;
            idle = if players.given() == given { idle + 1 } else { 0 };
            if idle > STANDSTILL {
                players.problems.push("the drill came to a standstill".to_owned());
                break;
            }
        }
        let incident = self.incident(&opened.id).await?;
        let pages = self.desk.pages(&opened.id).await?;
        let problems = players.problems;
        Ok(report::Told::of(incident, pages, problems, &self.rulebook, self.clock.now(), options.pace))
    }

    async fn incident(&self, id: &str) -> anyhow::Result<Incident> {
        Ok(self.desk.show(id).await?)
    }

    /// Moves the clock, at once or with the wall's; false when somebody wants to stop.
    async fn wait_until(&self, at: Timestamp) -> anyhow::Result<bool> {
        if let Some((wall, times)) = &self.wall {
            loop {
                let left = at.duration_since(self.told(wall, *times)?);
                let Ok(left) = Duration::try_from(left) else { break };
                if left.is_zero() {
                    break;
                }
                tokio::select! {
                    () = wall.sleep(left.div_f64(*times).min(BEAT)) => {}
                    _ = tokio::signal::ctrl_c() => return Ok(false),
                }
                // What leaves by itself (a provider's limit has passed) does not wait for the next act.
                self.clock.advance_to(self.told(wall, *times)?.min(at));
                self.settle().await?;
            }
        }
        // Something due that does not go away must not hold the drill.
        let now = self.clock.now();
        let next = if at > now { at } else { now.saturating_add(jiff::SignedDuration::from_millis(1))? };
        self.clock.advance_to(next);
        Ok(true)
    }

    /// The drill's time by the wall clock.
    fn told(&self, wall: &SystemClock, times: f64) -> anyhow::Result<Timestamp> {
        Ok(self.start.saturating_add(wall.elapsed().mul_f64(times))?)
    }

    /// Everything due now happens, pages leave.
    async fn settle(&self) -> anyhow::Result<()> {
        let now = self.clock.now();
        while self.desk.fire_timers(now).await? + self.courier.deliver_due(now).await? > 0 {}
        for page in std::mem::take(&mut *self.paged.lock().unwrap_or_else(PoisonError::into_inner)) {
            tracing::info!(at = %page.at, to = page.to, reason = page.reason.as_str(), "[DRILL] paged");
        }
        Ok(())
    }
}

fn plan_of<'r>(rulebook: &'r Rulebook, id: &str) -> Result<&'r Plan, Invalid> {
    rulebook.plans.iter().find(|plan| plan.id == id).ok_or_else(|| {
        let known: Vec<_> = rulebook.plans.iter().map(|plan| plan.id.as_str()).collect();
        Invalid(vec![format!("no plan `{id}` in the rulebook; there are {}", known.join(", "))])
    })
}

fn monitor_of<'r>(rulebook: &'r Rulebook, plan: &Plan, id: Option<&str>) -> Result<&'r Monitor, Invalid> {
    let found = match id {
        Some(id) => rulebook.monitor(id),
        None => rulebook.monitors.iter().find(|monitor| monitor.ceiling >= plan.level),
    };
    found.ok_or_else(|| match id {
        Some(id) => Invalid(vec![format!("no monitor `{id}` in the rulebook")]),
        None => Invalid(vec![format!("no monitor may reach the level of plan `{}`", plan.id)]),
    })
}

/// The script: what detection would have said.
fn finding(plan: &Plan, monitor: &Monitor, at: Timestamp) -> Finding {
    let reason = |id: &str, zh: &str, en: &str, value, limit, window_seconds| Reason {
        threshold: id.to_owned(),
        wording: Wording { zh: zh.to_owned(), en: en.to_owned() },
        value,
        limit,
        window_seconds,
    };
    let post = |number: u8, platform: Platform, text: &str, verified: Verified| Subject {
        id: format!("{}:drill-{number}", platform.as_str()),
        platform,
        kind: Kind::Post,
        excerpt: format!("【演练 DRILL】{}：{text}", monitor.name),
        url: None,
        author: Some(tocsin_rules::Author {
            key: format!("drill{number}"),
            name: None,
            followers: Some(100_000),
            verified,
        }),
        published_at: at,
        observed_at: at,
        thread: None,
        repost_of: None,
        metrics: Metrics::default(),
        region: None,
        sample_cap: None,
        op: Op::Create,
    };
    let (impact, likelihood) = match plan.level {
        Level::None | Level::Low => (Impact::Minor, Likelihood::Possible),
        Level::Medium => (Impact::Major, Likelihood::Possible),
        Level::High => (Impact::Severe, Likelihood::Likely),
    };
    Finding {
        id: format!("drill:{}:{}", plan.id, monitor.id),
        monitor: monitor.id.clone(),
        monitor_name: monitor.name.clone(),
        at,
        episode: format!("drill:{}", plan.id),
        onset: at,
        transition: Transition::Opened,
        level: plan.level,
        impact,
        likelihood,
        reasons: vec![
            reason("drill", "负面提及（演练）", "Negative mentions (drill)", 86.0, 40.0, 3_600),
            reason("drill", "单条转发（演练）", "Reposts of one post (drill)", 12_000.0, 10_000.0, 0),
        ],
        categories: plan.categories.first().map(|id| vec![(id.clone(), 31)]).unwrap_or_default(),
        evidence: vec![
            post(1, Platform::Weibo, "多名消费者反映出现问题，客服没有回应。", Verified::Person),
            post(2, Platform::News, "记者致电企业，尚未获得回应。", Verified::Media),
        ],
        sampled: false,
        tipped_observed_at: None,
        tipped_published_at: None,
        drill: Some(plan.id.clone()),
    }
}

#[cfg(test)]
mod tests;
