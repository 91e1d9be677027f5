//! Texts into token ids: `tokenizer.json`, `vocab.txt` (WordPiece), `vocab.json` with `merges.txt` (byte BPE) or
//! `sentencepiece.bpe.model`. Truncates itself, never pads, and looks at a bounded part of a text.

use std::{collections::BTreeMap, path::Path};

use rust_tokenizers::{
    tokenizer::{Tokenizer as _, TruncationStrategy, XLMRobertaTokenizer},
    vocab::Vocab as _,
};
use serde_json::{Value, json};
use tch::Tensor;
use tokenizers::{Tokenizer, TruncationParams};

use super::folder::{Fault, read_json};

/// Files by which a folder can bring its vocabulary, best first.
const FILES: &str = "tokenizer.json, vocab.txt, vocab.json with merges.txt, or sentencepiece.bpe.model";
/// Characters looked at for each token allowed: beyond that a text has long been cut anyway.
const CHARACTERS_A_TOKEN: usize = 24;

enum Vocabulary {
    Own(Box<Tokenizer>),
    SentencePiece(Box<XLMRobertaTokenizer>),
}

/// Tokenizer of one model.
pub(crate) struct Tokens {
    vocabulary: Vocabulary,
    pub(crate) pad: i64,
    most: usize,
    /// Where the vocabulary came from.
    pub(crate) file: &'static str,
    /// Number of tokens.
    pub(crate) size: usize,
}

impl Tokens {
    /// Loads the vocabulary of a folder; texts are cut at `most` tokens, the marks at both ends included. Ids at or above
    /// `rows`, the rows of the embeddings, are a fault.
    pub(crate) fn load(folder: &Path, most: usize, rows: usize) -> Result<Self, Fault> {
        let has = |name: &str| folder.join(name).is_file();
        let tokens = if has("tokenizer.json") {
            Self::own("tokenizer.json", read_json(folder, "tokenizer.json")?, most)?
        } else if has("vocab.txt") {
            Self::own("vocab.txt", word_piece(folder)?, most)?
        } else if has("vocab.json") && has("merges.txt") {
            Self::own("vocab.json", byte_pairs(folder)?, most)?
        } else if has("sentencepiece.bpe.model") {
            Self::sentence_piece(folder, most)?
        } else {
            return Err(Fault::new(
                "tokenizer.json",
                "there is no vocabulary",
                format!("put {FILES} into the folder"),
            ));
        };
        if tokens.size > rows {
            return Err(Fault::new(
                tokens.file,
                format!("{} tokens, but the model has embeddings of {rows}", tokens.size),
                "vocabulary and weights are of different models: fetch the vocabulary that came with the weights",
            ));
        }
        Ok(tokens)
    }

    fn own(file: &'static str, mut definition: Value, most: usize) -> Result<Self, Fault> {
        let pad = definition.pointer("/padding/pad_id").and_then(Value::as_i64);
        // Both are this crate's work: some files bake in a fixed padded length.
        definition["padding"] = Value::Null;
        definition["truncation"] = Value::Null;
        let unreadable =
            |error: String| Fault::new(file, error, "fetch the file again, or save the tokenizer again");
        let text = serde_json::to_vec(&definition).map_err(|e| unreadable(e.to_string()))?;
        let mut tokenizer = Tokenizer::from_bytes(text).map_err(|e| unreadable(e.to_string()))?;
        let marks = tokenizer.encode_fast("", true).map_err(|e| unreadable(e.to_string()))?.len();
        if marks < 2 {
            return Err(Fault::new(
                file,
                "puts no marks at the ends of a text",
                "it needs a post_processor that adds [CLS] and [SEP], or <s> and </s>",
            ));
        }
        let truncation = TruncationParams { max_length: most, ..TruncationParams::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(|e| unreadable(e.to_string()))?;
        let named = || ["[PAD]", "<pad>"].iter().find_map(|name| tokenizer.token_to_id(name)).map(i64::from);
        // ids may have holes: what counts is the largest
        let size = tokenizer.get_vocab(true).values().max().map_or(0, |&id| id as usize + 1);
        Ok(Self {
            pad: pad.or_else(named).unwrap_or(0),
            vocabulary: Vocabulary::Own(Box::new(tokenizer)),
            most,
            file,
            size,
        })
    }

    fn sentence_piece(folder: &Path, most: usize) -> Result<Self, Fault> {
        let file = "sentencepiece.bpe.model";
        let path = folder.join(file);
        let unreadable = |error: String| Fault::new(file, error, "fetch the file again");
        let path = path.to_str().ok_or_else(|| unreadable("its path is not UTF-8".to_owned()))?;
        let vocabulary =
            XLMRobertaTokenizer::from_file(path, false).map_err(|error| unreadable(error.to_string()))?;
        let ids = vocabulary.vocab().values();
        let size = ids.values().max().map_or(0, |&id| id.max(0) as usize + 1);
        let pad = ids.get("<pad>").copied().unwrap_or(1);
        Ok(Self { vocabulary: Vocabulary::SentencePiece(Box::new(vocabulary)), pad, most, file, size })
    }

    /// Ids of a text with the marks at its ends; `None` when there is nothing to read.
    pub(crate) fn ids(&self, text: &str) -> Result<Option<Vec<i64>>, String> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let text = head(text, self.most * CHARACTERS_A_TOKEN);
        let ids = match &self.vocabulary {
            Vocabulary::Own(tokenizer) => {
                let encoding = tokenizer.encode_fast(text, true).map_err(|e| e.to_string())?;
                encoding.get_ids().iter().copied().map(i64::from).collect()
            }
            Vocabulary::SentencePiece(tokenizer) => {
                tokenizer.encode(text, None, self.most, &TruncationStrategy::LongestFirst, 0).token_ids
            }
        };
        Ok(Some(ids))
    }

