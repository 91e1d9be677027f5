use super::*;
use crate::linear::Probabilities;

const OPTIONS: Options = Options {
    bits: 12,
    wide: 0b11,
    narrow: 0b111,
    words: 0b1011,
    fewest: 1,
    ratio: 0.5,
    balance: 0.5,
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
    examples.add(texts.iter().map(|t| (t, 0)), neutral, 1.0, OPTIONS);
    assert_eq!(examples.len(), texts.len());
    examples.train(*b"zh", OPTIONS, &Lexicons::default(), None)
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
    let texts = tiny();
    examples.add(texts.iter().map(|t| (t, 0)), true, 1.0, other);
    assert_ne!(examples.train(*b"zh", other, &Lexicons::default(), None).weights, first.weights);
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
fn a_lexicon_judges_words_no_text_has() {
    let mut lexicons = Lexicons::default();
    lexicons.add("lovely\t3\nsuperb\t3\nawful\t-3\ndreadful\t-3\n");
    let mut examples = Examples::default();
    let texts = tiny();
    examples.add(texts.iter().map(|t| (t, 0)), true, 1.0, OPTIONS);
    let table = examples.train(*b"en", OPTIONS, &lexicons, None);
    assert_eq!(judge(&table, "superb").label(), Label::Positive);
    assert_eq!(judge(&table, "dreadful").label(), Label::Negative);
}

#[test]
fn a_fold_left_out_is_not_learned_from() {
    let texts = tiny();
    let mut examples = Examples::default();
    let fold = |text: &Labelled| u8::from(text.text.contains("awful") || text.text.contains("太差"));
    examples.add(texts.iter().map(|t| (t, fold(t))), true, 1.0, OPTIONS);
    let table = examples.train(*b"zh", OPTIONS, &Lexicons::default(), Some(1));
    assert_ne!(judge(&table, "手机 太差").label(), Label::Negative);
}

#[test]
fn features_of_too_few_texts_are_not_learned() {
    let options = Options { fewest: 1_000, ..OPTIONS };
    let texts = tiny();
    let mut examples = Examples::default();
    examples.add(texts.iter().map(|t| (t, 0)), true, 1.0, options);
    let table = examples.train(*b"zh", options, &Lexicons::default(), None);
    assert!(table.weights.iter().all(|bucket| bucket.iter().all(|&byte| byte == 0)));
}

#[test]
fn rare_labels_count_more_within_their_set() {
    let row = |label, set| Row { begin: 0, end: 0, label, neutral: false, weight: 1.0, set, fold: 0 };
    let mut rows = [
        row(Label::Negative, 0),
        row(Label::Positive, 0),
        row(Label::Positive, 0),
        row(Label::Positive, 0),
        row(Label::Positive, 1),
    ];
    balance(&mut rows, 2, 1.0);
    assert_eq!(rows.map(|row| row.weight), [2.0, 2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 1.0]);
    balance(&mut rows, 2, 0.0);
    assert_eq!(rows[0].weight, 2.0);
}

#[test]
fn slopes_are_those_of_the_loss() {
    let row = |label, neutral| Row { begin: 0, end: 0, label, neutral, weight: 1.0, set: 0, fold: 0 };
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
