//! [`Letter`]: what a page or digest says, before any dialect writes it. Refuses marks: those are the dialects'.

use tocsin_rules::{Language, Level};

use super::words;

/// A page, or a digest of many, before it takes a form. Social text is defanged; no dialect's signs are escaped yet.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) language: Language,
    /// Highest level told of.
    pub(crate) level: Level,
    /// One line that says it all: level, incident, monitor, reason. Never cut by a channel.
    pub(crate) head: String,
    pub(super) headline: String,
    pub(super) facts: Vec<String>,
    pub(super) sections: Vec<(String, Vec<String>)>,
    /// Incidents of a digest and what each is about: all of them are named.
    pub(super) roll: Vec<(String, String)>,
    pub(super) after: Option<String>,
    /// What an acknowledge button carries, where one is due: `a:<incident>:<epoch>`, at most 64 bytes.
    pub(crate) grant: Option<String>,
    /// What the link is called, and where it leads.
    pub(crate) link: Option<(String, String)>,
    /// The incident, named.
    pub(crate) id: String,
}

impl Letter {
    /// Everything, plain, many lines.
    pub(super) fn plain(&self) -> String {
        let mut lines = vec![self.headline.clone()];
        lines.extend(self.facts.iter().cloned());
        for (title, items) in self.sections.iter().filter(|(_, items)| !items.is_empty()) {
            lines.push(String::new());
            lines.push(title.clone());
            lines.extend(items.iter().map(|item| format!("- {item}")));
        }
        lines.extend(self.roll.iter().map(|(id, about)| format!("- {id} {about}")));
        lines.push(String::new());
        if let Some((text, href)) = &self.link {
            lines.push(format!("{text}: {href}"));
        }
        lines.extend(self.after.clone());
        lines.push(self.id.clone());
        lines.join("\n")
    }

    /// The one for its language.
    pub(crate) fn pick<T>(&self, zh: T, en: T) -> T {
        words::pick(self.language, zh, en)
    }
}
