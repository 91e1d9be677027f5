//! Acknowledgement of a group of records: one allocation a group, not a future a record.
//! Refuses to be done while any record of the group is open.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::Notify;

use crate::error::SendError;

/// Shared between who publishes and the driver. The driver settles each ticket once.
#[derive(Debug, Clone, Default)]
pub struct Receipt(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    open: AtomicUsize,
    failed: Mutex<Vec<(u32, SendError)>>,
    settled: Notify,
}

/// One record's claim on a [`Receipt`]; dropping it unsettled counts as not delivered.
#[derive(Debug)]
pub struct Ticket {
    receipt: Option<Receipt>,
    index: u32,
}

impl Receipt {
    /// Nothing open yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens a ticket for the record the publisher knows as `index`.
    pub fn ticket(&self, index: u32) -> Ticket {
        self.0.open.fetch_add(1, Ordering::AcqRel);
        Ticket { receipt: Some(self.clone()), index }
    }

    /// Whether every ticket is settled.
    pub fn is_settled(&self) -> bool {
        self.0.open.load(Ordering::Acquire) == 0
    }

    /// Resolves once every ticket is settled.
    pub async fn settled(&self) {
        loop {
            let notified = self.0.settled.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if self.is_settled() {
                return;
            }
            notified.await;
        }
    }

    /// Takes what failed so far, by the publisher's index, ascending.
    pub fn take_failed(&self) -> Vec<(u32, SendError)> {
        let mut failed = std::mem::take(&mut *self.0.failed.lock().unwrap_or_else(PoisonError::into_inner));
        failed.sort_unstable_by_key(|(index, _)| *index);
        failed
    }

    fn settle(&self) {
        if self.0.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.settled.notify_waiters();
        }
    }
}

impl Ticket {
    /// The broker has it.
    pub fn acknowledged(mut self) {
        if let Some(receipt) = self.receipt.take() {
            receipt.settle();
        }
    }

    /// The broker does not have it.
    pub fn failed(mut self, error: SendError) {
        self.fail(error);
    }

    /// It was never handed over: as if the ticket had not been opened.
    pub fn withdraw(self) {
        self.acknowledged();
    }

    fn fail(&mut self, error: SendError) {
        if let Some(receipt) = self.receipt.take() {
            receipt.0.failed.lock().unwrap_or_else(PoisonError::into_inner).push((self.index, error));
            receipt.settle();
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.fail(SendError::Failed {
            topic: crate::Topic::DeadLetter,
            what: "the client gave the record up".into(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn settles_when_the_last_ticket_does_and_keeps_what_failed() {
        let receipt = Receipt::new();
        assert!(receipt.is_settled());
        let tickets: Vec<_> = (0..4).map(|i| receipt.ticket(i)).collect();
        for (i, ticket) in tickets.into_iter().enumerate() {
            assert!(!receipt.is_settled());
            match i {
                0 | 2 => ticket.acknowledged(),
                1 => ticket.failed(SendError::TooLarge { size: 9 }),
                _ => drop(ticket),
            }
        }
        receipt.settled().await;
        let failed = receipt.take_failed();
        assert_eq!(failed.len(), 2);
        assert_eq!(failed[0], (1, SendError::TooLarge { size: 9 }));
        assert_eq!(failed[1].0, 3);
        assert!(failed[1].1.is_retryable());
    }
}
