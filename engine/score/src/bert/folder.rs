//! A model's folder as Hugging Face lays it out, opened and checked whole: `config.json`, labels, vocabulary, weights. Everything
//! wrong is said at once, each fault with its file and the fix.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use super::{
    labels::LabelMap,
    network::{Network, Shape},
    tokens::Tokens,
    weights,
};

/// The operator's label map inside a model's folder.
pub const LABELS: &str = "labels.json";

/// One thing wrong with a model's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// File inside the folder.
    pub file: String,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub fix: String,
}

impl Fault {
    pub(crate) fn new(file: impl Into<String>, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { file: file.into(), what: what.into(), fix: fix.into() }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}; {}", self.file, self.what, self.fix)
    }
}

/// What a folder is opened for.
pub(crate) enum Purpose<'a> {
    /// Judging: head and labels must be there. An own label map in place of the folder's.
    Judge(Option<&'a Path>),
    /// Training a head with these classes, in place of what the folder has.
    Train(&'a [&'a str]),
}

/// A folder's content, ready for use.
pub(crate) struct Opened {
    pub(crate) shape: Shape,
    pub(crate) names: Vec<String>,
    pub(crate) labels: LabelMap,
    pub(crate) tokens: Tokens,
    pub(crate) network: Network,
    /// What a person may want to know though nothing is wrong.
    pub(crate) notes: Vec<String>,
}

/// Opens a folder; texts will be cut at `most` tokens or what the model can take.
pub(crate) fn open(folder: &Path, most: usize, purpose: &Purpose<'_>) -> Result<Opened, Vec<Fault>> {
    if !folder.is_dir() {
        return Err(vec![Fault::new(
            folder.display().to_string(),
            "there is no such folder",
            "name the folder that holds config.json, the vocabulary and the weights",
        )]);
    }
    let (mut faults, mut notes) = (Vec::new(), Vec::new());
    let config = read_json(folder, "config.json").map_err(|fault| faults.push(fault)).ok();
    let shape = config.as_ref().and_then(|config| {
        let faulty = |what| Fault::new("config.json", what, "use the config.json that came with the weights");
        Shape::read(config).map_err(|all| faults.extend(all.into_iter().map(faulty))).ok()
    });
    let (names, labels) = classes(folder, config.as_ref(), purpose, &mut faults);
    let most = shape.as_ref().map_or(most, |shape| most.min(shape.positions));
    let rows = shape.as_ref().map_or(usize::MAX, |shape| shape.vocabulary);
    let tokens = Tokens::load(folder, most, rows).map_err(|fault| faults.push(fault)).ok();
    let network = match &shape {
        Some(shape) => {
            network(folder, shape, names.len(), purpose, &mut notes).map_err(|all| faults.extend(all)).ok()
        }
        None => {
            faults.extend(weights::presence(folder).err());
            None
        }
    };
    match (shape, labels, tokens, network) {
        (Some(shape), Some(labels), Some(tokens), Some(network)) if faults.is_empty() => {
            if tokens.size < shape.vocabulary {
                notes.push(format!(
                    "{}: {} tokens, the model has embeddings of {}: harmless when the rest is padding",
                    tokens.file, tokens.size, shape.vocabulary
                ));
            }
            Ok(Opened { shape, names, labels, tokens, network, notes })
        }
        _ => Err(faults),
    }
}

