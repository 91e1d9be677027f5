//! The war room's view: everything about one incident, in words. Refuses to decide; it shows what the desk says.

use jiff::Timestamp;
use tocsin_escalate::{
    AuditEntry, CommandError, Delivery, Incident, PageRecord, PageStatus, State, Task, TimelineEntry,
    render::words::{self, pick},
};
use tocsin_rules::{Language, Level, Role, Rulebook, Step, Subject};

use super::file::FileView;
use crate::{
    App,
    gate::Identity,
    pages::{
        parts::{self, Card, PagerView, ReasonView},
        silences::{self, Offer},
    },
    view,
};

/// Everything on the page.
pub(crate) struct Room {
    pub(crate) card: Card,
    pub(crate) version: u64,
    pub(crate) impact: &'static str,
    pub(crate) likelihood: &'static str,
    pub(crate) sampled: bool,
    pub(crate) reasons: Vec<ReasonView>,
    pub(crate) evidence: Vec<Quote>,
    pub(crate) plan: String,
    pub(crate) steps: Vec<StepView>,
    pub(crate) team: Vec<Seat>,
    pub(crate) people: Vec<(String, String)>,
    pub(crate) categories: Vec<(String, String)>,
    pub(crate) levels: Vec<(&'static str, &'static str)>,
    pub(crate) pages: Vec<PageView>,
    pub(crate) timeline: Vec<Moment>,
    pub(crate) notes: Vec<(String, String, String)>,
    pub(crate) review: Option<String>,
    pub(crate) pager: Option<Vec<PagerView>>,
    pub(crate) can: Can,
    pub(crate) silence: Option<Offer>,
    pub(crate) file: FileView,
}

/// Which buttons are shown.
pub(crate) struct Can {
    pub(crate) confirm: bool,
    pub(crate) respond: bool,
    pub(crate) monitor: bool,
    pub(crate) escalate: bool,
    pub(crate) release: bool,
    pub(crate) resolve: bool,
    pub(crate) dismiss: bool,
    pub(crate) note: bool,
    pub(crate) level: bool,
    pub(crate) assign: bool,
}

/// One post.
pub(crate) struct Quote {
    pub(crate) platform: &'static str,
    pub(crate) author: Option<String>,
    pub(crate) followers: String,
    pub(crate) at: String,
    pub(crate) counters: String,
    pub(crate) text: String,
    pub(crate) url: Option<String>,
}

/// One step of the plan.
pub(crate) struct StepView {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) note: Option<String>,
    pub(crate) role: &'static str,
    pub(crate) state: &'static str,
    /// Style class.
    pub(crate) class: &'static str,
    pub(crate) due: String,
    pub(crate) left: String,
    pub(crate) blocked: Option<String>,
    pub(crate) template: Option<(String, String)>,
    pub(crate) approvals: Option<(usize, u8)>,
    pub(crate) may_start: bool,
    pub(crate) may_finish: bool,
    pub(crate) may_skip: bool,
    pub(crate) may_approve: bool,
    pub(crate) over: bool,
}

/// One role and who holds it.
pub(crate) struct Seat {
    pub(crate) role: &'static str,
    pub(crate) word: &'static str,
    pub(crate) holder: Option<String>,
}

/// One page sent.
pub(crate) struct PageView {
    pub(crate) to: String,
    pub(crate) at: String,
    pub(crate) reason: &'static str,
    pub(crate) channel: String,
    pub(crate) status: &'static str,
    pub(crate) class: &'static str,
    pub(crate) why: Option<String>,
}

/// One line of the timeline.
pub(crate) struct Moment {
    pub(crate) at: String,
    pub(crate) who: String,
    pub(crate) what: String,
    pub(crate) detail: Option<String>,
    pub(crate) class: &'static str,
}

