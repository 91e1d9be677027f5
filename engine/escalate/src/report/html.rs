//! A report as HTML: a body for a page, and a whole document that prints. Everything written is escaped here, once.
//! Refuses scripts and anything fetched from outside.

use tocsin_rules::{Language, Rulebook};

use super::{Kind, Report, Spread};
use crate::{
    render::{
        safe::{clean, html},
        words::{self, pick},
    },
    response::Span,
};

const STYLE: &str = "body{font:15px/1.5 -apple-system,'Segoe UI','PingFang SC','Microsoft YaHei',sans-serif;color:#16191d;\
    max-width:60rem;margin:1.5rem auto;padding:0 1rem}h1{font-size:1.5rem}h2{font-size:1.1rem;margin:1.5rem 0 .5rem;\
    break-after:avoid}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .5rem;border-bottom:\
    1px solid #ccd2d9;vertical-align:top;overflow-wrap:anywhere}tr{break-inside:avoid}.no{color:#b3261e;font-weight:600}\
    blockquote{margin:.25rem 0}.muted{color:#5a6470;font-size:.85rem}@page{margin:15mm}";

impl Report {
    /// A whole document.
    pub fn document(&self, rulebook: &Rulebook, language: Language) -> String {
        let lang = pick(language, "zh-CN", "en");
        format!(
            "<!doctype html>\n<html lang=\"{lang}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head>\n<body>\n\
             <h1>{title}</h1>\n{body}</body></html>\n",
            title = html(&self.title(language)),
            body = self.body(rulebook, language),
        )
    }

    /// `周报 2026-09-07 – 2026-09-13`.
    pub fn title(&self, language: Language) -> String {
        let name = match self.period.kind {
            Kind::Day => pick(language, "日报", "Daily report"),
            Kind::Week => pick(language, "周报", "Weekly report"),
            Kind::Month => pick(language, "月报", "Monthly report"),
            Kind::Quarter => pick(language, "季报", "Quarterly report"),
        };
        let (first, last) = (self.period.first, self.period.last);
        if first == last { format!("{name} {first}") } else { format!("{name} {first} – {last}") }
    }

