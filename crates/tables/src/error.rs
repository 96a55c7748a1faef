//! The error of every table.

/// A table could not be written or read, which says nothing about the report.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file system refused.
    #[error("Cannot read or write the file of the table: {0}")]
    Io(#[from] std::io::Error),
    /// Parquet refused.
    #[error("Cannot write or read Parquet: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// Arrow refused.
    #[error("Cannot build the table's columns: {0}")]
    Arrow(#[from] arrow_schema::ArrowError),
    /// The file is not a table of this version.
    #[error("Found a table without a usable column {column}, expected schema version 1")]
    Column {
        /// The column that is missing or of another type.
        column: &'static str,
    },
    /// An amount has more digits than its column.
    #[error("Found an amount of more than 18 digits with two decimals, expected fewer")]
    Amount,
    /// The account's zone is not in the time zone database.
    #[error("Found time zone {zone:?}, expected an IANA name such as Europe/Oslo")]
    Zone {
        /// The name that was found.
        zone: String,
    },
}

impl From<TableError> for settlement::SinkError {
    fn from(error: TableError) -> Self {
        settlement::SinkError(Box::new(error))
    }
}
