//! Many pages to one target as one: every incident is named, none is left out. The link leads to the console, since one
//! message cannot hold a hundred acknowledge links. Refuses to be sent for high level: those go singly.

use tocsin_rules::{Language, Level};

use super::{Letter, Renderer, html, safe::clean, words};
use crate::delivery::Page;

impl Renderer {
    /// Subject, text and HTML of a digest by mail.
    pub(crate) fn digest_mail(
        &self,
        pages: &[&Page],
        id: &str,
        language: Language,
    ) -> (String, String, String) {
        let letter = self.digest(pages, id, language);
        (letter.head.clone(), letter.plain(), html::page(&letter, language))
    }

    /// The digest of `pages`, which all are in `language`, under the name `id`.
    pub(crate) fn digest(&self, pages: &[&Page], id: &str, language: Language) -> Letter {
        let level = pages.iter().map(|page| page.level).max().unwrap_or(Level::None);
        let count = pages.len();
        let drill = pages.first().filter(|_| pages.iter().all(|page| page.drill.is_some()));
        let drill = drill.map_or("", |page| words::drill(page, language));
        let level_word = words::level(level, language);
        let (head, fact, named) = match language {
            Language::Zh => (
                format!("{drill}[{level_word}] 汇总：{count} 起事件"),
                "短时间内事件过多，合并为一条通知；每起事件都列在下面。",
                format!("汇总编号：{id}"),
            ),
            Language::En => (
                format!("{drill}[{level_word}] digest: {count} incidents"),
                "Too many at once to tell one by one; every incident is listed below.",
                format!("Digest: {id}"),
            ),
        };
        let roll = pages.iter().map(|page| {
            let drill =
                if page.drill.is_some() && drill.is_empty() { words::drill(page, language) } else { "" };
            let (name, reason) =
                (clean(&page.snapshot.monitor_name), words::page_reason(page.reason, language));
            let level = words::level(page.level, language);
            (page.incident.clone(), format!("{drill}{name} · {level} · {reason}"))
        });
        Letter {
            language,
            level,
            headline: head.clone(),
            head,
            facts: vec![fact.to_owned()],
            sections: Vec::new(),
            roll: roll.collect(),
            after: None,
            grant: None,
            link: self
                .url("")
                .map(|href| (words::pick(language, "打开控制台", "Open the console").to_owned(), href)),
            id: named,
        }
    }
}
