//! Unsettled: what was captured or refunded and no settlement has brought, and the reports that are missed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use matching::{MissingReport, SettledEvents, Unsettled, Waits, missing_reports, unsettled};
use settlement::{AccountId, Transaction};
use tables::MatchRow;

use crate::items::{self, SettlementItem};
use crate::matches::{self, zone_of};
use crate::ports::{Ports, Query};
use crate::{StepError, mirror};

/// List what is missed of an account.
#[derive(Debug, Clone)]
pub struct ListUnsettled {
    /// The account.
    pub account: AccountId,
    /// The day it is.
    pub today: Date,
    /// How long payouts may take.
    pub waits: Waits,
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
}

/// Holds the mirror of transactions against what the lines of settlements were last matched with; changes nothing.
///
/// # Errors
/// When a port or the disk fails.
pub async fn run(ports: &Ports, command: &ListUnsettled) -> Result<Missed, StepError> {
    Ok(Open::read(ports, command).await?.missed(command.today))
}

/// What is missed on a day, and so holds everything that was missed on any day before.
pub(crate) struct Open {
    transactions: Vec<Transaction>,
    settled: SettledEvents,
    last_payouts: BTreeMap<String, Date>,
    waits: Waits,
    zone: TimeZone,
}

impl Open {
    pub(crate) async fn read(ports: &Ports, command: &ListUnsettled) -> Result<Open, StepError> {
        let ListUnsettled { account, today, waits, scratch } = command;
        let zone = zone_of(ports, account).await?;
        let settled = settled(ports, account, scratch).await?;
        let mut transactions: Vec<Transaction> = Vec::new();
        mirror::read(ports, account, |transaction| {
            if !unsettled([&transaction], &settled, *today, waits, &zone).is_empty() {
                transactions.push(transaction);
            }
            Ok(())
        })
        .await?;
        let last_payouts = last_payouts(ports, account).await?;
        Ok(Open { transactions, settled, last_payouts, waits: waits.clone(), zone })
    }

    /// What of it was missed on a day that is not later.
    pub(crate) fn missed(&self, today: Date) -> Missed {
        let Open { transactions, settled, last_payouts, waits, zone } = self;
        Missed {
            unsettled: unsettled(transactions, settled, today, waits, zone),
            reports: missing_reports(transactions, settled, last_payouts, today, waits, zone),
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
    matches::rows(ports, account, scratch, insert).await?;
    Ok(settled)
}

/// The day of the last payout of each provider.
async fn last_payouts(ports: &Ports, account: &AccountId) -> Result<BTreeMap<String, Date>, StepError> {
    let mut last: BTreeMap<String, Date> = BTreeMap::new();
    for item in items::all(ports, Query::all(format!("SETTLEMENT#{account}"))).await? {
        let provider = item.sort.split('/').next().unwrap_or_default().to_owned();
        let settlement: SettlementItem = items::decode(&item)?;
        if let Some(version) = settlement.versions.last() {
            let payout_on = version.settlement.head.payout_on;
            let known = last.entry(provider).or_insert(payout_on);
            *known = payout_on.max(*known);
        }
    }
    Ok(last)
}
