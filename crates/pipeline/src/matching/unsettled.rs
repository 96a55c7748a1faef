//! Unsettled: what was captured or refunded and no settlement has brought, and the reports that are missed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use documents::{Apart, ApartKind};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use matching::{AllowedWaits, MissingReport, Overdue, SettledEvents, Unsettled, missing_reports, unsettled};
use settlement::{AccountId, Currency, Transaction, TransactionEventKind};
use store::{Place, SyncItem};
use tables::MatchRow;

use crate::current::match_rows;
use crate::current::versions::Versions;
use crate::current::zone::zone_of;
use crate::transactions::mirror;
use crate::{Ports, StepError};

/// List what is missed of an account.
#[derive(Debug, Clone)]
pub struct ListUnsettled {
    /// The account.
    pub account: AccountId,
    /// The day it is.
    pub today: Date,
    /// How long payouts may take.
    pub waits: AllowedWaits,
    /// A directory for temporary files.
    pub scratch: PathBuf,
}

/// What is missed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missed {
    /// Captures and refunds, the longest overdue first.
    pub unsettled: Vec<Unsettled>,
    /// Providers that owe a report.
    pub reports: Vec<MissingReport>,
    /// What it was looked for in.
    pub looked_at: LookedAt,
}

/// What was looked at, so that nobody takes an empty list for an all-clear.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LookedAt {
    /// The span of time whose transactions are known; `None` when they were never synchronised.
    pub span: Option<SyncItem>,
    /// Transactions in it.
    pub transactions: u64,
    /// Settlements that are in force.
    pub settlements: u64,
}

/// By provider, product and currency: how many, how much where all of it is known, and the first day that one was due.
type Overdues<'a> = BTreeMap<(&'a str, &'a str, Currency), (u64, Option<i128>, Option<Date>)>;

impl Missed {
    /// What it comes to, for people: captures and refunds by provider, product and currency, and the reports.
    ///
    /// # Errors
    /// When a sum is beyond any amount that is believed.
    pub(crate) fn apart(&self) -> Result<Vec<Apart>, StepError> {
        let mut sums = Overdues::new();
        for one in &self.unsettled {
            // What has no time was due nobody knows when: it is in no month, and in the list of what is unsettled.
            let Overdue::Since { due_on, .. } = one.why else { continue };
            let name = (one.provider.as_str(), one.payment_product.as_str(), one.currency);
            let (count, amount, first) = sums.entry(name).or_insert((0, Some(0), None));
            let sign = if one.kind == TransactionEventKind::Refund { -1 } else { 1 };
            *count += 1;
            *amount = amount.zip(one.amount_minor).map(|(sum, minor)| sum + sign * i128::from(minor));
            *first = Some(first.map_or(due_on, |first| first.min(due_on)));
        }
        let mut found = Vec::new();
        for ((provider, product, currency), (count, amount, first)) in sums {
            let narrow = |wide| {
                let what = || format!("What {provider} owes in {currency} is beyond any amount that is believed");
                i64::try_from(wide).map_err(|_| StepError::Refused(what()))
            };
            found.push(Apart {
                reference: product.to_owned(),
                day: first,
                count: Some(count),
                amount_minor: amount.map(narrow).transpose()?,
                ..Apart::of(ApartKind::Overdue, provider, Some(currency))
            });
        }
        found.extend(self.reports.iter().map(|report| Apart {
            day: Some(report.due_on),
            count: Some(report.captures),
            ..Apart::of(ApartKind::MissingReport, &report.provider, None)
        }));
        Ok(found)
    }
}

/// Holds the mirror of transactions against what the lines of settlements were last matched with; changes nothing.
///
/// # Errors
/// When a port or the disk fails.
pub async fn run(ports: &Ports, command: &ListUnsettled) -> Result<Missed, StepError> {
    Ok(UnsettledTransactions::read(ports, command).await?.missed(command.today))
}

/// What is missed on a day, and so holds everything that was missed on any day before.
pub(crate) struct UnsettledTransactions {
    transactions: Vec<Transaction>,
    settled: SettledEvents,
    last_payouts: BTreeMap<String, Date>,
    waits: AllowedWaits,
    zone: TimeZone,
    looked_at: LookedAt,
}

impl UnsettledTransactions {
    pub(crate) async fn read(ports: &Ports, command: &ListUnsettled) -> Result<UnsettledTransactions, StepError> {
        let ListUnsettled { account, today, waits, scratch } = command;
        let zone = zone_of(ports, account).await?;
        let settled = settled(ports, account, scratch).await?;
        let mut transactions: Vec<Transaction> = Vec::new();
        let span = Place::sync(account).read::<SyncItem>(&*ports.state).await?.map(|(item, _)| item);
        let mut looked_at = LookedAt { span, ..LookedAt::default() };
        mirror::read(ports, account, |transaction| {
            looked_at.transactions += 1;
            if !unsettled([&transaction], &settled, *today, waits, &zone).is_empty() {
                transactions.push(transaction);
            }
            Ok(())
        })
        .await?;
        let last_payouts = last_payouts(ports, account, &mut looked_at).await?;
        Ok(UnsettledTransactions { transactions, settled, last_payouts, waits: waits.clone(), zone, looked_at })
    }

    /// What of it was missed on a day that is not later.
    pub(crate) fn missed(&self, today: Date) -> Missed {
        let UnsettledTransactions { transactions, settled, last_payouts, waits, zone, looked_at } = self;
        Missed {
            unsettled: unsettled(transactions, settled, today, waits, zone),
            reports: missing_reports(transactions, settled, last_payouts, today, waits, zone),
            looked_at: looked_at.clone(),
        }
    }
}

/// The captures and refunds that lines were matched with.
async fn settled(ports: &Ports, account: &AccountId, scratch: &Path) -> Result<SettledEvents, StepError> {
    let mut settled = SettledEvents::default();
    let insert = |_: &_, row: MatchRow| -> Result<(), StepError> {
        if let Some((transaction, event)) = row.transaction_id.zip(row.transaction_event) {
            settled.insert(&transaction, u32::try_from(event).unwrap_or(u32::MAX));
        }
        Ok(())
    };
    match_rows::rows(ports, account, scratch, insert).await?;
    Ok(settled)
}

/// The day of the last payout of each provider.
async fn last_payouts(
    ports: &Ports,
    account: &AccountId,
    looked_at: &mut LookedAt,
) -> Result<BTreeMap<String, Date>, StepError> {
    let mut last: BTreeMap<String, Date> = BTreeMap::new();
    for (key, version) in Versions::new(ports, account).all().await? {
        looked_at.settlements += 1;
        let payout_on = version.settlement.head.payout_on;
        let known = last.entry(key.provider.to_string()).or_insert(payout_on);
        *known = payout_on.max(*known);
    }
    Ok(last)
}