/// Class names and what they count as.
fn classes(
    folder: &Path,
    config: Option<&Value>,
    purpose: &Purpose<'_>,
    faults: &mut Vec<Fault>,
) -> (Vec<String>, Option<LabelMap>) {
    let own = match purpose {
        Purpose::Train(names) => {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            let labels = LabelMap::new(&names, None).map_err(|all| {
                faults.extend(all.into_iter().map(|what| Fault::new("labels", what, "name other classes")));
            });
            return (names, labels.ok());
        }
        Purpose::Judge(own) => *own,
    };
    let names = match config.map(class_names) {
        Some(Ok(names)) => names,
        Some(Err(what)) => {
            faults.push(Fault::new("config.json", what, "make id2label name every class from \"0\" on"));
            return (Vec::new(), None);
        }
        None => return (Vec::new(), None),
    };
    let inside = folder.join(LABELS);
    let file = own.or_else(|| inside.is_file().then_some(inside.as_path()));
    let shown = own.map_or_else(|| LABELS.to_owned(), |path| path.display().to_string());
    let map = match file.map(read_map).transpose() {
        Ok(map) => map,
        Err(what) => {
            faults.push(Fault::new(
                shown,
                what,
                "write {\"class\": \"negative\" | \"neutral\" | \"positive\" | \"ignore\", …}",
            ));
            return (names, None);
        }
    };
    let labels = LabelMap::new(&names, map.as_ref()).map_err(|all| {
        let (file, fix) = match map {
            Some(_) => (shown, "one entry for each class".to_owned()),
            None => ("config.json".to_owned(), format!("write {LABELS} beside it: {}", example(&names))),
        };
        faults.push(Fault::new(file, all.join(", "), fix));
    });
    (names, labels.ok())
}

/// What such a `labels.json` may look like.
fn example(names: &[String]) -> String {
    let words = ["negative", "neutral", "positive"];
    let entries: Vec<String> = names
        .iter()
        .zip(words.iter().cycle())
        .take(5)
        .map(|(name, word)| format!("{name:?}: {word:?}"))
        .collect();
    format!(
        "{{{}{}}} (set each as it is meant)",
        entries.join(", "),
        if names.len() > 5 { ", …" } else { "" }
    )
}

/// `id2label` in order; the library's default names when it is absent.
fn class_names(config: &Value) -> Result<Vec<String>, String> {
    let Some(named) = config.get("id2label").and_then(Value::as_object) else {
        let classes = config.get("num_labels").and_then(Value::as_u64).unwrap_or(2).min(100);
        return Ok((0..classes).map(|class| format!("LABEL_{class}")).collect());
    };
    if named.len() < 2 {
        return Err(format!("id2label names {} classes: two are the least", named.len()));
    }
    (0..named.len())
        .map(|class| match named.get(&class.to_string()) {
            Some(Value::String(name)) => Ok(name.clone()),
            Some(_) => Err(format!("id2label {class:?} is no text")),
            None => Err(format!("id2label has {} classes, but none is {class:?}", named.len())),
        })
        .collect()
}

fn read_map(path: &Path) -> Result<BTreeMap<String, String>, String> {
    let content = std::fs::read(path).map_err(|error| error.to_string())?;
    serde_json::from_slice(&content).map_err(|error| error.to_string())
}

fn network(
    folder: &Path,
    shape: &Shape,
    classes: usize,
    purpose: &Purpose<'_>,
    notes: &mut Vec<String>,
) -> Result<Network, Vec<Fault>> {
    let found = weights::read(folder, shape.architecture).map_err(|fault| vec![fault])?;
    if classes == 0 {
        return Err(Vec::new());
    }
    let network = Network::new(shape, classes).map_err(|what| {
        vec![Fault::new("config.json", what, "use the config.json that came with the weights")]
    })?;
    let judges = matches!(purpose, Purpose::Judge(_));
    let found = if judges { found } else { found.without_head(shape.architecture) };
    let faults = weights::check(&found, &network, shape.architecture, judges);
    if !faults.is_empty() {
        return Err(faults);
    }
    weights::fill(&found, &network).map_err(|fault| vec![fault])?;
    if found.renamed > 0 {
        notes.push(format!("{}: {} weights go by other names and are renamed", found.file, found.renamed));
    }
    Ok(network)
}

/// A JSON file of the folder.
pub(crate) fn read_json(folder: &Path, file: &str) -> Result<Value, Fault> {
    let content = std::fs::read(folder.join(file)).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Fault::new(file, "is missing", "put it into the folder, as it came with the weights")
        }
        _ => Fault::new(file, error.to_string(), "make it readable"),
    })?;
    serde_json::from_slice(&content)
        .map_err(|error| Fault::new(file, format!("no JSON: {error}"), "fetch the file again"))
}

#[cfg(test)]
#[path = "folder/tests.rs"]
mod tests;
