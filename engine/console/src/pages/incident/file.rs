//! The dossier's part of the war room: attachments, statements, reports, mergers, response times, the look back, and
//! what was learned last time. Refuses to decide; it shows what the desk says.

use jiff::Timestamp;
use tocsin_escalate::{
    CommandError, Filter, Incident, Nature, State, Statement,
    render::{safe, words},
    response::{Response, Span},
    transition,
};
use tocsin_rules::{Language, Rulebook};

use crate::{App, gate::Identity, view};

/// Open incidents offered as a target of a merger.
const TARGETS: usize = 50;
/// Reviewed incidents of the same category shown.
const LAST_TIMES: usize = 3;

/// Everything on file, in words.
pub(crate) struct FileView {
    pub(crate) nature: Option<&'static str>,
    pub(crate) natures: Vec<(&'static str, &'static str)>,
    pub(crate) merged_into: Option<String>,
    pub(crate) guests: Vec<(String, String, &'static str)>,
    pub(crate) reopenings: Vec<(String, String, String)>,
    pub(crate) attachments: Vec<AttachmentView>,
    pub(crate) statements: Vec<StatementView>,
    pub(crate) reports: Vec<(String, String, String)>,
    /// When the next one is due, and whether that has passed.
    pub(crate) report_due: Option<(String, bool)>,
    pub(crate) retrospect: Option<RetrospectView>,
    pub(crate) times: Vec<TimeView>,
    pub(crate) targets: Vec<(String, String)>,
    pub(crate) last_times: Vec<LastTime>,
    pub(crate) seats: Vec<(String, String, String)>,
    pub(crate) can: CanFile,
}

/// Which forms are shown.
pub(crate) struct CanFile {
    pub(crate) merge: bool,
    pub(crate) split: bool,
    pub(crate) reopen: bool,
    pub(crate) attach: bool,
    pub(crate) nature: bool,
    pub(crate) draft: bool,
    pub(crate) publish: bool,
    pub(crate) report: bool,
    pub(crate) retrospect: bool,
}

/// One attachment.
pub(crate) struct AttachmentView {
    pub(crate) text: String,
    pub(crate) url: Option<String>,
    pub(crate) sha256: Option<String>,
    pub(crate) who: String,
    pub(crate) at: String,
}

/// One statement: what stands now, and its history.
pub(crate) struct StatementView {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) zh: String,
    pub(crate) en: String,
    /// Number, author and time of the version that counts.
    pub(crate) version: Option<(u32, String, String)>,
    pub(crate) approvals: Vec<(String, String)>,
    pub(crate) needed: u8,
    pub(crate) published: Vec<PlaceView>,
    pub(crate) history: Vec<(u32, String, String)>,
    /// Others may approve it now.
    pub(crate) may_approve: bool,
    pub(crate) may_publish: bool,
    pub(crate) over: bool,
    /// Has words to begin with.
    pub(crate) template: bool,
}

/// Where and when a statement went out.
pub(crate) struct PlaceView {
    pub(crate) channel: String,
    pub(crate) url: Option<String>,
    pub(crate) at: String,
    pub(crate) version: u32,
}

/// The look back.
pub(crate) struct RetrospectView {
    pub(crate) happened: String,
    pub(crate) noticed_at: Option<String>,
    pub(crate) lessons: String,
    pub(crate) changes: Option<String>,
    pub(crate) who: String,
    pub(crate) at: String,
}

/// One response time against its limit.
pub(crate) struct TimeView {
    pub(crate) what: &'static str,
    pub(crate) took: String,
    pub(crate) limit: String,
    /// Style class.
    pub(crate) class: &'static str,
}

/// A reviewed incident of the same category.
pub(crate) struct LastTime {
    pub(crate) id: String,
    pub(crate) monitor: String,
    pub(crate) at: String,
    pub(crate) lessons: String,
    pub(crate) changes: Option<String>,
}

