//! The sections of all files gathered into one draft, before they are checked against each other.
//! Refuses nothing by itself beyond a singleton given twice and an unknown section.

use super::{
    Category, Monitor, WordList,
    cursor::{Cursor, Fields, Reader},
    names::NameKind,
    yaml::{Node, Place},
};
use crate::{
    plan::{Plan, Template},
    team::{Calendar, Policy, QuietHours, Team},
    threshold::Detection,
    wording::Wording,
};

/// Top-level sections.
const SECTIONS: &[&str] = &[
    "extends",
    "name",
    "time_zone",
    "monitors",
    "lists",
    "categories",
    "detection",
    "plans",
    "policies",
    "teams",
    "templates",
    "quiet_hours",
    "calendars",
];

/// Something given, with the place that faults about it point to.
#[derive(Debug, Clone)]
pub(super) struct Given<T> {
    pub(super) place: Place,
    pub(super) path: String,
    pub(super) value: T,
}

/// What the files say. A section missing here may be faulty instead of absent; `seen` tells.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) extends: Option<Given<String>>,
    pub(super) name: Option<Given<Wording>>,
    pub(super) time_zone: Option<Given<String>>,
    pub(super) monitors: Vec<Given<Monitor>>,
    pub(super) lists: Vec<Given<WordList>>,
    pub(super) categories: Vec<Given<Category>>,
    pub(super) detection: Option<Given<Detection>>,
    pub(super) plans: Vec<Given<Plan>>,
    pub(super) policies: Vec<Given<Policy>>,
    pub(super) teams: Vec<Given<Team>>,
    pub(super) templates: Vec<Given<Template>>,
    pub(super) quiet_hours: Option<Given<QuietHours>>,
    pub(super) calendars: Vec<Given<Calendar>>,
    /// Sections some file has, faulty or not, with their first place.
    pub(super) seen: Vec<(&'static str, Place)>,
}

impl Draft {
    /// Reads one file's sections into the draft.
    pub(super) fn read(&mut self, r: &mut Reader<'_>, root: &Node) {
        let root = Cursor { node: root, path: String::new() };
        let Some(fields) = root.fields(r, SECTIONS) else { return };
        let seen = |draft: &Self, section: &str| draft.seen.iter().any(|(known, _)| *known == section);
        let singles = ["extends", "name", "time_zone", "detection", "quiet_hours"];
        let present: Vec<&'static str> =
            SECTIONS.iter().copied().filter(|key| fields.get(key).is_some()).collect();
        let twice: Vec<&str> =
            singles.into_iter().filter(|key| present.contains(key) && seen(self, key)).collect();
        for key in &twice {
            let first = self.seen.iter().find(|(known, _)| known == key).map(|(_, place)| *place);
            let (Some(field), Some(first)) = (fields.get(key), first) else { continue };
            let file = r.sources.get(first.file).map_or("", |(name, _)| *name);
            field
                .fault(r, format!("`{key}` may be given once; it is given before, at {file}:{}", first.line));
        }
        let single = |key: &'static str| fields.get(key).filter(|_| !twice.contains(&key));
        fn keep<T>(slot: &mut Option<Given<T>>, field: &Cursor<'_>, value: Option<T>) {
            if let Some(value) = value {
                *slot = Some(Given { place: field.node.place, path: field.path.clone(), value });
            }
        }
        if let Some(field) = single("extends") {
            keep(&mut self.extends, &field, field.text(r).map(str::to_owned));
        }
        if let Some(field) = single("name") {
            keep(&mut self.name, &field, field.wording(r));
        }
        if let Some(field) = single("time_zone") {
            keep(&mut self.time_zone, &field, field.zone(r));
        }
        if let Some(field) = single("detection") {
            keep(&mut self.detection, &field, super::read_detection::detection(&field, r));
        }
        if let Some(field) = single("quiet_hours") {
            keep(&mut self.quiet_hours, &field, super::read_hours::quiet_hours(&field, r));
        }
        section(&fields, r, "monitors", &mut self.monitors, super::read_watch::monitor);
        section(&fields, r, "categories", &mut self.categories, super::read_watch::category);
        section(&fields, r, "plans", &mut self.plans, super::read_plans::plan);
        section(&fields, r, "templates", &mut self.templates, super::read_plans::template);
        section(&fields, r, "policies", &mut self.policies, super::read_teams::policy);
        section(&fields, r, "teams", &mut self.teams, super::read_teams::team);
        section(&fields, r, "calendars", &mut self.calendars, super::read_hours::calendar);
        if let Some(field) = fields.get("lists") {
            self.lists.extend(super::read_watch::lists(&field, r));
        }
        for key in present {
            if let (Some(field), false) = (fields.get(key), seen(self, key)) {
                self.seen.push((key, field.node.place));
            }
        }
    }

