#![doc = include_str!("../README.md")]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::float_arithmetic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod calendar;
mod day;
mod digests;
mod encoded;
mod error;
mod matches;
mod month_summary;
mod packing;
mod parquet_file;
mod read;
mod schema;
mod settlements;
mod stream;
mod summaries;
#[cfg(test)]
mod testing;
mod transactions;
mod words;
mod writer;

pub use day::{DayLines, DayMatches, EventStates, LineSum, Shown};
pub use digests::{DigestSink, Digests, RUN_ROWS};
pub use error::TableError;
pub use matches::{MatchRows, MatchTable, read_matches};
pub use month_summary::{SummaryOf, write_month_summary};
pub use packing::Packing;
pub use read::{LineRecords, Rows, read_lines};
pub use schema::{
    Column, ColumnKind, DATA_DICTIONARY, FEE_SUMMARY, MATCH, MONTH_BRIDGE, MONTH_SUMMARY, SCHEMA_VERSION, SETTLEMENT,
    SETTLEMENT_LINE, TABLES, Table, all_tables, athena_sql, data_dictionary_page,
};
pub use settlement::MatchRow;
pub use settlements::{SettlementRow, write_settlements};
pub use stream::TableStream;
pub use summaries::{FeeSummaryRow, MonthBridgeRow, write_bridge, write_data_dictionary, write_fee_summary};
pub use transactions::{Transactions, read_transactions, write_transactions};
pub use writer::{LineTable, TableOwner};
