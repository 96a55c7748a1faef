//! Why a step could not be carried out.

use settlement::SinkError;
use store::{PortError, RecordError};

/// A step could not be carried out; says nothing about the report.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Local disk failed.
    #[error("Cannot use the local disk: {0}")]
    Disk(#[from] std::io::Error),
    /// A table could not be written or read.
    #[error(transparent)]
    Table(#[from] tables::TableError),
    /// The lines could not be stored.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The months do not come out even.
    #[error(transparent)]
    Bridge(#[from] matching::BridgeError),
    /// A document could not be written.
    #[error(transparent)]
    Document(#[from] documents::DocumentError),
    /// Another worker is at it.
    #[error("{what} is in the hands of another worker until {until}. Try again later")]
    Busy {
        /// A report, or a batch of settlement events.
        what: String,
        /// When its lease ends.
        until: jiff::Timestamp,
    },
    /// Dintero asks to wait.
    #[error("Dintero asks to wait until {until} before {what}")]
    Later {
        /// What has to wait.
        what: String,
        /// Until when.
        until: jiff::Timestamp,
    },
    /// A record of the state cannot be read or written.
    #[error(transparent)]
    Record(RecordError),
    /// A report is not committed, so that nothing of it may flow on.
    #[error("Report {0} is not committed, so that nothing of it may flow on")]
    NotCommitted(String),
    /// What was asked for does not exist or is not allowed.
    #[error("{0}")]
    Refused(String),
}

impl StepError {
    /// Whether trying again later can help.
    pub fn is_retryable(&self) -> bool {
        match self {
            StepError::Port(error) => error.is_retryable(),
            StepError::Disk(_) | StepError::Busy { .. } | StepError::Later { .. } | StepError::Sink(_) => true,
            StepError::Table(_)
            | StepError::Bridge(_)
            | StepError::Document(_)
            | StepError::Record(_)
            | StepError::NotCommitted(_)
            | StepError::Refused(_) => false,
        }
    }
}

impl From<RecordError> for StepError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Port(error) => StepError::Port(error),
            other => StepError::Record(other),
        }
    }
}
