//! From files to a whole rulebook: read all, inherit from a pack, check, and only then build.

use super::{
    CONSUMER_BRAND, Fault, Faults, Monitor, MonitorKind, Rulebook, Sensitivity,
    check::check,
    cursor::{Reader, clip},
    draft::Draft,
    places::Places,
    values::offset_of_list,
    yaml,
};
use crate::{level::Level, query::Query, spelling::hint, wording::Wording};

/// Packs a rulebook may extend.
const PACKS: &[(&str, &str)] = &[("consumer-brand", CONSUMER_BRAND)];
/// Faults reported at most; a file that is no rulebook at all would have thousands.
const MAX_FAULTS: usize = 200;

pub(super) fn load(files: &[(&str, &str)]) -> Result<(Rulebook, Places), Faults> {
    let mut r = Reader::new(files);
    let mut draft = Draft::default();
    read_all(&mut r, &mut draft);
    if let Some(extends) = draft.extends.clone() {
        match PACKS.iter().find(|(name, _)| *name == extends.value) {
            Some((name, content)) => inherit(&mut r, &mut draft, &[(name, content)])?,
            None => {
                let known: Vec<&str> = PACKS.iter().map(|(name, _)| *name).collect();
                let message =
                    format!("there is no pack `{}`; known are {}", clip(&extends.value), known.join(", "));
                r.fault(extends.place, &extends.path, message);
            }
        }
    }
    let names = std::mem::take(&mut r.names);
    for (place, path, message) in
        names.faults(|file| files.get(file).map_or("", |(name, _)| *name).to_owned())
    {
        r.fault(place, &path, message);
    }
    check(&draft, &mut r);
    let places = Places::of(files, std::mem::take(&mut r.places));
    Ok((finish(r, draft, &version(files))?, places))
}

fn read_all(r: &mut Reader<'_>, draft: &mut Draft) {
    let sources = r.sources;
    for (file, (_, content)) in sources.iter().enumerate() {
        match yaml::parse(file, content) {
            Ok(Some(root)) => draft.read(r, &root),
            Ok(None) => r.fault(yaml::Place { file, line: 1, column: 1 }, "", "the file is empty"),
            Err(syntax) => r.fault(syntax.place, "", syntax.message),
        }
    }
}

fn inherit(r: &mut Reader<'_>, draft: &mut Draft, pack: &[(&str, &str)]) -> Result<(), Faults> {
    let mut pack_reader = Reader::new(pack);
    let mut pack_draft = Draft::default();
    read_all(&mut pack_reader, &mut pack_draft);
    if !pack_reader.faults.is_empty() {
        return Err(sorted(pack_reader));
    }
    draft.inherit(r, pack_draft, std::mem::take(&mut pack_reader.names));
    Ok(())
}

fn finish(r: Reader<'_>, mut draft: Draft, version: &str) -> Result<Rulebook, Faults> {
    draft.spread_calendars();
    let (true, Some(detection)) = (r.faults.is_empty(), draft.detection) else { return Err(sorted(r)) };
    fn values<T>(given: Vec<super::draft::Given<T>>) -> Vec<T> {
        given.into_iter().map(|given| given.value).collect()
    }
    Ok(Rulebook {
        version: version.to_owned(),
        name: draft.name.map_or_else(|| Wording::same("Tocsin"), |given| given.value),
        time_zone: draft.time_zone.map_or_else(|| "Asia/Shanghai".to_owned(), |given| given.value),
        monitors: values(draft.monitors),
        lists: values(draft.lists),
        categories: values(draft.categories),
        detection: detection.value,
        plans: values(draft.plans),
        policies: values(draft.policies),
        teams: values(draft.teams),
        templates: values(draft.templates),
        quiet_hours: draft.quiet_hours.map(|given| given.value),
    })
}

fn sorted(r: Reader<'_>) -> Faults {
    let mut faults = r.faults;
    faults.sort_by(|a, b| (a.0, &a.1.path).cmp(&(b.0, &b.1.path)));
    let mut faults: Vec<Fault> = faults.into_iter().map(|(_, fault)| fault).collect();
    faults.dedup();
    let more = faults.len().saturating_sub(MAX_FAULTS);
    faults.truncate(MAX_FAULTS);
    if let (Some(last), true) = (faults.last_mut(), more > 0) {
        last.message.push_str(&format!(" (and {more} more faults)"));
    }
    Faults(faults)
}

/// Hash of names and contents, 16 hex digits.
fn version(files: &[(&str, &str)]) -> String {
    let mut hasher = blake3::Hasher::new();
    for (_, content) in files {
        hasher.update(&(content.len() as u64).to_le_bytes());
        hasher.update(content.as_bytes());
    }
    hasher.finalize().to_hex().chars().take(16).collect()
}

/// The version of a rulebook changed in memory.
pub(super) fn derived_version(base: &str, change: &str) -> String {
    version(&[("", base), ("", change)])
}

pub(super) fn from_pack(monitors: &[(String, String)], sensitivity: Sensitivity) -> Result<Rulebook, Faults> {
    let (pack, _) = load(&[("consumer-brand.yaml", CONSUMER_BRAND)])?;
    let owner = pack.teams.first().map(|team| team.id.clone()).unwrap_or_default();
    let mut faults = Vec::new();
    let mut built: Vec<Monitor> = Vec::new();
    for (name, query) in monitors {
        let mut fault = |offset: usize, message: String| {
            let file = "--monitor".to_owned();
            faults.push(Fault { file, line: 1, column: offset + 1, path: clip(name), message });
        };
        match Query::parse(query) {
            Ok(parsed) => {
                for list in parsed.lists().into_iter().filter(|list| pack.list(list).is_none()) {
                    let known = pack.lists.iter().map(|known| known.name.as_str());
                    let message = format!("there is no list `{}`{}", clip(list), hint(list, known));
                    fault(offset_of_list(query, list), message);
                }
                let id = unused(&slug(name), &built);
                built.push(Monitor {
                    id,
                    name: name.trim().to_owned(),
                    kind: MonitorKind::Brand,
                    query: parsed,
                    platforms: Vec::new(),
                    languages: Vec::new(),
                    owner: owner.clone(),
                    ceiling: Level::High,
                });
            }
            Err(query_faults) => query_faults.into_iter().for_each(|f| fault(f.start, f.message)),
        }
    }
    if built.is_empty() && faults.is_empty() {
        let message = "no monitor was given; write NAME=QUERY".to_owned();
        faults.push(Fault { file: "--monitor".into(), line: 1, column: 1, path: "(all)".into(), message });
    }
    if !faults.is_empty() {
        return Err(Faults(faults));
    }
    Ok(pack.with_monitors(built).with_sensitivity(sensitivity))
}

/// Letters, digits and Han of a name in lower case, everything else a single hyphen.
pub(crate) fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.to_lowercase().chars().take(60) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "monitor".to_owned() } else { slug.to_owned() }
}

fn unused(slug: &str, built: &[Monitor]) -> String {
    let taken = |id: &str| built.iter().any(|monitor| monitor.id == id);
    if !taken(slug) {
        return slug.to_owned();
    }
    (2..).map(|n| format!("{slug}-{n}")).find(|id| !taken(id)).unwrap_or_else(|| slug.to_owned())
}
