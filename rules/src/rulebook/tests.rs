use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::{
    plan::Role,
    team::Target,
    threshold::{Bound, Condition},
};

fn pack() -> Rulebook {
    Rulebook::load(&[("consumer-brand.yaml", CONSUMER_BRAND)]).unwrap_or_else(|faults| panic!("{faults}"))
}

fn faults(files: &[(&str, &str)]) -> String {
    Rulebook::load(files).unwrap_err().to_string()
}

#[test]
fn the_ready_pack_loads_without_fault() {
    let pack = pack();
    let categories: Vec<&str> = pack.categories.iter().map(|category| category.id.as_str()).collect();
    insta::assert_snapshot!(categories.join(" "), @"opinion product legal brand service_failure improper_remarks illegal_acts data_leak cyber_attack safety business");
    assert_eq!(pack.version.len(), 16);
    let alternatives = pack.detection.impact.iter().flat_map(|rule| &rule.any);
    let graded: Vec<&String> =
        alternatives.chain(pack.detection.likelihood.iter().flat_map(|rule| &rule.any)).flatten().collect();
    let counted = |id: &String| {
        pack.detection
            .thresholds
            .iter()
            .any(|t| matches!(&t.condition, Condition::KOf { of, .. } if of.contains(id)))
    };
    for threshold in &pack.detection.thresholds {
        assert!(graded.contains(&&threshold.id) || counted(&threshold.id), "{} grades nothing", threshold.id);
    }
    let high = pack.plan_for(Level::High, []).unwrap();
    let statement = high.steps.iter().find(|step| step.id == "statement").unwrap();
    assert_eq!((statement.approvals, high.self_confirming), (2, true));
}

#[test]
fn every_fault_of_every_file_is_told_at_once_with_its_place() {
    let files = [
        ("bad-a.yaml", include_str!("tests/bad-a.yaml")),
        ("bad-b.yaml", include_str!("tests/bad-b.yaml")),
        ("cut.yaml", "monitors: [{id: x"),
        ("empty.yaml", "# nothing\n"),
        ("list.yaml", "- a\n- b\n"),
    ];
    insta::assert_snapshot!(faults(&files));
}

#[test]
fn faults_between_sections() {
    let base = "extends: consumer-brand\n";
    let table = [
        (
            "plans",
            "plans: [{id: p, name: P, level: low, policy: note, steps: []}, {id: q, name: Q, level: low, policy: note, steps: []}]\n",
        ),
        (
            "plans of one category",
            "plans:\n  - {id: p, name: P, level: low, policy: note, categories: [legal], steps: []}\n  - {id: q, name: Q, level: low, policy: note, categories: [safety, legal], steps: []}\n",
        ),
        (
            "role nobody holds",
            "teams: [{id: pr, people: [{id: an, contacts: [{channel: local}]}]}]\nmonitors: [{id: m, query: 青禾, owner: pr}]\n",
        ),
        (
            "no monitors",
            "teams: [{id: care, people: [{id: an, roles: [commander, spokesperson, legal], contacts: [{channel: local}]}]}]\n",
        ),
        (
            "falling matrix",
            "detection: {thresholds: [{id: v, name: V, when: {indicator: volume, window: 1h, at_least: 5}}], impact: {severe: [v]}, likelihood: {likely: [v]}, matrix: {minor: [none, low, low, low], moderate: [none, none, low, low], major: [none, low, low, low], severe: [none, low, low, low]}}\n",
        ),
        (
            "empty matrix",
            "detection: {thresholds: [{id: v, name: V, when: {indicator: volume, window: 1h, at_least: 5}}], impact: {severe: [v]}, likelihood: {likely: [v]}, matrix: {minor: [none, none, none, none], moderate: [none, none, none, none], major: [none, none, none, none], severe: [none, none, none, none]}}\n",
        ),
        (
            "k of k",
            "detection: {thresholds: [{id: v, name: V, when: {indicator: volume, window: 1h, at_least: 5}}, {id: k, name: K, when: {k: 1, of: [v]}}, {id: l, name: L, when: {k: 1, of: [k]}}], impact: {severe: [v]}, likelihood: {likely: [l]}, matrix: {minor: [none, none, low, low], moderate: [none, low, low, low], major: [none, low, low, low], severe: [none, low, low, low]}}\n",
        ),
        ("no such pack", "monitors: [{id: m, query: 青禾, owner: pr}]\n"),
    ];
    let mut told = String::new();
    for (what, text) in table {
        let base = if what == "no such pack" { "extends: consumer\n" } else { base };
        let given = text.contains("monitors:") || what == "no monitors";
        let monitors = if given { "" } else { "monitors: [{id: m, query: 青禾, owner: pr}]\n" };
        let told_here = faults(&[("own.yaml", &format!("{base}{text}{monitors}"))]);
        told.push_str(&format!("== {what}\n{told_here}\n"));
    }
    told.push_str(&format!("== nothing\n{}\n", faults(&[("own.yaml", "name: Own\n")])));
    insta::assert_snapshot!(told);
}

