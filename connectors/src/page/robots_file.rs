//! `robots.txt` as RFC 9309 has it: the group of our product token, else of `*`; the longest matching rule wins, `allow`
//! on a tie; `*` and `$` in paths; `Crawl-delay` is obeyed although the RFC knows none. Pure.

use std::time::Duration;

use url::Url;

/// Our name in `User-agent:` lines.
pub(super) const PRODUCT: &str = "tocsin";
/// No more of a file is read (the RFC asks for at least 500 KiB).
pub(super) const LONGEST: usize = 512 * 1024;
/// Longest rule and most rules kept.
const LIMITS: (usize, usize) = (2_048, 10_000);
/// No more delay than this is taken seriously.
const LONGEST_DELAY: Duration = Duration::from_secs(120);

/// What a site allows us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Robots {
    rules: Vec<Rule>,
    /// Between two requests.
    pub(super) delay: Option<Duration>,
    /// Nothing at all: the file could not be had although it may exist.
    nothing: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    allow: bool,
    pattern: String,
}

#[derive(Default)]
struct Group {
    agents: Vec<String>,
    rules: Vec<Rule>,
    delay: Option<Duration>,
}

impl Robots {
    /// No file: everything is allowed.
    pub(super) fn absent() -> Self {
        Self::default()
    }

    /// The server is in trouble: nothing is allowed for now.
    pub(super) fn unreachable() -> Self {
        Self { nothing: true, ..Self::default() }
    }

    /// Whether it stands for a file that could not be had.
    pub(super) fn is_unreachable(&self) -> bool {
        self.nothing
    }

    /// Reads a file.
    pub(super) fn parse(body: &[u8]) -> Self {
        let body = &body[..body.len().min(LONGEST)];
        let text = String::from_utf8_lossy(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body));
        let groups = groups(&text);
        let of = |wanted: &str| -> Vec<&Group> {
            groups.iter().filter(|group| group.agents.iter().any(|agent| agent == wanted)).collect()
        };
        // Groups of one name are one group.
        let mut chosen = of(PRODUCT);
        if chosen.is_empty() {
            chosen = of("*");
        }
        let rules = chosen.iter().flat_map(|group| group.rules.iter().cloned()).take(LIMITS.1).collect();
        let delay = chosen.iter().find_map(|group| group.delay);
        Self { rules, delay, nothing: false }
    }

    /// Whether we may ask for this address.
    pub(super) fn allows(&self, url: &Url) -> bool {
        if url.path() == "/robots.txt" {
            return true;
        }
        let target = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let target = normal(&target);
        let best = self
            .rules
            .iter()
            .filter(|rule| matches(&rule.pattern, &target))
            .max_by_key(|rule| (rule.pattern.len(), rule.allow));
        !self.nothing && best.is_none_or(|rule| rule.allow)
    }
}

fn groups(text: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut naming = false;
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "user-agent" | "useragent" | "user agent" => {
                if !naming {
                    groups.push(Group::default());
                }
                naming = true;
                // `Tocsin/1.0` is meant as `tocsin`.
                let token = value.split(['/', ' ']).next().unwrap_or_default().to_ascii_lowercase();
                if let Some(group) = groups.last_mut() {
                    group.agents.push(token);
                }
            }
            word @ ("allow" | "disallow") => {
                naming = false;
                let kept = groups.last_mut().filter(|group| group.rules.len() < LIMITS.1);
                if let Some(group) = kept
                    && !value.is_empty()
                    && value.len() <= LIMITS.0
                {
                    group.rules.push(Rule { allow: word == "allow", pattern: normal(value) });
                }
            }
            "crawl-delay" => {
                naming = false;
                let seconds = value.parse::<f64>().ok().filter(|s| s.is_finite() && *s >= 0.0);
                if let Some(group) = groups.last_mut() {
                    let span = seconds.and_then(|s| Duration::try_from_secs_f64(s).ok());
                    group.delay = span.map(|span| span.min(LONGEST_DELAY));
                }
            }
            _ => {}
        }
    }
    groups
}

