//! Which reports of an account were ever held.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use settlement::{AccountId, Currency, MerchantNumber, ReportId, SettlementId};

use super::{Record, ReportItem};
use crate::error::RecordError;
use crate::place::Place;
use crate::ports::{Expect, Put, Query};

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] = &[Record {
    name: "held report",
    place: "`HELD#<account>`, `<report>`",
    question: "which reports of an account were ever held, when, and the first settlements of each",
}];

/// Settlements of a held report that its record names; the rest are counted.
pub const HELD_SETTLEMENTS_MAX: usize = 20;

/// That a report was held once; its own record says whether it still is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldItem {
    /// The report.
    pub report: ReportId,
    /// When it came to be held.
    pub at: Timestamp,
    /// Its first settlements, as far as they could be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settlements: Vec<HeldSettlement>,
    /// How many settlements could be read.
    #[serde(default)]
    pub settlement_count: u64,
}

/// A settlement of a held report, by which a person knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldSettlement {
    /// The provider's number of the merchant.
    pub merchant_number: MerchantNumber,
    /// The provider's id of the settlement.
    pub settlement_id: SettlementId,
    /// Its currency.
    pub currency: Currency,
    /// How many decimals the amounts have.
    pub exponent: u8,
    /// The day of payout.
    pub payout_on: Date,
    /// Transaction lines.
    pub lines: u64,
    /// What the file says is paid out, in minor units; `None` where it does not say.
    pub payout_minor: Option<i64>,
    /// What the version in force pays out, in minor units, where the report changes one that states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout_before_minor: Option<i64>,
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

/// The write that lists a held report, to be written together with its record.
///
/// # Errors
/// As [`Place::put`].
pub fn mark_held(item: &ReportItem, held: &HeldItem) -> Result<Put, RecordError> {
    Place::held(item.report, &item.account).put(held, Expect::Any)
}
