//! The fixed words of pages and console in Chinese and English. Refuses anything an operator can write: that is the
//! rulebook's.

use tocsin_rules::{Impact, Language, Level, Likelihood, Metrics, Platform, Reason, Role};

use super::safe::clean;
use crate::{
    delivery::{Page, PageReason},
    dossier::Nature,
    incident::{State, StepState},
};

/// The one for the language.
pub fn pick<T>(language: Language, zh: T, en: T) -> T {
    match language {
        Language::Zh => zh,
        Language::En => en,
    }
}

/// Risk level.
pub fn level(level: Level, language: Language) -> &'static str {
    match level {
        Level::None => pick(language, "无风险", "NONE"),
        Level::Low => pick(language, "低风险", "LOW"),
        Level::Medium => pick(language, "中风险", "MEDIUM"),
        Level::High => pick(language, "高风险", "HIGH"),
    }
}

/// Impact.
pub fn impact(impact: Impact, language: Language) -> &'static str {
    match impact {
        Impact::Minor => pick(language, "轻微", "minor"),
        Impact::Moderate => pick(language, "一般", "moderate"),
        Impact::Major => pick(language, "重大", "major"),
        Impact::Severe => pick(language, "严重", "severe"),
    }
}

/// Likelihood.
pub fn likelihood(likelihood: Likelihood, language: Language) -> &'static str {
    match likelihood {
        Likelihood::Unlikely => pick(language, "不太可能", "unlikely"),
        Likelihood::Possible => pick(language, "可能", "possible"),
        Likelihood::Likely => pick(language, "很可能", "likely"),
        Likelihood::Certain => pick(language, "几乎确定", "certain"),
    }
}

/// State of an incident.
pub fn state(state: State, language: Language) -> &'static str {
    match state {
        State::Suspected => pick(language, "疑似", "suspected"),
        State::Confirmed => pick(language, "已证实", "confirmed"),
        State::Responding => pick(language, "处置中", "responding"),
        State::Monitoring => pick(language, "观察中", "monitoring"),
        State::Resolved => pick(language, "已解决", "resolved"),
        State::Reviewed => pick(language, "已复盘", "reviewed"),
        State::Dismissed => pick(language, "已排除", "dismissed"),
        State::Merged => pick(language, "已并入", "merged"),
    }
}

/// State of a step.
pub fn step_state(state: StepState, language: Language) -> &'static str {
    match state {
        StepState::Todo => pick(language, "待办", "to do"),
        StepState::Doing => pick(language, "进行中", "doing"),
        StepState::Done => pick(language, "完成", "done"),
        StepState::Skipped => pick(language, "跳过", "skipped"),
        StepState::Overdue => pick(language, "逾期", "overdue"),
    }
}

/// What looking into it showed.
pub fn nature(nature: Nature, language: Language) -> &'static str {
    match nature {
        Nature::Fact => pick(language, "属实", "true"),
        Nature::Partly => pick(language, "部分属实", "partly true"),
        Nature::Rumour => pick(language, "不实", "not true"),
        Nature::Unclear => pick(language, "待查", "not clear yet"),
    }
}

/// Role in a crisis team.
pub fn role(role: Role, language: Language) -> &'static str {
    match role {
        Role::Commander => pick(language, "总指挥", "commander"),
        Role::Spokesperson => pick(language, "发言人", "spokesperson"),
        Role::Legal => pick(language, "法务", "legal"),
        Role::CustomerCare => pick(language, "客服", "customer care"),
        Role::Operations => pick(language, "运营", "operations"),
    }
}

/// Why somebody is paged.
pub fn page_reason(reason: PageReason, language: Language) -> &'static str {
    match reason {
        PageReason::First => pick(language, "新危机事件", "new incident"),
        PageReason::Escalated => {
            pick(language, "无人确认，升级通知", "nobody acknowledged, escalated to you")
        }
        PageReason::LevelRaised => pick(language, "风险等级上升", "level raised"),
        PageReason::Overdue => pick(language, "处置步骤逾期", "a step is overdue"),
        PageReason::Reminder => pick(language, "已接手但无进展", "taken, but nothing was done"),
        PageReason::ReportDue => pick(language, "该提交进展通报", "a follow-up report is due"),
        PageReason::Recovered => pick(language, "指标已恢复正常", "indicators are back to normal"),
        PageReason::Recurrence => pick(language, "事件复发", "it came back"),
        PageReason::Acknowledged => pick(language, "已有人接手", "somebody took it"),
        PageReason::Closed => pick(language, "事件已关闭", "it is closed"),
    }
}

