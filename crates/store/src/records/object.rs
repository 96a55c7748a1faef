//! What an uploaded object was.

use serde::{Deserialize, Serialize};
use settlement::{Kind, ReportId};

use super::Record;
use crate::place::Place;

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] = &[Record {
    name: "object",
    place: "`OBJECT#<key>#<version>`, `OBJECT`",
    question: "which report an upload was, or what was wrong with it before it could be read",
}];

/// Which report an uploaded object was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectItem {
    /// The report; `None` when the object was deleted or unusable before it could be read.
    pub report: Option<ReportId>,
    /// What was wrong with the object itself.
    pub kind: Option<Kind>,
}

impl Place {
    /// The record of an uploaded object.
    pub fn object(key: &str, version: &str) -> Self {
        Place::new(format!("OBJECT#{key}#{version}"), "OBJECT")
    }
}