#[test]
fn ten_lines_build_on_the_pack() {
    let own = "extends: consumer-brand\n\
        monitors: [{id: tea, name: Tea, query: 云茶 OR list:alarm, owner: us}]\n\
        teams: [{id: us, people: [{id: me, roles: [commander, spokesperson, legal], contacts: [{channel: email, address: me@example.org}]}]}]\n\
        lists: {alarm: [漏茶, 炸杯]}\n\
        plans: [{id: mine, name: Mine, level: low, policy: note, steps: []}]\n";
    let book = Rulebook::load(&[("own.yaml", own)]).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(book.monitors.len(), 1);
    assert_eq!(book.teams.len(), 1);
    assert_eq!(book.categories.len(), 11);
    assert_eq!(
        book.list("alarm").unwrap().entries,
        ["漏茶", "炸杯"].map(|term| Query::Term(term.to_owned()))
    );
    assert_eq!(book.plan_for(Level::Low, []).unwrap().id, "mine");
    assert_eq!(book.plan_for(Level::High, ["opinion", "safety"]).unwrap().id, "crisis_safety");
    assert!(book.plan_for(Level::None, ["safety"]).is_none());
    let leak =
        "plans: [{id: mine, name: Mine, level: high, categories: [data_leak], policy: note, steps: []}]\n";
    let own = format!("extends: consumer-brand\nmonitors: [{{id: tea, query: 云茶, owner: pr}}]\n{leak}");
    let book = Rulebook::load(&[("own.yaml", &own)]).unwrap_or_else(|faults| panic!("{faults}"));
    let plan = |category: &'static str| book.plan_for(Level::High, [category]).unwrap().id.as_str();
    assert_eq!(["data_leak", "safety", "legal"].map(plan), ["mine", "crisis_safety", "crisis"]);
    assert_ne!(book.version, pack().version);
}

#[test]
fn several_files_make_one_rulebook() {
    let own = "monitors: [{id: tea, query: 云茶, owner: pr}]\nlists: {teas: [绿茶, 红茶]}\n";
    let book = Rulebook::load(&[("pack.yaml", CONSUMER_BRAND), ("own.yaml", own)]).unwrap();
    assert_eq!(book.monitors.len(), pack().monitors.len() + 1);
    assert_eq!(book.monitor("tea").unwrap().name, "tea");
    assert_eq!(book.monitor("competitor").unwrap().ceiling, Level::Low);
    assert_eq!(book.monitor("tea").unwrap().ceiling, Level::High);
    assert_eq!(book.list("teas").unwrap().entries.len(), 2);
    let changed =
        Rulebook::load(&[("pack.yaml", CONSUMER_BRAND), ("own.yaml", &own.replace("绿", "白"))]).unwrap();
    assert_ne!(book.version, changed.version);
}

#[test]
fn monitors_of_the_command_line_stand_on_the_pack() {
    let given = [
        ("United Airlines", "united OR @united"),
        ("青禾 茶", "青禾"),
        ("青禾-茶", "桃茶"),
        ("!!", "list:alarm"),
    ];
    let given = given.map(|(name, query)| (name.to_owned(), query.to_owned()));
    let book = Rulebook::from_pack(&given, Sensitivity::Balanced).unwrap();
    let ids: Vec<&str> = book.monitors.iter().map(|monitor| monitor.id.as_str()).collect();
    assert_eq!(ids, ["united-airlines", "青禾-茶", "青禾-茶-2", "monitor"]);
    assert!(book.monitors.iter().all(|monitor| monitor.owner == "pr" && monitor.kind == MonitorKind::Brand));
    assert_ne!(book.version, Rulebook::from_pack(&given[..1], Sensitivity::Balanced).unwrap().version);
    let bad = [("A", "x AND"), ("B", "青禾 AND list:alrm")]
        .map(|(name, query)| (name.to_owned(), query.to_owned()));
    insta::assert_snapshot!(Rulebook::from_pack(&bad, Sensitivity::Calm).unwrap_err());
    assert!(Rulebook::from_pack(&[], Sensitivity::Calm).is_err());
}

