use tocsin_rules::Label;

use super::*;
use crate::fixtures::{mention, rulebook};

fn scorer() -> Scorer {
    let rules = rulebook(
        &[("acme", "Acme OR 艾克美"), ("phones", "手机 AND NOT 广告"), ("english", "Acme lang:en")],
        &[("product", "质量 OR 爆炸 OR broken"), ("service", "客服")],
    );
    Scorer::new(rules).expect("compiles")
}

fn ids(scored: &Scored) -> Vec<&str> {
    scored.monitors.iter().map(|(id, _)| &**id).collect()
}

#[test]
fn a_chinese_complaint_is_scored_whole() {
    let scored =
        scorer().score(&mention("weibo:1", "艾克美手机质量太差了，用了两天就坏，客服也不理人，气死我了"));
    assert_eq!(scored.lang, "zh");
    assert_eq!(ids(&scored), ["acme", "phones"]);
    let (_, matches) = &scored.monitors[0];
    assert_eq!(matches, &[TermMatch { term: "艾克美".into(), start: 0, end: 3 }]);
    assert_eq!(scored.sentiment.as_ref().expect("matched").label, Label::Negative);
    let categories: Vec<_> = scored.categories.iter().map(|c| (&*c.id, c.terms.join(","))).collect();
    assert_eq!(categories, [("product", "质量".to_owned()), ("service", "客服".to_owned())]);
    assert!(scored.cluster.is_some());
}

#[test]
fn an_english_complaint_matches_by_language() {
    let scored = scorer().score(&mention("x:1", "My ACME phone is broken again and this is terrible"));
    assert_eq!(scored.lang, "en");
    assert_eq!(ids(&scored), ["acme", "english"]);
    assert_eq!(scored.sentiment.expect("matched").label, Label::Negative);
}

#[test]
fn the_unmatched_cost_no_sentiment_unless_asked() {
    let mut scorer = scorer();
    let other = mention("weibo:1", "今天天气真好，适合出门散步，心情特别愉快");
    let scored = scorer.score(&other);
    assert_eq!((scored.monitors.len(), scored.sentiment, scored.cluster), (0, None, None));
    let whole = scorer.score_whole(&other);
    assert_eq!(whole.sentiment.expect("asked for").label, Label::Positive);
}

#[test]
fn excerpts_are_cut_on_characters() {
    let mut long = mention("weibo:1", &"长".repeat(400));
    assert_eq!(subject(&long).excerpt.chars().count(), EXCERPT);
    assert!(subject(&long).excerpt.ends_with('…'));
    long.title = Some("标题".into());
    assert!(subject(&long).excerpt.starts_with("标题\n长"));
    let exact = mention("weibo:1", &"长".repeat(EXCERPT));
    assert_eq!(subject(&exact).excerpt, exact.text);
    let mut untitled = mention("weibo:1", "短");
    untitled.title = Some(String::new());
    assert_eq!(subject(&untitled).excerpt, "短");
}

#[test]
fn copies_share_a_cluster() {
    let mut scorer = scorer();
    let text = "艾克美的手机在充电的时候突然冒烟，联系了门店却让我自己承担责任，希望大家都能看到";
    let first = scorer.score(&mention("weibo:1", text)).cluster;
    let copy =
        scorer.score(&mention("weibo:2", &format!("@某人 {text}！！！ https://a.example/x [怒]"))).cluster;
    assert!(first.is_some());
    assert_eq!(first, copy);
    assert_eq!(scorer.clusters(), 1);
}

#[test]
fn the_same_mentions_give_the_same_scores() {
    let texts = ["艾克美手机不错", "Acme is great", "手机 广告", "", "艾克美", "Acme 🤬🤬"];
    let run = || {
        let mut scorer = scorer();
        texts.map(|text| scorer.score_whole(&mention("weibo:1", text)))
    };
    assert_eq!(run(), run());
}