/// Percent-encoding is compared in one form: unreserved ASCII as it is, other bytes encoded, digits in upper case.
fn normal(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%').and_then(|digits| {
            let high = char::from(digits[0]).to_digit(16)?;
            let low = char::from(digits[1]).to_digit(16)?;
            u8::try_from(high * 16 + low).ok()
        });
        match escaped {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                out.push(char::from(byte))
            }
            Some(byte) => out.push_str(&format!("%{byte:02X}")),
            None if bytes[at].is_ascii_graphic() => out.push(char::from(bytes[at])),
            None => out.push_str(&format!("%{:02X}", bytes[at])),
        }
        at += if escaped.is_some() { 3 } else { 1 };
    }
    out
}

/// Whether a path begins as a pattern says; `*` is any run, a last `$` the end. Linear in both, whatever they hold.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, anchored) = match pattern.strip_suffix('$') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = path.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return !anchored || rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    if anchored { rest.ends_with(last) } else { rest.contains(last) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn allows(file: &str, path: &str) -> bool {
        let url = Url::parse("https://a.example").and_then(|base| base.join(path)).expect("an address");
        Robots::parse(file.as_bytes()).allows(&url)
    }

    #[test]
    fn groups_longest_rule_and_wildcards() {
        let file = "User-agent: *\nDisallow: /\n\nUser-Agent: other\nUser-agent: Tocsin/2.0 # us\nAllow: /news\n\
            Disallow: /news/private\nDisallow: /*.gif$\nDisallow: /search?*q=\nAllow: /n/a$\nDisallow: /n\n";
        for (path, allowed) in [
            ("/", true),
            ("/news/1", true),
            ("/news/private/1", false),
            ("/pictures/a.gif", false),
            ("/pictures/a.gif?x=1", true),
            ("/search?page=2&q=x", false),
            ("/n/a", true),
            ("/n/a/b", false),
            ("/robots.txt", true),
        ] {
            assert_eq!(allows(file, path), allowed, "{path}");
        }
        assert!(!allows("User-agent: *\nDisallow: /", "/x"));
        assert!(allows("User-agent: *\nDisallow:\n", "/x"));
        assert!(allows("Disallow: /\n", "/x"), "a rule of no group binds nobody");
        assert!(allows("User-agent: *\nAllow: /a\nDisallow: /a\n", "/a"), "allow wins a tie");
        assert!(!allows("User-agent: *\nDisallow: /b%C3%BCcher", "/bücher/1"));
        assert!(!allows("User-agent: *\nDisallow: /bücher", "/b%c3%bccher"));
        assert!(Robots::absent().allows(&Url::parse("https://a.example/x").expect("an address")));
        assert!(!Robots::unreachable().allows(&Url::parse("https://a.example/x").expect("an address")));
    }

    #[test]
    fn delays_and_merged_groups() {
        let file = "\u{feff}User-agent: tocsin\nCrawl-delay: 2.5\nUser-agent: tocsin\nDisallow: /x\n";
        let robots = Robots::parse(file.as_bytes());
        assert_eq!(robots.delay, Some(Duration::from_millis(2500)));
        assert!(!allows(file, "/x"));
        for delay in ["-1", "NaN", "x", "1e300"] {
            let file = format!("User-agent: *\nCrawl-delay: {delay}\n");
            assert!(Robots::parse(file.as_bytes()).delay.is_none_or(|delay| delay <= LONGEST_DELAY));
        }
    }

    proptest! {
        #[test]
        fn never_panics(body in proptest::collection::vec(any::<u8>(), 0..400), path in "/[\\PC]{0,30}") {
            let robots = Robots::parse(&body);
            if let Ok(url) = Url::parse("https://a.example").and_then(|base| base.join(&path)) {
                robots.allows(&url);
            }
        }

        #[test]
        fn never_panics_on_rules(rule in "[/a*$%0-9?]{0,20}", path in "/[a*$%0-9?/]{0,20}") {
            let file = format!("User-agent: *\nDisallow: {rule}\nAllow: /a");
            if let Ok(url) = Url::parse("https://a.example").and_then(|base| base.join(&path)) {
                Robots::parse(file.as_bytes()).allows(&url);
            }
        }
    }
}
