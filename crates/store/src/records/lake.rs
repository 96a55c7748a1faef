//! What the state keeps of the lake: who builds it, what each of its days holds, and what was last made of all days.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use settlement::{AccountId, Currency, Fees, Terms};

use super::Record;
use crate::error::RecordError;
use crate::place::{Place, decode, unreadable};
use crate::ports::{Item, Query};

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] = &[
    Record {
        name: "lease of the lake",
        place: "`LAKE#<account>`, `LEASE`",
        question: "until when one worker builds the lake alone",
    },
    Record {
        name: "day of the lake",
        place: "`LAKE#<account>`, `DAY#<day>`",
        question: "what the lake has of a day: objects, sums, payouts",
    },
    Record {
        name: "lake",
        place: "`LAKE#<account>`, `BUILT`",
        question: "what the bridge and the exports were last built from",
    },
];

/// Who builds the lake of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseItem {
    /// Until then nobody else may.
    pub until: Option<Timestamp>,
}

/// What a day of payouts holds in the lake, so that its lines need not be read again for what is made of all days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayItem {
    /// Version of each table's object, by the table's name.
    pub objects: BTreeMap<String, String>,
    /// Lines of all versions.
    pub lines: u64,
    /// Sums of the versions in force.
    pub sums: Vec<DaySum>,
    /// What the exact settlements in force state, by provider and currency.
    pub payouts: Vec<DayPayout>,
}

/// Lines of versions in force, summed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaySum {
    /// Which lines they are.
    #[serde(flatten)]
    pub of: SumOf,
    /// How many they are.
    pub lines: u64,
    /// Their money, in minor units.
    #[serde(flatten)]
    pub terms: Terms,
}

/// Which lines are summed together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SumOf {
    /// The provider that pays.
    pub provider: String,
    /// The provider's number of the merchant.
    pub merchant_number: String,
    /// Product that they were paid with, where it is known.
    pub payment_product: Option<String>,
    /// What matching made of them; `None` where they are not matched yet.
    #[serde(default)]
    pub state: Option<String>,
    /// Currency.
    pub currency: Currency,
    /// How fees are taken.
    pub fees: Fees,
    /// First day of the month that they happened in.
    pub month: Date,
    /// Whether their settlements are exact: only these are summed as paid out.
    pub is_paid: bool,
}

/// What settlements state, in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayPayout {
    /// The provider that pays.
    pub provider: String,
    /// Currency.
    pub currency: Currency,
    /// Balances carried in from before.
    pub opening_minor: i64,
    /// Balances carried on.
    pub closing_minor: i64,
    /// Paid out.
    pub payout_minor: i64,
}

/// What was last made of all days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuiltItem {
    /// Revision of the matching that the bridge was made with; 0 without any.
    pub matching: u64,
    /// First days of the months that have a bridge.
    pub bridge_months: BTreeSet<Date>,
    /// SHA-256 of the objects that each export was made of, by its table's name.
    pub exports: BTreeMap<String, String>,
}

/// What the sort keys of days begin with.
const DAY: &str = "DAY#";

impl Place {
    /// Who builds the lake.
    pub fn lake_lease(account: &AccountId) -> Self {
        Place::new(format!("LAKE#{account}"), "LEASE")
    }

    /// What the lake holds of a day.
    pub fn lake_day(account: &AccountId, payout_on: Date) -> Self {
        Place::new(format!("LAKE#{account}"), format!("{DAY}{payout_on}"))
    }

    /// What was last made of all days of the lake.
    pub fn lake_built(account: &AccountId) -> Self {
        Place::new(format!("LAKE#{account}"), "BUILT")
    }
}

impl Query {
    /// All days of the lake in order.
    pub fn lake_days(account: &AccountId) -> Self {
        Query { prefix: DAY.to_owned(), ..Query::all(format!("LAKE#{account}")) }
    }
}

/// A day of the lake, and which day it is.
///
/// # Errors
/// When the record is not readable or its place names no day.
pub fn lake_day(item: &Item) -> Result<(Date, DayItem), RecordError> {
    let day = item.sort.strip_prefix(DAY).and_then(|day| day.parse().ok());
    let day = day.ok_or_else(|| unreadable(item, "it names no day"))?;
    Ok((day, decode(item)?))
}
