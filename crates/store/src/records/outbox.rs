//! What of a settlement is posted, and what is not.

use serde::{Deserialize, Serialize};
use settlement::{AccountId, SettleKey};

use super::{Record, sort_of};
use crate::place::Place;
use crate::ports::Query;

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] = &[Record {
    name: "outbox",
    place: "`OUTBOX#<account>`, `<provider>/<merchant>/<id>/<currency>`",
    question: "which batches of events a settlement has, and what of it is not posted",
}];

/// What of one version of a settlement is to be posted, and what is not. Amounts are in minor units.
///
/// Events, what is not postable and what is unmatched sum to the lines, always.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxItem {
    /// The settlement.
    pub settlement: SettleKey,
    /// The version.
    pub version: u32,
    /// Its batches in the order they were made; others are leftovers of a planning that was cut off.
    pub batches: Vec<String>,
    /// Net of all lines, the fees of which are left out when they are invoiced.
    pub lines_minor: i64,
    /// Net of the lines that became events, in this planning or an earlier one.
    pub events_minor: i64,
    /// Net of fees alone, chargebacks, reserves and adjustments.
    pub not_postable_minor: i64,
    /// Net of the lines without a transaction.
    pub unmatched_minor: i64,
    /// How many lines have no transaction.
    pub unmatched_lines: u64,
    /// The first of them.
    pub unmatched: Vec<UnmatchedLine>,
    /// Events that were planned before with other money, in an earlier version or before a line had its transaction: a
    /// person has to set them right.
    pub changed: Vec<ChangedEvent>,
}

/// A line without a known transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmatchedLine {
    /// Line or row in the report.
    pub line_no: i64,
    /// The order it names.
    pub order_reference: Option<String>,
    /// Its net amount.
    pub net_minor: i64,
    /// Why there is no transaction for it.
    pub why: String,
}

/// An event that was planned before with other money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedEvent {
    /// The transaction.
    pub transaction: String,
    /// What was planned or posted.
    pub before_minor: i64,
    /// What the lines say now.
    pub now_minor: i64,
}

impl Place {
    /// The record of what of a settlement is posted.
    pub fn outbox(key: &SettleKey) -> Self {
        Place::new(format!("OUTBOX#{}", key.account_id), sort_of(key))
    }
}

impl Query {
    /// All outboxes of an account in the order of their settlements.
    pub fn outboxes(account: &AccountId) -> Self {
        Query::all(format!("OUTBOX#{account}"))
    }
}
