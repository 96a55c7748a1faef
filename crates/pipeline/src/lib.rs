//! The steps a report goes through, each a file: parse it, reconcile it, post it, summarise its month, mail it, release it, add its
//! notice, find it where it was left, explain it.
//!
//! A step is `run(&Ports, command)`: commands are plain values with the time in them, so that a trigger, a command line
//! and a test build the same one. Knows the outside world only as [`Ports`].

pub mod account;
pub mod answer;
pub mod audit;
pub mod backfill;
pub mod client;
pub mod difference;
pub mod explain;
pub mod items;
pub mod judge;
pub mod keys;
pub mod lake;
pub mod listing;
pub mod mail;
pub mod matches;
pub mod memory;
pub mod mirror;
pub mod notice;
pub mod parse;
pub mod ports;
pub mod post;
pub mod recipients;
pub mod reconcile;
pub mod refuse;
pub mod release;
pub mod replay;
mod spool;
pub mod standing;
pub mod summarise;
pub mod sweep;
pub mod sync;
pub mod unsettled;
pub mod way;

pub use ports::{HttpClient, Mailer, Objects, PortError, PortErrorKind, Ports, Queue, Secrets, State};
pub use spool::report_id_of;

pub use formats::Limits;
use settlement::SinkError;
pub use tables::Packing;

/// Version of everything that turns bytes into lines; a report held by an older one is judged anew.
pub const PARSER_VERSION: &str = "1";

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
    /// An item of the state is not readable.
    #[error("Found an item {item} that cannot be read: {reason}. It may be of a newer version of avstem")]
    Item {
        /// Where the item lies.
        item: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A report does not count, so that nothing of it may flow on.
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
            | StepError::Item { .. }
            | StepError::NotCommitted(_)
            | StepError::Refused(_) => false,
        }
    }
}