#[test]
fn hits_carry_the_evidence() {
    let mut m = mention("weibo:1", "艾克美手机很好用");
    m.metrics.reposts = Some(7);
    m.op = Op::Update;
    let hits = scorer().score(&m).hits(&m);
    assert_eq!(hits.len(), 2);
    assert_eq!(
        (hits[0].monitor.as_str(), hits[0].subject.op, hits[0].subject.metrics.reposts),
        ("acme", Op::Update, Some(7))
    );
    assert_eq!(hits[1].matches[0].term, "手机");
}

#[test]
fn terms_of_keyword_thresholds_are_found_wherever_they_stand() {
    let mut rules = (*rulebook(&[("acme", "艾克美")], &[("product", "质量")])).clone();
    let entries = ["召回", "recall"].map(|term| tocsin_rules::Query::Term(term.to_owned())).to_vec();
    rules.lists = vec![tocsin_rules::WordList { name: "alarm".to_owned(), entries }];
    let count = |id: &str, of: &str| tocsin_rules::Threshold {
        id: id.to_owned(),
        name: tocsin_rules::Wording::same(id),
        condition: tocsin_rules::Condition::Window {
            indicator: tocsin_rules::Indicator::KeywordCount,
            of: Some(of.to_owned()),
            window_seconds: 3600,
            bound: tocsin_rules::threshold::Bound::AtLeast(3.0),
            min_sample: 0,
        },
    };
    rules.detection.thresholds = vec![count("alarm_words", "list:alarm"), count("fire", "起火")];
    let mut scorer = Scorer::new(Arc::new(rules)).expect("compiles");
    let scored = scorer.score(&mention("weibo:1", "艾克美质量问题，起火了，要求召回"));
    let categories: Vec<_> = scored.categories.iter().map(|c| &*c.id).collect();
    assert_eq!(categories, ["product"], "the stand-in is no category of its own");
    let mut keywords = scored.keywords.clone();
    keywords.sort();
    assert_eq!(keywords, ["召回", "起火"]);
    assert_eq!(scored.hits(&mention("weibo:1", ""))[0].keywords.len(), 2);
    assert!(scorer.score(&mention("weibo:2", "艾克美好喝")).keywords.is_empty());
}

#[test]
fn other_languages_are_neutral_without_confidence_and_named() {
    for (text, lang) in [
        ("Das Essen war leider schon wieder kalt und niemand hat sich entschuldigt", "de"),
        ("La livraison est encore en retard et personne ne répond au téléphone, quelle honte", "fr"),
        ("배송이 너무 늦어요 최악이에요", "ko"),
        ("新しいスマホを買いましたが最悪でした", "ja"),
        ("Доставка снова опоздала на два часа, и никто не отвечает на звонки", "und"),
        ("التوصيل متأخر مرة أخرى ولا أحد يرد على الهاتف منذ ساعات طويلة", "ar"),
    ] {
        let scored = scorer().score_whole(&mention("x:1", text));
        assert_eq!(scored.lang, lang, "{text}");
        let sentiment = scored.sentiment.expect("asked for");
        assert_eq!((sentiment.label, sentiment.p_neutral), (Label::Neutral, 0.4), "{text}");
    }
}

#[test]
fn odd_texts_are_judged_without_panic_and_long_ones_are_bounded() {
    let mut scorer = scorer();
    for text in [
        "",
        "   ",
        "\u{0}",
        "[怒][怒]",
        "👍👍👍",
        "🤬",
        "!!!???",
        "好bad很good差",
        "@a @b https://a.example",
        "//@a:",
        &"差评！".repeat(33_334),
        &"very bad ".repeat(11_112),
        &"😡".repeat(100_000),
        &"[".repeat(100_000),
        &"@".repeat(100_000),
        &"1".repeat(100_000),
        &"//@".repeat(33_334),
    ] {
        let sentiment = scorer.score_whole(&mention("x:1", text)).sentiment.expect("asked for");
        let sum = sentiment.p_negative + sentiment.p_neutral + sentiment.p_positive;
        assert!((sum - 1.0).abs() < 1e-5, "{sum}");
        assert!(scorer.symbols.buffer.len() <= 2_001);
    }
}
