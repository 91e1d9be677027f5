//! Sets a [`Letter`] within a channel's room. What must be read (level, incident, link) is placed first and never cut; the
//! rest is filled in line by line, and what went is said. Marks are closed where they were opened: text is cut before it
//! is escaped, never after.

use super::{
    Letter, Markup,
    safe::{Unit, remark},
};

/// How much one message may hold, and in what it is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) markup: Markup,
    pub(crate) limit: usize,
    pub(crate) unit: Unit,
    /// The first line is shown elsewhere (a card's title).
    pub(crate) headed: bool,
    /// The link is shown elsewhere (a button).
    pub(crate) linked: bool,
}

/// One line: what stands before the foreign text, the text, whether it is bold.
struct Line<'a> {
    lead: &'static str,
    text: &'a str,
    bold: bool,
}

impl Room {
    fn len(self, text: &str) -> usize {
        self.unit.len(text)
    }

    fn line(self, line: &Line<'_>) -> String {
        let text = if line.bold { self.markup.bold(line.text) } else { self.markup.escape(line.text) };
        format!("{}{text}", line.lead)
    }
}

impl Letter {
    /// The letter in `room`; `lead` (mentions, a keyword) stands before everything, as it is.
    pub(crate) fn set(&self, room: Room, lead: &str) -> String {
        let newline = room.markup.newline();
        let mut head: Vec<String> = Vec::new();
        if !lead.is_empty() {
            head.push(lead.to_owned());
        }
        if !room.headed {
            head.push(room.markup.bold(&self.head));
        }
        let mut tail: Vec<String> = Vec::new();
        if let (false, Some((text, href))) = (room.linked, &self.link) {
            tail.push(room.markup.link(text, href));
        }
        tail.extend(self.after.as_deref().map(|after| room.markup.escape(after)));
        tail.push(room.markup.escape(&self.id));
        let joined = |lines: &[String]| lines.join(newline);
        let gap = format!("{newline}{newline}");
        let fixed = room.len(&joined(&head)) + room.len(&joined(&tail)) + 2 * room.len(&gap);
        let free = room.limit.saturating_sub(fixed);
        let middle = if self.roll.is_empty() { self.middle(room, free) } else { self.call_roll(room, free) };
        [joined(&head), middle, joined(&tail)]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(&gap)
    }

    fn lines(&self) -> Vec<Line<'_>> {
        let plain = |text| Line { lead: "", text, bold: false };
        let mut lines: Vec<Line<'_>> = self.facts.iter().map(|fact| plain(fact.as_str())).collect();
        for (title, items) in self.sections.iter().filter(|(_, items)| !items.is_empty()) {
            lines.push(plain(""));
            lines.push(Line { lead: "", text: title, bold: true });
            lines.extend(items.iter().map(|item| Line { lead: "- ", text: item, bold: false }));
        }
        lines
    }

    /// As many lines as there is room for, and how much was dropped.
    fn middle(&self, room: Room, free: usize) -> String {
        let newline = room.markup.newline();
        let lines = self.lines();
        let total: usize = lines.iter().map(|line| line.text.chars().count()).sum();
        let whole: Vec<String> = lines
            .iter()
            .map(|line| {
                let bullet = if line.lead.is_empty() { "" } else { room.markup.bullet() };
                room.line(&Line { lead: bullet, ..*line })
            })
            .collect();
        let all = whole.join(newline);
        if room.len(&all) <= free {
            return all;
        }
        let free = free.saturating_sub(room.len(&remark(total, self.language)) + room.len(newline));
        let (mut out, mut kept) = (String::new(), 0);
        for (line, written) in lines.iter().zip(&whole) {
            let before = if out.is_empty() { "" } else { newline };
            let used = room.len(&out) + room.len(before);
            if used + room.len(written) <= free {
                out.push_str(before);
                out.push_str(written);
                kept += line.text.chars().count();
                continue;
            }
            let bullet = if line.lead.is_empty() { "" } else { room.markup.bullet() };
            let overhead = room.len(&room.line(&Line { lead: bullet, text: "", bold: line.bold }));
            let begun = beginning(line.text, free.saturating_sub(used + overhead), room);
            if !begun.is_empty() {
                out.push_str(before);
                out.push_str(&room.line(&Line { lead: bullet, text: begun, bold: line.bold }));
                kept += begun.chars().count();
            }
            break;
        }
        out.push_str(&remark(total - kept, self.language));
        out
    }

    /// Every incident by its id; what each is about takes what room is left, in equal shares.
    fn call_roll(&self, room: Room, free: usize) -> String {
        let newline = room.markup.newline();
        let head = self.lines().iter().map(|line| room.line(line)).collect::<Vec<_>>().join(newline);
        let bullet = room.markup.bullet();
        let fixed: usize = self
            .roll
            .iter()
            .map(|(id, _)| room.len(bullet) + room.len(&room.markup.escape(id)) + room.len(newline) + 1)
            .sum();
        let left = free.saturating_sub(fixed + room.len(&head) + room.len(newline));
        let share = left / self.roll.len().max(1);
        let items = self.roll.iter().map(|(id, about)| {
            let shown = beginning(about, share, room);
            let shown = if shown.len() < about.len() {
                // The sign of omission has its room from what it stands for.
                let room_for_it = share.saturating_sub(room.len("…"));
                match beginning(about, room_for_it, room) {
                    "" => String::new(),
                    begun => format!(" {}…", room.markup.escape(begun)),
                }
            } else {
                format!(" {}", room.markup.escape(shown))
            };
            format!("{bullet}{}{shown}", room.markup.escape(id))
        });
        let mut lines: Vec<String> = Vec::with_capacity(self.roll.len() + 1);
        if !head.is_empty() {
            lines.push(head);
        }
        lines.extend(items);
        lines.join(newline)
    }
}

/// The longest beginning that fits `limit` once it is escaped.
fn beginning(text: &str, limit: usize, room: Room) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += room.len(&room.markup.escape(c.encode_utf8(&mut [0; 4])));
        if used > limit {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

/// Room for the ids of so many incidents and a little about each, beside head and tail.
pub(crate) fn roll_within(limit: usize) -> usize {
    /// Id, bullet, new line, and some characters more.
    const LINE: usize = 28;
    /// Head, mentions, link, last lines.
    const FRAME: usize = 900;
    (limit.saturating_sub(FRAME) / LINE).clamp(1, 200)
}

#[cfg(test)]
mod tests;