impl Room {
    pub(crate) async fn load(
        app: &App,
        identity: &Identity,
        id: &str,
        language: Language,
    ) -> Result<Self, CommandError> {
        let incident = app.desk.show(id).await?;
        let file = FileView::load(app, identity, &incident, language).await?;
        let (timeline, pages) = (app.desk.timeline(id).await?, app.desk.pages(id).await?);
        let (rulebook, now) = (app.rulebook.load_full(), app.clock.now());
        let look = Look { app, rulebook: &rulebook, identity, incident: &incident, now, language };
        let named = |(id, name): (&str, &str)| (id.to_owned(), name.to_owned());
        let team = rulebook.team(&incident.team);
        let level = |level: Level| (level.as_str(), words::level(level, language));
        Ok(Self {
            card: parts::card(app, &rulebook, &incident, identity, now, language),
            version: incident.version,
            impact: words::impact(incident.impact, language),
            likelihood: words::likelihood(incident.likelihood, language),
            sampled: incident.sampled,
            reasons: incident.reasons.iter().map(|r| parts::reason(r, language)).collect(),
            evidence: incident.evidence.iter().map(|post| look.quote(post)).collect(),
            plan: incident.plan.name.get(language).to_owned(),
            steps: incident.tasks.iter().filter_map(|task| look.step(task)).collect(),
            team: Role::ALL.iter().map(|role| look.seat(*role)).collect(),
            people: team
                .map(|t| t.people.iter().map(|p| named((&p.id, &p.name))).collect())
                .unwrap_or_default(),
            categories: rulebook.categories.iter().map(|c| named((&c.id, c.name.get(language)))).collect(),
            levels: [Level::Low, Level::Medium, Level::High].map(level).to_vec(),
            pages: pages.iter().map(|record| look.page(record)).collect(),
            timeline: timeline.iter().rev().map(|entry| look.moment(entry)).collect(),
            notes: incident
                .notes
                .iter()
                .rev()
                .map(|n| (view::actor(&rulebook, &n.by, language), view::time(app, n.at), n.text.clone()))
                .collect(),
            review: incident.review.clone().filter(|_| incident.dossier.retrospect.is_none()),
            pager: parts::pager(app, Some(id), now, language),
            can: look.can(),
            silence: silences::offer(app, identity, &incident, language),
            file,
        })
    }
}

/// What every part of the view needs.
struct Look<'a> {
    app: &'a App,
    rulebook: &'a Rulebook,
    identity: &'a Identity,
    incident: &'a Incident,
    now: Timestamp,
    language: Language,
}

