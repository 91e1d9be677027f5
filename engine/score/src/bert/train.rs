//! Fine-tuning of an encoder for sentiment: a fresh head on top, the lower layers and the embeddings left as they are. Runs for a
//! bounded time, saves what it has, and goes on from there when started again.
//!
//! A set without a neutral label says nothing about neutral: its loss is over the two labels it has. A tenth of the texts, by a
//! hash of the text, is held out; figures and temperature are measured on a part of it. Refuses to choose the sets: see
//! `crate::fit::SETS`.

mod adam;
mod course;

use std::{path::Path, sync::Arc, time::Duration};

use tch::{Kind, Tensor};
use tocsin_bus::Clock;
use tocsin_rules::Label;

use self::{adam::Adam, course::Course};
use super::{
    BertError,
    folder::{self, Opened, Purpose},
    import,
    judge::Judge,
};
use crate::{fit::Corpus, labelled::Labelled, linear::Probabilities};

const CLASSES: [&str; 3] = ["negative", "neutral", "positive"];
/// Texts drawn together and sorted by length before they are cut into batches.
const WINDOW: usize = 16;

/// How to train.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Time for the steps; measuring comes on top.
    pub time: Duration,
    /// Threads of libtorch.
    pub threads: usize,
    /// Tokens after which a text is cut.
    pub max_tokens: usize,
    /// Texts a step.
    pub batch: usize,
    /// Layers that learn, counted from the top.
    pub layers: usize,
    /// Rate of the layers at the start; it falls to a tenth over the run.
    pub rate: f64,
    /// Rate of the head.
    pub head_rate: f64,
    /// Held-out texts judged of each set.
    pub judged: usize,
    /// Order of texts and start of the head.
    pub seed: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(30 * 60),
            threads: 2,
            max_tokens: 64,
            batch: 16,
            layers: 4,
            rate: 1e-4,
            head_rate: 5e-4,
            judged: 300,
            seed: 20_260_910,
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Trained {
    /// Steps of this run and of all runs.
    pub steps: (u64, u64),
    /// Texts seen in all runs.
    pub texts: u64,
    /// Divides the scores, so that probabilities fit.
    pub temperature: f64,
    /// The held-out texts judged, by set: to measure it, and another model on the same.
    pub judged: Vec<HeldOut>,
}

/// Held-out texts of one set.
#[derive(Debug)]
pub struct HeldOut {
    /// File of the set.
    pub set: &'static str,
    /// The texts.
    pub texts: Vec<Labelled>,
    /// What the model says of each.
    pub answers: Vec<Probabilities>,
}

/// Trains the encoder in `from`, or goes on with `out` when that holds an unfinished training; leaves a folder that loads.
/// `say` is told how it goes.
///
/// # Errors
/// Everything wrong with a folder, or what could not be written.
pub fn train(
    from: &Path,
    out: &Path,
    corpora: &[Corpus],
    plan: &Plan,
    clock: &Arc<dyn Clock>,
    say: &mut dyn FnMut(String),
) -> Result<Trained, BertError> {
    let torch = |error: tch::TchError| BertError::Torch(error.to_string());
    super::set_threads(plan.threads);
    tch::manual_seed(plan.seed.cast_signed());
    let started = Course::read(out)?;
    let opened = open(if started.is_some() { out } else { from }, plan, started.is_some())?;
    let mut course = started.unwrap_or_default();
    if course.steps == 0 {
        start_head(&opened).map_err(torch)?;
    }
    let mut adam = Adam::new(learning(&opened, plan));
    if course.steps > 0 {
        adam.read(&out.join(course::MOMENTS)).map_err(torch)?;
        say(format!("going on after {} steps, {} texts", course.steps, course.texts));
    }
    let steps = run(&opened, corpora, plan, clock, &mut adam, &mut course, say).map_err(torch)?;
    import::write(from, &opened, out)?;
    adam.write(&out.join(course::MOMENTS)).map_err(torch)?;
    course.write(out)?;
    let judge = Judge::of(opened)?;
    measure(judge, corpora, plan, (steps, &course), out)
}

