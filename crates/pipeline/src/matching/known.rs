//! What a matching knows before it begins: the reports in force, and the transactions of the mirror.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use matching::{AllowedWaits, Index, IndexBuilder, Seen, SettledEvents, in_transit};
use settlement::{AccountId, Currency, ReportId, SettleKey, TransactionEventKind};
use store::{SettlementVersion, UnsettledSum};

use crate::transactions::mirror;
use crate::{Ports, StepError};

/// Match all lines of an account.
#[derive(Debug, Clone)]
pub struct MatchAccount {
    /// The account.
    pub account: AccountId,
    /// The time.
    pub now: Timestamp,
    /// A directory for temporary files.
    pub scratch: PathBuf,
}

/// A report, and the settlements of which it brought the version in force.
pub(super) struct ReportInForce {
    pub(super) report: ReportId,
    pub(super) settlements: BTreeMap<SettleKey, SettlementVersion>,
}

impl ReportInForce {
    pub(super) fn first_payout_on(&self) -> Option<Date> {
        self.settlements.values().map(|version| version.settlement.head.payout_on).min()
    }
}

/// What captures and refunds are summed by: provider, product, currency, first day of the month.
type Group = (String, String, Currency, Date);

/// A capture or refund that no settlement had brought when the transaction was read.
struct UnpaidEvent {
    /// Position of the transaction.
    position: u32,
    /// Place of the event in its list.
    event: u32,
    /// Number of the group.
    group: usize,
    /// What was captured, in minor units; below zero what was refunded.
    minor: i64,
}

/// The transactions of the mirror: what lines are found by, and what the index does not keep.
pub(super) struct Known {
    pub(super) index: Index,
    /// The merchant's references of each transaction, by its position.
    pub(super) references: Vec<(Box<str>, Option<Box<str>>)>,
    unpaid: Vec<UnpaidEvent>,
    groups: Vec<Group>,
}

impl Known {
    pub(super) async fn read(ports: &Ports, account: &AccountId, zone: &TimeZone) -> Result<Self, StepError> {
        let (waits, nothing) = (AllowedWaits::default(), SettledEvents::default());
        let mut builder = IndexBuilder::default();
        let mut known =
            Known { index: Index::default(), references: Vec::new(), unpaid: Vec::new(), groups: Vec::new() };
        let unusable = |error| StepError::Refused(format!("The transactions cannot be matched: {error}"));
        mirror::read(ports, account, |transaction| {
            builder.add(&transaction).map_err(unusable)?;
            let position = u32::try_from(known.references.len()).unwrap_or(u32::MAX);
            for event in in_transit(&transaction, &nothing, &waits, zone) {
                let month = event.happened_on.first_of_month();
                let group = (event.provider.to_owned(), event.payment_product.to_owned(), transaction.currency, month);
                // There are few of them, and most transactions are of the last.
                let place = known.groups.iter().rposition(|known| *known == group).unwrap_or_else(|| {
                    known.groups.push(group);
                    known.groups.len() - 1
                });
                let sign = if event.kind == TransactionEventKind::Refund { -1 } else { 1 };
                let minor = sign * event.amount_minor;
                known.unpaid.push(UnpaidEvent { position, event: event.event, group: place, minor });
            }
            let second = transaction.merchant_reference_2.map(String::into_boxed_str);
            known.references.push((transaction.merchant_reference.into_boxed_str(), second));
            Ok(())
        })
        .await?;
        known.index = builder.build().map_err(unusable)?;
        Ok(known)
    }

    /// What was captured or refunded and no line has, group by group.
    pub(super) fn waiting(&self, seen: &Seen) -> Result<Vec<UnsettledSum>, StepError> {
        let mut sums: BTreeMap<&Group, (i128, i128, u64)> = BTreeMap::new();
        for unpaid in self.unpaid.iter().filter(|unpaid| !seen.has(&self.index, unpaid.position, unpaid.event)) {
            let Some(group) = self.groups.get(unpaid.group) else { continue };
            let (capture, refund, events) = sums.entry(group).or_default();
            *(if unpaid.minor < 0 { refund } else { capture }) += i128::from(unpaid.minor);
            *events += 1;
        }
        let counted = |minor: i128| {
            let beyond = |_| StepError::Refused("What is in transit sums beyond all counting".to_owned());
            i64::try_from(minor).map_err(beyond)
        };
        let waiting = sums.into_iter().map(|(group, (capture, refund, events))| {
            let (provider, payment_product, currency, month) = group.clone();
            let (capture_minor, refund_minor) = (counted(capture)?, counted(refund)?);
            Ok(UnsettledSum { provider, currency, payment_product, month, capture_minor, refund_minor, events })
        });
        waiting.collect()
    }
}
