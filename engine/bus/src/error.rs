//! What can go wrong between us and a broker. Nothing here is about a datum: those are verdicts.

use crate::topics::Topic;

/// A fault of the bus.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// A setting makes no sense; the text names it.
    #[error("bus settings: {0}")]
    Config(String),
    /// The topic is not on the broker and we may not create it.
    #[error("topic {0} does not exist on the broker and creating topics is switched off")]
    MissingTopic(String),
    /// The broker refused or could not be reached; the text comes from the client, without secrets.
    #[error("broker: {0}")]
    Broker(String),
    /// The driver or its bus is gone.
    #[error("the bus is closed")]
    Closed,
    /// The stage panicked; its work since the last checkpoint is taken up again after a restart.
    #[error("stage {0} panicked: {1}")]
    StagePanicked(&'static str, String),
    /// Draining took too long; what was not committed is read again after a restart.
    #[error("stage {stage}: {unfinished} messages not acknowledged by the broker when draining ended")]
    DrainTimeout {
        /// Stage.
        stage: &'static str,
        /// Messages whose records were not all acknowledged.
        unfinished: usize,
    },
}

/// Why one record was not published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// No room at the moment: back-pressure. Wait for [`crate::Producer::ready`] and hand it over again.
    #[error("no room for more records at the moment")]
    Full,
    /// Larger than the broker takes; sending it again is pointless.
    #[error("record of {size} bytes is larger than the broker takes")]
    TooLarge {
        /// Key, payload and headers, bytes.
        size: usize,
    },
    /// The broker did not take it this time; hand it over again.
    #[error("topic {}: {what}", topic.as_str())]
    Failed {
        /// Where to.
        topic: Topic,
        /// What the client said, without secrets.
        what: String,
    },
}

impl SendError {
    /// Whether handing the same record over again can help.
    pub fn is_retryable(&self) -> bool {
        !matches!(self, Self::TooLarge { .. })
    }
}