    /// Whether some file has the section, faulty or not.
    pub(super) fn has(&self, section: &str) -> bool {
        self.seen.iter().any(|(known, _)| *known == section)
    }

    /// Fills what is not given from a ready pack: teams as a whole, singletons, and by id whatever this draft does not
    /// write anew. A pack's monitors are examples and are never taken over.
    pub(super) fn inherit(&mut self, r: &mut Reader<'_>, pack: Self, names: super::names::Names) {
        let mut replaced = vec![NameKind::Monitor];
        if self.has("teams") {
            replaced.extend([NameKind::Team, NameKind::Person]);
        } else {
            self.teams = pack.teams;
        }
        if self.has("detection") {
            replaced.push(NameKind::Threshold);
        } else {
            self.detection = pack.detection;
        }
        if !self.has("quiet_hours") {
            self.quiet_hours = pack.quiet_hours;
        }
        if !self.has("time_zone") {
            self.time_zone = pack.time_zone;
        }
        adopt(&mut self.lists, pack.lists, |list| &list.name);
        adopt(&mut self.categories, pack.categories, |category| &category.id);
        adopt(&mut self.policies, pack.policies, |policy| &policy.id);
        adopt(&mut self.templates, pack.templates, |template| &template.id);
        adopt(&mut self.calendars, pack.calendars, |calendar| &calendar.id);
        let plans = pack.plans.into_iter().filter_map(|plan| self.not_replaced(plan)).collect();
        adopt(&mut self.plans, plans, |plan| &plan.id);
        r.names.inherit(names, &replaced);
    }
}

impl Draft {
    /// What of a pack's plan own plans of its level leave over: all of it, some of its categories, or nothing.
    fn not_replaced(&self, mut plan: Given<Plan>) -> Option<Given<Plan>> {
        let own = self.plans.iter().filter(|own| own.value.level == plan.value.level);
        let general = plan.value.categories.is_empty();
        for own in own {
            if general && own.value.categories.is_empty() {
                return None;
            }
            plan.value.categories.retain(|category| !own.value.categories.contains(category));
        }
        (general || !plan.value.categories.is_empty()).then_some(plan)
    }
}

fn section<'n, T>(
    fields: &Fields<'n>,
    r: &mut Reader<'_>,
    key: &str,
    into: &mut Vec<Given<T>>,
    decode: fn(&Cursor<'n>, &mut Reader<'_>) -> Option<T>,
) {
    let Some(items) = fields.get(key).and_then(|field| field.items(r)) else { return };
    for item in items {
        if let Some(value) = decode(&item, r) {
            into.push(Given { place: item.node.place, path: item.path, value });
        }
    }
}

fn adopt<T>(own: &mut Vec<Given<T>>, pack: Vec<Given<T>>, id: fn(&T) -> &String) {
    for given in pack {
        if !own.iter().any(|known| id(&known.value) == id(&given.value)) {
            own.push(given);
        }
    }
}

impl Draft {
    /// Writes the dates of named calendars to where they are referred to.
    pub(super) fn spread_calendars(&mut self) {
        let calendars = std::mem::take(&mut self.calendars);
        let fill = |slot: Option<&mut Calendar>| {
            let Some(slot) = slot else { return };
            if let Some(known) = calendars.iter().find(|known| known.value.id == slot.id) {
                slot.clone_from(&known.value);
            }
        };
        if let Some(quiet) = &mut self.quiet_hours {
            fill(quiet.value.rest_days.calendar.as_mut());
        }
        for team in &mut self.teams {
            let team = &mut team.value;
            fill(team.quiet_hours.as_mut().and_then(|quiet| quiet.rest_days.calendar.as_mut()));
            fill(team.working_hours.as_mut().and_then(|work| work.rest_days.calendar.as_mut()));
            for layer in team.roster.iter_mut().flat_map(|roster| &mut roster.layers) {
                fill(layer.calendar.as_mut());
            }
        }
    }
}
