//! The months of an account's money, made of the days of the lake.

use jiff::civil::Date;
use matching::{Bridge, BridgeLine, BridgePayout, GroupBridge};
use settlement::{AccountId, Fees, Terms};
use store::{DayItem, DayPayout, DaySum, MatchingItem, Place, Query};

use crate::{Ports, StepError};

/// All days of the lake in order.
pub(super) async fn days(ports: &Ports, account: &AccountId) -> Result<Vec<(Date, DayItem)>, StepError> {
    let items = store::all(&*ports.state, Query::lake_days(account)).await?;
    Ok(items.iter().map(store::lake_day).collect::<Result<_, _>>()?)
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