    /// What stands between a page's heading and its end.
    pub fn body(&self, rulebook: &Rulebook, language: Language) -> String {
        let say = |zh, en| pick(language, zh, en);
        let mut out = String::new();
        let zone = jiff::tz::TimeZone::get(&self.period.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let time = |at: jiff::Timestamp| at.to_zoned(zone.clone()).strftime("%m-%d %H:%M").to_string();
        let category = |id: &str| {
            rulebook.category(id).map_or_else(|| id.to_owned(), |known| known.name.get(language).to_owned())
        };
        out.push_str(&format!(
            "<p class=\"muted\">{} {} · {}</p>\n",
            say("制作于", "Made"),
            time(self.made_at),
            html(&self.period.time_zone)
        ));
        heading(&mut out, say("危机事件", "Incidents"));
        let levels: Vec<String> = tocsin_rules::Level::ALL
            .iter()
            .rev()
            .filter_map(|level| {
                let count = self.by_level.get(level.as_str())?;
                Some(format!("{} {count}", words::level(*level, language)))
            })
            .collect();
        out.push_str(&format!(
            "<p>{} {} · {} {}{}</p>\n",
            say("新开", "Opened"),
            self.opened,
            say("仍在进行", "still open"),
            self.still_open,
            if levels.is_empty() { String::new() } else { format!(" · {}", levels.join(" · ")) }
        ));
        if !self.incidents.is_empty() {
            table(
                &mut out,
                &[
                    say("监测项", "Monitor"),
                    say("等级", "Level"),
                    say("状态", "State"),
                    say("类型", "Type"),
                    say("开始", "Opened"),
                    say("接手", "Taken"),
                    say("核实", "Confirmed"),
                    say("声明", "Statement"),
                    say("逾期步骤", "Steps late"),
                ],
                self.incidents.iter().map(|row| {
                    vec![
                        html(&row.monitor),
                        words::level(row.level, language).to_owned(),
                        words::state(row.state, language).to_owned(),
                        row.category.as_deref().map(|id| html(&category(id))).unwrap_or_default(),
                        time(row.opened_at),
                        span(row.acknowledge, language),
                        span(row.confirm, language),
                        span(row.statement, language),
                        row.steps_late.to_string(),
                    ]
                }),
            );
        }
        heading(&mut out, say("响应用时（对照预案）", "Response times against the plans"));
        table(
            &mut out,
            &[
                "",
                say("次数", "Times"),
                say("中位数", "Median"),
                "p90",
                say("最慢", "Slowest"),
                say("按时", "In time"),
                say("逾时", "Late"),
            ],
            [
                (say("接手", "To acknowledge"), self.acknowledge),
                (say("核实", "To confirm"), self.confirm),
                (say("发布声明", "To the statement"), self.statement),
            ]
            .into_iter()
            .map(|(what, spread)| spread_cells(what, spread, language)),
        );
        out.push_str(&format!(
            "<p>{} {} · {} {} · {} {}</p>\n",
            say("处置步骤按时", "Steps in time"),
            self.steps.met,
            say("逾期", "late"),
            self.steps.missed,
            say("未到期", "not yet due"),
            self.steps.open
        ));
        if let Some(voices) = &self.voices {
            heading(&mut out, say("声量与情绪", "Volume and mood"));
            let share = |part: u64, all: u64| {
                if all == 0 { "–".to_owned() } else { format!("{:.1} %", part as f64 / all as f64 * 100.0) }
            };
            table(
                &mut out,
                &[
                    say("监测项", "Monitor"),
                    say("提及", "Mentions"),
                    say("负面", "Negative"),
                    say("正面", "Positive"),
                    say("声量占比", "Share of voice"),
                ],
                voices.iter().map(|voice| {
                    vec![
                        html(&voice.name),
                        words::number(voice.mentions as f64),
                        share(voice.negative, voice.mentions),
                        share(voice.positive, voice.mentions),
                        format!("{:.1} %", voice.share_of_voice * 100.0),
                    ]
                }),
            );
        }
        if !self.top_posts.is_empty() {
            heading(&mut out, say("影响最大的帖子", "Loudest posts"));
            for post in &self.top_posts {
                let link =
                    post.url.as_deref().filter(|u| u.starts_with("https://") || u.starts_with("http://"));
                let link = link.map(|url| {
                    format!(
                        " · <a href=\"{}\" rel=\"noopener noreferrer nofollow\">{}</a>",
                        html(url),
                        say("原帖", "post")
                    )
                });
                out.push_str(&format!(
                    "<blockquote dir=\"auto\">{}</blockquote><p class=\"muted\">{} · {}{}{}</p>\n",
                    html(&clean(&post.excerpt)),
                    words::platform(post.platform, language),
                    time(post.published_at),
                    html(&words::counters(&post.metrics, language)),
                    link.unwrap_or_default(),
                ));
            }
        }
        let lessons = self.incidents.iter().filter_map(|row| Some((row, row.lessons.as_ref()?)));
        let mut lessons = lessons.peekable();
        if lessons.peek().is_some() {
            heading(&mut out, say("经验教训", "Lessons"));
            out.push_str("<ul>\n");
            for (row, text) in lessons {
                out.push_str(&format!(
                    "<li dir=\"auto\">{}: {}</li>\n",
                    html(&row.monitor),
                    html(&clean(text))
                ));
            }
            out.push_str("</ul>\n");
        }
        heading(&mut out, say("本报告没有的数据", "What this report cannot say"));
        out.push_str("<ul class=\"muted\">\n");
        for line in &self.not_kept {
            out.push_str(&format!("<li>{}</li>\n", html(not_kept(line, language))));
        }
        out.push_str("</ul>\n");
        out
    }
}

/// The sentences of [`Report::not_kept`] in the reader's language.
fn not_kept(line: &str, language: Language) -> &str {
    match language {
        Language::En => line,
        Language::Zh if line.starts_with("volumes") => {
            "声量、情绪与声量占比：系统不保存历史总量；可用 tocsin report --mentions 文件 重新统计。"
        }
        Language::Zh if line.starts_with("posts") => "未作为事件证据保存的帖子。",
        Language::Zh => line,
    }
}

fn heading(out: &mut String, text: &str) {
    out.push_str(&format!("<h2>{}</h2>\n", html(text)));
}

/// Cells are HTML already.
fn table(out: &mut String, head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    out.push_str("<table><thead><tr>");
    for cell in head {
        out.push_str(&format!("<th scope=\"col\">{}</th>", html(cell)));
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for cell in row {
            out.push_str(&format!("<td>{cell}</td>"));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table>\n");
}

fn spread_cells(what: &str, spread: Spread, language: Language) -> Vec<String> {
    let shown =
        |seconds: Option<i64>| seconds.map_or_else(|| "–".to_owned(), |s| words::duration(s, language));
    vec![
        html(what),
        spread.count.to_string(),
        shown(spread.median),
        shown(spread.p90),
        shown(spread.worst),
        spread.met.to_string(),
        spread.missed.to_string(),
    ]
}

fn span(span: Span, language: Language) -> String {
    let text = span.seconds.map_or_else(|| "–".to_owned(), |seconds| words::duration(seconds, language));
    if span.met == Some(false) { format!("<span class=\"no\">{text}</span>") } else { text }
}
