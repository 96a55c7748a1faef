//! Days of payouts that the lake has to build again.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use settlement::{AccountId, ReportId, SettleKey};

use super::{Record, sort_of};
use crate::error::RecordError;
use crate::place::{Place, decode, unreadable};
use crate::ports::{Expect, Item, Put, Query, TRANSACT_WRITES_MAX};

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] = &[Record {
    name: "dirty day",
    place: "`DIRTY#<account>`, `<day>`, `SETTLEMENT#<provider>/<merchant>/<id>/<currency>` or `REPORT#<report>`",
    question: "which days of payouts the lake has to build again",
}];

/// A day of payouts in the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirtyItem {
    /// Whether it has to be built again.
    pub is_dirty: bool,
}

impl Place {
    /// Whether what was paid out on a day has changed since the lake was built.
    pub fn dirty(account: &AccountId, payout_on: Date) -> Self {
        Place::new(format!("DIRTY#{account}"), payout_on.to_string())
    }

    /// Whether what was paid out on the days of a settlement has changed since the lake was built.
    pub fn dirty_settlement(key: &SettleKey) -> Self {
        Place::new(format!("DIRTY#{}", key.account_id), format!("SETTLEMENT#{}", sort_of(key)))
    }

    /// The same for all settlements of a report.
    pub fn dirty_report(report: ReportId, account: &AccountId) -> Self {
        Place::new(format!("DIRTY#{account}"), format!("REPORT#{report}"))
    }
}

impl Query {
    /// All marks of an account, those that were worked off among them.
    pub fn dirty(account: &AccountId) -> Self {
        Query::all(format!("DIRTY#{account}"))
    }
}

/// What a mark means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirtyMark {
    /// One day of payouts.
    Day(Date),
    /// All days of the settlement that lies there.
    Settlement(Place),
    /// All days of all settlements of a report.
    Report(ReportId),
}

/// What the mark of a record means; `None` when it was worked off.
///
/// # Errors
/// When the record is not readable or its place names neither a day, a settlement nor a report.
pub fn dirty_mark(item: &Item) -> Result<Option<DirtyMark>, RecordError> {
    if !decode::<DirtyItem>(item)?.is_dirty {
        return Ok(None);
    }
    if let Some(sort) = item.sort.strip_prefix("SETTLEMENT#") {
        let account = item.partition.split_once('#').map_or("", |(_, account)| account);
        return Ok(Some(DirtyMark::Settlement(Place::new(format!("SETTLEMENT#{account}"), sort))));
    }
    if let Some(report) = item.sort.strip_prefix("REPORT#") {
        let report = ReportId::try_from(report.to_owned()).map_err(|reason| unreadable(item, reason))?;
        return Ok(Some(DirtyMark::Report(report)));
    }
    let day = item.sort.parse().map_err(|error: jiff::Error| unreadable(item, error.to_string()))?;
    Ok(Some(DirtyMark::Day(day)))
}

/// Marks a day of payouts to be built again: written together with what changes it.
///
/// # Errors
/// As [`Place::put`].
pub fn mark_dirty(account: &AccountId, payout_on: Date) -> Result<Put, RecordError> {
    Place::dirty(account, payout_on).put(&DirtyItem { is_dirty: true }, Expect::Any)
}

/// Marks all days of a settlement's versions in the same way.
///
/// # Errors
/// As [`Place::put`].
pub fn mark_settlement_dirty(key: &SettleKey) -> Result<Put, RecordError> {
    Place::dirty_settlement(key).put(&DirtyItem { is_dirty: true }, Expect::Any)
}

/// Marks all days of a report's settlements in the same way.
fn mark_report_dirty(report: ReportId, account: &AccountId) -> Result<Put, RecordError> {
    Place::dirty_report(report, account).put(&DirtyItem { is_dirty: true }, Expect::Any)
}

/// Marks days that a report changes in the same way. When they are more than a transaction holds, one mark names the report,
/// which lists its settlements before any of them is in force.
///
/// # Errors
/// As [`Place::put`].
pub fn mark_days_dirty(report: ReportId, account: &AccountId, days: BTreeSet<Date>) -> Result<Vec<Put>, RecordError> {
    if days.len() > MARKED_DAYS_MAX {
        return Ok(vec![mark_report_dirty(report, account)?]);
    }
    days.into_iter().map(|day| mark_dirty(account, day)).collect()
}

/// More days than this are marked by their report: whoever marks them has writes of its own.
const MARKED_DAYS_MAX: usize = TRANSACT_WRITES_MAX - 10;
