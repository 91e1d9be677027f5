//! Every kind of source in one table. Adding one is a file with its settings and a line in [`KINDS`]. Refuses to know what
//! a kind does: it reads the common settings, hands the rest to the kind, and opens what comes of it.

use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::{Map, Value};
use tocsin_bus::Clock;
use tocsin_rules::Level;

use crate::{
    Cursor, DynSource, Error, Hook, Source, SourceKind, bilibili, bluesky, brandwatch, dataminr, douyin,
    feed, gdelt, hackernews, health::Rules, hooks, http, kafka, mastodon, meltwater_search, page, reddit,
    table, tail, talkwalker, weibo, x, youtube,
};

/// Every kind, in the order they are listed to people.
pub static KINDS: &[Kind] = &[
    Kind::of::<tail::Settings>(),
    Kind::of::<bluesky::stream::Settings>(),
    Kind::of::<bluesky::backfill::Settings>(),
    Kind::of::<mastodon::stream::Settings>(),
    Kind::of::<mastodon::timeline::Settings>(),
    Kind::of::<x::stream::Settings>(),
    Kind::of::<reddit::poll::Settings>(),
    Kind::of::<hackernews::poll::Settings>(),
    Kind::of::<youtube::poll::Settings>(),
    Kind::of::<gdelt::poll::Settings>(),
    Kind::of::<brandwatch::poll::Settings>(),
    Kind::of::<talkwalker::stream::Settings>(),
    Kind::of::<talkwalker::poll::Settings>(),
    Kind::of::<dataminr::poll::Settings>(),
    Kind::of::<meltwater_search::poll::Settings>(),
    Kind::of::<weibo::Settings>(),
    Kind::of::<douyin::Settings>(),
    Kind::of::<bilibili::Settings>(),
    Kind::of::<hooks::wechat::Settings>(),
    Kind::of::<hooks::signed::Settings<hooks::douyin::Douyin>>(),
    Kind::of::<hooks::signed::Settings<hooks::kuaishou::Kuaishou>>(),
    Kind::of::<hooks::bilibili::Settings>(),
    Kind::of::<hooks::signed::Settings<hooks::x::X>>(),
    Kind::of::<hooks::youtube::Settings>(),
    Kind::of::<hooks::youtube::LeaseSettings>(),
    Kind::of::<hooks::meltwater::Settings>(),
    Kind::of::<hooks::alertmanager::Settings>(),
    Kind::of::<hooks::vendor::Settings>(),
    Kind::of::<feed::Settings>(),
    Kind::of::<page::Settings>(),
    Kind::of::<table::Settings>(),
    Kind::of::<kafka::Settings>(),
];

/// Settings of one kind of source: what stands beside `name` and `kind` in the configuration. Unknown fields must be
/// refused (`deny_unknown_fields`), secrets stand in files ([`crate::TokenFile`]).
pub trait SourceSettings: DeserializeOwned + fmt::Debug + Send + Sync + 'static {
    /// The word of `kind:`.
    const KIND: SourceKind;
    /// Pace and patience unless the configuration says otherwise.
    const PROFILE: Profile;

    /// Faults that reading alone does not find, each beginning with its field: `map: …`. All of them at once.
    fn check(&self) -> Vec<String> {
        Vec::new()
    }

    /// Makes the source or hook. Called again each time the lease is taken, so secrets are read here. No I/O on the
    /// network: that is [`Source::fetch`]'s.
    ///
    /// # Errors
    /// [`Error::Options`], [`Error::Credential`].
    fn open(&self, parts: Parts) -> Result<Opened, Error>;
}

/// Pace and patience of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Wait between two fetches that found nothing more; for a stream, the least wait before it connects anew.
    pub poll: Duration,
    /// Without a success for so long it is blind; none: never for that alone.
    pub blind_after: Option<Duration>,
    /// Receives instead of fetching.
    pub hook: bool,
}

impl Profile {
    /// Asked every `poll`.
    pub const fn poll(poll: Duration, blind_after: Duration) -> Self {
        Self { poll, blind_after: Some(blind_after), hook: false }
    }

    /// A connection that stays: fetched again at once.
    pub const fn stream(blind_after: Duration) -> Self {
        Self { poll: Duration::from_millis(10), blind_after: Some(blind_after), hook: false }
    }

    /// Called by others.
    pub const fn hook() -> Self {
        Self { poll: Duration::from_secs(1), blind_after: None, hook: true }
    }
}

/// What a source is made with.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Name in the configuration.
    pub name: Arc<str>,
    /// The time; for waits within a fetch.
    pub clock: Arc<dyn Clock>,
    /// HTTP.
    pub http: http::Client,
    /// Wait between two fetches, for sources that keep a schedule of their own.
    pub every: Duration,
    /// Its cursor, under the lease just taken. A hook has none to speak of: it is opened in every process.
    pub cursor: Cursor,
}

/// What came of opening.
pub enum Opened {
    /// Fetches.
    Source(Box<dyn DynSource>),
    /// Receives under `/hooks/{name}`.
    Hook(Arc<dyn Hook>),
}

impl Opened {
    /// A source.
    pub fn source(source: impl Source + 'static) -> Self {
        Self::Source(Box::new(source))
    }

    /// A hook.
    pub fn hook(hook: impl Hook + 'static) -> Self {
        Self::Hook(Arc::new(hook))
    }
}