    /// Ids and mask, `[texts, longest]`, of texts that share a pass.
    pub(crate) fn tensors<'a>(&self, texts: impl Iterator<Item = &'a [i64]> + Clone) -> (Tensor, Tensor) {
        let longest = texts.clone().map(<[i64]>::len).max().unwrap_or(0);
        let (mut ids, mut mask, mut rows) = (Vec::new(), Vec::new(), 0_i64);
        for text in texts {
            rows += 1;
            ids.extend_from_slice(text);
            mask.extend(std::iter::repeat_n(1_i64, text.len()));
            ids.resize(rows as usize * longest, self.pad);
            mask.resize(rows as usize * longest, 0);
        }
        let shaped = |values: &[i64]| Tensor::from_slice(values).view([rows, longest as i64]);
        (shaped(&ids), shaped(&mask))
    }
}

/// The first `most` characters.
fn head(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
}

/// The definition that `vocab.txt` stands for; case as `tokenizer_config.json` says.
fn word_piece(folder: &Path) -> Result<Value, Fault> {
    let text = std::fs::read_to_string(folder.join("vocab.txt"))
        .map_err(|error| Fault::new("vocab.txt", error.to_string(), "one token a line, UTF-8"))?;
    let vocabulary: BTreeMap<&str, usize> =
        text.lines().enumerate().map(|(id, line)| (line.trim_end_matches('\r'), id)).collect();
    let mark = |name: &str| {
        vocabulary.get(name).copied().ok_or_else(|| {
            Fault::new("vocab.txt", format!("has no {name}"), "it is not the vocabulary of a BERT model")
        })
    };
    let (cls, sep, unknown) = (mark("[CLS]")?, mark("[SEP]")?, "[UNK]");
    mark(unknown)?;
    let lower = match read_json(folder, "tokenizer_config.json") {
        Ok(settings) => settings.get("do_lower_case").and_then(Value::as_bool).unwrap_or(true),
        Err(_) => true,
    };
    let marks: Vec<Value> = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        .iter()
        .filter_map(|name| Some((name, vocabulary.get(name)?)))
        .map(|(name, id)| special(name, *id))
        .collect();
    Ok(json!({
        "version": "1.0",
        "added_tokens": marks,
        "normalizer": { "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                        "strip_accents": null, "lowercase": lower },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": { "type": "BertProcessing", "sep": ["[SEP]", sep], "cls": ["[CLS]", cls] },
        "decoder": null,
        "model": { "type": "WordPiece", "unk_token": unknown, "continuing_subword_prefix": "##",
                   "max_input_chars_per_word": 100, "vocab": vocabulary },
    }))
}

/// The definition that `vocab.json` and `merges.txt` stand for.
fn byte_pairs(folder: &Path) -> Result<Value, Fault> {
    let vocabulary = read_json(folder, "vocab.json")?;
    let text = std::fs::read_to_string(folder.join("merges.txt"))
        .map_err(|error| Fault::new("merges.txt", error.to_string(), "one pair a line, UTF-8"))?;
    let merges: Vec<&str> =
        text.lines().filter(|line| !line.starts_with("#version") && !line.is_empty()).collect();
    let mark = |name: &str| {
        vocabulary.get(name).and_then(Value::as_u64).ok_or_else(|| {
            Fault::new("vocab.json", format!("has no {name}"), "it is not the vocabulary of a RoBERTa model")
        })
    };
    let (start, end) = (mark("<s>")?, mark("</s>")?);
    let marks: Vec<Value> = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        .iter()
        .filter_map(|name| Some((name, vocabulary.get(name)?.as_u64()?)))
        .map(|(name, id)| special(name, id as usize))
        .collect();
    Ok(json!({
        "version": "1.0",
        "added_tokens": marks,
        "normalizer": null,
        "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true },
        "post_processor": { "type": "RobertaProcessing", "sep": ["</s>", end], "cls": ["<s>", start],
                            "trim_offsets": true, "add_prefix_space": false },
        "decoder": { "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true },
        "model": { "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "",
                   "end_of_word_suffix": "", "fuse_unk": false, "vocab": vocabulary, "merges": merges },
    }))
}

fn special(name: &str, id: usize) -> Value {
    json!({ "id": id, "content": name, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true })
}
