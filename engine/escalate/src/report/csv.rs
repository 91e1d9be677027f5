//! A report as CSV (RFC 4180): one table of incidents, posts or monitors. Refuses to let a cell be taken for a formula:
//! what begins like one gets an apostrophe in front.

use super::Report;

/// Which table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// One line an incident.
    Incidents,
    /// One line a post.
    Posts,
    /// One line a monitor; empty without counted mentions.
    Monitors,
}

impl Report {
    /// The table, its heading first. Begins with a byte order mark: spreadsheets take it for what it is.
    pub fn csv(&self, table: Table) -> String {
        let mut out = "\u{feff}".to_owned();
        match table {
            Table::Incidents => self.incidents_csv(&mut out),
            Table::Posts => self.posts_csv(&mut out),
            Table::Monitors => self.monitors_csv(&mut out),
        }
        out
    }

    fn incidents_csv(&self, out: &mut String) {
        row(
            out,
            [
                "id",
                "monitor",
                "level",
                "state",
                "category",
                "opened_at",
                "closed_at",
                "acknowledge_seconds",
                "acknowledge_limit",
                "confirm_seconds",
                "confirm_limit",
                "statement_seconds",
                "statement_limit",
                "steps_late",
                "lessons",
            ]
            .map(str::to_owned),
        );
        let number = |seconds: Option<i64>| seconds.map(|seconds| seconds.to_string()).unwrap_or_default();
        for incident in &self.incidents {
            row(
                out,
                [
                    incident.id.clone(),
                    incident.monitor.clone(),
                    incident.level.as_str().to_owned(),
                    incident.state.as_str().to_owned(),
                    incident.category.clone().unwrap_or_default(),
                    incident.opened_at.to_string(),
                    incident.closed_at.map(|at| at.to_string()).unwrap_or_default(),
                    number(incident.acknowledge.seconds),
                    number(incident.acknowledge.limit),
                    number(incident.confirm.seconds),
                    number(incident.confirm.limit),
                    number(incident.statement.seconds),
                    number(incident.statement.limit),
                    incident.steps_late.to_string(),
                    incident.lessons.clone().unwrap_or_default(),
                ],
            );
        }
    }

    fn posts_csv(&self, out: &mut String) {
        let heading = ["id", "platform", "published_at", "reposts", "comments", "likes", "url", "text"];
        row(out, heading.map(str::to_owned));
        let number = |count: Option<u64>| count.map(|count| count.to_string()).unwrap_or_default();
        for post in &self.top_posts {
            row(
                out,
                [
                    post.id.clone(),
                    post.platform.as_str().to_owned(),
                    post.published_at.to_string(),
                    number(post.metrics.reposts),
                    number(post.metrics.comments),
                    number(post.metrics.likes),
                    post.url.clone().unwrap_or_default(),
                    post.excerpt.clone(),
                ],
            );
        }
    }

    fn monitors_csv(&self, out: &mut String) {
        let heading = ["monitor", "name", "mentions", "negative", "positive", "share_of_voice"];
        row(out, heading.map(str::to_owned));
        for voice in self.voices.iter().flatten() {
            row(
                out,
                [
                    voice.monitor.clone(),
                    voice.name.clone(),
                    voice.mentions.to_string(),
                    voice.negative.to_string(),
                    voice.positive.to_string(),
                    format!("{:.4}", voice.share_of_voice),
                ],
            );
        }
    }
}

fn row<const N: usize>(out: &mut String, cells: [String; N]) {
    let cells = cells.map(|cell| field(&cell));
    out.push_str(&cells.join(","));
    out.push_str("\r\n");
}

/// One cell, quoted where it must be.
fn field(text: &str) -> String {
    let clean = crate::render::safe::clean(text);
    let formula = clean.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
        || text.starts_with(['\t', '\r', '\n']);
    let guarded = if formula { format!("'{clean}") } else { clean };
    if guarded.contains(['"', ',', '\n', '\r', '\'', ';']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}
