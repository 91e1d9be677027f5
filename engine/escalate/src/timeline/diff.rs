//! What happened beside what was expected, in one order of time. Refuses to match one page with two expectations.

use jiff::Timestamp;

use super::tale::Expected;
use crate::delivery::Page;

/// One thing that happened.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) at: Timestamp,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    /// Something the tale said, or told besides.
    Told(String),
    /// A page a channel took.
    Paged(String, Box<Page>),
    /// Something that must not be.
    Wrong(String),
    /// An error in the log.
    Logged(String),
}

impl Expected {
    fn fits(&self, at: Timestamp, channel: &str, page: &Page) -> bool {
        self.from <= at
            && at <= self.until
            && self.to == page.to
            && self.reason == page.reason
            && self.channel == channel
            && is_of(self.monitor, page)
    }
}

/// Whether a page is about `monitor`: the shown name of `m7` ends with 7.
fn is_of(monitor: &str, page: &Page) -> bool {
    page.snapshot.monitor_name.rsplit(' ').next() == Some(monitor.trim_start_matches('m'))
}

/// # Errors
/// The whole timeline, marked, where anything is missing, surplus or wrong.
pub(super) fn compare(mut lines: Vec<Line>, expected: &[Expected], allowed: &[&str]) -> Result<(), String> {
    lines.sort_by_key(|line| line.at);
    // The one whose window ends first takes a page: so all find theirs if they can.
    let mut open: Vec<&Expected> = expected.iter().collect();
    open.sort_by_key(|expected| expected.until);
    let mut sound = true;
    let mut shown: Vec<(Timestamp, String)> = Vec::new();
    for line in lines {
        let (mark, text) = match line.what {
            What::Told(text) => (' ', text),
            What::Paged(channel, page) => {
                let mine = open.iter().position(|expected| expected.fits(line.at, &channel, &page));
                let mark = if mine.is_some() { '=' } else { '+' };
                mine.map(|place| open.remove(place));
                let (to, reason, about) = (&page.to, page.reason.as_str(), &page.snapshot.monitor_name);
                (mark, format!("page {to} {reason} ({channel}, {about}, version {})", page.version))
            }
            What::Wrong(text) => ('!', text),
            What::Logged(text) if allowed.iter().any(|known| text.contains(known)) => {
                (' ', format!("log: {text}"))
            }
            What::Logged(text) => ('!', format!("log: {text}")),
        };
        sound &= matches!(mark, ' ' | '=');
        shown.push((line.at, format!("{mark} {} {text}", line.at.strftime("%d %H:%M:%S%.3f"))));
    }
    for missing in open {
        sound = false;
        let (from, until) = (missing.from.strftime("%d %H:%M:%S"), missing.until.strftime("%H:%M:%S"));
        let (to, reason, channel) = (missing.to, missing.reason.as_str(), missing.channel);
        let text = format!("- {from}..{until} page {to} {reason} ({channel}, {})", missing.monitor);
        shown.push((missing.from, text));
    }
    if sound {
        return Ok(());
    }
    shown.sort_by_key(|(at, _)| *at);
    Err(shown.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        delivery::PageReason::{Escalated, First},
        timeline::tale::{page, when},
    };

    fn paged(at: &str, to: &str) -> Line {
        let mut page = crate::render::samples::page();
        page.to = to.to_owned();
        page.reason = First;
        page.snapshot.monitor_name = "Brand 0".to_owned();
        Line { at: when(at), what: What::Paged("pager".to_owned(), Box::new(page)) }
    }

    #[test]
    fn missing_surplus_and_errors_are_shown_in_their_place() {
        let logged = Line { at: when("10:03"), what: What::Logged("it burns".to_owned()) };
        let lines = vec![paged("10:00", "a"), logged, paged("10:02", "a")];
        let expected = [page("a", First, "10:00..10:01"), page("b", Escalated, "10:05..10:06")];
        let told = compare(lines.clone(), &expected, &[]).unwrap_err();
        let marks: String = told.lines().filter_map(|line| line.chars().next()).collect();
        assert_eq!(marks, "=+!-", "{told}");
        let wider = [page("a", First, "10:00..10:05"), page("a", First, "10:00")];
        assert_eq!(compare(lines, &wider, &["burns"]), Ok(()), "the narrow window is not robbed of its page");
    }
}
