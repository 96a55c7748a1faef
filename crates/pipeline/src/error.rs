//! Why a step could not be carried out.

use settlement::SinkError;
use store::{PortError, RecordError};
use tables::TableError;

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
            StepError::Disk(_) | StepError::Busy { .. } | StepError::Later { .. } => true,
            StepError::Table(error) => is_of_disk(error),
            // A sink of tables tells what went wrong; any other fails for a reason that may pass.
            StepError::Sink(SinkError(source)) => source.downcast_ref::<TableError>().is_none_or(is_of_disk),
            StepError::Bridge(_)
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

/// Whether a table failed for want of room or a short read. An amount, a zone or a column is the same next time.
fn is_of_disk(error: &TableError) -> bool {
    matches!(error, TableError::Io(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_may_pass_and_a_wrong_amount_never_does() {
        let full = || TableError::Io(std::io::Error::from(std::io::ErrorKind::StorageFull));
        let zone = || TableError::Zone { zone: "Nowhere".to_owned() };
        assert!(StepError::Table(full()).is_retryable());
        assert!(StepError::Sink(full().into()).is_retryable());
        assert!(!StepError::Table(TableError::Amount).is_retryable());
        assert!(!StepError::Sink(TableError::Amount.into()).is_retryable());
        assert!(!StepError::Sink(zone().into()).is_retryable());
    }
}
