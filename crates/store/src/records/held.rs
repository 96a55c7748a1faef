//! Which reports of an account were ever held.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use settlement::{AccountId, ReportId};

use super::{Record, ReportItem};
use crate::error::RecordError;
use crate::place::Place;
use crate::ports::{Expect, Put, Query};

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] = &[Record {
    name: "held report",
    place: "`HELD#<account>`, `<report>`",
    question: "which reports of an account were ever held, and when",
}];

/// That a report was held once; its own record says whether it still is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldItem {
    /// The report.
    pub report: ReportId,
    /// When it came to be held.
    pub at: Timestamp,
}

impl Place {
    /// The record that a report was held.
    pub fn held(report: ReportId, account: &AccountId) -> Self {
        Place::new(format!("HELD#{account}"), report.to_string())
    }
}

impl Query {
    /// All reports of an account that were ever held.
    pub fn held(account: &AccountId) -> Self {
        Query::all(format!("HELD#{account}"))
    }
}

/// The write that lists a held report, to be written together with its record; `None` for a report that is not held.
///
/// # Errors
/// As [`Place::put`].
pub fn mark_held(item: &ReportItem, at: Timestamp) -> Result<Option<Put>, RecordError> {
    if item.state.held_kind().is_none() {
        return Ok(None);
    }
    let place = Place::held(item.report, &item.account);
    place.put(&HeldItem { report: item.report, at }, Expect::Any).map(Some)
}
