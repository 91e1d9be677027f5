use tocsin_rules::Language;

use super::*;
use crate::{delivery::PageReason, incident::State};

#[test]
fn chinese_page() {
    let rendered = samples::renderer().render(&samples::page());
    insta::assert_snapshot!(
        "page_zh",
        format!("{}\n{}\n---\n{}", rendered.subject, rendered.short, rendered.text)
    );
    insta::assert_snapshot!("page_zh_html", rendered.html);
}

#[test]
fn english_page() {
    let mut page = samples::page();
    (page.language, page.drill) = (Language::En, Some("spring".into()));
    page.reason = PageReason::Escalated;
    let rendered = samples::renderer().render(&page);
    insta::assert_snapshot!(
        "page_en",
        format!("{}\n{}\n---\n{}", rendered.subject, rendered.short, rendered.text)
    );
}

#[test]
fn every_reason_and_state_renders_in_both_languages() {
    let renderer = samples::renderer();
    for reason in PageReason::ALL {
        for language in [Language::Zh, Language::En] {
            let page = Page { reason, language, ..samples::page() };
            let rendered = renderer.render(&page);
            assert!(rendered.text.contains(&page.incident) && rendered.subject.contains(&page.incident));
            let acknowledge = rendered.link.as_deref().unwrap().contains("/a/");
            assert_eq!(acknowledge, reason.calls_for_acknowledgement(), "{reason:?}");
        }
    }
}

#[test]
fn taken_incidents_carry_no_acknowledge_link() {
    let mut page = samples::page();
    page.snapshot.acknowledged_by = Some("韩梅".into());
    page.snapshot.state = State::Responding;
    let rendered = samples::renderer().render(&page);
    assert_eq!(rendered.link.as_deref(), Some("https://tocsin.example.com/incidents/s07-ab12cd34ef"));
    assert!(rendered.text.contains("已接手：韩梅"));
}

#[test]
fn the_link_is_the_same_on_every_attempt_and_grants_what_it_says() {
    let (renderer, page) = (samples::renderer(), samples::page());
    let link = renderer.render(&page).link.unwrap();
    assert_eq!(renderer.render(&page).link.as_deref(), Some(link.as_str()));
    let token = link.strip_prefix("https://tocsin.example.com/a/").unwrap();
    let grant = samples::signer().verify(token, page.at).unwrap();
    assert_eq!((grant.incident.as_str(), grant.person.as_str(), grant.epoch), ("s07-ab12cd34ef", "li", 1));
    assert_eq!(grant.expires, samples::at("2026-09-10T05:40:00Z").as_second());
}

#[test]
fn social_text_stays_text() {
    let mut page = samples::page();
    page.snapshot.evidence[0].author.as_mut().unwrap().name = Some("<b>@all\n".into());
    page.snapshot.evidence[0].url = Some("javascript:alert(1)//\"><script>".into());
    let rendered = samples::renderer().render(&page);
    assert!(!rendered.text.contains('@') && !rendered.text.contains('\u{202e}'));
    assert!(!rendered.html.contains("<script") && !rendered.html.contains("<b>"));
    assert!(!rendered.text.contains("https://evil"));
    assert_eq!(rendered.html.matches("href=").count(), 1);
}

#[test]
fn cutting_keeps_headline_link_and_incident() {
    let rendered = samples::renderer().render(&samples::page());
    for (limit, unit) in [(500, Unit::Chars), (900, Unit::Bytes), (2048, Unit::Bytes)] {
        let text = rendered.text_within(limit, unit, Language::Zh);
        assert!(unit.len(&text) <= limit, "{} > {limit}", unit.len(&text));
        assert!(text.starts_with("北辰手机：高风险") || text.starts_with(&rendered.subject), "{text}");
        assert!(text.contains("s07-ab12cd34ef") && text.contains("/a/"), "{text}");
    }
    let cut = rendered.text_within(500, Unit::Chars, Language::Zh);
    assert!(cut.contains("略去"), "{cut}");
    assert!(Unit::Chars.len(&rendered.text_within(20, Unit::Chars, Language::Zh)) <= 20);
}

#[test]
fn settings_are_checked() {
    let config = Config { time_zone: "Mars/Base".into(), ..Config::default() };
    assert!(Renderer::new(&config, None).unwrap_err().to_string().contains("Mars/Base"));
    let config = Config { base_url: Some("ftp://x".into()), ..Config::default() };
    assert!(Renderer::new(&config, None).is_err());
    let plain = Renderer::new(&Config::default(), None).unwrap().render(&samples::page());
    assert_eq!(plain.link, None);
}
