//! Labelled JSON lines `{"id"?,"text","label"}`: what models are trained and measured on. A line that cannot be used is
//! counted and named, never guessed at.

use serde::Deserialize;
use tocsin_rules::Label;

/// A labelled text.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled {
    /// Id, or the 1-based line number when the file has none.
    pub id: String,
    /// The text.
    pub text: String,
    /// What people said of it.
    pub label: Label,
}

/// A labelled file, read.
#[derive(Debug, Clone, Default)]
pub struct LabelledFile {
    /// Usable lines in order.
    pub texts: Vec<Labelled>,
    /// `FILE:LINE: why` for each line that is not.
    pub errors: Vec<String>,
}

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    id: Option<String>,
    text: String,
    label: String,
}

impl LabelledFile {
    /// Reads the content of a file; `name` is for messages. Blank lines are skipped.
    pub fn parse(name: &str, content: &[u8]) -> Self {
        Self::parse_as(name, content, &[])
    }

    /// The same where labels are other words: `moods` says what each means.
    pub fn parse_as(name: &str, content: &[u8], moods: &[(&str, Label)]) -> Self {
        let mut file = Self::default();
        for (at, line) in content.split(|&b| b == b'\n').enumerate() {
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match Self::line(line, moods) {
                Ok(mut text) => {
                    if text.id.is_empty() {
                        text.id = (at + 1).to_string();
                    }
                    file.texts.push(text);
                }
                Err(why) => file.errors.push(format!("{name}:{}: {why}", at + 1)),
            }
        }
        file
    }

    fn line(line: &[u8], moods: &[(&str, Label)]) -> Result<Labelled, String> {
        let line: Line = serde_json::from_slice(line).map_err(|e| e.to_string())?;
        let label = moods
            .iter()
            .find_map(|&(word, mood)| (word == line.label).then_some(mood))
            .or_else(|| Label::from_word(&line.label))
            .ok_or_else(|| format!("label {:?} is none of negative, neutral, positive", line.label))?;
        Ok(Labelled { id: line.id.unwrap_or_default(), text: line.text, label })
    }

    /// Whether any text is labelled neutral.
    pub fn has_neutral(&self) -> bool {
        self.texts.iter().any(|t| t.label == Label::Neutral)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_lines_are_counted_and_named() {
        let content = b"{\"text\":\"a\",\"label\":\"positive\"}\n\n{\"text\":\"b\",\"label\":\"happy\"}\n{\"text\":1}\n\xFF\n";
        let file = LabelledFile::parse("x.jsonl", content);
        assert_eq!(file.texts, [Labelled { id: "1".into(), text: "a".into(), label: Label::Positive }]);
        assert_eq!(file.errors.len(), 3);
        assert!(file.errors[0].starts_with("x.jsonl:3: label \"happy\""), "{:?}", file.errors);
        assert!(file.errors[1].starts_with("x.jsonl:4: "));
        assert!(file.errors[2].starts_with("x.jsonl:5: "));
    }
}