#[test]
fn sensitivity_moves_every_limit_of_the_pack() {
    let (base, calm, alert) =
        (pack(), pack().with_sensitivity(Sensitivity::Calm), pack().with_sensitivity(Sensitivity::Alert));
    assert_eq!(base.with_sensitivity(Sensitivity::Balanced).version, base.version);
    assert!(base.version != calm.version && calm.version != alert.version);
    let limit = |book: &Rulebook, at: usize| match &book.detection.thresholds[at].condition {
        Condition::Window { bound: Bound::AtLeast(limit), .. } => Some(*limit),
        Condition::Window { bound: Bound::AtMost(limit), .. } => Some(-*limit),
        Condition::Ratio { at_least, .. }
        | Condition::Surprise { at_least, .. }
        | Condition::Surge { at_least, .. }
        | Condition::Flatline { at_least, .. } => Some(*at_least),
        #[expect(clippy::cast_precision_loss, reason = "limits of the pack are small")]
        Condition::AnyMention { at_least, .. } | Condition::Growth { at_least, .. } => Some(*at_least as f64),
        Condition::KOf { .. } => None,
    };
    for (at, threshold) in base.detection.thresholds.iter().enumerate() {
        let (Some(base), Some(calm), Some(alert)) = (limit(&base, at), limit(&calm, at), limit(&alert, at))
        else {
            continue;
        };
        assert!(calm > base && (alert < base || base <= 2.0), "{}: {calm} {base} {alert}", threshold.id);
    }
}

