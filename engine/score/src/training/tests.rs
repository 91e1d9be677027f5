use super::*;
use crate::linear::Probabilities;

const OPTIONS: Options = Options {
    bits: 12,
    wide: 0b11,
    narrow: 0b111,
    words: 0b1011,
    epochs: 20,
    rate: 0.5,
    decay: 1e-5,

    seed: 7,
};

fn labelled(text: &str, label: Label) -> Labelled {
    Labelled { id: String::new(), text: text.to_owned(), label }
}

/// Thirty-six texts from a tiny grammar: a thing and a mood.
fn tiny() -> Vec<Labelled> {
    let things = ["手机", "外卖", "酒店", "快递", "phone", "dinner"];
    let moods = [
        ("很好", Label::Positive),
        ("太差", Label::Negative),
        ("在这里", Label::Neutral),
        ("lovely", Label::Positive),
        ("awful", Label::Negative),
        ("on sale", Label::Neutral),
    ];
    let pair = |thing: &str| moods.map(|(mood, label)| labelled(&format!("{thing} {mood}"), label)).to_vec();
    things.iter().flat_map(|thing| pair(thing)).collect()
}

fn judge(table: &Table, text: &str) -> Probabilities {
    let mut symbols = Symbols::default();
    symbols.read(None, text);
    table.predict(&symbols.buffer)
}

fn trained(texts: &[Labelled], neutral: bool) -> Table {
    let mut examples = Examples::default();
    examples.add(texts, neutral, 1.0, OPTIONS);
    assert_eq!(examples.len(), texts.len());
    examples.train(*b"zh", OPTIONS, &[])
}

#[test]
fn learns_a_tiny_set_and_things_it_has_not_seen() {
    let table = trained(&tiny(), true);
    for text in tiny() {
        assert_eq!(judge(&table, &text.text).label(), text.label, "{}", text.text);
    }
    assert_eq!(judge(&table, "电脑 太差").label(), Label::Negative);
    assert_eq!(judge(&table, "garden lovely").label(), Label::Positive);
}

#[test]
fn the_same_texts_and_seed_give_the_same_weights() {
    let (first, second) = (trained(&tiny(), true), trained(&tiny(), true));
    assert_eq!(first.weights, second.weights);
    assert_eq!(first.bias, second.bias);
    let mut examples = Examples::default();
    let other = Options { seed: 8, ..OPTIONS };
    examples.add(&tiny(), true, 1.0, other);
    assert_ne!(examples.train(*b"zh", other, &[]).weights, first.weights);
}

#[test]
fn a_set_without_neutral_moves_only_the_contrast() {
    let texts: Vec<Labelled> = tiny().into_iter().filter(|t| t.label != Label::Neutral).collect();
    let table = trained(&texts, false);
    assert!((table.bias[0] + table.bias[1]).abs() < 1e-3, "negative and positive move against each other");
    let p = judge(&table, "手机 太差");
    assert!(p.negative > p.positive);
}

#[test]
fn a_prior_stands_where_no_text_speaks() {
    let mut examples = Examples::default();
    examples.add(&[], true, 1.0, OPTIONS);
    let table = examples.train(*b"en", OPTIONS, &[(3, [-1.0, 1.0])]);
    let weights = table.weights[3].map(|w| f32::from(w.cast_signed()) * table.scale);
    assert!((weights[0] + 1.0).abs() < 0.01 && (weights[1] - 1.0).abs() < 0.01, "{weights:?}");
    assert!(examples.is_empty());
}

#[test]
fn slopes_are_those_of_the_loss() {
    let row = |label, neutral| Row { begin: 0, end: 0, label, neutral, weight: 1.0 };
    for (label, neutral) in
        [(Label::Negative, true), (Label::Neutral, true), (Label::Positive, true), (Label::Negative, false)]
    {
        let z = [0.3_f32, -0.4];
        let slope = gradient(z, row(label, neutral));
        for k in 0..2 {
            let mut step = z.map(f64::from);
            step[k] += 1e-5;
            let numeric =
                (log_loss(step, label, neutral) - log_loss(z.map(f64::from), label, neutral)) / 1e-5;
            assert!((numeric - f64::from(slope[k])).abs() < 1e-3, "{label} {neutral} {numeric} {slope:?}");
        }
    }
}

#[test]
fn temperature_cools_a_model_that_is_too_sure() {
    // Right three times in four, said with odds of e to the fourth.
    let scores: Vec<_> = (0..400)
        .map(|i| ([4.0_f32, 0.0], if i % 4 == 0 { Label::Positive } else { Label::Negative }, false))
        .collect();
    let t = temperature(&scores);
    assert!((4.0 / t - 3.0_f32.ln()).abs() < 0.05, "{t}");
}
