//! The revisions of a month's summary.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use settlement::{AccountId, Month};

use super::Record;
use crate::error::RecordError;
use crate::place::{Place, unreadable};
use crate::ports::{Item, Query};

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] = &[Record {
    name: "month summary",
    place: "`SUMMARY#<account>`, `<month>`",
    question: "which revisions the summary of a month has, and where they lie",
}];

/// The revisions of one month's summary; the last one is in force.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryItem {
    /// From the first on.
    pub revisions: Vec<SummaryRevision>,
}

/// One revision of a month's summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryRevision {
    /// Counts from 1.
    pub revision: u32,
    /// SHA-256 of what it says.
    pub content: String,
    /// Names its files: digits of the SHA-256 of everything that is in them.
    pub edition: String,
    /// Language of the forms for people.
    pub language: String,
    /// Whether what was paid out is otherwise than in the revision before.
    pub changes_payouts: bool,
    /// When it was made.
    pub made_at: Timestamp,
}

impl Place {
    /// The record of a month's summary.
    pub fn month_summary(account: &AccountId, month: Month) -> Self {
        Place::new(format!("SUMMARY#{account}"), month.to_string())
    }
}

impl Query {
    /// The summaries of all months of an account in order.
    pub fn month_summaries(account: &AccountId) -> Self {
        Query::all(format!("SUMMARY#{account}"))
    }
}

/// The month that a record is the summary of.
///
/// # Errors
/// When its place names no month.
pub fn summarised_month(item: &Item) -> Result<Month, RecordError> {
    item.sort.parse().map_err(|error: settlement::BadMonth| unreadable(item, error.to_string()))
}
