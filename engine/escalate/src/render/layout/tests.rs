use proptest::prelude::*;
use tocsin_rules::Language;

use super::*;
use crate::{
    channel::standin,
    delivery::Page,
    render::{Markup, safe::Unit, samples},
};

const MARKUPS: [Markup; 7] = [
    Markup::Plain,
    Markup::DingTalk,
    Markup::WeCom,
    Markup::Lark,
    Markup::Slack,
    Markup::Telegram,
    Markup::Adaptive,
];

fn room(markup: Markup, limit: usize, unit: Unit) -> Room {
    Room { markup, limit, unit, headed: false, linked: false }
}

/// A page whose every free text is `text`.
fn page(text: &str, language: Language) -> Page {
    let mut page = Page { language, ..samples::page() };
    let wording = samples::wording(text, text);
    page.snapshot.monitor_name = text.to_owned();
    page.snapshot.title = wording.clone();
    page.snapshot.category = Some(wording.clone());
    page.snapshot.reasons[0].wording = wording.clone();
    page.snapshot.next_steps[0].title = wording;
    page.snapshot.evidence[0].excerpt = text.to_owned();
    page
}

proptest! {
    /// In any dialect and unit, whatever is written: within the limit; level, incident and link whole; tags closed.
    #[test]
    fn the_limit_holds_and_what_matters_stays(
        text in "\\PC{0,40}", times in 1usize..120, limit in 1_200usize..6_000, bytes: bool, zh: bool
    ) {
        let (unit, language) = (if bytes { Unit::Bytes } else { Unit::Chars }, if zh { Language::Zh } else { Language::En });
        let page = page(&text.repeat(times), language);
        let renderer = samples::renderer();
        let letter = renderer.letter(&page);
        let link = renderer.render(&page).link.unwrap();
        for markup in MARKUPS {
            let set = letter.set(room(markup, limit, unit), "");
            prop_assert!(unit.len(&set) <= limit, "{markup:?}: {} of {limit}", unit.len(&set));
            prop_assert!(set.contains(&link), "{markup:?}: {set}");
            prop_assert!(set.matches(&page.incident).count() >= 2, "{markup:?}: {set}");
            prop_assert!(set.contains(crate::render::words::level(page.level, language)));
            if markup == Markup::Telegram {
                prop_assert_eq!(set.matches("<b>").count(), set.matches("</b>").count());
            }
        }
    }

    /// As many incidents as a channel promises to name are named, within its limit.
    #[test]
    fn nobody_is_missing_from_a_roll(limit in 1_500usize..12_000, bytes: bool, name in "\\PC{0,60}") {
        let unit = if bytes { Unit::Bytes } else { Unit::Chars };
        let mut pages = standin::many(roll_within(limit), "");
        pages.iter_mut().for_each(|page| page.snapshot.monitor_name = name.clone());
        let shown: Vec<&Page> = pages.iter().collect();
        for language in [Language::Zh, Language::En] {
            let letter = samples::renderer().digest(&shown, "d-0123456789", language);
            for markup in MARKUPS {
                let set = letter.set(room(markup, limit, unit), "");
                prop_assert!(unit.len(&set) <= limit, "{markup:?}: {} of {limit}", unit.len(&set));
                prop_assert!(pages.iter().all(|page| set.contains(&page.incident)));
            }
        }
    }
}

#[test]
fn what_was_dropped_is_said() {
    let letter = samples::renderer().letter(&page(&"很长的话 ".repeat(400), Language::Zh));
    let set = letter.set(room(Markup::WeCom, 2_048, Unit::Bytes), "<@lilei>");
    assert!(set.starts_with("<@lilei>\n**［高风险］［s07-ab12cd34ef］") && set.contains("…（略去 "), "{set}");
}
