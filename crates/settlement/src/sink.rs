//! The receiver of what a parser reads.

use crate::canonical::SettlementHash;
use crate::line::LineBatch;
use crate::report::{Settlement, SettlementHead};

/// Receives the settlements and lines of one report while a parser reads it.
///
/// A parser announces each settlement before its first line, passes lines in batches, and seals once at the end. What a
/// sink has received may be used only after [`Sink::seal`] has returned and the report is proved.
pub trait Sink {
    /// Announces a settlement. Its index is the number of settlements announced before it.
    ///
    /// # Errors
    /// When the settlement cannot be stored.
    fn open(&mut self, head: &SettlementHead) -> Result<(), SinkError>;

    /// Receives more lines, of any announced settlement.
    ///
    /// # Errors
    /// When the lines cannot be stored.
    fn lines(&mut self, batch: &LineBatch) -> Result<(), SinkError>;

    /// Ends the report: finds repeated transactions and makes the hash of each settlement.
    ///
    /// `settlements` are the announced ones in the same order, with everything that the file states of them.
    ///
    /// # Errors
    /// When the stored lines cannot be completed.
    fn seal(&mut self, settlements: &[Settlement]) -> Result<Sealed, SinkError>;
}

/// What a sink knows after the last line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sealed {
    /// One hash for each announced settlement, in the same order.
    pub hashes: Vec<SettlementHash>,
    /// Rows that repeat the transaction of an earlier row of the same settlement: (first row, repeated row).
    pub repeated: Vec<(u32, u32)>,
    /// Number of repetitions that were found and are not listed.
    pub repeated_beyond_limit: u64,
}

/// The sink could not store what it received. The report itself may be good.
#[derive(Debug, thiserror::Error)]
#[error("Cannot store the lines of the report: {0}")]
pub struct SinkError(#[source] pub Box<dyn std::error::Error + Send + Sync>);
