//! Labelled JSON lines `{"text", "label"}` or `{"text", "labels": […]}`; an empty list says that no category fits. A line that
//! cannot be used is named, never guessed at.

use serde::Deserialize;

/// A text with its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// The text.
    pub text: String,
    /// Its labels, without repetition; none is an answer too.
    pub labels: Vec<String>,
}

/// Files, read.
#[derive(Debug, Clone, Default)]
pub struct LabelledFile {
    /// Usable lines in order.
    pub texts: Vec<Labelled>,
    /// `FILE:LINE: why` for each line that is not.
    pub errors: Vec<String>,
}

#[derive(Deserialize)]
struct Line {
    text: String,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    labels: Option<Vec<String>>,
}

impl LabelledFile {
    /// Adds the content of a file; `name` is for messages. Blank lines are skipped.
    pub fn read(&mut self, name: &str, content: &[u8]) {
        for (at, line) in content.split(|&b| b == b'\n').enumerate() {
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match Self::line(line) {
                Ok(text) => self.texts.push(text),
                Err(why) => self.errors.push(format!("{name}:{}: {why}", at + 1)),
            }
        }
    }

    fn line(line: &[u8]) -> Result<Labelled, String> {
        let Line { text, label, labels } = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        let mut labels = match (label, labels) {
            (Some(label), None) => vec![label],
            (None, Some(labels)) => labels,
            (Some(_), Some(_)) => return Err("both `label` and `labels`: say one of them".to_owned()),
            (None, None) => return Err("neither `label` nor `labels`".to_owned()),
        };
        labels.sort();
        labels.dedup();
        if labels.iter().any(|label| label.trim().is_empty()) {
            return Err("an empty label".to_owned());
        }
        Ok(Labelled { text, labels })
    }

    /// Every label, in alphabetical order, with the number of its texts.
    pub fn counts(&self) -> std::collections::BTreeMap<&str, usize> {
        let mut counts = std::collections::BTreeMap::new();
        for label in self.texts.iter().flat_map(|text| &text.labels) {
            *counts.entry(label.as_str()).or_default() += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_bad_lines_named() {
        let content = concat!(
            "{\"text\":\"a\",\"label\":\"x\"}\n\n{\"text\":\"b\",\"labels\":[\"y\",\"x\",\"y\"]}\n{\"text\":\"c\",\"labels\":[]}\n",
            "{\"text\":\"d\"}\n{\"text\":\"e\",\"label\":\"x\",\"labels\":[]}\n{\"text\":\"f\",\"label\":\" \"}\nnonsense\n"
        );
        let mut file = LabelledFile::default();
        file.read("x.jsonl", content.as_bytes());
        let labels: Vec<_> = file.texts.iter().map(|t| t.labels.join("+")).collect();
        assert_eq!(labels, ["x", "x+y", ""]);
        assert_eq!(file.counts().into_iter().collect::<Vec<_>>(), [("x", 2), ("y", 1)]);
        assert_eq!(file.errors.len(), 4);
        for (error, said) in
            file.errors.iter().zip(["5: neither", "6: both", "7: an empty label", "8: expected"])
        {
            assert!(error.starts_with(&format!("x.jsonl:{said}")), "{error}");
        }
    }
}
