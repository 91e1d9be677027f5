//! Views of what several pages show: an incident's card, a reason with its bar, a page on the local pager.

use jiff::Timestamp;
use tocsin_escalate::{Incident, render::words};
use tocsin_rules::{Language, Level, Reason, Rulebook};

use crate::{App, gate::Identity, view};

/// One incident in a list.
pub(crate) struct Card {
    pub(crate) id: String,
    /// Also a style class.
    pub(crate) level: &'static str,
    pub(crate) level_word: &'static str,
    pub(crate) monitor: String,
    pub(crate) state: &'static str,
    pub(crate) category: Option<String>,
    pub(crate) since: String,
    pub(crate) ago: String,
    pub(crate) reason: Option<ReasonView>,
    /// Who took it.
    pub(crate) taken: Option<String>,
    /// Who is paged next, and when.
    pub(crate) next: Option<String>,
    pub(crate) may_acknowledge: bool,
    pub(crate) overdue: usize,
    pub(crate) drill: bool,
}

/// One reason with its numbers and a bar of 0 to 100.
pub(crate) struct ReasonView {
    pub(crate) name: String,
    pub(crate) window: String,
    pub(crate) value: String,
    pub(crate) sign: &'static str,
    pub(crate) limit: String,
    pub(crate) bar: u32,
    pub(crate) mark: u32,
}

/// One page on the local pager.
pub(crate) struct PagerView {
    pub(crate) level: &'static str,
    pub(crate) to: String,
    pub(crate) at: String,
    pub(crate) ago: String,
    pub(crate) reason: &'static str,
    pub(crate) subject: String,
    pub(crate) incident: String,
}

pub(crate) fn card(
    app: &App,
    rulebook: &Rulebook,
    incident: &Incident,
    identity: &Identity,
    now: Timestamp,
    language: Language,
) -> Card {
    let open = incident.is_open();
    Card {
        id: incident.id.clone(),
        level: incident.level.as_str(),
        level_word: words::level(incident.level, language),
        monitor: incident.monitor_name.clone(),
        state: words::state(incident.state, language),
        category: category(rulebook, incident, language),
        since: view::time(app, incident.onset),
        ago: view::distance(now, incident.onset, language),
        reason: incident.reasons.first().map(|r| reason(r, language)),
        taken: incident.acknowledged.as_ref().map(|a| {
            format!("{} · {}", view::actor(rulebook, &a.by, language), view::distance(now, a.at, language))
        }),
        next: open.then(|| next_page(rulebook, incident, now, language)).flatten(),
        may_acknowledge: open && incident.acknowledged.is_none() && view::may(identity, "ack"),
        overdue: incident.tasks.iter().filter(|t| !t.is_over() && t.due_at < now).count(),
        drill: incident.drill.is_some(),
    }
}

/// Name of the category, if one is known.
pub(crate) fn category(rulebook: &Rulebook, incident: &Incident, language: Language) -> Option<String> {
    let id = incident.category.as_ref()?;
    Some(rulebook.category(id).map_or_else(|| id.clone(), |c| c.name.get(language).to_owned()))
}

/// Who is paged next and when: none once somebody has taken it.
pub(crate) fn next_page(
    rulebook: &Rulebook,
    incident: &Incident,
    now: Timestamp,
    language: Language,
) -> Option<String> {
    let at = incident.next_page_at?;
    // Past the last rung the policy begins again.
    let rungs = &incident.policy.steps;
    let rung = rungs.get(incident.rung as usize).or_else(|| rungs.first())?;
    let mut people: Vec<&str> = Vec::new();
    if incident.acknowledged.is_some() {
        // Somebody has it; those are asked again who have to acknowledge too.
        let awaited = incident.follow_up.awaited.iter().filter_map(|id| rulebook.person(id));
        people.extend(awaited.map(|person| person.name.as_str()));
    }
    let targets = rung.targets.iter().filter(|_| incident.acknowledged.is_none());
    for target in targets {
        for person in target.resolve(rulebook, &incident.team, at, incident.turn()) {
            if !people.contains(&person.name.as_str()) {
                people.push(&person.name);
            }
        }
    }
    if people.is_empty() {
        return None;
    }
    let names = people.join(words::pick(language, "、", ", "));
    Some(format!("{names} · {}", view::distance(now, at, language)))
}

pub(crate) fn reason(reason: &Reason, language: Language) -> ReasonView {
    let (value, limit) = (reason.value.abs(), reason.limit.abs());
    let full = value.max(limit) * 1.1;
    let share = |part: f64| if full > 0.0 { (part / full * 100.0).clamp(0.0, 100.0) as u32 } else { 0 };
    ReasonView {
        name: reason.wording.get(language).to_owned(),
        window: words::window(reason.window_seconds, language),
        value: words::number(reason.value),
        sign: if reason.value < reason.limit { "≤" } else { "≥" },
        limit: words::number(reason.limit),
        bar: share(value),
        mark: share(limit),
    }
}

/// What the local pager shows, newest first; only `incident`'s when one is named.
pub(crate) fn pager(
    app: &App,
    incident: Option<&str>,
    now: Timestamp,
    language: Language,
) -> Option<Vec<PagerView>> {
    let local = app.local.as_ref()?;
    let shown = local.shown().into_iter().filter(|s| incident.is_none_or(|id| s.page.incident == id));
    let views = shown.take(30).map(|shown| PagerView {
        level: shown.page.level.as_str(),
        to: shown.page.to_name.clone(),
        at: view::time(app, shown.page.at),
        ago: view::distance(now, shown.page.at, language),
        reason: words::page_reason(shown.page.reason, language),
        subject: shown.rendered.short,
        incident: shown.page.incident,
    });
    Some(views.collect())
}

/// Strongest first, then newest.
pub(crate) fn by_weight(incidents: &mut [Incident]) {
    incidents.sort_by_key(|i| (std::cmp::Reverse(i.level), std::cmp::Reverse(i.opened_at)));
}

/// Open incidents of one level.
pub(crate) fn count(incidents: &[Incident], level: Level) -> usize {
    incidents.iter().filter(|i| i.level == level).count()
}