fn open(folder: &Path, plan: &Plan, resumed: bool) -> Result<Opened, BertError> {
    let purpose = if resumed { Purpose::Judge(None) } else { Purpose::Train(&CLASSES) };
    folder::open(folder, plan.max_tokens, &purpose)
        .map_err(|faults| BertError::Model { folder: folder.to_owned(), faults })
}

/// BERT's head begins with a layer as wide as the encoder: started as the identity it passes on what the encoder says, where
/// a random one would first have to be learned.
fn start_head(opened: &Opened) -> Result<(), tch::TchError> {
    tch::no_grad(|| {
        for (name, mut variable) in opened.network.store.variables() {
            match name.as_str() {
                "bert.pooler.dense.weight" => {
                    let width = variable.size()[0];
                    variable.f_copy_(&Tensor::f_eye(width, (Kind::Float, tch::Device::Cpu))?)?;
                }
                "bert.pooler.dense.bias" => drop(variable.f_zero_()?),
                _ => {}
            }
        }
        Ok(())
    })
}

/// The variables that learn, with their rates; the rest is taken out of the graph.
fn learning(opened: &Opened, plan: &Plan) -> Vec<(String, Tensor, f64)> {
    let layers = opened.shape.layers();
    let heads = opened.shape.architecture.head();
    let mut learning = Vec::new();
    for (name, variable) in opened.network.store.variables() {
        let rate = if heads.iter().any(|part| name.starts_with(part)) {
            Some(plan.head_rate)
        } else {
            let layer =
                name.split("layer.").nth(1).and_then(|rest| rest.split('.').next()?.parse::<usize>().ok());
            layer.filter(|layer| layer + plan.layers >= layers).map(|_| plan.rate)
        };
        let variable = variable.set_requires_grad(rate.is_some());
        if let Some(rate) = rate {
            learning.push((name, variable, rate));
        }
    }
    learning.sort_by(|a, b| a.0.cmp(&b.0));
    learning
}

/// A text ready to learn from.
struct Example<'a> {
    ids: Vec<i64>,
    label: Label,
    /// The set labels neutral texts.
    neutral: bool,
    text: &'a Labelled,
}

fn run(
    opened: &Opened,
    corpora: &[Corpus],
    plan: &Plan,
    clock: &Arc<dyn Clock>,
    adam: &mut Adam,
    course: &mut Course,
    say: &mut dyn FnMut(String),
) -> Result<u64, tch::TchError> {
    let start = clock.elapsed();
    let sets: Vec<Vec<(&Labelled, bool)>> = corpora
        .iter()
        .filter(|corpus| corpus.set.weight > 0.0)
        .map(|corpus| {
            let neutral = corpus.content.has_neutral();
            corpus.content.texts.iter().filter(|t| !is_held_out(t)).map(|t| (t, neutral)).collect()
        })
        .collect();
    let mut texts = course::in_turn(&sets, plan.seed).skip(course.texts as usize);
    let (mut steps, mut loss_mean) = (0_u64, 0.0_f64);
    'all: loop {
        let mut window: Vec<Example<'_>> = texts
            .by_ref()
            .filter_map(|&(text, neutral)| {
                let ids = opened.tokens.ids(&text.text).ok()??;
                Some(Example { ids, label: text.label, neutral, text })
            })
            .take(plan.batch * WINDOW)
            .collect();
        if window.is_empty() {
            break;
        }
        window.sort_by(|a, b| a.ids.len().cmp(&b.ids.len()).then_with(|| a.text.id.cmp(&b.text.id)));
        let mut batches: Vec<&[Example<'_>]> = window.chunks(plan.batch).collect();
        course::shuffle(&mut batches, plan.seed ^ course.steps);
        for batch in batches {
            let spent = clock.elapsed().saturating_sub(start);
            if spent >= plan.time {
                break 'all;
            }
            let share = spent.as_secs_f64() / plan.time.as_secs_f64();
            let warm = (steps as f64 / 20.0 + 0.05).min(1.0);
            let loss = step(opened, batch, adam, warm * (1.0 - 0.9 * share))?;
            loss_mean += (loss - loss_mean) / f64::min(50.0, steps as f64 + 1.0);
            steps += 1;
            course.steps += 1;
            course.texts += batch.len() as u64;
            if steps.is_multiple_of(50) {
                let rate = (steps * plan.batch as u64) as f64 / spent.as_secs_f64().max(1e-3);
                say(format!(
                    "{:.0} s, {} texts, loss {loss_mean:.3}, {rate:.1} texts/s",
                    spent.as_secs_f64(),
                    course.texts
                ));
            }
        }
    }
    Ok(steps)
}

