//! What is kept of a month's summaries.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use settlement::{AccountId, Month};

use crate::items::Place;

/// The revisions of one month's summary; the last one counts.
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
        Place { partition: format!("SUMMARY#{account}"), sort: month.to_string() }
    }
}
