//! What can go wrong between a step and its store.

/// What a port's failure means to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortErrorKind {
    /// What was asked for is not there.
    NotFound,
    /// A condition did not hold: somebody else was first.
    Conflict,
    /// The service could not be reached or refused for now.
    Unavailable,
    /// The request itself is wrong or not permitted.
    Refused,
}

/// A port failed: a kind for the program, what for the reader, the source for the log.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {source}")]
pub struct PortError {
    /// What it means.
    pub kind: PortErrorKind,
    /// What was tried.
    pub what: String,
    /// What the service said.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl PortError {
    /// A failure of that kind.
    pub fn new(
        kind: PortErrorKind,
        what: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        PortError { kind, what: what.into(), source: source.into() }
    }

    /// Whether trying again later can help.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, PortErrorKind::Unavailable | PortErrorKind::Conflict)
    }
}

/// A record of the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The store failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A record cannot be read.
    #[error("Found a record {record} that cannot be read: {reason}. It may be of a newer version of avstem")]
    Unreadable {
        /// Where the record lies.
        record: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A record cannot be written down.
    #[error("Cannot write the record {record}: {reason}")]
    Unwritable {
        /// Where the record lies.
        record: String,
        /// What is wrong with it.
        reason: String,
    },
}