fn step(opened: &Opened, batch: &[Example<'_>], adam: &mut Adam, pace: f64) -> Result<f64, tch::TchError> {
    let (ids, mask) = opened.tokens.tensors(batch.iter().map(|example| example.ids.as_slice()));
    // where a set has no neutral, its score takes no part
    let closed: Vec<f32> =
        batch.iter().flat_map(|example| [0.0, if example.neutral { 0.0 } else { -1e4 }, 0.0]).collect();
    let closed = Tensor::f_from_slice(&closed)?.f_view([batch.len() as i64, 3])?;
    let wanted: Vec<i64> = batch.iter().map(|example| example.label as i64).collect();
    let wanted = Tensor::f_from_slice(&wanted)?;
    let scores = opened.network.scores(&ids, &mask, true).f_add(&closed)?;
    let loss = scores.f_cross_entropy_loss(&wanted, None::<Tensor>, tch::Reduction::Mean, -100, 0.0)?;
    adam.step(&loss, pace)?;
    f64::try_from(&loss)
}

/// Figures on held-out texts, and the temperature folded into the classifier's weights.
fn measure(
    judge: Judge,
    corpora: &[Corpus],
    plan: &Plan,
    (steps, course): (u64, &Course),
    out: &Path,
) -> Result<Trained, BertError> {
    let mut scored = Vec::new();
    // a set whose labels are not moods helps training, but says nothing of how well it went
    for corpus in corpora.iter().filter(|corpus| corpus.set.moods.is_empty()) {
        let held: Vec<&Labelled> = corpus
            .content
            .texts
            .iter()
            .filter(|text| corpus.set.weight == 0.0 || is_held_out(text))
            .take(plan.judged)
            .collect();
        let texts: Vec<&str> = held.iter().map(|text| text.text.as_str()).collect();
        let scores = judge.scores(&texts, 2 * plan.batch, &mut |_| {}).map_err(BertError::Torch)?;
        scored.push((corpus, held, scores));
    }
    let pairs: Vec<([f32; 2], Label, bool)> = scored
        .iter()
        .filter(|(corpus, ..)| corpus.set.weight > 0.0)
        .flat_map(|(corpus, held, scores)| {
            let neutral = corpus.content.has_neutral();
            held.iter().zip(scores).filter_map(move |(text, s)| {
                Some(([s.first()? - s.get(1)?, s.get(2)? - s.get(1)?], text.label, neutral))
            })
        })
        .collect();
    let temperature = if pairs.is_empty() { 1.0 } else { f64::from(crate::training::temperature(&pairs)) };
    judge.cool(temperature).map_err(BertError::Torch)?;
    judge.write_weights(out)?;
    let mut trained =
        Trained { steps: (steps, course.steps), texts: course.texts, temperature, judged: Vec::new() };
    for (corpus, held, scores) in scored {
        let answer = |scores: &Vec<f32>| {
            let cooled: Vec<f32> = scores.iter().map(|s| s / temperature as f32).collect();
            judge.labels().probabilities(&cooled)
        };
        trained.judged.push(HeldOut {
            set: corpus.set.file,
            texts: held.into_iter().cloned().collect(),
            answers: scores.iter().map(answer).collect(),
        });
    }
    Ok(trained)
}

/// One text in ten by its letters alone, so that a text that stands twice is held out twice.
pub fn is_held_out(text: &Labelled) -> bool {
    let letters: String = text.text.chars().filter(|c| c.is_alphanumeric()).collect();
    blake3::hash(letters.as_bytes()).as_bytes()[0].is_multiple_of(10)
}

#[cfg(test)]
#[path = "train/tests.rs"]
mod tests;
