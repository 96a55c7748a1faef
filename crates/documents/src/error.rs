//! The error of every document.

/// A document could not be written.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The output refused.
    #[error("Cannot write the document: {0}")]
    Write(#[from] std::io::Error),
    /// The workbook refused.
    #[error("Cannot write the workbook: {0}")]
    Workbook(#[from] zip::result::ZipError),
    /// The lines could not be read.
    #[error("Cannot read the lines of the settlement: {0}")]
    Lines(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The lines are not those that were proved.
    #[error("Found {found} lines with net {found_net} for {settlement}, expected {expected} with net {expected_net}")]
    Disagrees {
        /// The settlement.
        settlement: String,
        /// Number of lines read.
        found: u64,
        /// Their net in minor units.
        found_net: i64,
        /// Number of lines proved.
        expected: u64,
        /// Their net in minor units.
        expected_net: i64,
    },
    /// An amount is beyond the range of `i64`.
    #[error("Found an amount of {what} beyond 9223372036854775807 minor units, expected a smaller one")]
    NotCountable {
        /// What the amount is of: a settlement, or a month in one currency.
        what: String,
    },
    /// Two sums of a month disagree.
    #[error("{what} is {found} minor units, expected {expected}. The month is not summarised")]
    Month {
        /// Which sums.
        what: String,
        /// The sum of the parts, in minor units.
        found: i128,
        /// The stated sum, in minor units.
        expected: i128,
    },
    /// An earlier summary cannot be read.
    #[error("Found a month summary that cannot be read: {0}. It may be of a newer version of avstem")]
    Json(String),
}