#[test]
fn targets_find_people() {
    let book = pack();
    let at: Timestamp = "2026-01-12T02:00:00Z".parse().unwrap();
    let ids = |target: Target| {
        target.resolve(&book, "pr", at, 0).into_iter().map(|p| p.id.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(ids(Target::OnCall(0)), ["zhou-yi"]);
    assert_eq!(ids(Target::OnCall(1)), ["mei-carter"]);
    assert_eq!(ids(Target::Role(Role::Legal)), ["mei-carter"]);
    assert_eq!(ids(Target::Team("pr".into())), ["lin-an", "zhou-yi", "mei-carter"]);
    assert_eq!(ids(Target::Person("lin-an".into())), ["lin-an"]);
    assert!(ids(Target::Person("nobody".into())).is_empty());
    let mut everybody = book.clone();
    everybody.teams[0].roster = None;
    assert_eq!(Target::OnCall(0).resolve(&everybody, "pr", at, 0).len(), 3);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_pack_is_judged_without_panic(cut in 0..CONSUMER_BRAND.len(), edits in prop::collection::vec((0..CONSUMER_BRAND.len(), any::<u8>()), 0..6)) {
        let mut bytes = CONSUMER_BRAND.as_bytes().to_vec();
        for (at, byte) in edits.iter().copied() {
            bytes[at] = byte;
        }
        let whole = String::from_utf8_lossy(&bytes).into_owned();
        bytes.truncate(cut);
        let short = String::from_utf8_lossy(&bytes).into_owned();
        for text in [whole, short] {
            if let Err(Faults(faults)) = Rulebook::load(&[("pack.yaml", &text)]) {
                prop_assert!(!faults.is_empty());
                let lines = text.matches(['\n', '\r']).count() + 1;
                for fault in faults {
                    prop_assert!((1..=lines).contains(&fault.line) && fault.column >= 1, "{fault}");
                }
            }
        }
    }

    #[test]
    fn any_text_is_judged_without_panic(text in "[a-z:{}\\[\\]&*<|>\\-\"'#!%@,? \n]{0,80}") {
        let _ = Rulebook::load(&[("any.yaml", &text)]);
    }
}

/// Loading stays linear in the number of monitors: places inside queries are worked out from their own line.
#[test]
fn ten_thousand_monitors_load() {
    let mut text = String::from("extends: consumer-brand\nmonitors:\n");
    for n in 0..10_000 {
        text.push_str(&format!(
            "  - {{id: m{n}, name: 监测项 {n}, owner: pr, query: \"品牌{n} AND (list:alarm OR 漏水{n})\"}}\n"
        ));
    }
    assert_eq!(Rulebook::load(&[("many.yaml", &text)]).unwrap().monitors.len(), 10_000);
}

/// Every example of the chapter on teams, laid over the ready pack.
#[test]
fn the_examples_on_paging_load_together() {
    let reference = include_str!("../../../docs/rulebook.md");
    let chapter = reference.split("## Teams and paging").nth(1).unwrap();
    let examples: Vec<&str> =
        chapter.split("```yaml").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(examples.len(), 4);
    let start = reference.split("```yaml").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let start = start.split("teams:").next().unwrap();
    let indented: String = examples[0].lines().map(|line| format!("    {line}\n")).collect();
    let people = "teams:\n  - id: pr\n    people:\n".to_owned()
        + &["li", "wang", "zhao"].map(|id| {
            format!("      - {{id: {id}, roles: [commander, spokesperson, legal, customer_care], contacts: [{{channel: email, address: {id}@example.org}}]}}\n")
        }).concat();
    let hours: String = examples[2].lines().map(|line| format!("    {line}\n")).collect();
    let whole = format!("{start}{people}{indented}{hours}");
    let files =
        [("own.yaml", whole.as_str()), ("policies.yaml", examples[1]), ("calendars.yaml", examples[3])];
    let book = Rulebook::load(&files).unwrap_or_else(|faults| panic!("{faults}"));
    let team = book.team("pr").unwrap();
    let layers = &team.roster.as_ref().unwrap().layers;
    assert_eq!(layers.len(), 2);
    assert_eq!(layers[1].calendar.as_ref().unwrap().off.len(), 8, "dates stand where they are used");
    assert_eq!(team.working_hours.as_ref().unwrap().rest_days.calendar.as_ref().unwrap().worked.len(), 2);
    let alarm = book.policy("alarm").unwrap();
    assert_eq!((alarm.remind_seconds, alarm.take_back_seconds), (1_800, 900));
    assert!(alarm.steps[2].all);
    assert_eq!(alarm.steps[1].targets[0], Target::RoundRobin("pr".into()));
    assert_eq!(book.quiet_hours_of("pr").unwrap().break_through, Level::Medium);
}

#[test]
fn the_example_of_the_reference_loads() {
    let reference = include_str!("../../../docs/rulebook.md");
    let example = reference.split("```yaml").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let book = Rulebook::load(&[("own.yaml", example)]).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(book.monitor("rival").unwrap().ceiling, Level::Low);
}

#[test]
fn the_plan_of_the_reference_loads_with_its_recovery() {
    let reference = include_str!("../../../docs/rulebook.md");
    let blocks = reference.split("```yaml").skip(1).filter_map(|rest| rest.split("```").next());
    let example = blocks.into_iter().find(|block| block.contains("recovery:")).unwrap();
    let book = Rulebook::load(&[("own.yaml", example)]).unwrap_or_else(|faults| panic!("{faults}"));
    let plan = book.plans.iter().find(|plan| plan.id == "outage").unwrap();
    assert_eq!((plan.recovery[0].id.as_str(), plan.recovery[0].deadline_seconds), ("refund", 259_200));
    let twice = example.replace("{id: refund,", "{id: line,");
    let faults = Rulebook::load(&[("own.yaml", &twice)]).unwrap_err().to_string();
    assert!(faults.contains("step `line` is in this plan already"), "{faults}");
}

/// Every `when` of the reference's table of conditions is read; dots stand for what is the same as above.
#[test]
fn the_conditions_of_the_reference_are_read() {
    let reference = include_str!("../../../docs/rulebook.md");
    let table =
        reference.split("| condition | `when` |").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap();
    let conditions: Vec<&str> = table
        .lines()
        .filter_map(|line| line.split('`').nth(1).filter(|when| when.starts_with('{') && !when.contains('…')))
        .collect();
    assert!(conditions.len() >= 10, "{conditions:?}");
    let mut text = "extends: consumer-brand\ndetection:\n  thresholds:\n".to_owned();
    for id in ["a", "b", "c"] {
        text += &format!(
            "    - {{id: {id}, name: {id}, when: {{indicator: volume, window: 1h, at_least: 9}}}}\n"
        );
    }
    for (number, when) in conditions.iter().enumerate() {
        text += &format!("    - {{id: t{number}, name: t, when: {when}}}\n");
    }
    text += "  impact: {major: [a]}\n  likelihood: {likely: [b]}\n";
    text += "  matrix:\n    minor: [none, none, low, low]\n    moderate: [none, low, medium, medium]\n";
    text += "    major: [none, low, medium, high]\n    severe: [low, medium, high, high]\n";
    text += "monitors:\n  - {id: m, owner: pr, query: 青禾}\n";
    text += "teams:\n  - {id: pr, people: [{id: li, name: 李, roles: [commander, spokesperson, legal, customer_care, operations], contacts: [{channel: email, address: li@example.org}]}]}\n";
    let book = Rulebook::load(&[("own.yaml", &text)]).unwrap_or_else(|faults| panic!("{faults}"));
    let read = book.detection.thresholds.iter().map(|threshold| &threshold.condition);
    let growth = Condition::Growth {
        at_least: 1_000,
        platforms: vec![],
        kinds: vec![],
        negative_only: true,
        window_seconds: 6 * 3_600,
    };
    assert_eq!(read.filter(|condition| **condition == growth).count(), 1);
}
