//! What became of a report, and the settlements that it brought.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use settlement::{AccountId, Kind, ReportId, SettleKey};

use super::Record;
use crate::place::Place;
use crate::ports::Query;

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] = &[
    Record {
        name: "report",
        place: "`REPORT#<report>`, `<account>`",
        question: "what became of a report: CLAIMED, COMMITTED, DUPLICATE, UNPACKED, QUARANTINED(kind), REJECTED(kind), CRASHED, RELEASED or DISMISSED",
    },
    Record {
        name: "settlement of a report",
        place: "`REPORT#<report>`, `<account>#<number>`",
        question: "which settlements a report brought, and as which versions",
    },
];

/// How far a report has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReportState {
    /// A worker has claimed it and reads it.
    Claimed {
        /// Until then no other worker may claim it.
        lease_until: Timestamp,
    },
    /// Accepted; its settlements are in force.
    Committed,
    /// All its settlements were known with the same content.
    Duplicate,
    /// An archive of several reports, each of which was uploaded by itself.
    Unpacked {
        /// How many they are.
        reports: u32,
    },
    /// Held: recognised, not trusted.
    Quarantined {
        /// The first error's kind.
        kind: Kind,
    },
    /// Held: not a readable report.
    Rejected {
        /// The first error's kind.
        kind: Kind,
    },
    /// Given up after repeated attempts that never ended.
    Crashed,
    /// A person let a conflicting report through; it is to be read again.
    Released,
    /// A person decided that nothing is to be done with a held report.
    Dismissed {
        /// Why it was held; `None` for a report whose workers crashed.
        kind: Option<Kind>,
        /// The person.
        by: String,
        /// The reason.
        why: String,
    },
}

impl ReportState {
    /// The word for people.
    pub fn word(&self) -> String {
        match self {
            ReportState::Claimed { .. } => "CLAIMED".into(),
            ReportState::Committed => "COMMITTED".into(),
            ReportState::Duplicate => "DUPLICATE".into(),
            ReportState::Unpacked { .. } => "UNPACKED".into(),
            ReportState::Quarantined { kind } => format!("QUARANTINED({kind})"),
            ReportState::Rejected { kind } => format!("REJECTED({kind})"),
            ReportState::Crashed => "CRASHED".into(),
            ReportState::Released => "RELEASED".into(),
            ReportState::Dismissed { .. } => "DISMISSED".into(),
        }
    }

    /// Why a report is held; `None` when it is not. The inner value is `None` for a report whose workers crashed.
    pub fn held_kind(&self) -> Option<Option<Kind>> {
        match self {
            ReportState::Quarantined { kind } | ReportState::Rejected { kind } => Some(Some(*kind)),
            ReportState::Crashed => Some(None),
            ReportState::Claimed { .. }
            | ReportState::Committed
            | ReportState::Duplicate
            | ReportState::Unpacked { .. }
            | ReportState::Released
            | ReportState::Dismissed { .. } => None,
        }
    }
}

/// Who let a held report through, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The person.
    pub by: String,
    /// The reason.
    pub why: String,
}

/// What became of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportItem {
    /// The report.
    pub report: ReportId,
    /// The account it was sent to.
    pub account: AccountId,
    /// How far it has come.
    #[serde(flatten)]
    pub state: ReportState,
    /// How often it was claimed since it last came to an end.
    pub attempts: u32,
    /// Key of the object it was read from, bucket first.
    pub object_key: String,
    /// Version of that object.
    pub object_version: String,
    /// File name as uploaded.
    pub name: String,
    /// The provider it was sent as.
    pub provider: String,
    /// Size of the file.
    pub size_bytes: u64,
    /// The format it was read as.
    pub format: Option<String>,
    /// Version of the parser that judged it.
    pub parser_version: String,
    /// Number of errors and notes.
    pub problems: u64,
    /// The first error, in words.
    pub first_problem: Option<String>,
    /// The release that lets it replace known settlements.
    pub release: Option<Release>,
}

/// A settlement that a report brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportSettlementItem {
    /// The settlement.
    pub key: SettleKey,
    /// The version that the report is; `None` when the settlement was known already with the same content.
    pub version: Option<u32>,
}

impl Place {
    /// The record of a report of an account.
    pub fn report(report: ReportId, account: &AccountId) -> Self {
        Place::new(format!("REPORT#{report}"), account.as_str())
    }

    /// The record of the report's settlement of that number.
    pub fn report_settlement(report: ReportId, account: &AccountId, number: usize) -> Self {
        Place::new(format!("REPORT#{report}"), format!("{account}#{number:06}"))
    }
}

impl Query {
    /// The settlements that a report brought, in its order.
    pub fn report_settlements(report: ReportId, account: &AccountId) -> Self {
        Query { prefix: format!("{account}#"), ..Query::all(format!("REPORT#{report}")) }
    }
}