impl Look<'_> {
    fn can(&self) -> Can {
        let (state, open) = (self.incident.state, self.incident.is_open());
        let may = |action| view::may(self.identity, action);
        Can {
            confirm: state == State::Suspected && may("confirm"),
            respond: state == State::Confirmed && may("advance"),
            monitor: state == State::Responding && may("advance"),
            escalate: open && may("escalate"),
            release: open && self.incident.acknowledged.is_some() && may("release"),
            resolve: open && state != State::Suspected && may("resolve"),
            dismiss: open && may("dismiss"),
            note: may("note"),
            level: open && may("level"),
            assign: open && may("assign"),
        }
    }

    fn quote(&self, post: &Subject) -> Quote {
        let author = post.author.as_ref();
        Quote {
            platform: words::platform(post.platform, self.language),
            author: author.and_then(|a| a.name.clone()),
            followers: author
                .and_then(|a| a.followers)
                .map(|f| words::followers(f, self.language))
                .unwrap_or_default(),
            at: view::time(self.app, post.published_at),
            counters: words::counters(&post.metrics, self.language),
            text: tocsin_escalate::render::safe::clean(&post.excerpt),
            // Only what a browser opens as a page; `javascript:` and its kin are not links.
            url: post.url.clone().filter(|u| u.starts_with("https://") || u.starts_with("http://")),
        }
    }

    fn step(&self, task: &Task) -> Option<StepView> {
        use tocsin_escalate::StepState::{Doing, Done, Overdue, Skipped, Todo};
        let step = self.incident.step(&task.step)?;
        let blocked = self.incident.blocked_by(step);
        let late = !task.is_over() && task.due_at < self.now;
        let (works, approves) = (view::may(self.identity, "step"), view::may(self.identity, "approve"));
        let active = self.incident.state <= State::Resolved;
        let approved = task.approved_by.len() >= usize::from(step.approvals);
        let titles: Vec<&str> = blocked
            .iter()
            .filter_map(|id| self.incident.step(id))
            .map(|s| s.title.get(self.language))
            .collect();
        Some(StepView {
            id: step.id.clone(),
            title: step.title.get(self.language).to_owned(),
            note: step.note.as_ref().map(|n| n.get(self.language).to_owned()),
            role: words::role(step.role, self.language),
            state: words::step_state(task.state, self.language),
            class: match task.state {
                Done => "done",
                Skipped => "skipped",
                _ if late => "late",
                Overdue => "late",
                Doing => "doing",
                Todo => "todo",
            },
            due: view::time(self.app, task.due_at),
            left: view::distance(self.now, task.due_at, self.language),
            blocked: (!titles.is_empty()).then(|| titles.join(pick(self.language, "、", ", "))),
            template: self.template(step),
            approvals: (step.approvals > 0).then_some((task.approved_by.len(), step.approvals)),
            may_start: works && active && blocked.is_empty() && task.state != Doing,
            may_finish: works && active && blocked.is_empty() && !task.is_over() && approved,
            may_skip: works && active && !task.is_over(),
            may_approve: approves
                && active
                && step.approvals > 0
                && !task.is_over()
                && task.author.as_ref().is_some_and(|a| *a != self.identity.name)
                && !task.approved_by.contains(&self.identity.name),
            over: task.is_over(),
        })
    }

    /// Name and words of the step's statement, with what is known filled in; the rest stays visible as `{{…}}`.
    fn template(&self, step: &Step) -> Option<(String, String)> {
        let template = self.rulebook.template(step.template.as_ref()?)?;
        let (zh, en) = tocsin_escalate::transition::template(self.incident, self.rulebook, &step.id)?;
        Some((template.name.get(self.language).to_owned(), pick(self.language, zh, en)))
    }

    fn seat(&self, role: Role) -> Seat {
        let held = self.incident.roles.iter().rev().find(|h| h.role == role && h.to.is_none());
        Seat {
            role: role.as_str(),
            word: words::role(role, self.language),
            holder: held.map(|h| view::name_of(self.rulebook, &h.person)),
        }
    }

    fn page(&self, record: &PageRecord) -> PageView {
        let page = &record.page;
        PageView {
            to: page.to_name.clone(),
            at: view::time(self.app, page.at),
            reason: words::page_reason(page.reason, self.language),
            channel: page.contact.channel.clone(),
            status: view::words_of(self.language).page_status(record.status),
            class: match record.status {
                PageStatus::Pending => "doing",
                PageStatus::Delivered => "done",
                PageStatus::Obsolete => "skipped",
                PageStatus::Dead => "late",
            },
            why: record.why.clone().or_else(|| record.digest.as_ref().map(|id| self.digest(id))),
        }
    }

    /// That a page went out together with those of other incidents.
    fn digest(&self, id: &str) -> String {
        format!("{} {id}", view::words_of(self.language).in_digest)
    }

    fn moment(&self, entry: &TimelineEntry) -> Moment {
        let at = view::time(self.app, entry.at());
        match entry {
            TimelineEntry::Change(change) => self.change(at, change),
            TimelineEntry::Delivery { to, reason, channel, delivery, digest, .. } => Moment {
                at,
                who: channel.clone(),
                what: format!(
                    "{} → {}",
                    words::page_reason(*reason, self.language),
                    view::name_of(self.rulebook, to)
                ),
                detail: match delivery {
                    Delivery::Delivered { .. } => digest.as_ref().map(|id| self.digest(id)),
                    Delivery::PermanentConfig { detail } | Delivery::PermanentPayload { detail } => {
                        Some(format!("{}: {detail}", delivery.as_str()))
                    }
                    other => Some(other.as_str().replace('_', " ")),
                },
                class: if matches!(delivery, Delivery::Delivered { .. }) { "page" } else { "late" },
            },
        }
    }

    fn change(&self, at: String, change: &AuditEntry) -> Moment {
        let mut what = view::words_of(self.language).happened(&change.what);
        if change.level_before.is_some_and(|before| before != change.level) {
            what = format!("{what} → {}", words::level(change.level, self.language));
        }
        if change.state_before.is_some_and(|before| before != change.state) {
            what = format!("{what} → {}", words::state(change.state, self.language));
        }
        Moment {
            at,
            who: view::actor(self.rulebook, &change.by, self.language),
            what,
            detail: change.detail.clone(),
            class: match change.what.as_str() {
                "opened" | "escalated" | "escalation_exhausted" | "overdue" | "recurred" => "late",
                "acknowledged" | "resolved" | "recovered" => "done",
                _ => "todo",
            },
        }
    }
}
