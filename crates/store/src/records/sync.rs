//! How far the mirror of transactions reaches.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use settlement::AccountId;

use super::Record;
use crate::place::Place;

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] = &[Record {
    name: "sync",
    place: "`SYNC#<account>`, `TRANSACTIONS`",
    question: "which period the mirror of transactions covers",
}];

/// How far the mirror of an account's transactions reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncItem {
    /// Captures and refunds from here on are in the mirror.
    pub from: Timestamp,
    /// And until here.
    pub until: Timestamp,
}

impl Place {
    /// How far the mirror of an account's transactions reaches.
    pub fn sync(account: &AccountId) -> Self {
        Place::new(format!("SYNC#{account}"), "TRANSACTIONS")
    }
}
