//! From a model's own labels to negative, neutral, positive: names in English and Chinese, stars, or the operator's `labels.json`.
//! Refuses to guess: a label it cannot read is a fault that says what to write.

use std::collections::BTreeMap;

use tocsin_rules::Label;

use crate::linear::Probabilities;

/// Said of a text without any words: nothing is known, and neutral wins the tie.
pub(crate) const NOTHING_TO_READ: Probabilities =
    Probabilities { negative: 1.0 / 3.0, neutral: 1.0 / 3.0, positive: 1.0 / 3.0 };

/// Which label each class of a model counts as; an ignored class takes no part.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelMap(Vec<Option<Label>>);

impl LabelMap {
    /// Maps the class names of `config.json`, in the order of classes; `own` is the operator's file, by name or number of the class.
    ///
    /// # Errors
    /// Every label that cannot be mapped, and what is missing.
    pub fn new(names: &[String], own: Option<&BTreeMap<String, String>>) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let mut classes = Vec::with_capacity(names.len());
        for (class, name) in names.iter().enumerate() {
            let read = match own {
                Some(own) => match own.get(name).or_else(|| own.get(&class.to_string())) {
                    Some(word) => choice(word).ok_or_else(|| {
                        format!("{name:?} is {word:?}: say negative, neutral, positive or ignore")
                    }),
                    None => Err(format!("class {class} ({name:?}) is not in it")),
                },
                None => meaning(name)
                    .map(Some)
                    .ok_or_else(|| format!("class {class} ({name:?}) says nothing of its mood")),
            };
            match read {
                Ok(label) => classes.push(label),
                Err(fault) => faults.push(fault),
            }
        }
        for key in own.into_iter().flat_map(BTreeMap::keys) {
            let known = names.contains(key) || key.parse::<usize>().is_ok_and(|class| class < names.len());
            if !known {
                faults.push(format!("{key:?} is no class of the model (it has {})", names.join(", ")));
            }
        }
        for needed in [Label::Negative, Label::Positive] {
            if faults.is_empty() && !classes.contains(&Some(needed)) {
                faults.push(format!("no class counts as {}", needed.as_str()));
            }
        }
        if faults.is_empty() { Ok(Self(classes)) } else { Err(faults) }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.0.len()
    }

    /// Soft-maximum of one text's scores by class, summed by label. A label no class counts as gets 0.
    pub fn probabilities(&self, scores: &[f32]) -> Probabilities {
        let counted = || self.0.iter().zip(scores).filter_map(|(label, &score)| Some(((*label)?, score)));
        let top = counted().map(|(_, score)| f64::from(score)).fold(f64::NEG_INFINITY, f64::max);
        let mut sums = [0.0_f64; 3];
        for (label, score) in counted() {
            sums[label as usize] += (f64::from(score) - top).exp();
        }
        let all: f64 = sums.iter().sum();
        let [negative, neutral, positive] = sums.map(|sum| (sum / all) as f32);
        Probabilities { negative, neutral, positive }
    }
}

impl std::fmt::Display for LabelMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words: Vec<&str> = self.0.iter().map(|l| l.map_or("ignore", |l| l.as_str())).collect();
        f.write_str(&words.join(", "))
    }
}

/// A value of `labels.json`; the inner `None` is `ignore`.
fn choice(word: &str) -> Option<Option<Label>> {
    if word == "ignore" { Some(None) } else { Label::from_word(word).map(Some) }
}

/// What a class name says by itself.
fn meaning(name: &str) -> Option<Label> {
    let name = name.split(['(', '（']).next().unwrap_or_default();
    let name = name.to_lowercase().replace(['_', '-'], " ");
    let words = name.trim();
    let plain = ["very ", "extremely ", "strongly ", "somewhat ", "非常", "很"]
        .iter()
        .find_map(|degree| words.strip_prefix(degree))
        .unwrap_or(words);
    match plain {
        "negative" | "neg" | "消极" | "负面" | "负向" | "负" | "差评" => Some(Label::Negative),
        "neutral" | "neu" | "mixed" | "中性" | "中立" | "中评" => Some(Label::Neutral),
        "positive" | "pos" | "积极" | "正面" | "正向" | "正" | "好评" => Some(Label::Positive),
        _ => stars(plain),
    }
}

