//! What share of texts written to brands is flagged as asking or complaining, by the mood people gave them. There is no set that
//! says which of them want an answer: the shares say whether the flag follows the complaints and spares the praise.

use serde::Serialize;
use tocsin_rules::Label;

use crate::{complaint::Voice, labelled::LabelledFile, linear::Linear};

/// Shares of one mood.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Share {
    /// Texts.
    pub texts: usize,
    /// Of them with an `@name`, addressed by second person or else to somebody.
    pub addressed: usize,
    /// Of them flagged.
    pub flagged: usize,
}

/// Negative, neutral, positive.
pub fn shares(linear: &Linear, file: &LabelledFile) -> [Share; 3] {
    let mut shares = [Share::default(); 3];
    for text in &file.texts {
        let at = match text.label {
            Label::Negative => 0,
            Label::Neutral => 1,
            Label::Positive => 2,
        };
        let said = Voice::of(None, &text.text, linear.text(&text.text).negative).complaint_to_any();
        let share: &mut Share = &mut shares[at];
        share.texts += 1;
        share.addressed += usize::from(said.is_some());
        share.flagged += usize::from(said.is_some_and(|said| said.flagged));
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_by_mood() {
        let content = concat!(
            "{\"text\":\"@acme why is my flight delayed again, terrible\",\"label\":\"negative\"}\n",
            "{\"text\":\"@acme thanks, lovely crew\",\"label\":\"positive\"}\n",
            "{\"text\":\"nice day\",\"label\":\"positive\"}\n",
        );
        let file = LabelledFile::parse("x", content.as_bytes());
        let shares = shares(&Linear::shipped().expect("weights"), &file);
        assert_eq!(shares[0], Share { texts: 1, addressed: 1, flagged: 1 });
        assert_eq!(shares[2], Share { texts: 2, addressed: 1, flagged: 0 });
    }
}
