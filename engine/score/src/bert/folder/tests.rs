//! Broken folders: each is refused with its file, what is wrong and the fix; several faults are said together.

use std::{fs, path::Path};

use serde_json::{Value, json};
use tch::Tensor;
use tempfile::TempDir;

use super::*;
use crate::bert::{
    Architecture, BertError, Judge,
    import::{SAMPLES, import},
    tiny::{Tiny, Vocabulary},
};

const WEIGHTS: &str = "model.safetensors";

fn folder(architecture: Architecture, vocabulary: Vocabulary) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    Tiny { architecture, vocabulary, classes: &["negative", "neutral", "positive"], seed: 7 }
        .write(folder.path())
        .expect("written");
    folder
}

fn bert() -> TempDir {
    folder(Architecture::Bert, Vocabulary::WordPiece)
}

fn faults(folder: &Path) -> Vec<String> {
    match open(folder, 64, &Purpose::Judge(None)) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

fn change_config(folder: &Path, change: impl Fn(&mut Value)) {
    let path = folder.join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&path).expect("config")).expect("json");
    change(&mut config);
    fs::write(path, config.to_string()).expect("written");
}

fn change_weights(folder: &Path, change: impl Fn(Vec<(String, Tensor)>) -> Vec<(String, Tensor)>) {
    let path = folder.join(WEIGHTS);
    let weights = change(Tensor::read_safetensors(&path).expect("weights"));
    Tensor::write_safetensors(&weights, path).expect("written");
}

/// What is done to a sound folder, and what must be said of it.
type Case = (&'static str, fn(&Path), &'static str);

