//! What happened, and why.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Record;
use crate::error::RecordError;
use crate::place::Place;
use crate::ports::{Expect, Put, Query};

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] = &[Record {
    name: "journal",
    place: "`JOURNAL#<partition>#<sort>`, `<time>#<revision>`",
    question: "what happened to the record with that partition and sort key, and why",
}];

/// Where in a step something happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// It begins the step.
    #[default]
    First,
    /// It is on the way.
    Midway,
    /// It ends the step.
    Last,
    /// It comes after the report's own steps.
    Posting,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalItem {
    /// When.
    pub at: Timestamp,
    /// Tells what came first at one time.
    #[serde(default)]
    pub order: Order,
    /// To what.
    pub subject: String,
    /// What, in words.
    pub what: String,
}

/// The journal entry of a transition that brings its record to `revision`, to be written together with it.
///
/// # Errors
/// As [`Place::put`].
pub fn journal(subject: &Place, revision: u64, at: Timestamp, order: Order, what: String) -> Result<Put, RecordError> {
    let subject = format!("{}#{}", subject.partition, subject.sort);
    let place = Place::new(format!("JOURNAL#{subject}"), format!("{at:.6}#{revision:08}"));
    place.put(&JournalItem { at, order, subject, what }, Expect::Any)
}

impl Query {
    /// What happened to the record at that place, the first thing first.
    pub fn journal(subject: &Place) -> Self {
        Query::all(format!("JOURNAL#{}#{}", subject.partition, subject.sort))
    }
}
