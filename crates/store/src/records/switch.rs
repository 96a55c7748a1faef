//! The one switch that stops all posting.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::place::Place;

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] =
    &[Record { name: "switch", place: "`SWITCH`, `POSTING`", question: "whether all posting is stopped, and by whom" }];

/// Whether all posting is stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwitchItem {
    /// Who stopped it; nobody when it goes on.
    pub stopped_by: Option<String>,
}

impl Place {
    /// The one switch that stops all posting.
    pub fn switch() -> Self {
        Place::new("SWITCH", "POSTING")
    }
}
