//! Tiny models with weights from a seed, written as a folder that loads: for tests and for trying a build out. They know
//! nothing; what they say is noise, but always the same noise.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Value, json};
use tch::Tensor;

use super::{
    BertError,
    network::{Architecture, Network, Shape},
};

/// Vocabularies a tiny model can come with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vocabulary {
    /// `vocab.txt` with Chinese characters and English letters and words.
    WordPiece,
    /// `tokenizer.json` in the manner of XLM-RoBERTa.
    Unigram,
    /// `vocab.json` and `merges.txt` in the manner of RoBERTa.
    BytePairs,
    /// `sentencepiece.bpe.model`, as older XLM-RoBERTa folders have it.
    SentencePiece,
}

/// A tiny model.
#[derive(Debug, Clone, Copy)]
pub struct Tiny<'a> {
    /// Encoder.
    pub architecture: Architecture,
    /// Vocabulary.
    pub vocabulary: Vocabulary,
    /// Names of its classes.
    pub classes: &'a [&'a str],
    /// Where the weights come from.
    pub seed: u64,
}

const WORDS: &str = "the this is not good bad great awful love hate phone service refund broken happy angry";
const HAN: &str = "这家酒店太差了很好不没有问题手机服务退款坏爱恨高兴愤怒今天我你他的是在一";
const PIECES: &str = "▁the ▁this ▁is ▁not ▁good ▁bad ▁great ▁love ▁hate 酒店 手机 服务 退款 太差 很好";

impl Tiny<'_> {
    /// Writes the model into a folder.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), BertError> {
        let size = self.write_vocabulary(folder)?;
        let config = self.config(size);
        save(folder, "config.json", config.to_string().as_bytes())?;
        let network = Shape::read(&config)
            .map_err(|all| all.join(", "))
            .and_then(|shape| Network::new(&shape, self.classes.len()))
            .map_err(BertError::Torch)?;
        let mut weights: Vec<(String, Tensor)> = network.store.variables().into_iter().collect();
        weights.sort_by(|a, b| a.0.cmp(&b.0));
        let mut seed = Seed(self.seed | 1);
        for (name, tensor) in &mut weights {
            *tensor = seed.tensor(name, &tensor.size());
        }
        Tensor::write_safetensors(&weights, folder.join("model.safetensors"))
            .map_err(|error| BertError::Torch(error.to_string()))
    }

    fn config(&self, size: usize) -> Value {
        let labels: BTreeMap<String, &str> =
            self.classes.iter().enumerate().map(|(id, &name)| (id.to_string(), name)).collect();
        match self.architecture {
            Architecture::DistilBert => json!({
                "model_type": "distilbert", "activation": "gelu", "dim": 32, "hidden_dim": 64, "n_heads": 4,
                "n_layers": 2, "vocab_size": size, "max_position_embeddings": 64, "id2label": labels,
            }),
            other => json!({
                "model_type": other.as_str(), "hidden_act": "gelu", "hidden_size": 32, "intermediate_size": 64,
                "num_attention_heads": 4, "num_hidden_layers": 2, "vocab_size": size, "max_position_embeddings": 66,
                "type_vocab_size": 2, "id2label": labels,
            }),
        }
    }

    fn write_vocabulary(&self, folder: &Path) -> Result<usize, BertError> {
        match self.vocabulary {
            Vocabulary::WordPiece => {
                let tokens = word_pieces();
                save(folder, "vocab.txt", tokens.join("\n").as_bytes())?;
                Ok(tokens.len())
            }
            Vocabulary::Unigram => {
                let pieces = pieces();
                save(folder, "tokenizer.json", unigram(&pieces).to_string().as_bytes())?;
                Ok(pieces.len())
            }
            Vocabulary::BytePairs => {
                let (vocabulary, merges) = byte_pairs();
                save(folder, "vocab.json", json!(vocabulary).to_string().as_bytes())?;
                save(folder, "merges.txt", format!("#version: 0.2\n{}\n", merges.join("\n")).as_bytes())?;
                Ok(vocabulary.len())
            }
            Vocabulary::SentencePiece => {
                let pieces = pieces();
                save(folder, "sentencepiece.bpe.model", &sentence_piece(&pieces))?;
                // the tokenizer adds one more mark behind the pieces
                Ok(pieces.len() + 8)
            }
        }
    }
}

fn save(folder: &Path, file: &str, content: &[u8]) -> Result<(), BertError> {
    let path = folder.join(file);
    std::fs::write(&path, content).map_err(|source| BertError::Write { path, source })
}

fn word_pieces() -> Vec<String> {
    let marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].map(str::to_owned);
    let letters = (b'a'..=b'z').chain(b'0'..=b'9').map(char::from);
    let begun = letters.clone().map(String::from);
    let inside = letters.map(|letter| format!("##{letter}"));
    let words = WORDS.split(' ').map(str::to_owned);
    let han = HAN.chars().map(String::from);
    let signs = "!?,.，。！？".chars().map(String::from);
    marks.into_iter().chain(begun).chain(inside).chain(words).chain(han).chain(signs).collect()
}

