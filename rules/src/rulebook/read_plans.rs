//! Sections `plans` and `templates`: who does what by when, and with which words.

use super::{
    cursor::{Cursor, Reader, clip},
    names::NameKind,
};
use crate::{
    level::Level,
    plan::{Plan, Role, Step, Template},
    spelling::{hint, nearest},
};

/// Variables a template may use.
const VARIABLES: &[&str] = &["brand", "incident", "level", "onset", "channel", "contact", "hours"];

pub(super) fn plan(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Plan> {
    let keys = &[
        "id",
        "name",
        "level",
        "categories",
        "self_confirming",
        "policy",
        "steps",
        "report_every",
        "watch",
        "reply_within",
        "escalate_overdue",
    ];
    let f = at.fields(r, keys)?;
    let id = f.need(r, "id").and_then(|c| c.define(r, NameKind::Plan));
    let name = f.need(r, "name").and_then(|c| c.wording(r));
    let level = f.need(r, "level").and_then(|c| c.word(r, "level", &Level::ALL[1..], Level::as_str));
    let categories = f.maybe(r, "categories", |c, r| c.each(r, |item, r| item.refer(r, NameKind::Category)));
    let self_confirming = f.maybe(r, "self_confirming", Cursor::flag);
    let policy = f.need(r, "policy").and_then(|c| c.refer(r, NameKind::Policy));
    let steps = f.need(r, "steps").and_then(|c| steps(&c, r));
    let report_every = f.maybe(r, "report_every", Cursor::duration);
    let watch = f.maybe(r, "watch", Cursor::duration);
    let reply_within = f.maybe(r, "reply_within", Cursor::span);
    let escalate_overdue = f.maybe(r, "escalate_overdue", Cursor::span);
    Some(Plan {
        id: id?,
        name: name?,
        level: level?,
        categories: categories?.unwrap_or_default(),
        self_confirming: self_confirming?.unwrap_or(false),
        policy: policy?,
        steps: steps?,
        report_every_seconds: report_every?.unwrap_or(0),
        watch_seconds: watch?.unwrap_or(0),
        reply_within_seconds: reply_within?.unwrap_or(0),
        escalate_overdue_seconds: escalate_overdue?.unwrap_or(0),
    })
}

fn steps(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Vec<Step>> {
    let items = at.items(r)?;
    let decoded: Vec<Option<Step>> = items.iter().map(|item| step(item, r)).collect();
    let known: Vec<(&Cursor<'_>, &Step)> =
        items.iter().zip(&decoded).filter_map(|(c, s)| Some((c, s.as_ref()?))).collect();
    let mut sound = true;
    for (index, (cursor, step)) in known.iter().enumerate() {
        if known[..index].iter().any(|(_, other)| other.id == step.id) {
            cursor.fault(r, format!("step `{}` is in this plan already", step.id));
            sound = false;
        }
        for after in &step.after {
            // A faulty step may be the one that is meant, so only a whole plan is checked for it.
            let missing = !known.iter().any(|(_, other)| other.id == *after);
            if missing && known.len() == items.len() {
                let ids = known.iter().map(|(_, other)| other.id.as_str()).filter(|id| *id != step.id);
                let hint = hint(after, ids);
                cursor
                    .fault(r, format!("`after` names step `{}`, which this plan has not{hint}", clip(after)));
                sound = false;
            }
        }
    }
    if let Some(circle) = circle(&known) {
        at.fault(r, format!("steps wait for each other in a circle: {}", circle.join(" after ")));
        sound = false;
    }
    let steps: Option<Vec<Step>> = decoded.into_iter().collect();
    steps.filter(|_| sound)
}

/// A circle of `after`, first step repeated at the end.
fn circle(steps: &[(&Cursor<'_>, &Step)]) -> Option<Vec<String>> {
    // Steps that wait for nothing are taken away until nothing is left, or a circle is.
    let mut left: Vec<&Step> = steps.iter().map(|(_, step)| *step).collect();
    loop {
        let waiting: Vec<&Step> = left
            .iter()
            .copied()
            .filter(|step| step.after.iter().any(|id| left.iter().any(|s| s.id == *id)))
            .collect();
        if waiting.len() == left.len() {
            break;
        }
        left = waiting;
    }
    let mut walk = vec![*left.first()?];
    loop {
        let step = walk.last()?;
        let next = left.iter().copied().find(|other| step.after.contains(&other.id))?;
        if let Some(start) = walk.iter().position(|other| other.id == next.id) {
            let mut ids: Vec<String> = walk[start..].iter().map(|step| step.id.clone()).collect();
            ids.push(next.id.clone());
            return Some(ids);
        }
        walk.push(next);
    }
}

fn step(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Step> {
    let keys = &["id", "title", "role", "deadline", "after", "template", "approvals", "note"];
    let f = at.fields(r, keys)?;
    let id = f.need(r, "id").and_then(|c| c.text(r).map(str::to_owned));
    let title = f.need(r, "title").and_then(|c| c.wording(r));
    let role = f.need(r, "role").and_then(|c| role(&c, r));
    let deadline = f.need(r, "deadline").and_then(|c| c.span(r));
    let after = f.maybe(r, "after", |c, r| c.each(r, |item, r| item.text(r).map(str::to_owned)));
    let template = f.maybe(r, "template", |c, r| c.refer(r, NameKind::Template));
    let approvals = f.maybe(r, "approvals", |c, r| c.small(r, 0, 9).and_then(|n| u8::try_from(n).ok()));
    let note = f.maybe(r, "note", Cursor::wording);
    Some(Step {
        id: id?,
        title: title?,
        role: role?,
        deadline_seconds: deadline?,
        after: after?.unwrap_or_default(),
        template: template?,
        approvals: approvals?.unwrap_or(0),
        note: note?,
    })
}

pub(super) fn role(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Role> {
    at.word(r, "role", Role::ALL, Role::as_str)
}

pub(super) fn template(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Template> {
    let f = at.fields(r, &["id", "name", "body"])?;
    let id = f.need(r, "id").and_then(|c| c.define(r, NameKind::Template));
    let name = f.need(r, "name").and_then(|c| c.wording(r));
    let body = f.need(r, "body").and_then(|c| {
        let body = c.wording(r)?;
        let mut sound = true;
        let unknown = |text: &str| {
            variables(text).into_iter().filter(|name| !VARIABLES.contains(&name.as_str())).collect()
        };
        let mut names: Vec<String> = unknown(&body.zh);
        names.extend::<Vec<String>>(unknown(&body.en));
        names.sort_unstable();
        names.dedup();
        for name in names {
            let hint = nearest(&name, VARIABLES.iter().copied())
                .map(|near| format!("; did you mean `{{{{{near}}}}}`?"));
            let hint = hint.unwrap_or_else(|| format!("; known are {}", VARIABLES.join(", ")));
            c.fault(r, format!("unknown variable `{{{{{}}}}}`{hint}", clip(&name)));
            sound = false;
        }
        Some(body).filter(|_| sound)
    });
    Some(Template { id: id?, name: name?, body: body? })
}

/// Names between `{{` and `}}`.
fn variables(text: &str) -> Vec<String> {
    text.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap_or(rest).trim().to_owned()).collect()
}
