//! Grades: impact, likelihood, and the risk level the matrix makes of the two.
//!
//! Refuses to know how a grade was reached; conditions live in [`crate::threshold`].

use serde::{Deserialize, Serialize};

/// Risk level (风险等级) of a finding or incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing to act on (无).
    #[default]
    None,
    /// Watch and note (低).
    Low,
    /// Act in working order; pages the duty officer (中).
    Medium,
    /// Wake people (高).
    High,
}

/// How bad it would be (影响程度).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    /// Few people, no lasting harm (轻微).
    #[default]
    Minor,
    /// A visible group is affected (一般).
    Moderate,
    /// Customers, media or several platforms are involved (重大).
    Major,
    /// Health, law, or the whole brand is at stake (严重).
    Severe,
}

/// How sure we are that it is, or becomes, a crisis (可能性).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Likelihood {
    /// No sign (不太可能).
    #[default]
    Unlikely,
    /// One weak sign (可能).
    Possible,
    /// Several signs or one strong one (很可能).
    Likely,
    /// It is happening (几乎确定).
    Certain,
}

/// The risk matrix (风险矩阵): rows are [`Impact`] minor..severe, columns [`Likelihood`] unlikely..certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matrix(pub [[Level; 4]; 4]);

impl Matrix {
    /// The level of one cell.
    pub fn level(&self, impact: Impact, likelihood: Likelihood) -> Level {
        self.0[impact as usize][likelihood as usize]
    }
}

impl Level {
    /// Every level, ascending.
    pub const ALL: [Self; 4] = [Self::None, Self::Low, Self::Medium, Self::High];

    /// The word used in JSON, metrics labels and rulebooks.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl Impact {
    /// Every grade, ascending.
    pub const ALL: [Self; 4] = [Self::Minor, Self::Moderate, Self::Major, Self::Severe];

    /// The word used in JSON and rulebooks.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minor => "minor",
            Self::Moderate => "moderate",
            Self::Major => "major",
            Self::Severe => "severe",
        }
    }
}

impl Likelihood {
    /// Every grade, ascending.
    pub const ALL: [Self; 4] = [Self::Unlikely, Self::Possible, Self::Likely, Self::Certain];

    /// The word used in JSON and rulebooks.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unlikely => "unlikely",
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}
