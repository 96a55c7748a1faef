//! How far a backfill of uploads has come.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use settlement::AccountId;

use super::Record;
use crate::place::Place;

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] = &[Record {
    name: "backfill",
    place: "`BACKFILL#<account>`, `<from>..<until>/<prefix>`",
    question: "how far a backfill has come",
}];

/// How far a backfill has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackfillItem {
    /// The object that was processed last; `None` before the first and after the last.
    pub after: Option<TakenObject>,
    /// How many objects were processed since it began.
    pub taken: u64,
}

/// An object that was processed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenObject {
    /// Its key.
    pub key: String,
    /// Its version.
    pub version: String,
}

impl Place {
    /// The record of a backfill of what begins with `prefix` and was put in that time.
    pub fn backfill(account: &AccountId, from: Option<Timestamp>, until: Option<Timestamp>, prefix: &str) -> Self {
        let time = |time: Option<Timestamp>| time.map_or_else(String::new, |time| time.to_string());
        Place::new(format!("BACKFILL#{account}"), format!("{}..{}/{prefix}", time(from), time(until)))
    }
}
