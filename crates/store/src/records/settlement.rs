//! The versions of a settlement.

use serde::{Deserialize, Serialize};
use settlement::{AccountId, ReportId, SettleKey, Settlement, SettlementHash};

use super::{Record, sort_of};
use crate::error::RecordError;
use crate::place::{Place, unreadable};
use crate::ports::{Item, Query};

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] = &[Record {
    name: "settlement",
    place: "`SETTLEMENT#<account>`, `<provider>/<merchant>/<id>/<currency>`",
    question: "which versions a settlement has; the last version whose report is committed is in force",
}];

/// All versions of a settlement; the last one that belongs to a committed report is in force.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementItem {
    /// From the first on.
    pub versions: Vec<SettlementVersion>,
}

/// One version of a settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementVersion {
    /// Counts from 1.
    pub version: u32,
    /// The report that brought it.
    pub report: ReportId,
    /// The format of that report.
    pub format: String,
    /// Hash of its content.
    pub hash: SettlementHash,
    /// What was proved.
    pub settlement: Settlement,
}

impl Place {
    /// The record of a settlement.
    pub fn settlement(key: &SettleKey) -> Self {
        Place::new(format!("SETTLEMENT#{}", key.account_id), sort_of(key))
    }
}

impl Query {
    /// All settlements of an account in the order of their keys.
    pub fn settlements(account: &AccountId) -> Self {
        Query::all(format!("SETTLEMENT#{account}"))
    }

    /// The settlements of one merchant number.
    pub fn settlements_of_merchant(account: &AccountId, provider: &str, number: &str) -> Self {
        Query { prefix: format!("{provider}/{number}/"), ..Query::settlements(account) }
    }
}

/// The settlement that a record is of, by its place.
///
/// # Errors
/// When its place names no settlement.
pub fn settlement_key(item: &Item) -> Result<SettleKey, RecordError> {
    let account = item.partition.split_once('#').map_or("", |(_, account)| account);
    let parts: Vec<&str> = item.sort.split('/').collect();
    let [provider, merchant_number, settlement_id, currency] = parts.as_slice() else {
        return Err(unreadable(item, "its place names no settlement"));
    };
    let no_key = |what: &str| unreadable(item, format!("its place names no {what}"));
    Ok(SettleKey {
        account_id: account.parse().map_err(|_| no_key("account"))?,
        provider: provider.parse().map_err(|_| no_key("provider"))?,
        merchant_number: merchant_number.parse().map_err(|_| no_key("merchant number"))?,
        settlement_id: settlement_id.parse().map_err(|_| no_key("settlement id"))?,
        currency: currency.parse().map_err(|_| no_key("currency"))?,
    })
}
