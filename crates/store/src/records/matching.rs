//! What lines were matched with, and what is in no settlement.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use settlement::{AccountId, Currency, ReportId, SettleKey};

use super::Record;
use crate::place::Place;
use crate::ports::Query;

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] = &[
    Record {
        name: "match",
        place: "`MATCH#<account>`, `REPORT#<report>`",
        question: "what the lines of a report were matched with",
    },
    Record {
        name: "matching",
        place: "`MATCH#<account>`, `LAST`",
        question: "what was captured or refunded and is in no settlement, as of the last matching",
    },
];

/// What the lines of a report were matched with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchItem {
    /// The report.
    pub report: ReportId,
    /// SHA-256 of its table, which names it.
    pub digest: String,
    /// The settlements whose lines are in it: those whose version in force is of this report.
    pub settlements: Vec<SettleKey>,
    /// How many lines their payout notices add.
    pub added_lines: u64,
    /// The days on which they were paid out.
    pub payout_days: BTreeSet<Date>,
    /// How many lines have each state.
    pub states: BTreeMap<String, u64>,
}

impl MatchItem {
    /// Whether every line has its final state, so that matching again changes nothing.
    pub fn is_complete(&self) -> bool {
        self.states.keys().all(|state| matches!(state.as_str(), "matched" | "not_a_transaction"))
    }
}

/// The last matching of all of an account's lines: each matching makes a new revision, so that no two are mixed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchingItem {
    /// What was captured or refunded and is in no settlement.
    pub waiting: Vec<UnsettledSum>,
}

/// Captures and refunds of one month that are in no settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnsettledSum {
    /// The provider that pays them out.
    pub provider: String,
    /// Currency.
    pub currency: Currency,
    /// Product that they were paid with.
    pub payment_product: String,
    /// First day of the month.
    pub month: Date,
    /// What was captured, in minor units.
    pub capture_minor: i64,
    /// What was refunded, in minor units, below zero.
    pub refund_minor: i64,
    /// How many captures and refunds they are.
    pub events: u64,
}

impl Place {
    /// The record of what the lines of a report were matched with.
    pub fn matches(report: ReportId, account: &AccountId) -> Self {
        Place::new(format!("MATCH#{account}"), format!("REPORT#{report}"))
    }

    /// The last matching of all of an account's lines.
    pub fn matching(account: &AccountId) -> Self {
        Place::new(format!("MATCH#{account}"), "LAST")
    }
}

impl Query {
    /// The match records of all reports of an account.
    pub fn matches(account: &AccountId) -> Self {
        Query { prefix: "REPORT#".to_owned(), ..Query::all(format!("MATCH#{account}")) }
    }
}
