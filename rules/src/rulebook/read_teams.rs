//! Sections `teams` and `policies`: whom to page, in which order.

use super::{
    cursor::{Cursor, Reader},
    names::NameKind,
    read_hours::{calendar_of, quiet_hours, working_hours},
    read_plans::role,
};
use crate::{
    team::{Contact, Day, Layer, Override, Person, Policy, PolicyStep, Roster, Rotation, Target, Team},
    wording::Language,
};

pub(super) fn team(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Team> {
    let f = at.fields(r, &["id", "name", "people", "roster", "quiet_hours", "working_hours"])?;
    let id = f.need(r, "id").and_then(|c| c.define(r, NameKind::Team));
    let name = f.maybe(r, "name", |c, r| c.text(r).map(str::to_owned));
    let people = f.need(r, "people").and_then(|c| {
        let people = c.each(r, person)?;
        if people.is_empty() {
            c.fault(r, "the team has nobody");
            return None;
        }
        Some(people)
    });
    let roster = f.maybe(r, "roster", roster);
    let quiet_hours = f.maybe(r, "quiet_hours", quiet_hours);
    let working_hours = f.maybe(r, "working_hours", working_hours);
    let id = id?;
    Some(Team {
        name: name?.unwrap_or_else(|| id.clone()),
        id,
        people: people?,
        roster: roster?,
        quiet_hours: quiet_hours?,
        working_hours: working_hours?,
    })
}

fn person(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Person> {
    let f = at.fields(r, &["id", "name", "roles", "contacts", "language"])?;
    let id = f.need(r, "id").and_then(|c| c.define(r, NameKind::Person));
    let name = f.maybe(r, "name", |c, r| c.text(r).map(str::to_owned));
    let roles = f.maybe(r, "roles", |c, r| c.each(r, role));
    let contacts = f.need(r, "contacts").and_then(|c| {
        let contacts = c.each(r, contact)?;
        if contacts.is_empty() {
            c.fault(r, "nobody can be reached without a contact");
            return None;
        }
        Some(contacts)
    });
    let language = f.maybe(r, "language", Cursor::reader_language);
    let id = id?;
    Some(Person {
        name: name?.unwrap_or_else(|| id.clone()),
        id,
        roles: roles?.unwrap_or_default(),
        contacts: contacts?,
        language: language?.unwrap_or(Language::Zh),
    })
}

fn contact(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Contact> {
    let f = at.fields(r, &["channel", "address"])?;
    let channel = f.need(r, "channel").and_then(|c| c.text(r).map(str::to_owned));
    let address = f.maybe(r, "address", |c, r| c.text(r).map(str::to_owned));
    Some(Contact { channel: channel?, address: address?.unwrap_or_default() })
}

fn roster(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Roster> {
    let f = at.fields(r, &["time_zone", "rotation", "handover", "start", "order", "layers", "overrides"])?;
    let time_zone = f.need(r, "time_zone").and_then(|c| c.zone(r));
    let rotation = f.need(r, "rotation").and_then(|c| c.word(r, "rotation", Rotation::ALL, Rotation::as_str));
    let handover = f.need(r, "handover").and_then(|c| c.time(r));
    let start = f.need(r, "start").and_then(|c| c.date(r));
    let order = f.need(r, "order").and_then(|c| order(&c, r));
    let layers = f.maybe(r, "layers", |c, r| c.each(r, layer));
    let overrides = f.maybe(r, "overrides", |c, r| c.each(r, stand_in));
    Some(Roster {
        time_zone: time_zone?,
        rotation: rotation?,
        handover: handover?,
        start: start?,
        order: order?,
        layers: layers?.unwrap_or_default(),
        overrides: overrides?.unwrap_or_default(),
    })
}

fn order(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Vec<String>> {
    let order = at.each(r, |item, r| item.refer(r, NameKind::Person))?;
    if order.is_empty() {
        at.fault(r, "the rotation names nobody");
        return None;
    }
    Some(order)
}

fn layer(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Layer> {
    let f = at.fields(r, &["days", "calendar", "from", "to", "rotation", "start", "order"])?;
    let days = f.maybe(r, "days", |c, r| c.each(r, |item, r| item.word(r, "day", Day::ALL, Day::as_str)));
    let calendar = f.maybe(r, "calendar", calendar_of);
    let from = f.maybe(r, "from", |c, r| c.time(r));
    let to = f.maybe(r, "to", |c, r| c.time(r));
    let rotation = f.maybe(r, "rotation", |c, r| c.word(r, "rotation", Rotation::ALL, Rotation::as_str));
    let start = f.maybe(r, "start", |c, r| c.date(r));
    let order = f.need(r, "order").and_then(|c| order(&c, r));
    let (days, calendar, from, to) = (days?, calendar?, from?, to?);
    let hours = match (from, to) {
        (Some(from), Some(to)) => Some((from, to)),
        (None, None) => None,
        _ => {
            at.fault(r, "`from` and `to` belong together");
            return None;
        }
    };
    if days.is_none() && calendar.is_none() && hours.is_none() {
        at.fault(
            r,
            "a layer that always holds hides the roster; say when: `days`, `calendar`, `from` and `to`",
        );
        return None;
    }
    let (rotation, start, order) = (rotation?, start?, order?);
    if order.len() > 1 && start.is_none() {
        at.fault(r, "`start` is missing: the first day of the first person");
        return None;
    }
    Some(Layer {
        days: days.unwrap_or_default(),
        calendar,
        hours,
        rotation: rotation.unwrap_or(Rotation::Weekly),
        start: start.unwrap_or_default(),
        order,
    })
}

fn stand_in(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Override> {
    let f = at.fields(r, &["person", "from", "to"])?;
    let person = f.need(r, "person").and_then(|c| c.refer(r, NameKind::Person));
    let from = f.need(r, "from").and_then(|c| c.instant(r));
    let to = f.need(r, "to").and_then(|c| c.instant(r));
    if let (Some(from), Some(to)) = (from, to)
        && to <= from
    {
        at.fault(r, "`to` must be later than `from`");
        return None;
    }
    Some(Override { person: person?, from: from?, to: to? })
}

pub(super) fn policy(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Policy> {
    let f = at.fields(r, &["id", "steps", "repeat", "remind", "take_back"])?;
    let id = f.need(r, "id").and_then(|c| c.define(r, NameKind::Policy));
    let steps = f.need(r, "steps").and_then(|c| {
        let steps = c.each(r, rung)?;
        if steps.is_empty() {
            c.fault(r, "the policy pages nobody");
            return None;
        }
        Some(steps)
    });
    let repeat = f.maybe(r, "repeat", |c, r| c.small(r, 0, 100));
    let remind = f.maybe(r, "remind", Cursor::span);
    let take_back = f.maybe(r, "take_back", Cursor::span);
    if f.get("take_back").is_some() && f.get("remind").is_none() {
        at.fault(r, "`take_back` counts from the reminder: write `remind` too");
        return None;
    }
    Some(Policy {
        id: id?,
        steps: steps?,
        repeat: repeat?.unwrap_or(0),
        remind_seconds: remind?.unwrap_or(0),
        take_back_seconds: take_back?.unwrap_or(0),
    })
}

fn rung(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<PolicyStep> {
    let f = at.fields(r, &["page", "wait", "all"])?;
    let targets = f.need(r, "page").and_then(|c| {
        let targets = c.each(r, target)?;
        if targets.is_empty() {
            c.fault(r, "nobody is paged here");
            return None;
        }
        Some(targets)
    });
    let wait = f.need(r, "wait").and_then(|c| c.span(r));
    let all = f.maybe(r, "all", Cursor::flag);
    Some(PolicyStep { targets: targets?, wait_seconds: wait?, all: all?.unwrap_or(false) })
}

fn target(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Target> {
    let f = at.fields(r, &["on_call", "person", "team", "role", "round_robin"])?;
    let given: Vec<_> = ["on_call", "person", "team", "role", "round_robin"]
        .into_iter()
        .filter_map(|key| f.get(key))
        .collect();
    if given.len() != 1 {
        at.fault(r, "write one of `on_call: 0`, `person: ID`, `team: ID`, `role: ROLE`, `round_robin: TEAM`");
        return None;
    }
    if let Some(c) = f.get("on_call") {
        return c.small(r, 0, 99).map(Target::OnCall);
    }
    if let Some(c) = f.get("person") {
        return c.refer(r, NameKind::Person).map(Target::Person);
    }
    if let Some(c) = f.get("team") {
        return c.refer(r, NameKind::Team).map(Target::Team);
    }
    if let Some(c) = f.get("round_robin") {
        return c.refer(r, NameKind::Team).map(Target::RoundRobin);
    }
    f.get("role").and_then(|c| role(&c, r)).map(Target::Role)
}
