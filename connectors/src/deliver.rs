//! The one way onto the bus: mentions, refusals as dead letters, findings; resolves when all are acknowledged.

use tocsin_bus::Record;
use tocsin_rules::{Finding, RejectionReason};

use crate::{
    Error, Item, Publish, PublishError, Rejected, SourceKind,
    item::refuse,
    metrics,
    publish::{dead_letter, mention_record},
};

/// What one round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Round {
    /// Mentions acknowledged.
    pub published: usize,
    /// Records refused and acknowledged as dead letters.
    pub rejected: usize,
    /// More is waiting.
    pub more: bool,
}

/// Publishes what a source brought and waits for the acknowledgement.
pub(crate) async fn deliver(
    source: &str,
    publisher: &dyn Publish,
    items: &[Item],
    findings: &[Finding],
) -> Result<Delivered, Error> {
    let mut records = Vec::with_capacity(items.len() + findings.len());
    for item in items {
        records.push(match item {
            Item::Mention(mention) => mention_record(mention)?,
            Item::Rejected(rejected) => dead_letter(rejected),
        });
    }
    for finding in findings {
        records.push(finding_record(finding)?);
    }
    let refused = if records.is_empty() { Vec::new() } else { publisher.publish(&records).await? };
    if !refused.is_empty() {
        let letters: Vec<_> =
            refused.iter().map(|at| dead_letter(&too_large_for_bus(source, &records[*at].payload))).collect();
        publisher.publish(&letters).await?;
    }
    Ok(Delivered { refused })
}

/// Publishes one finding.
pub(crate) async fn deliver_finding(publisher: &dyn Publish, finding: &Finding) -> Result<(), Error> {
    publisher.publish(&[finding_record(finding)?]).await?;
    Ok(())
}

fn finding_record(finding: &Finding) -> Result<Record, PublishError> {
    Record::of(finding).map_err(|error| PublishError(error.to_string()))
}

/// Acknowledged; some records may have been refused by the bus for good.
#[derive(Debug)]
pub(crate) struct Delivered {
    /// Positions of items too large for the bus, ascending.
    refused: Vec<usize>,
}

impl Delivered {
    /// Counts the items once everything is behind us, the cursor too.
    pub(crate) fn count(&self, source: &str, kind: SourceKind, items: &[Item]) -> Round {
        let mut round = Round::default();
        for (position, item) in items.iter().enumerate() {
            let reason = match item {
                _ if self.refused.binary_search(&position).is_ok() => RejectionReason::TooLarge,
                Item::Mention(_) => {
                    round.published += 1;
                    continue;
                }
                Item::Rejected(rejected) => {
                    tracing::debug!(source, rejected = %rejected, "record refused");
                    rejected.reason
                }
            };
            round.rejected += 1;
            metrics::REJECTED.with_label_values(&[reason.as_str()]).inc();
        }
        metrics::PUBLISHED.with_label_values(&[kind.as_str()]).inc_by(round.published as u64);
        round
    }
}

/// The bus takes no record of this size: its beginning becomes the dead letter.
fn too_large_for_bus(source: &str, payload: &[u8]) -> Rejected {
    let detail = format!("{} bytes are more than the bus takes", payload.len());
    Rejected::at(source, 0, refuse(RejectionReason::TooLarge, "", detail), payload)
}