#[test]
fn every_broken_folder_is_named_with_its_fix() {
    let cases: &[Case] = &[
        (
            "no config",
            |f| fs::remove_file(f.join("config.json")).expect("removed"),
            "config.json: is missing; put it into the folder, as it came with the weights",
        ),
        (
            "config is no JSON",
            |f| fs::write(f.join("config.json"), "{").expect("written"),
            "config.json: no JSON: EOF while parsing an object at line 1 column 1; fetch the file again",
        ),
        (
            "another architecture",
            |f| change_config(f, |c| c["model_type"] = json!("gpt2")),
            "config.json: model_type is gpt2: bert, distilbert, roberta and xlm-roberta can be loaded; use the config.json that came with the weights",
        ),
        (
            "no architecture",
            |f| {
                change_config(f, |c| {
                    c.as_object_mut().expect("object").remove("model_type");
                })
            },
            "config.json: model_type is missing: bert, distilbert, roberta and xlm-roberta can be loaded; use the config.json that came with the weights",
        ),
        (
            "a size is missing",
            |f| change_config(f, |c| c["hidden_size"] = json!("many")),
            "config.json: hidden_size is missing or no positive number; use the config.json that came with the weights",
        ),
        (
            "heads do not fit",
            |f| change_config(f, |c| c["num_attention_heads"] = json!(5)),
            "config.json: 5 attention heads do not divide a width of 32; use the config.json that came with the weights",
        ),
        (
            "activation",
            |f| change_config(f, |c| c["hidden_act"] = json!("quick_gelu")),
            "config.json: hidden_act is quick_gelu: gelu, gelu_new, relu, swish, mish and tanh can be run; use the config.json that came with the weights",
        ),
        (
            "regression",
            |f| change_config(f, |c| c["id2label"] = json!({"0": "LABEL_0"})),
            "config.json: id2label names 1 classes: two are the least; make id2label name every class from \"0\" on",
        ),
        (
            "holes in the classes",
            |f| change_config(f, |c| c["id2label"] = json!({"0": "negative", "2": "positive"})),
            "config.json: id2label has 2 classes, but none is 1; make id2label name every class from \"0\" on",
        ),
        (
            "classes without names",
            |f| change_config(f, |c| c["id2label"] = json!({"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"})),
            "config.json: class 0 (\"LABEL_0\") says nothing of its mood, class 1 (\"LABEL_1\") says nothing of its mood, class 2 (\"LABEL_2\") says nothing of its mood; write labels.json beside it: {\"LABEL_0\": \"negative\", \"LABEL_1\": \"neutral\", \"LABEL_2\": \"positive\"} (set each as it is meant)",
        ),
        (
            "a bad label map",
            |f| fs::write(f.join(LABELS), r#"{"negative": 1}"#).expect("written"),
            "labels.json: invalid type: integer `1`, expected a string at line 1 column 14; write {\"class\": \"negative\" | \"neutral\" | \"positive\" | \"ignore\", …}",
        ),
        (
            "more classes than the weights have",
            |f| change_config(f, |c| c["id2label"]["3"] = json!("very positive")),
            "model.safetensors: classifier.bias has 3 classes, config.json's id2label 4; make id2label name every class",
        ),
        (
            "vocabulary of another model",
            |f| {
                fs::write(
                    f.join("vocab.txt"),
                    (0..300).map(|i| format!("w{i}\n")).collect::<String>() + "[UNK]\n[CLS]\n[SEP]",
                )
                .expect("written")
            },
            "vocab.txt: 303 tokens, but the model has embeddings of",
        ),
        (
            "no marks",
            |f| fs::write(f.join("vocab.txt"), "a\nb\n").expect("written"),
            "vocab.txt: has no [CLS]; it is not the vocabulary of a BERT model",
        ),
        (
            "no vocabulary",
            |f| fs::remove_file(f.join("vocab.txt")).expect("removed"),
            "tokenizer.json: there is no vocabulary; put tokenizer.json, vocab.txt, vocab.json with merges.txt, or sentencepiece.bpe.model into the folder",
        ),
        (
            "broken tokenizer.json",
            |f| fs::write(f.join("tokenizer.json"), "{}").expect("written"),
            "tokenizer.json: ",
        ),
        (
            "no weights",
            |f| fs::remove_file(f.join(WEIGHTS)).expect("removed"),
            "model.safetensors: there are no weights; put model.safetensors (or rust_model.ot) into the folder",
        ),
        (
            "a pickle",
            |f| fs::rename(f.join(WEIGHTS), f.join("pytorch_model.bin")).expect("renamed"),
            "pytorch_model.bin: a Python pickle, which runs code when read and is refused; turn it into model.safetensors where PyTorch is at hand: AutoModelForSequenceClassification.from_pretrained(folder).save_pretrained(folder, safe_serialization=True)",
        ),
        (
            "split weights",
            |f| fs::rename(f.join(WEIGHTS), f.join("model.safetensors.index.json")).expect("renamed"),
            "model.safetensors.index.json: the weights are split over several files; save the model again as one file: save_pretrained(folder, max_shard_size=\"100GB\")",
        ),
        (
            "a pointer",
            |f| {
                fs::write(f.join(WEIGHTS), "version https://git-lfs.github.com/spec/v1\noid sha256:0")
                    .expect("written")
            },
            "model.safetensors: only the pointer of a large file, not the file; fetch it: git lfs pull, or download it by itself",
        ),
        (
            "cut short",
            |f| {
                let w = fs::read(f.join(WEIGHTS)).expect("read");
                fs::write(f.join(WEIGHTS), &w[..w.len() / 2]).expect("written");
            },
            "model.safetensors: ",
        ),
        (
            "not weights at all",
            |f| {
                fs::remove_file(f.join(WEIGHTS)).expect("removed");
                fs::write(f.join("rust_model.ot"), b"hello").expect("written");
            },
            "rust_model.ot: ",
        ),
        (
            "a bare encoder",
            |f| {
                change_weights(f, |w| {
                    w.into_iter().filter(|(name, _)| !name.starts_with("classifier")).collect()
                })
            },
            "model.safetensors: no classifier: this is a bare encoder; fine-tune it first (`just train-bert`), or take a model for sequence classification",
        ),
        (
            "layers are missing",
            |f| change_weights(f, |w| w.into_iter().filter(|(name, _)| !name.contains("layer.1.")).collect()),
            "model.safetensors: 16 weights are missing, first bert.encoder.layer.1.attention.output.LayerNorm.bias; the file is of another architecture than config.json says, or cut short",
        ),
        (
            "another vocabulary size",
            |f| change_config(f, |c| c["vocab_size"] = json!(5000)),
            "tokens, config.json says vocab_size 5000; weights and config.json are of different models",
        ),
        (
            "no numbers",
            |f| {
                change_weights(f, |w| {
                    w.into_iter()
                        .map(|(name, t)| {
                            let t = if name == "classifier.bias" { t * f64::NAN } else { t };
                            (name, t)
                        })
                        .collect()
                })
            },
            "model.safetensors: classifier.bias holds values that are no numbers; the training that wrote it diverged: use another checkpoint",
        ),
        (
            "whole numbers",
            |f| {
                change_weights(f, |w| {
                    w.into_iter()
                        .map(|(name, t)| {
                            let t = if name == "classifier.weight" { t.to_kind(tch::Kind::Int8) } else { t };
                            (name, t)
                        })
                        .collect()
                })
            },
            "model.safetensors: classifier.weight holds Int8, not floating point; use the unquantised weights",
        ),
    ];
    for (case, harm, wanted) in cases {
        let folder = bert();
        assert_eq!(faults(folder.path()), Vec::<String>::new());
        harm(folder.path());
        let said = faults(folder.path());
        assert!(said.iter().any(|fault| fault.contains(wanted)), "{case}: {said:#?}");
        assert!(said.len() <= 2, "{case}: one harm, one fault, or two files that disagree: {said:#?}");
    }
}

#[test]
fn everything_wrong_is_said_at_once() {
    let folder = bert();
    change_config(folder.path(), |c| c["id2label"] = json!({"0": "x", "1": "y", "2": "z"}));
    fs::write(folder.path().join("vocab.txt"), "[UNK]").expect("written");
    fs::write(folder.path().join(WEIGHTS), "junk").expect("written");
    let error = Judge::open(folder.path(), None, 64).expect_err("broken thrice").to_string();
    for file in ["config.json: class 0", "vocab.txt: has no [CLS]", "model.safetensors: "] {
        assert!(error.contains(file), "{error}");
    }
    assert!(error.contains(&folder.path().display().to_string()), "{error}");
    let missing = faults(Path::new("no/such/folder"));
    assert_eq!(
        missing,
        [
            "no/such/folder: there is no such folder; name the folder that holds config.json, the vocabulary and the weights"
        ]
    );
}

#[test]
fn an_own_label_map_that_is_missing_is_a_fault() {
    let folder = bert();
    let said = open(folder.path(), 64, &Purpose::Judge(Some(Path::new("no/labels.json"))));
    let Err(said) = said.map(|_| ()) else { panic!("opened") };
    assert!(said[0].to_string().starts_with("no/labels.json: "), "{said:?}");
}

#[test]
fn weights_in_the_librarys_own_format_are_the_same_weights() {
    let folder = bert();
    let judge = |folder: &Path| {
        let judge = Judge::open(folder, None, 64).unwrap_or_else(|error| panic!("{error}"));
        judge.judge(&SAMPLES, 4, &mut |_| {}).expect("judged")
    };
    let before = judge(folder.path());
    let weights = Tensor::read_safetensors(folder.path().join(WEIGHTS)).expect("weights");
    Tensor::save_multi(&weights, folder.path().join("rust_model.ot")).expect("written");
    fs::remove_file(folder.path().join(WEIGHTS)).expect("removed");
    assert_eq!(judge(folder.path()), before);
}

#[test]
fn folders_as_they_come_are_imported_and_answer_the_same() {
    for (architecture, vocabulary) in [
        (Architecture::Bert, Vocabulary::WordPiece),
        (Architecture::Bert, Vocabulary::Unigram),
        (Architecture::DistilBert, Vocabulary::WordPiece),
        (Architecture::Roberta, Vocabulary::BytePairs),
        (Architecture::XlmRoberta, Vocabulary::SentencePiece),
    ] {
        let from = folder(architecture, vocabulary);
        // the head named whole, the encoder bare and its norms as old files have them
        change_weights(from.path(), |weights| {
            let bare = |name: String| {
                name.replace(architecture.prefix(), "").replace("LayerNorm.weight", "LayerNorm.gamma")
            };
            weights.into_iter().map(|(name, tensor)| (bare(name), tensor)).collect()
        });
        change_config(from.path(), |c| {
            c["id2label"] = json!({"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"})
        });
        let labels = from.path().join("mine.json");
        fs::write(&labels, r#"{"LABEL_0": "positive", "LABEL_1": "ignore", "LABEL_2": "negative"}"#)
            .expect("written");
        let out = from.path().join("out");
        let imported =
            import(from.path(), Some(&labels), Some(&out)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(imported.classes[2], ("LABEL_2".to_owned(), "negative".to_owned()));
        assert!(imported.notes.iter().any(|note| note.contains("are renamed")), "{:?}", imported.notes);
        let judge = |folder: &Path, labels: Option<&Path>| {
            let judge = Judge::open(folder, labels, 64).unwrap_or_else(|error| panic!("{error}"));
            judge.judge(&SAMPLES, 4, &mut |_| {}).expect("judged")
        };
        assert_eq!(judge(from.path(), Some(&labels)), judge(&out, None), "{architecture:?}");
        assert_eq!(imported.samples.len(), SAMPLES.len());
        let again = import(from.path(), Some(&labels), Some(&out)).expect_err("taken");
        assert!(
            matches!(&again, BertError::Model { faults, .. } if faults[0].what == "holds a model already"),
            "{again}"
        );
    }
}
