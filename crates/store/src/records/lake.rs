//! What the lake keeps in the state: who builds it, what each of its days holds, and what was last made of all days.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use matching::{Bridge, BridgeLine, BridgePayout, GroupBridge};
use serde::{Deserialize, Serialize};
use settlement::{AccountId, Currency, Fees, Terms};

use crate::StepError;
use crate::items::{self, MatchingItem, Place};
use crate::ports::{Ports, Query};

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
    /// Sums of the versions that count.
    pub sums: Vec<DaySum>,
    /// What the settlements that count and are exact state, by provider and currency.
    pub payouts: Vec<DayPayout>,
}

/// Lines of versions that count, summed.
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
    /// Whether their settlements are exact, so that they count as paid out.
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

/// All days of the lake in order.
pub(super) async fn days(ports: &Ports, account: &AccountId) -> Result<Vec<(Date, DayItem)>, StepError> {
    let prefix = "DAY#".to_owned();
    let query = Query { prefix: prefix.clone(), ..Query::all(Place::lake_built(account).partition) };
    let mut days = Vec::new();
    for item in items::all(ports, query).await? {
        let day = item.sort.strip_prefix(&prefix).and_then(|day| day.parse().ok());
        let day =
            day.ok_or_else(|| StepError::Item { item: item.sort.clone(), reason: "it names no day".to_owned() })?;
        days.push((day, items::decode(&item)?));
    }
    Ok(days)
}

/// The months of an account's money: of what the lake holds, and of what waits for a settlement; with the revision of the latter.
pub(super) async fn bridge(
    ports: &Ports,
    account: &AccountId,
    days: &[(Date, DayItem)],
) -> Result<(Result<Vec<GroupBridge>, matching::BridgeError>, u64), StepError> {
    let matching = Place::matching(account).read::<MatchingItem>(&*ports.state).await?;
    let (MatchingItem { waiting }, revision) = matching.unwrap_or_default();
    let mut bridge = Bridge::default();
    for (payout_on, day) in days {
        for DaySum { of, terms, .. } in &day.sums {
            bridge.add_line(&BridgeLine {
                provider: &of.provider,
                currency: of.currency,
                payment_product: of.payment_product.as_deref(),
                happened_on: of.month,
                // What is not proved is not known to have left.
                payout_on: of.is_paid.then_some(*payout_on),
                fees: of.fees,
                terms: *terms,
            });
        }
        for DayPayout { provider, currency, opening_minor, closing_minor, payout_minor } in &day.payouts {
            let (opening_minor, closing_minor, payout_minor) = (*opening_minor, *closing_minor, *payout_minor);
            let (currency, payout_on) = (*currency, *payout_on);
            bridge.add_payout(&BridgePayout {
                provider,
                currency,
                payout_on,
                opening_minor,
                closing_minor,
                payout_minor,
            });
        }
    }
    for waits in &waiting {
        bridge.add_line(&BridgeLine {
            provider: &waits.provider,
            currency: waits.currency,
            payment_product: Some(&waits.payment_product),
            happened_on: waits.month,
            payout_on: None,
            fees: Fees::Unknown,
            terms: Terms { capture_minor: waits.capture_minor, refund_minor: waits.refund_minor, ..Terms::default() },
        });
    }
    Ok((bridge.finish(), revision))
}