/// Pieces with their log probabilities, the marks first.
fn pieces() -> Vec<(String, f64)> {
    let marks = ["<s>", "<pad>", "</s>", "<unk>"].map(|mark| (mark.to_owned(), 0.0));
    let long = PIECES.split(' ').map(|piece| (piece.to_owned(), -4.0));
    let single = "▁".chars().chain('a'..='z').chain(HAN.chars()).chain("!?,.，。".chars());
    let mut all: Vec<(String, f64)> = marks.into_iter().chain(long).collect();
    for character in single.map(String::from) {
        if !all.iter().any(|(piece, _)| *piece == character) {
            all.push((character, -8.0));
        }
    }
    all
}

fn unigram(pieces: &[(String, f64)]) -> Value {
    let mark = |id: u32, name: &str| {
        json!({ "id": id, "content": name, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true })
    };
    json!({
        "version": "1.0",
        // as some shipped files have it: to be undone when loaded
        "truncation": { "direction": "Right", "max_length": 16, "strategy": "LongestFirst", "stride": 0 },
        "padding": { "strategy": { "Fixed": 16 }, "direction": "Right", "pad_to_multiple_of": null,
                     "pad_id": 1, "pad_type_id": 0, "pad_token": "<pad>" },
        "added_tokens": [mark(0, "<s>"), mark(1, "<pad>"), mark(2, "</s>"), mark(3, "<unk>")],
        "normalizer": { "type": "NFKC" },
        "pre_tokenizer": { "type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{ "SpecialToken": { "id": "<s>", "type_id": 0 } }, { "Sequence": { "id": "A", "type_id": 0 } },
                       { "SpecialToken": { "id": "</s>", "type_id": 0 } }],
            "pair": [{ "Sequence": { "id": "A", "type_id": 0 } }, { "Sequence": { "id": "B", "type_id": 0 } }],
            "special_tokens": { "<s>": { "id": "<s>", "ids": [0], "tokens": ["<s>"] },
                                "</s>": { "id": "</s>", "ids": [2], "tokens": ["</s>"] } }
        },
        "decoder": null,
        "model": { "type": "Unigram", "unk_id": 3, "vocab": pieces, "byte_fallback": false },
    })
}

/// Vocabulary of single bytes, in the printable disguise such files use, and a few merges.
fn byte_pairs() -> (BTreeMap<String, usize>, Vec<String>) {
    let plain = |byte: u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let mut hidden = 255_u32;
    let disguised = (0..=255_u8).map(|byte| {
        let character = if plain(byte) {
            char::from(byte)
        } else {
            hidden += 1;
            char::from_u32(hidden).unwrap_or('?')
        };
        character.to_string()
    });
    let marks = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"].map(str::to_owned);
    let merges = ["g o", "b a", "Ġ g"];
    let merged = merges.iter().map(|pair| pair.replace(' ', ""));
    let tokens = marks.into_iter().chain(disguised).chain(merged);
    let vocabulary = tokens.enumerate().map(|(id, token)| (token, id)).collect();
    (vocabulary, merges.map(str::to_owned).to_vec())
}

/// The pieces as a SentencePiece model file: messages of piece (1), score (2) and kind (3).
fn sentence_piece(pieces: &[(String, f64)]) -> Vec<u8> {
    let mut file = Vec::new();
    // such files begin with <unk>, <s>, </s>; the tokenizer moves them to where XLM-RoBERTa has them
    let marks = [("<unk>", 2_u8), ("<s>", 3), ("</s>", 3)];
    let marks = marks.into_iter().map(|(mark, kind)| (mark, 0.0, kind));
    for (piece, score, kind) in marks.chain(pieces[4..].iter().map(|(p, s)| (p.as_str(), *s, 1))) {
        let mut message = vec![0x0A, piece.len() as u8];
        message.extend_from_slice(piece.as_bytes());
        message.push(0x15);
        message.extend_from_slice(&(score as f32).to_le_bytes());
        message.extend_from_slice(&[0x18, kind]);
        file.extend_from_slice(&[0x0A, message.len() as u8]);
        file.extend_from_slice(&message);
    }
    file
}

/// Small seeded generator (xorshift64*), so that a model is the same on every machine and thread.
struct Seed(u64);

impl Seed {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40;
        bits as f32 / (1_u32 << 23) as f32 - 1.0
    }

    fn tensor(&mut self, name: &str, size: &[i64]) -> Tensor {
        let count = size.iter().product::<i64>() as usize;
        let values: Vec<f32> = if name.contains("LayerNorm.weight") || name.contains("layer_norm.weight") {
            vec![1.0; count]
        } else if name.ends_with("bias") {
            vec![0.0; count]
        } else {
            let spread = if name.contains("embeddings") || name.contains("classifier") { 1.0 } else { 0.3 };
            (0..count).map(|_| self.next() * spread).collect()
        };
        Tensor::from_slice(&values).view(size)
    }
}
