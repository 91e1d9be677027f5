//! A phrase in the two languages Tocsin speaks. Refuses to translate: it only picks.

use serde::{Deserialize, Serialize};

/// Language of the reader, not of the mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Simplified Chinese (default).
    #[default]
    Zh,
    /// English.
    En,
}

/// One phrase in Chinese and English. In a rulebook either a plain string (used for both) or `{zh: …, en: …}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Wording {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Wording {
    /// The same text for both languages.
    pub fn same(text: impl Into<String>) -> Self {
        let zh = text.into();
        Self { en: zh.clone(), zh }
    }

    /// The phrase in `language`.
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::Zh => &self.zh,
            Language::En => &self.en,
        }
    }
}