impl FileView {
    pub(crate) async fn load(
        app: &App,
        identity: &Identity,
        incident: &Incident,
        language: Language,
    ) -> Result<Self, CommandError> {
        let (rulebook, now) = (app.rulebook.load_full(), app.clock.now());
        let look = Look { app, rulebook: &rulebook, identity, incident, now, language };
        let dossier = &incident.dossier;
        let can = look.can();
        let targets = if can.merge { look.targets().await? } else { Vec::new() };
        let last_times = look.last_times().await?;
        let who = |actor| view::actor(&rulebook, actor, language);
        let time = |at| view::time(app, at);
        let held = |role: &tocsin_escalate::incident::RoleHolder| {
            let until = role.to.map_or_else(|| "…".to_owned(), time);
            let name = view::name_of(&rulebook, &role.person);
            (words::role(role.role, language).to_owned(), name, format!("{} – {until}", time(role.from)))
        };
        Ok(Self {
            nature: dossier.nature.map(|nature| words::nature(nature, language)),
            natures: Nature::ALL.map(|nature| (nature.as_str(), words::nature(nature, language))).to_vec(),
            merged_into: dossier.merged_into.clone(),
            guests: dossier
                .guests
                .iter()
                .map(|g| (g.incident.clone(), g.monitor_name.clone(), words::level(g.level, language)))
                .collect(),
            reopenings: dossier
                .reopenings
                .iter()
                .map(|r| (who(&r.by), time(r.at), safe::clean(&r.reason)))
                .collect(),
            attachments: dossier.attachments.iter().rev().map(|a| look.attachment(a)).collect(),
            statements: look.statements(),
            reports: dossier
                .reports
                .iter()
                .rev()
                .map(|r| (who(&r.by), time(r.at), safe::clean(&r.text)))
                .collect(),
            report_due: dossier.report_due_at.map(|due| (view::distance(now, due, language), due < now)),
            retrospect: dossier.retrospect.as_ref().map(|r| RetrospectView {
                happened: safe::clean(&r.happened),
                noticed_at: r.noticed_at.map(time),
                lessons: safe::clean(&r.lessons),
                changes: r.changes.as_deref().map(safe::clean),
                who: who(&r.by),
                at: time(r.at),
            }),
            times: look.times(),
            targets,
            last_times,
            seats: incident.roles.iter().map(held).collect(),
            can,
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
    fn can(&self) -> CanFile {
        let (state, open) = (self.incident.state, self.incident.is_open());
        let may = |action| view::may(self.identity, action);
        CanFile {
            merge: open && may("merge"),
            split: state == State::Merged && may("split"),
            reopen: matches!(state, State::Resolved | State::Dismissed) && may("reopen"),
            attach: may("attach"),
            nature: open && may("nature"),
            draft: state <= State::Resolved && may("draft"),
            publish: state <= State::Resolved && may("publish"),
            report: open && may("report"),
            retrospect: state == State::Resolved && may("retrospect"),
        }
    }

    async fn targets(&self) -> Result<Vec<(String, String)>, CommandError> {
        let filter =
            Filter { open: Some(true), drill: Some(self.incident.drill.is_some()), ..Filter::default() };
        let open = self.app.desk.list(&filter, TARGETS, None).await?.incidents;
        let others = open.into_iter().filter(|other| other.id != self.incident.id);
        Ok(others.map(|other| (other.id.clone(), other.monitor_name)).collect())
    }

    /// What was learned the last times a crisis of this category was looked back on.
    async fn last_times(&self) -> Result<Vec<LastTime>, CommandError> {
        if self.incident.category.is_none() || !self.incident.is_open() {
            return Ok(Vec::new());
        }
        let filter = Filter {
            state: Some(State::Reviewed),
            category: self.incident.category.clone(),
            drill: Some(false),
            ..Filter::default()
        };
        let reviewed = self.app.desk.list(&filter, LAST_TIMES, None).await?.incidents;
        let told = reviewed.into_iter().map(|past| {
            let fields = past.dossier.retrospect.as_ref();
            let lessons = fields.map(|r| r.lessons.clone()).or(past.review).unwrap_or_default();
            LastTime {
                id: past.id,
                monitor: past.monitor_name,
                at: view::time(self.app, past.onset),
                lessons: safe::clean(&lessons),
                changes: fields.and_then(|r| r.changes.as_deref()).map(safe::clean),
            }
        });
        Ok(told.collect())
    }

    fn attachment(&self, attachment: &tocsin_escalate::Attachment) -> AttachmentView {
        AttachmentView {
            text: attachment.text.as_deref().map(safe::clean).unwrap_or_default(),
            // Only what a browser opens as a page; the command refuses anything else, and so does the page.
            url: attachment.url.clone().filter(|u| u.starts_with("https://") || u.starts_with("http://")),
            sha256: attachment.sha256.clone(),
            who: view::actor(self.rulebook, &attachment.by, self.language),
            at: view::time(self.app, attachment.at),
        }
    }

    /// Steps that have something to say, then the internal notice.
    fn statements(&self) -> Vec<StatementView> {
        let speaks = |id: &str| {
            self.incident.step(id).is_some_and(|step| step.template.is_some() || step.approvals > 0)
                || self.incident.dossier.statement(id).is_some()
        };
        let tasks = self.incident.tasks.iter().map(|task| task.step.as_str()).filter(|id| speaks(id));
        tasks.chain([Statement::INTERNAL]).map(|id| self.statement(id)).collect()
    }

    fn statement(&self, id: &str) -> StatementView {
        let statement = self.incident.dossier.statement(id);
        let current = statement.and_then(Statement::current);
        let step = self.incident.step(id);
        let task = self.incident.tasks.iter().find(|task| task.step == id);
        let filled = transition::template(self.incident, self.rulebook, id);
        let template = filled.is_some();
        let (zh, en) = match current {
            Some(version) => (version.zh.clone(), version.en.clone()),
            None => filled.unwrap_or_default(),
        };
        let who = |actor| view::actor(self.rulebook, actor, self.language);
        let time = |at| view::time(self.app, at);
        let needed = step.map_or(0, |step| step.approvals);
        let approvals = current.map(|v| v.approvals.as_slice()).unwrap_or_default();
        let over = task.is_some_and(tocsin_escalate::Task::is_over);
        let mine = current.is_some_and(|version| version.by.who == self.identity.name);
        let approved = approvals.iter().any(|a| a.by.who == self.identity.name);
        StatementView {
            id: id.to_owned(),
            title: step.map_or_else(
                || view::words_of(self.language).internal_notice.to_owned(),
                |step| step.title.get(self.language).to_owned(),
            ),
            zh,
            en,
            version: current.map(|v| (v.number, who(&v.by), time(v.at))),
            approvals: approvals.iter().map(|a| (who(&a.by), time(a.at))).collect(),
            needed,
            published: statement
                .map(|s| s.published.as_slice())
                .unwrap_or_default()
                .iter()
                .map(|place| PlaceView {
                    channel: place.channel.clone(),
                    url: place.url.clone(),
                    at: time(place.at),
                    version: place.version,
                })
                .collect(),
            history: statement
                .map(|s| s.versions.as_slice())
                .unwrap_or_default()
                .iter()
                .rev()
                .skip(1)
                .map(|v| {
                    (v.number, format!("{} · {}", who(&v.by), time(v.at)), format!("{}\n{}", v.zh, v.en))
                })
                .collect(),
            may_approve: view::may(self.identity, "approve")
                && needed > 0
                && current.is_some()
                && !over
                && !mine
                && !approved,
            may_publish: current.is_some() && approvals.len() >= usize::from(needed),
            over,
            template,
        }
    }

    fn times(&self) -> Vec<TimeView> {
        let t = view::words_of(self.language);
        let times = Response::of(self.incident, self.now);
        let shown = |seconds: Option<i64>| {
            seconds.map_or_else(|| "–".to_owned(), |seconds| words::duration(seconds, self.language))
        };
        let view = |what, span: Span| TimeView {
            what,
            took: shown(span.seconds),
            limit: shown(span.limit),
            class: match span.met {
                Some(true) => "done",
                Some(false) => "late",
                None => "todo",
            },
        };
        let late = times.steps.iter().filter(|step| step.met == Some(false)).count();
        let mut rows = vec![
            view(t.to_acknowledge, times.acknowledge),
            view(t.to_confirm, times.confirm),
            view(t.to_statement, times.statement),
            view(t.to_close, times.close),
        ];
        rows.push(TimeView {
            what: t.steps_late,
            took: format!("{late} / {}", times.steps.len()),
            limit: "0".to_owned(),
            class: if late == 0 { "done" } else { "late" },
        });
        rows
    }
}
