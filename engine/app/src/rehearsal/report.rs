//! What a drill tells at its end: who was paged and when, every step against its deadline, response times, and what was
//! found wanting. Refuses a verdict beyond the plan's own limits.

use std::io::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};
use tocsin_escalate::{
    Incident, PageRecord,
    response::{Response, Span},
};
use tocsin_rules::Rulebook;

/// A drill that is over.
pub(super) struct Told {
    incident: Incident,
    pages: Vec<PageRecord>,
    problems: Vec<String>,
    response: Response,
    names: Vec<(String, String)>,
    ended: Timestamp,
    pace: f64,
}

impl Told {
    pub(super) fn of(
        incident: Incident,
        pages: Vec<PageRecord>,
        problems: Vec<String>,
        rulebook: &Rulebook,
        ended: Timestamp,
        pace: f64,
    ) -> Self {
        let response = Response::of(&incident, ended);
        let people = rulebook.teams.iter().flat_map(|team| &team.people);
        let names = people.map(|person| (person.id.clone(), person.name.clone())).collect();
        Self { incident, pages, problems, response, names, ended, pace }
    }

    fn name<'s>(&'s self, id: &'s str) -> &'s str {
        self.names.iter().find(|(known, _)| known == id).map_or(id, |(_, name)| name)
    }

    pub(super) fn json(&self) -> Value {
        let pages: Vec<Value> = self
            .pages
            .iter()
            .map(|record| {
                json!({
                    "at": record.page.at, "to": record.page.to, "reason": record.page.reason,
                    "channel": record.page.contact.channel, "status": record.status, "drill": record.page.drill,
                })
            })
            .collect();
        json!({
            "type": "drill", "plan": self.incident.plan.id, "monitor": self.incident.monitor,
            "level": self.incident.peak, "state": self.incident.state, "began": self.incident.opened_at,
            "ended": self.ended, "pace": self.pace, "pages": pages, "response": self.response,
            "problems": self.problems,
        })
    }

    pub(super) fn print_json(&self) -> anyhow::Result<()> {
        writeln!(std::io::stdout(), "{}", self.json())?;
        Ok(())
    }

    pub(super) fn print(&self) -> anyhow::Result<()> {
        std::io::stdout().write_all(self.text().as_bytes())?;
        Ok(())
    }

    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        let mut line = |text: String| {
            out.push_str(&text);
            out.push('\n');
        };
        let incident = &self.incident;
        line(format!(
            "DRILL {} · {} · {} · ended {}",
            incident.plan.id,
            incident.plan.name.en,
            incident.monitor_name,
            incident.state.as_str()
        ));
        line(String::new());
        line("Pages".to_owned());
        for record in &self.pages {
            let page = &record.page;
            line(format!(
                "  {:>9}  {:<14} {:<12} {}",
                since(incident.opened_at, page.at),
                self.name(&page.to),
                page.reason.as_str(),
                page.contact.channel
            ));
        }
        line(String::new());
        line("Steps                                  due        done       in time".to_owned());
        for step in &self.response.steps {
            let done = step.over_at.map_or_else(|| "-".to_owned(), |at| since(incident.opened_at, at));
            line(format!(
                "  {:<34} {:>9}  {:>9}  {}",
                step.step,
                since(incident.opened_at, step.due_at),
                done,
                verdict(step.met)
            ));
        }
        line(String::new());
        line("Response times                         took       limit      in time".to_owned());
        for (what, span) in [
            ("acknowledged", self.response.acknowledge),
            ("confirmed", self.response.confirm),
            ("statement out", self.response.statement),
            ("closed", self.response.close),
        ] {
            let Span { seconds, limit, met } = span;
            line(format!(
                "  {what:<34} {:>9}  {:>9}  {}",
                span_text(seconds),
                span_text(limit),
                verdict(met)
            ));
        }
        let (filed, late) = self.response.reports;
        line(format!("  follow-up reports: {filed}, late: {late}"));
        if !self.problems.is_empty() {
            line(String::new());
            line("Found wanting".to_owned());
            for problem in &self.problems {
                line(format!("  {problem}"));
            }
        }
        out
    }
}

fn verdict(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "-",
    }
}

fn since(from: Timestamp, at: Timestamp) -> String {
    format!("+{}", text(at.duration_since(from).as_secs()))
}

fn span_text(seconds: Option<i64>) -> String {
    seconds.map_or_else(|| "-".to_owned(), text)
}

/// `1d02h`, `1h05m`, `5m30s`.
fn text(seconds: i64) -> String {
    let (days, hours, minutes, rest) =
        (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, _) => format!("{minutes}m{rest:02}s"),
        (0, _, _) => format!("{hours}h{minutes:02}m"),
        _ => format!("{days}d{hours:02}h"),
    }
}
