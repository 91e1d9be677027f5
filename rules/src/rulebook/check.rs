//! What holds between sections: levels have plans, policies find people, a rulebook is whole. Refuses nothing that one
//! section can tell by itself; that is the reading's business.

use super::{
    cursor::Reader,
    draft::{Draft, Given},
    yaml::Place,
};
use crate::{level::Level, plan::Plan, team::Target};

/// Sections without which nothing works, and what for.
const REQUIRED: &[(&str, &str)] = &[
    ("monitors", "nothing would be watched"),
    ("detection", "nothing would be found"),
    ("plans", "nobody would know what to do"),
    ("policies", "nobody would be paged"),
    ("teams", "nobody would be paged"),
];

/// Reports every fault between sections. Skips what rests on a section that is faulty itself.
pub(super) fn check(draft: &Draft, r: &mut Reader<'_>) {
    let end = Place { file: 0, line: 1, column: 1 };
    for (section, why) in REQUIRED.iter().filter(|(section, _)| !draft.has(section)) {
        let message = match (&draft.extends, *section) {
            (Some(_), "monitors") => format!("there is no `{section}`, so {why}; a pack's own are examples"),
            (Some(_), _) => continue,
            (None, _) => {
                format!("there is no `{section}`, so {why}; or build on a pack: `extends: consumer-brand`")
            }
        };
        r.fault(end, "", message);
    }
    // Faulty items are missing from the draft; judging what is left would blame the innocent.
    let whole = r.faults.is_empty();
    if whole || !r.faults.iter().any(|(_, fault)| fault.path.starts_with("plans")) {
        plans(draft, r);
    }
    if whole {
        roles(draft, r);
    }
}

/// Exactly one plan for every level above none and any set of categories.
fn plans(draft: &Draft, r: &mut Reader<'_>) {
    if draft.plans.is_empty() {
        return;
    }
    let first = draft.seen.iter().find(|(section, _)| *section == "plans").map(|(_, place)| *place);
    let place = first.unwrap_or(Place { file: 0, line: 1, column: 1 });
    for level in &Level::ALL[1..] {
        let general = |plan: &&Given<Plan>| plan.value.level == *level && plan.value.categories.is_empty();
        if !draft.plans.iter().any(|plan| general(&plan)) {
            r.fault(place, "plans", format!("level {} has no plan for every category", level.as_str()));
        }
    }
    for (index, plan) in draft.plans.iter().enumerate() {
        for earlier in draft.plans[..index].iter().filter(|earlier| earlier.value.level == plan.value.level) {
            let (a, b) = (&earlier.value.categories, &plan.value.categories);
            let shared = b.iter().find(|category| a.contains(category));
            let message = match shared {
                None if a.is_empty() && b.is_empty() => {
                    format!(
                        "level {} has the general plan `{}` already",
                        plan.value.level.as_str(),
                        earlier.value.id
                    )
                }
                Some(category) => {
                    let (level, id) = (plan.value.level.as_str(), &earlier.value.id);
                    format!("level {level} has the plan `{id}` for category `{category}` already")
                }
                None => continue,
            };
            r.fault(plan.place, &plan.path, message);
        }
    }
}

/// A policy that pages a role must find somebody with it in every team that owns a monitor. Told at the monitor, which
/// is always the operator's own, while team and policy may be a pack's.
fn roles(draft: &Draft, r: &mut Reader<'_>) {
    let mut judged: Vec<&str> = Vec::new();
    for monitor in &draft.monitors {
        let Some(team) = draft.teams.iter().find(|team| team.value.id == monitor.value.owner) else {
            continue;
        };
        if judged.contains(&team.value.id.as_str()) {
            continue;
        }
        judged.push(&team.value.id);
        for policy in &draft.policies {
            let targets = policy.value.steps.iter().flat_map(|step| &step.targets);
            for role in
                targets.filter_map(|target| if let Target::Role(role) = target { Some(*role) } else { None })
            {
                if !team.value.people.iter().any(|person| person.roles.contains(&role)) {
                    let (team, policy) = (&team.value.id, &policy.value.id);
                    let message =
                        format!("policy `{policy}` pages the role {role}, which nobody of team `{team}` has");
                    r.fault(monitor.place, &format!("{}.owner", monitor.path), message);
                }
            }
        }
    }
}
