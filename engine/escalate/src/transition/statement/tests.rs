//! Drafts, approvals and publications.

use tocsin_rules::{Level, Rulebook, Template, Transition, Wording};

use crate::{
    command::{Command, CommandError},
    fixtures::{at, finding, person_acting, rulebook},
    incident::{Incident, StepState},
    transition::{Effect, Event, apply},
};

fn book() -> Rulebook {
    let mut book = rulebook();
    book.templates.push(Template {
        id: "statement".to_owned(),
        name: Wording::same("statement"),
        body: Wording {
            zh: "{{brand}}在{{onset}}收到反映，{{hours}}小时内通报。{{contact}}".to_owned(),
            en: "Since {{onset}}, {{brand}}: {{level}}. Contact {{contact}}".to_owned(),
        },
    });
    for plan in &mut book.plans {
        plan.report_every_seconds = 5_400;
        for step in plan.steps.iter_mut().filter(|step| step.id == "draft") {
            step.template = Some("statement".to_owned());
        }
    }
    book
}

struct Case {
    book: Rulebook,
    incident: Incident,
}

impl Case {
    fn new() -> Self {
        let book = book();
        let found = finding("f1", Transition::Opened, Level::High, at("10:00"));
        let Ok(Effect::Change(change)) = apply(None, Event::Finding(&found), "op", &book, at("10:00")) else {
            panic!("not opened")
        };
        let mut case = Self { book, incident: change.incident };
        case.go("a", Command::Step { step: "verify".to_owned(), state: StepState::Done }).unwrap();
        case
    }

    /// What was refused, in words.
    fn go(&mut self, who: &str, command: Command) -> Result<bool, String> {
        let event = Event::Command { command: &command, actor: &person_acting(who) };
        match apply(Some(self.incident.clone()), event, "op", &self.book, at("10:10")) {
            Ok(Effect::Change(change)) => {
                self.incident = change.incident;
                Ok(true)
            }
            Ok(Effect::Nothing(_)) => Ok(false),
            Err(CommandError::Invalid(why)) => Err(why),
            Err(other) => panic!("{other}"),
        }
    }

    fn draft(&mut self, who: &str, zh: Option<&str>) -> Result<bool, String> {
        self.go(who, Command::Draft { statement: "draft".to_owned(), zh: zh.map(str::to_owned), en: None })
    }

    fn approve(&mut self, who: &str) -> Result<bool, String> {
        self.go(who, Command::Approve { step: "draft".to_owned() })
    }

    fn publish(&mut self, channel: &str) -> Result<bool, String> {
        let (statement, channel) = ("draft".to_owned(), channel.to_owned());
        let url = Some("https://weibo.com/brand/1".to_owned());
        self.go("c", Command::Publish { statement, channel, url, at: None })
    }
}

#[test]
fn a_draft_is_filled_in_and_what_is_unknown_stays_to_be_seen() {
    let mut case = Case::new();
    case.draft("c", None).unwrap();
    let version = case.incident.dossier.statement("draft").unwrap().current().unwrap();
    assert_eq!(version.zh, "Brand 0在2026-09-10 18:00收到反映，2小时内通报。{{contact}}");
    assert_eq!(version.en, "Since 2026-09-10 18:00, Brand 0: HIGH. Contact {{contact}}");
    assert!(case.approve("a").unwrap_err().contains("{{contact}}"));
    assert!(!case.draft("c", None).unwrap(), "the same words again");
}

#[test]
fn two_others_approve_and_an_edit_voids_it_all() {
    let mut case = Case::new();
    assert!(case.publish("微博").unwrap_err().contains("no draft"));
    case.draft("c", Some("第一稿")).unwrap();
    assert!(case.approve("c").unwrap_err().contains("author"));
    case.approve("a").unwrap();
    assert!(!case.approve("a").unwrap(), "one person, one approval");
    assert!(case.publish("微博").unwrap_err().contains("1 of 2"));
    let done = Command::Step { step: "draft".to_owned(), state: StepState::Done };
    assert!(case.go("c", done.clone()).unwrap_err().contains("1 of 2"));
    case.draft("a", Some("第二稿")).unwrap();
    assert!(case.publish("微博").unwrap_err().contains("0 of 2"), "approved was another text");
    // Who takes the step up does not become the author of what somebody else wrote.
    case.go("b", Command::Step { step: "draft".to_owned(), state: StepState::Todo }).unwrap();
    case.go("b", Command::Step { step: "draft".to_owned(), state: StepState::Doing }).unwrap();
    assert!(case.approve("a").unwrap_err().contains("author"));
    case.approve("b").unwrap();
    case.approve("c").unwrap();
    case.publish("微博").unwrap();
    assert!(!case.publish("微博").unwrap(), "the same place once");
    case.publish("官网").unwrap();
    case.go("c", done).unwrap();
    let statement = case.incident.dossier.statement("draft").unwrap();
    assert_eq!(statement.versions.len(), 2, "history is kept");
    assert_eq!(statement.versions[0].approvals[0].by.who, "a");
    let places: Vec<_> = statement.published.iter().map(|p| (p.version, p.channel.as_str())).collect();
    assert_eq!(places, [(2, "微博"), (2, "官网")]);
    let times = crate::response::Response::of(&case.incident, at("10:20"));
    assert_eq!((times.statement.seconds, times.statement.met), (Some(600), Some(true)));
    assert!(case.draft("a", Some("第三稿")).unwrap_err().contains("over"));
}

#[test]
fn publications_are_not_dated_ahead_and_the_internal_notice_needs_nobody() {
    let mut case = Case::new();
    let internal =
        |zh: &str| Command::Draft { statement: "internal".to_owned(), zh: Some(zh.to_owned()), en: None };
    case.go("a", internal("全员：统一口径，不对外评论。")).unwrap();
    let out = |at| Command::Publish {
        statement: "internal".to_owned(),
        channel: "全员群".to_owned(),
        url: None,
        at,
    };
    assert!(case.go("a", out(Some(at("12:00")))).unwrap_err().contains("before now"));
    case.go("a", out(Some(at("10:05")))).unwrap();
    let nothing = Command::Draft { statement: "verify".to_owned(), zh: None, en: None };
    assert!(case.go("a", nothing).unwrap_err().contains("over"));
    let unknown = Command::Draft { statement: "nonsense".to_owned(), zh: Some("x".to_owned()), en: None };
    assert!(case.go("a", unknown).unwrap_err().contains("no step"));
}
