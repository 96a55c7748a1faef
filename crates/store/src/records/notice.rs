//! What a balance report says of a settlement.

use serde::{Deserialize, Serialize};
use settlement::{AccountId, PayoutNotice, ReportId, SettleKey};

use super::{Record, sort_of};
use crate::place::Place;
use crate::ports::Query;

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] = &[Record {
    name: "notice",
    place: "`NOTICE#<account>`, `<provider>/<merchant>/<id>/<currency>`",
    question: "what a person read of a settlement's fees and payout, and in which document",
}];

/// What a balance report says of a settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeItem {
    /// Its figures.
    pub notice: PayoutNotice,
    /// SHA-256 of the document they were read from.
    pub evidence: ReportId,
    /// Who read them.
    pub by: String,
}

impl Place {
    /// The record of a settlement's payout notice.
    pub fn notice(key: &SettleKey) -> Self {
        Place::new(format!("NOTICE#{}", key.account_id), sort_of(key))
    }
}

impl Query {
    /// All notices of an account in the order of their settlements.
    pub fn notices(account: &AccountId) -> Self {
        Query::all(format!("NOTICE#{account}"))
    }
}