/// `1 star` to `5 stars`, `4星`.
fn stars(words: &str) -> Option<Label> {
    let number = ["stars", "star", "星"].iter().find_map(|unit| words.strip_suffix(unit))?;
    match number.trim() {
        "1" | "2" | "一" | "二" => Some(Label::Negative),
        "3" | "三" => Some(Label::Neutral),
        "4" | "5" | "四" | "五" => Some(Label::Positive),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &str) -> Vec<String> {
        names.split('|').map(str::to_owned).collect()
    }

    fn own(pairs: &str) -> BTreeMap<String, String> {
        pairs
            .split('|')
            .map(|pair| pair.split_once('=').expect("key=value"))
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect()
    }

    #[test]
    fn names_that_speak_for_themselves() {
        let table = [
            ("negative|neutral|positive", "negative, neutral, positive"),
            ("NEG|NEU|POS", "negative, neutral, positive"),
            ("POSITIVE|NEGATIVE", "positive, negative"),
            ("1 star|2 stars|3 stars|4 stars|5 stars", "negative, negative, neutral, positive, positive"),
            (
                "Very Negative|negative|Neutral|positive|very_positive",
                "negative, negative, neutral, positive, positive",
            ),
            ("negative (stars 1, 2 and 3)|positive (stars 4 and 5)", "negative, positive"),
            ("负面|中性|正面", "negative, neutral, positive"),
            ("差评|好评", "negative, positive"),
            ("1星|3星|5星", "negative, neutral, positive"),
        ];
        for (given, wanted) in table {
            assert_eq!(LabelMap::new(&names(given), None).expect(given).to_string(), wanted, "{given}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_all_at_once() {
        let table = [
            (
                "LABEL_0|LABEL_1",
                "class 0 (\"LABEL_0\") says nothing of its mood; class 1 (\"LABEL_1\") says nothing of its mood",
            ),
            ("joy|negative", "class 0 (\"joy\") says nothing of its mood"),
            ("6 stars|1 star", "class 0 (\"6 stars\") says nothing of its mood"),
            ("0|1", "class 0 (\"0\") says nothing of its mood; class 1 (\"1\") says nothing of its mood"),
            ("negative|neutral", "no class counts as positive"),
            ("", "class 0 (\"\") says nothing of its mood"),
        ];
        for (given, wanted) in table {
            let faults = LabelMap::new(&names(given), None).expect_err(given);
            assert_eq!(faults.join("; "), wanted, "{given}");
        }
    }

    #[test]
    fn the_operators_map() {
        let table = [
            ("LABEL_0|LABEL_1", "LABEL_0=negative|LABEL_1=positive", "negative, positive"),
            ("LABEL_0|LABEL_1", "0=positive|1=negative", "positive, negative"),
            ("angry|happy|spam", "angry=negative|happy=positive|2=ignore", "negative, positive, ignore"),
        ];
        for (given, map, wanted) in table {
            assert_eq!(LabelMap::new(&names(given), Some(&own(map))).expect(map).to_string(), wanted);
        }
        let table = [
            ("a|b", "a=negative", "class 1 (\"b\") is not in it"),
            ("a|b", "a=bad|b=positive", "\"a\" is \"bad\": say negative, neutral, positive or ignore"),
            ("a|b", "a=negative|b=positive|c=neutral", "\"c\" is no class of the model (it has a, b)"),
            ("a|b", "a=ignore|b=positive", "no class counts as negative"),
        ];
        for (given, map, wanted) in table {
            assert_eq!(LabelMap::new(&names(given), Some(&own(map))).expect_err(map).join("; "), wanted);
        }
    }

    #[test]
    fn scores_become_probabilities() {
        let stars = LabelMap::new(&names("1 star|2 stars|3 stars|4 stars|5 stars"), None).expect("stars");
        let p = stars.probabilities(&[0.0; 5]);
        assert!((p.negative - 0.4).abs() < 1e-6 && (p.neutral - 0.2).abs() < 1e-6, "{p:?}");
        let ignoring =
            LabelMap::new(&names("x|y|z"), Some(&own("x=negative|y=positive|z=ignore"))).expect("map");
        let p = ignoring.probabilities(&[1.0, 1.0, 900.0]);
        assert!((p.negative - 0.5).abs() < 1e-6 && p.neutral == 0.0, "{p:?}");
        let p = ignoring.probabilities(&[-3e38, 3e38, 0.0]);
        assert_eq!((p.negative, p.positive), (0.0, 1.0));
    }
}