/// Platform.
pub fn platform(platform: Platform, language: Language) -> &'static str {
    let (zh, en) = match platform {
        Platform::Weibo => ("微博", "Weibo"),
        Platform::Wechat => ("微信", "WeChat"),
        Platform::Douyin => ("抖音", "Douyin"),
        Platform::Kuaishou => ("快手", "Kuaishou"),
        Platform::Xiaohongshu => ("小红书", "Xiaohongshu"),
        Platform::Zhihu => ("知乎", "Zhihu"),
        Platform::Bilibili => ("哔哩哔哩", "Bilibili"),
        Platform::Douban => ("豆瓣", "Douban"),
        Platform::Tieba => ("贴吧", "Tieba"),
        Platform::News => ("新闻", "News"),
        Platform::Forum => ("论坛", "Forum"),
        Platform::Site => ("官网", "Site"),
        Platform::X => ("X", "X"),
        Platform::Bluesky => ("Bluesky", "Bluesky"),
        Platform::Mastodon => ("Mastodon", "Mastodon"),
        Platform::Reddit => ("Reddit", "Reddit"),
        Platform::Youtube => ("YouTube", "YouTube"),
        Platform::Hackernews => ("Hacker News", "Hacker News"),
        Platform::Rss => ("RSS", "RSS"),
        Platform::Tiktok => ("TikTok", "TikTok"),
        Platform::Instagram => ("Instagram", "Instagram"),
        Platform::Facebook => ("Facebook", "Facebook"),
        Platform::Complaints => ("投诉平台", "Complaints"),
        Platform::Alert => ("告警", "Alert"),
        Platform::Other => ("其他", "Other"),
    };
    pick(language, zh, en)
}

/// `[演练] ` in front of what belongs to a drill.
pub fn drill(page: &Page, language: Language) -> &'static str {
    if page.drill.is_some() { pick(language, "[演练] ", "[DRILL] ") } else { "" }
}

/// One reason with its numbers: `1 小时负面提及：86（临界值 ≥ 40）`.
pub fn reason(reason: &Reason, language: Language) -> String {
    let sign = if reason.value < reason.limit { "≤" } else { "≥" };
    let (name, value) = (clean(reason.wording.get(language)), number(reason.value));
    let (limit, window) = (number(reason.limit), window(reason.window_seconds, language));
    match language {
        Language::Zh => format!("{name}（{window}）：{value}，临界值 {sign} {limit}"),
        Language::En => format!("{name} ({window}): {value}, limit {sign} {limit}"),
    }
}

/// Length of a window.
pub fn window(seconds: u64, language: Language) -> String {
    let (count, zh, en) = match seconds {
        0 => return pick(language, "单条", "single post").into(),
        s if s % 86_400 == 0 => (s / 86_400, "天", "d"),
        s if s % 3600 == 0 => (s / 3600, "小时", "h"),
        s if s % 60 == 0 => (s / 60, "分钟", "min"),
        s => (s, "秒", "s"),
    };
    format!("{count} {}", pick(language, zh, en))
}

/// How long something took, its two largest units: `1 h 5 min`.
pub fn duration(seconds: i64, language: Language) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let (d, h, m, s) = pick(language, ("天", "小时", "分钟", "秒"), ("d", "h", "min", "s"));
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} {s}"),
        (0, 0, _) => format!("{minutes} {m}"),
        (0, _, 0) => format!("{hours} {h}"),
        (0, _, _) => format!("{hours} {h} {minutes} {m}"),
        (_, 0, _) => format!("{days} {d}"),
        _ => format!("{days} {d} {hours} {h}"),
    }
}

/// A number for people: whole with thousands separated, else two decimals.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    let rounded = format!("{value:.2}");
    let trimmed = rounded.trim_end_matches('0').trim_end_matches('.');
    let (sign, digits) = trimmed.strip_prefix('-').map_or(("", trimmed), |d| ("-", d));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let fraction = fraction.map(|f| format!(".{f}")).unwrap_or_default();
    if grouped == "0" && fraction.is_empty() { grouped } else { format!("{sign}{grouped}{fraction}") }
}

/// Followers behind a name.
pub fn followers(followers: u64, language: Language) -> String {
    let shown = number(followers as f64);
    match language {
        Language::Zh => format!("（粉丝 {shown}）"),
        Language::En => format!(" ({shown} followers)"),
    }
}

/// Known counters, the loudest kinds only.
pub fn counters(metrics: &Metrics, language: Language) -> String {
    let known = [
        (metrics.reposts, "转发", "reposts"),
        (metrics.comments, "评论", "comments"),
        (metrics.likes, "赞", "likes"),
        (metrics.views, "阅读", "views"),
    ];
    let mut out = String::new();
    for (count, zh, en) in known {
        if let Some(count) = count.filter(|c| *c > 0) {
            let shown = number(count as f64);
            match language {
                Language::Zh => out.push_str(&format!(" {zh} {shown}")),
                Language::En => out.push_str(&format!(" {shown} {en}")),
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        let table = [
            (0.0, "0"),
            (-0.001, "0"),
            (86.0, "86"),
            (0.725, "0.72"),
            (-0.5, "-0.5"),
            (1_234_567.0, "1,234,567"),
            (1000.25, "1,000.25"),
            (f64::NAN, "–"),
            (f64::INFINITY, "–"),
        ];
        for (value, shown) in table {
            assert_eq!(number(value), shown, "{value}");
        }
    }

    #[test]
    fn windows_in_their_largest_whole_unit() {
        let table = [(0, "单条"), (90, "90 秒"), (300, "5 分钟"), (3600, "1 小时"), (172_800, "2 天")];
        for (seconds, shown) in table {
            assert_eq!(window(seconds, Language::Zh), shown);
        }
    }
}