/// One line of the table.
#[derive(Debug)]
pub struct Kind {
    /// The word.
    pub kind: SourceKind,
    /// Pace and patience.
    pub profile: Profile,
    read: fn(Value) -> Result<Arc<dyn Open>, serde_json::Error>,
}

impl Kind {
    /// The line of these settings.
    pub(crate) const fn of<S: SourceSettings>() -> Self {
        Self { kind: S::KIND, profile: S::PROFILE, read: read::<S> }
    }
}

fn read<S: SourceSettings>(value: Value) -> Result<Arc<dyn Open>, serde_json::Error> {
    Ok(Arc::new(serde_json::from_value::<S>(value)?))
}

/// [`SourceSettings`] behind a pointer.
trait Open: fmt::Debug + Send + Sync {
    fn check(&self) -> Vec<String>;
    fn open(&self, parts: Parts) -> Result<Opened, Error>;
}

impl<S: SourceSettings> Open for S {
    fn check(&self) -> Vec<String> {
        SourceSettings::check(self)
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        SourceSettings::open(self, parts)
    }
}

/// One entry of `sources:` in the configuration.
#[derive(Debug, Clone)]
pub struct Configured {
    /// Unique; a metrics label and part of a hook's address.
    pub name: String,
    /// Line of the table.
    pub kind: &'static Kind,
    /// False: listed as `off`.
    pub enabled: bool,
    /// Between two fetches.
    pub poll: Duration,
    /// When it counts as blind or silent.
    pub rules: Rules,
    settings: Arc<dyn Open>,
}

/// What every kind has; the rest is the kind's own.
#[derive(Deserialize)]
struct Common {
    name: String,
    #[serde(default = "tail_word")]
    kind: String,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    every_seconds: Option<u64>,
    #[serde(default)]
    blind_after_seconds: Option<u64>,
    #[serde(default)]
    silent_after_seconds: Option<u64>,
    #[serde(default = "medium")]
    blind_level: Level,
}

const COMMON: [&str; 7] = [
    "name",
    "kind",
    "enabled",
    "every_seconds",
    "blind_after_seconds",
    "silent_after_seconds",
    "blind_level",
];

fn tail_word() -> String {
    SourceKind::TAIL.as_str().to_owned()
}

fn yes() -> bool {
    true
}

fn medium() -> Level {
    Level::Medium
}

impl<'de> Deserialize<'de> for Configured {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut rest = Map::deserialize(deserializer)?;
        let common: Map<String, Value> =
            COMMON.iter().filter_map(|field| rest.remove_entry(*field)).collect();
        let named = common.get("name").and_then(Value::as_str).unwrap_or("?").to_owned();
        let failed = |fault: serde_json::Error| D::Error::custom(format!("source `{named}`: {fault}"));
        let common: Common = serde_json::from_value(Value::Object(common)).map_err(failed)?;
        let Some(kind) = KINDS.iter().find(|kind| kind.kind.as_str() == common.kind) else {
            let known: Vec<&str> = KINDS.iter().map(|kind| kind.kind.as_str()).collect();
            return Err(D::Error::custom(format!(
                "source `{named}`: no kind `{}`; there are {}",
                common.kind,
                known.join(", ")
            )));
        };
        let settings = (kind.read)(Value::Object(rest)).map_err(failed)?;
        let seconds = |n: Option<u64>| n.map(Duration::from_secs);
        Ok(Self {
            name: common.name,
            kind,
            enabled: common.enabled,
            poll: seconds(common.every_seconds).unwrap_or(kind.profile.poll),
            rules: Rules {
                // 0 switches it off
                blind_after: seconds(common.blind_after_seconds)
                    .or(kind.profile.blind_after)
                    .filter(|after| !after.is_zero()),
                silent_after: seconds(common.silent_after_seconds).filter(|after| !after.is_zero()),
                level: common.blind_level,
            },
            settings,
        })
    }
}

impl Configured {
    /// As if read from a configuration, everything common left out.
    #[cfg(test)]
    pub(crate) fn made<S: SourceSettings>(name: &str, kind: &'static Kind, settings: S) -> Self {
        let blind_after = kind.profile.blind_after;
        Self {
            name: name.to_owned(),
            kind,
            enabled: true,
            poll: kind.profile.poll,
            rules: Rules { blind_after, silent_after: None, level: Level::Medium },
            settings: Arc::new(settings),
        }
    }

    /// Every fault of a list of sources, each with its place: `sources[2].map: …`.
    pub fn check_all(sources: &[Self]) -> Vec<String> {
        let mut names = BTreeSet::new();
        let mut faults = Vec::new();
        for (i, source) in sources.iter().enumerate() {
            let name = source.name.as_str();
            if !names.insert(name) {
                faults.push(format!("sources[{i}].name: `{name}` is used twice"));
            }
            let shown =
                |c: char| !c.is_control() && !c.is_whitespace() && !matches!(c, '/' | '?' | '#' | '%');
            if name.is_empty() || name.chars().count() > 64 || !name.chars().all(shown) {
                faults.push(format!(
                    "sources[{i}].name: 1 to 64 characters without spaces and / ? # %: it is part of addresses"
                ));
            }
            faults.extend(source.settings.check().into_iter().map(|fault| format!("sources[{i}].{fault}")));
        }
        faults
    }

    /// Makes the source or hook.
    ///
    /// # Errors
    /// As [`SourceSettings::open`].
    pub fn open(&self, parts: Parts) -> Result<Opened, Error> {
        self.settings.open(parts)
    }
}

#[cfg(test)]
mod tests;
