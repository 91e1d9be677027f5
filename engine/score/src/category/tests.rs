use super::{fit::fit, labelled::LabelledFile, *};
use crate::fixtures::{mention, rulebook};

/// Texts of two categories that may meet, and of none.
fn corpus() -> LabelledFile {
    let (leak, safety) = (
        ["数据泄露", "隐私被卖", "data leak", "passwords stolen"],
        ["起火冒烟", "爆炸受伤", "caught fire", "exploded"],
    );
    let calm = ["今天买了新手机", "颜色很好看", "nice weather", "bought a phone", "物流很快"];
    let ends = ["了吧", "真的", "again", "today", "，大家看看", "!"];
    let mut lines = String::new();
    for at in 0..120_usize {
        let (a, b, c, end) = (leak[at % 4], safety[(at / 2) % 4], calm[at % 5], ends[at % 6]);
        let (text, labels) = match at % 4 {
            0 => (format!("{c} {a}{end} {at}"), "[\"leak\"]"),
            1 => (format!("{c} {b}{end} {at}"), "[\"safety\"]"),
            2 => (format!("{a}，{b}{end} {at}"), "[\"leak\",\"safety\"]"),
            _ => (format!("{c}{end} {at}"), "[]"),
        };
        lines.push_str(&format!("{{\"text\":\"{text}\",\"labels\":{labels}}}\n"));
    }
    let mut file = LabelledFile::default();
    file.read("made.jsonl", lines.as_bytes());
    file
}

fn trained() -> Categories {
    fit("made.jsonl", &corpus()).expect("trained").model
}

#[test]
fn several_labels_may_stand_each_with_words_at_their_place() {
    let model = trained();
    let mut found = Vec::new();
    let mut m = mention("weibo:1", "手机起火冒烟了，数据泄露也没人管");
    m.title = Some("大家看看".into());
    model.add_to(&m, &mut found);
    let ids: Vec<_> = found.iter().map(|c| c.id.as_str()).collect();
    assert_eq!(ids, ["leak", "safety"]);
    let whole: Vec<char> = "大家看看\n手机起火冒烟了，数据泄露也没人管".chars().collect();
    for (category, inside) in found.iter().zip(["数据泄露", "起火冒烟"]) {
        let model = category.model.as_ref().expect("found by the model");
        assert!(category.terms.is_empty() && model.p > 0.5 && model.p <= 1.0, "{category:?}");
        for term in &model.evidence {
            let there: String = whole[term.start as usize..term.end as usize].iter().collect();
            assert_eq!(term.term, there);
        }
        assert!(inside.contains(model.evidence[0].term.as_str()), "{:?}", model.evidence);
    }
    model.add_to(&mention("weibo:2", "今天颜色很好看"), &mut found);
    assert_eq!(found.len(), 2, "nothing new");
    let mut none = Vec::new();
    model.add_to(&mention("weibo:3", "☔ @a https://a.example"), &mut none);
    assert!(none.is_empty(), "nothing to read");
}

#[test]
fn a_category_of_query_and_model_says_both() {
    let rules = rulebook(&[("acme", "手机")], &[("safety", "冒烟"), ("legal", "起诉")]);
    let mut scorer =
        crate::Scorer::new(rules).expect("compiles").with_categories(std::sync::Arc::new(trained()));
    let scored = scorer.score(&mention("weibo:1", "手机起火冒烟，数据泄露"));
    let said: Vec<_> =
        scored.categories.iter().map(|c| (c.id.as_str(), c.terms.join(","), c.model.is_some())).collect();
    let expected = [("safety", "冒烟".to_owned(), true), ("leak", String::new(), true)];
    assert_eq!(said, expected);
}

#[test]
fn training_repeats_byte_for_byte_and_survives_the_file() {
    let (one, other) = (trained(), trained());
    let bytes = one.to_bytes().expect("JSON");
    assert_eq!(bytes, other.to_bytes().expect("JSON"));
    assert_eq!(Categories::read(&bytes).expect("sound"), one);
}

#[test]
fn cross_validation_is_far_above_chance_on_what_can_be_learnt() {
    let figures = fit("made.jsonl", &corpus()).expect("trained").figures;
    assert!(figures.macro_f1 > 0.9 && figures.macro_f1 > figures.majority_macro_f1 + 0.3, "{figures:?}");
    assert_eq!(figures.n, 120);
}

#[test]
fn what_labels_do_not_follow_from_is_not_learnt() {
    let mut corpus = corpus();
    for (at, text) in corpus.texts.iter_mut().enumerate() {
        text.labels = if blake3::hash(&at.to_le_bytes()).as_bytes()[0].is_multiple_of(2) {
            vec!["a".into()]
        } else {
            vec!["b".into()]
        };
    }
    let figures = fit("noise", &corpus).expect("trained").figures;
    assert!(figures.accuracy.is_some_and(|a| a < 0.65), "honest on noise: {figures:?}");
}

#[test]
fn damaged_files_are_refused_with_a_reason() {
    let good = trained().to_bytes().expect("JSON");
    let mut flipped = good.clone();
    flipped[40] ^= 1;
    for (file, said) in [
        (&good[..5], "shorter than its checksum"),
        (&good[..good.len() - 20], "checksum does not match"),
        (&flipped[..], "checksum does not match"),
        (&[b'x'; 64][..], "not a category model"),
    ] {
        assert!(Categories::read(file).is_err_and(|error| error.contains(said)), "{said}");
    }
    let error = Categories::open(Path::new("no/such.bin")).expect_err("missing").to_string();
    assert!(
        error.contains("score.categories: no/such.bin: ") && error.contains("tocsin model train"),
        "{error}"
    );
}

#[test]
fn too_little_to_learn_from_is_said() {
    let of = |lines: &str| {
        let mut file = LabelledFile::default();
        file.read("x", lines.as_bytes());
        fit("x", &file).expect_err(lines).to_string()
    };
    assert!(of("").contains("0 labels"));
    assert!(of("{\"text\":\"a\",\"label\":\"x\"}").contains("\"x\" has 1 texts"));
    assert!(of("nonsense").contains("1 unusable lines, first: x:1:"));
    assert!(of(&"{\"text\":\"a\",\"label\":\"x\"}\n".repeat(30)).contains("add texts without it"));
}
