//! What all pages share: language, frame, content security policy, times and names for people. Refuses inline styles,
//! foreign scripts and anything fetched from outside.

use std::sync::LazyLock;

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tocsin_escalate::{Actor, Via};
use tocsin_rules::{Language, Rulebook};

use crate::{App, config::Rank, gate::Identity, problem::Problem};

mod words;

pub(crate) use words::{Words, of as words_of};

/// The one style sheet, written into every page.
pub(crate) const STYLE: &str = include_str!("../assets/console.css");
/// The one script, written into every page.
pub(crate) const SCRIPT: &str = include_str!("../assets/console.js");

/// Content security policy: this style, this script, this site. Hashes do what a nonce would, without randomness.
pub(crate) static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; img-src data:; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
});

/// What surrounds every page.
pub(crate) struct Frame {
    pub(crate) language: Language,
    pub(crate) title: String,
    pub(crate) t: &'static Words,
    pub(crate) css: &'static str,
    pub(crate) js: &'static str,
    /// Name and rank of who looks on.
    pub(crate) user: Option<(String, &'static str)>,
    /// Nobody logs in, so nobody logs out.
    pub(crate) demo: bool,
    /// Shown once, above everything: what became of the last command.
    pub(crate) notice: Option<&'static str>,
    /// The page refreshes itself.
    pub(crate) live: bool,
    /// The page has buttons that need the script, and does not refresh itself.
    pub(crate) script: bool,
}

impl Frame {
    pub(crate) fn new(language: Language, title: impl Into<String>, identity: Option<&Identity>) -> Self {
        let t = words_of(language);
        Self {
            language,
            title: title.into(),
            t,
            css: STYLE,
            js: SCRIPT,
            user: identity.map(|i| (i.name.clone(), t.rank(i.rank))),
            demo: identity.is_some_and(|i| i.via == Via::Demo),
            notice: None,
            live: false,
            script: false,
        }
    }

    /// For `<html lang>`.
    pub(crate) fn code(&self) -> &'static str {
        match self.language {
            Language::Zh => "zh-CN",
            Language::En => "en",
        }
    }

    /// `?lang=` of the other language.
    pub(crate) fn other(&self) -> &'static str {
        match self.language {
            Language::Zh => "en",
            Language::En => "zh",
        }
    }
}

/// Language of a request: `?lang=`, else the cookie that once set, else `Accept-Language`, else Chinese.
pub(crate) fn language(headers: &HeaderMap, asked: Option<&str>) -> Language {
    let named = |text: &str| match text.trim().get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("zh") => Some(Language::Zh),
        Some("en") => Some(Language::En),
        _ => None,
    };
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let cookie = || text(header::COOKIE).split(';').find_map(|c| named(c.trim().strip_prefix("lang=")?));
    let accepted = || text(header::ACCEPT_LANGUAGE).split(',').find_map(named);
    asked.and_then(named).or_else(cookie).or_else(accepted).unwrap_or_default()
}

/// A page; remembers a language that was asked for by name.
pub(crate) fn page(template: &impl askama::Template, status: StatusCode, asked: Option<&str>) -> Response {
    let Ok(html) = template.render() else {
        let detail = "the page cannot be written";
        return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail).into_response();
    };
    let mut response = (status, Html(html)).into_response();
    let cookie = match asked {
        Some("zh") => Some("lang=zh; Path=/; Max-Age=31536000; SameSite=Lax"),
        Some("en") => Some("lang=en; Path=/; Max-Age=31536000; SameSite=Lax"),
        _ => None,
    };
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, header::HeaderValue::from_static(cookie));
    }
    response
}

/// Where a login may lead: an incident of ours, nothing else.
pub(crate) fn safe_next(path: &str) -> Option<&str> {
    let id = path.strip_prefix("/incidents/")?;
    (!id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')).then_some(path)
}

/// `12 分钟前`, `in 3 min`, `just now`.
pub(crate) fn distance(now: Timestamp, at: Timestamp, language: Language) -> String {
    let seconds = now.as_second() - at.as_second();
    let (count, zh, en) = match seconds.unsigned_abs() {
        0..60 => return words::pick(language, "刚刚", "just now").into(),
        s @ 60..3600 => (s / 60, "分钟", "min"),
        s @ 3600..86_400 => (s / 3600, "小时", "h"),
        s => (s / 86_400, "天", "d"),
    };
    match (language, seconds > 0) {
        (Language::Zh, true) => format!("{count} {zh}前"),
        (Language::Zh, false) => format!("{count} {zh}后"),
        (Language::En, true) => format!("{count} {en} ago"),
        (Language::En, false) => format!("in {count} {en}"),
    }
}

/// Display name of a person of the rulebook, or the id itself.
pub(crate) fn name_of(rulebook: &Rulebook, id: &str) -> String {
    rulebook.person(id).map_or_else(|| id.to_owned(), |person| person.name.clone())
}

/// Who did something.
pub(crate) fn actor(rulebook: &Rulebook, actor: &Actor, language: Language) -> String {
    match actor.via {
        Via::Timer => words::pick(language, "计时器", "timer").into(),
        Via::Detection => words::pick(language, "监测", "detection").into(),
        _ => name_of(rulebook, &actor.who),
    }
}

/// Whether `identity` may carry out an action.
pub(crate) fn may(identity: &Identity, action: &str) -> bool {
    crate::routes::need_of(action).is_some_and(|need: Rank| identity.rank >= need)
}

/// Whether `identity` may send the form of this route.
pub(crate) fn may_post(identity: &Identity, path: &str) -> bool {
    crate::routes::need_to_post(path).is_some_and(|need: Rank| identity.rank >= need)
}

/// Date and time as pages write them.
pub(crate) fn time(app: &App, at: Timestamp) -> String {
    app.renderer.time(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_found() {
        let with = |name, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            headers
        };
        let none = HeaderMap::new();
        assert_eq!(language(&none, None), Language::Zh);
        assert_eq!(language(&none, Some("en")), Language::En);
        assert_eq!(language(&none, Some("x")), Language::Zh);
        let english = with(header::ACCEPT_LANGUAGE, "fr-FR, en-GB;q=0.8, zh;q=0.5");
        assert_eq!(language(&english, None), Language::En);
        assert_eq!(language(&english, Some("zh-CN")), Language::Zh);
        assert_eq!(language(&with(header::COOKIE, "a=b; lang=en"), None), Language::En);
    }

    #[test]
    fn logins_lead_nowhere_else() {
        for bad in
            ["/", "//evil", "/incidents/", "/incidents/../x", "/incidents/a?b", "https://evil/incidents/a"]
        {
            assert_eq!(safe_next(bad), None, "{bad}");
        }
        assert_eq!(safe_next("/incidents/s07-ab"), Some("/incidents/s07-ab"));
    }

    #[test]
    fn distances_for_people() {
        let at = |s| Timestamp::from_second(s).unwrap();
        let table = [(30, "刚刚"), (120, "2 分钟前"), (-7200, "2 小时后"), (200_000, "2 天前")];
        for (seconds, shown) in table {
            assert_eq!(distance(at(1_000_000), at(1_000_000 - seconds), Language::Zh), shown);
        }
        assert_eq!(distance(at(0), at(180), Language::En), "in 3 min");
    }
}
