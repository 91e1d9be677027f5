//! The BERT thread as the second model of a cascade.

use std::time::Duration;

use super::{Answer, Refusal, Second};
use crate::bert::{Bert, Missed};

impl Second for Bert {
    fn ask(&self, text: String, deadline: Duration) -> Result<Answer, Refusal> {
        let answer = self.try_judge(text, deadline).map_err(refusal)?;
        Ok(Box::pin(async move { answer.wait().await.map_err(refusal) }))
    }
}

fn refusal(missed: Missed) -> Refusal {
    match missed {
        Missed::Full => Refusal::Full,
        Missed::Late => Refusal::Late,
        Missed::Failed(_) => Refusal::Failed,
        Missed::Stopped => Refusal::Stopped,
    }
}
