//! [`EscalateStage`]: reads `tocsin.findings` and applies each finding. Refuses what is no finding: a dead letter.

use std::collections::HashMap;

use tocsin_bus::{DeadReason, DropReason, Fault, Message, Outcome, Payload, Stage, Topic};
use tocsin_rules::Finding;

use crate::{
    desk::{Desk, Taken},
    transition::Idle,
};

/// Deepest nesting taken for a finding is serde_json's own limit; its message is told apart by this word.
const TOO_DEEP: &str = "recursion limit exceeded";

/// The stage that turns findings into incidents.
#[derive(Debug)]
pub struct EscalateStage {
    desk: Desk,
    /// Outcomes of the batch in hand, by partition and offset: a batch that is tried again after a fault keeps the
    /// verdicts its first messages earned.
    earned: HashMap<(i32, i64), Outcome>,
}

impl EscalateStage {
    /// Over a desk.
    pub fn new(desk: Desk) -> Self {
        Self { desk, earned: HashMap::new() }
    }

    async fn judge(&self, message: &Message) -> Result<Outcome, Fault> {
        let finding = match read(message) {
            Ok(finding) => finding,
            Err((reason, detail)) => return Ok(Outcome::dead(reason, detail)),
        };
        let taken = self.desk.finding(&finding).await;
        let taken =
            taken.map_err(|fault| Fault::Retry { what: fault.to_string(), source: Some(Box::new(fault)) })?;
        Ok(match taken {
            Taken::Applied(_) => Outcome::emitted(Vec::new()),
            Taken::Nothing(Idle::UnknownMonitor) => Outcome::dropped(DropReason::UnknownMonitor),
            Taken::Nothing(_) => Outcome::dropped(DropReason::NoChange),
        })
    }
}

fn read(message: &Message) -> Result<Finding, (DeadReason, String)> {
    let known = |schema: &str| schema.parse::<u16>().is_ok_and(|schema| schema <= Finding::SCHEMA);
    if let Some(schema) = message.header("schema").filter(|schema| !known(schema)) {
        let shown: String = schema.chars().take(20).collect();
        return Err((DeadReason::UnknownSchema, format!("schema {shown}")));
    }
    let text = std::str::from_utf8(&message.payload)
        .map_err(|fault| (DeadReason::InvalidUtf8, format!("at byte {}", fault.valid_up_to())))?;
    let finding: Finding = serde_json::from_str(text).map_err(|fault| {
        let said = fault.to_string();
        let place = format!("line {}, column {}", fault.line(), fault.column());
        // serde_json quotes unknown words of the input; only which field is missing is safe to repeat.
        match said.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
            Some(field) => (DeadReason::MissingField, format!("{field}, {place}")),
            None if said.starts_with(TOO_DEEP) => (DeadReason::TooDeep, place),
            None if fault.is_data() => (DeadReason::InvalidField, place),
            None => (DeadReason::InvalidJson, place),
        }
    })?;
    for (field, value) in [("id", &finding.id), ("monitor", &finding.monitor), ("episode", &finding.episode)]
    {
        if value.is_empty() || value.len() > 512 {
            return Err((
                DeadReason::InvalidField,
                format!("{field} has {} bytes, 1 to 512 are taken", value.len()),
            ));
        }
    }
    Ok(finding)
}

impl Stage for EscalateStage {
    fn name(&self) -> &'static str {
        "escalate"
    }

    fn input(&self) -> Topic {
        Topic::Findings
    }

    async fn process(&mut self, batch: &[Message]) -> Result<Vec<Outcome>, Fault> {
        let place = |message: &Message| (message.partition, message.offset);
        for message in batch {
            if !self.earned.contains_key(&place(message)) {
                let outcome = self.judge(message).await?;
                self.earned.insert(place(message), outcome);
            }
        }
        let outcomes = batch.iter().filter_map(|message| self.earned.get(&place(message)).cloned()).collect();
        self.earned.clear();
        Ok(outcomes)
    }

    fn revoked(&mut self, partitions: &[i32]) {
        self.earned.retain(|(partition, _), _| !partitions.contains(partition));
    }
}

#[cfg(test)]
mod tests;
