//! Where a parser sends what it reads.

use crate::canonical::SettlementHash;
use crate::line::LineBatch;
use crate::report::{Settlement, SettlementHead};

/// Takes the lines of one report while it is read.
///
/// A parser announces each settlement before its first line, hands over lines in batches, and seals once at the end.
/// Nothing a sink has taken may be used before [`Sink::seal`] has returned and the report is proved.
pub trait Sink {
    /// A settlement begins; its index is the number of settlements announced before it.
    ///
    /// # Errors
    /// When the sink cannot store it.
    fn open(&mut self, head: &SettlementHead) -> Result<(), SinkError>;

    /// More lines, of any settlements announced.
    ///
    /// # Errors
    /// When the sink cannot store them.
    fn lines(&mut self, batch: &LineBatch) -> Result<(), SinkError>;

    /// The report is read: find repeated transactions and make the hash of each settlement.
    ///
    /// `settlements` are those announced, in the same order, with all they state.
    ///
    /// # Errors
    /// When the sink cannot finish what it has stored.
    fn seal(&mut self, settlements: &[Settlement]) -> Result<Sealed, SinkError>;
}

/// What a sink knows once all lines have been taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sealed {
    /// One hash per settlement announced, in that order.
    pub hashes: Vec<SettlementHash>,
    /// Rows whose transaction stands in another row of the same settlement too: (first row, repeated row).
    pub repeated: Vec<(u32, u32)>,
    /// How many repetitions were found beyond those listed.
    pub repeated_beyond_limit: u64,
}

/// The sink could not store what it was given; this says nothing about the report.
#[derive(Debug, thiserror::Error)]
#[error("Cannot store the lines of the report: {0}")]
pub struct SinkError(#[source] pub Box<dyn std::error::Error + Send + Sync>);
