//! Sections `teams`, `policies`, `quiet_hours`: whom to page, when, in which order.

use super::{
    cursor::{Cursor, Reader},
    names::NameKind,
    read_plans::role,
};
use crate::{
    level::Level,
    team::{Contact, Override, Person, Policy, PolicyStep, QuietHours, Roster, Rotation, Target, Team},
    wording::Language,
};

pub(super) fn team(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Team> {
    let f = at.fields(r, &["id", "name", "people", "roster"])?;
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
    let id = id?;
    Some(Team { name: name?.unwrap_or_else(|| id.clone()), id, people: people?, roster: roster? })
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
    let f = at.fields(r, &["time_zone", "rotation", "handover", "start", "order", "overrides"])?;
    let time_zone = f.need(r, "time_zone").and_then(|c| c.zone(r));
    let rotation = f.need(r, "rotation").and_then(|c| c.word(r, "rotation", Rotation::ALL, Rotation::as_str));
    let handover = f.need(r, "handover").and_then(|c| c.time(r));
    let start = f.need(r, "start").and_then(|c| c.date(r));
    let order = f.need(r, "order").and_then(|c| {
        let order = c.each(r, |item, r| item.refer(r, NameKind::Person))?;
        if order.is_empty() {
            c.fault(r, "the rotation names nobody");
            return None;
        }
        Some(order)
    });
    let overrides = f.maybe(r, "overrides", |c, r| c.each(r, stand_in));
    Some(Roster {
        time_zone: time_zone?,
        rotation: rotation?,
        handover: handover?,
        start: start?,
        order: order?,
        overrides: overrides?.unwrap_or_default(),
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
    let f = at.fields(r, &["id", "steps", "repeat"])?;
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
    Some(Policy { id: id?, steps: steps?, repeat: repeat?.unwrap_or(0) })
}

fn rung(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<PolicyStep> {
    let f = at.fields(r, &["page", "wait"])?;
    let targets = f.need(r, "page").and_then(|c| {
        let targets = c.each(r, target)?;
        if targets.is_empty() {
            c.fault(r, "nobody is paged here");
            return None;
        }
        Some(targets)
    });
    let wait = f.need(r, "wait").and_then(|c| c.span(r));
    Some(PolicyStep { targets: targets?, wait_seconds: wait? })
}

fn target(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Target> {
    let f = at.fields(r, &["on_call", "person", "team", "role"])?;
    let given: Vec<_> =
        ["on_call", "person", "team", "role"].into_iter().filter_map(|key| f.get(key)).collect();
    if given.len() != 1 {
        at.fault(r, "write one of `on_call: 0`, `person: ID`, `team: ID`, `role: ROLE`");
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
    f.get("role").and_then(|c| role(&c, r)).map(Target::Role)
}

pub(super) fn quiet_hours(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<QuietHours> {
    let f = at.fields(r, &["time_zone", "from", "to", "break_through"])?;
    let time_zone = f.need(r, "time_zone").and_then(|c| c.zone(r));
    let from = f.need(r, "from").and_then(|c| c.time(r));
    let to = f.need(r, "to").and_then(|c| c.time(r));
    let break_through =
        f.maybe(r, "break_through", |c, r| c.word(r, "level", &Level::ALL[1..], Level::as_str));
    if from.is_some() && from == to {
        at.fault(r, "`from` and `to` are the same; leave quiet hours out to have none");
        return None;
    }
    Some(QuietHours {
        time_zone: time_zone?,
        from: from?,
        to: to?,
        break_through: break_through?.unwrap_or(Level::High),
    })
}
