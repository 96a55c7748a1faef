//! The versions of settlements that the lake shows: every one whose report is committed.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::civil::Date;
use settlement::{AccountId, Confirmed, LineRecord, Month, Proof, SettleKey, Settlement};
use store::{Pager, Place, Query, SettlementItem, SettlementVersion, decode, settlement_key};
use tables::{SettlementRow, Shown, TableOwner};

use crate::current::notice::{self, NoticeCheck};
use crate::current::versions::Versions;
use crate::{Ports, StepError};

/// A version of a settlement as the lake shows it. Its lines are never in memory, but for those that its notice adds.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) key: SettleKey,
    /// With fees and payout as its notice makes them.
    pub(super) record: SettlementVersion,
    /// Whose it is, for tables.
    pub(super) owner: TableOwner,
    /// Whether it counts.
    pub(super) is_current: bool,
    /// Whether it is exact by itself and its notice, so that it is paid out.
    pub(super) is_paid: bool,
    /// Lines that its notice adds.
    pub(super) added: Vec<LineRecord>,
    /// The days that it leaves for the version that counts, or that it takes its lines over from when it counts itself.
    other_days: BTreeSet<Date>,
}

impl Version {
    pub(super) fn settlement(&self) -> &Settlement {
        &self.record.settlement
    }

    pub(super) fn payout_on(&self) -> Date {
        self.settlement().head.payout_on
    }

    /// Whether another version counts that is paid out on another day.
    pub(super) fn leaves(&self) -> bool {
        !self.other_days.is_empty() && !self.is_current
    }

    /// Whether it counts, and versions before it were paid out on other days.
    pub(super) fn arrives(&self) -> bool {
        !self.other_days.is_empty() && self.is_current
    }

    /// Lets it not count yet when a day that it comes from is made only later.
    pub(super) fn wait_for(&mut self, later: &BTreeSet<Date>) {
        if self.arrives() && !self.other_days.is_disjoint(later) {
            self.is_current = false;
        }
    }

    pub(super) fn shown(&self, number: usize, is_current: bool) -> Shown<'_> {
        let SettleKey { merchant_number, settlement_id, currency, .. } = &self.key;
        let (currency, version) = (*currency, self.record.version);
        Shown { number, merchant_number, settlement_id, currency, version, is_current }
    }

    pub(super) fn row(&self) -> SettlementRow<'_> {
        let (owner, version, is_current) = (&self.owner, self.record.version, self.is_current);
        SettlementRow { owner, version, is_current, settlement: self.settlement() }
    }

    /// Lets its notice say what it says.
    async fn confirm(&mut self, ports: &Ports, scratch: &Path) -> Result<(), StepError> {
        match notice::check(ports, &self.key, &self.record, scratch).await? {
            NoticeCheck::Agree(confirmed) => {
                let Confirmed { settlement, added } = *confirmed;
                (self.is_paid, self.record.settlement, self.added) = (true, settlement, added);
            }
            // Two documents that contradict each other prove nothing.
            NoticeCheck::Disagree(_) => self.is_paid = false,
            NoticeCheck::WaitsForNotice | NoticeCheck::WaitsForList => {}
        }
        Ok(())
    }
}

/// All versions that are paid out in those months, in the order of their keys.
pub(super) async fn of_months(
    ports: &Ports,
    account: &AccountId,
    months: &BTreeSet<Month>,
    scratch: &Path,
) -> Result<Vec<Version>, StepError> {
    let mut versions = Versions::new(ports, account);
    let mut noticed = BTreeSet::new();
    let mut notices = Pager::new(&*ports.state, Query::notices(account));
    while let Some(item) = notices.next().await? {
        noticed.insert(item.sort);
    }
    let is_meant = |day| months.contains(&Month::of(day));
    let mut found = Vec::new();
    let mut settlements = Pager::new(&*ports.state, Query::settlements(account));
    while let Some(item) = settlements.next().await? {
        let record: SettlementItem = decode(&item)?;
        if !days_in(&record).any(is_meant) {
            continue;
        }
        let key = settlement_key(&item)?;
        for mut version in side_by_side(&key, versions.committed(record).await?) {
            if !is_meant(version.payout_on()) {
                continue;
            }
            if noticed.contains(&item.sort) {
                version.confirm(ports, scratch).await?;
            }
            found.push(version);
        }
    }
    Ok(found)
}

/// The committed versions of one settlement, the last of which is in force.
fn side_by_side(key: &SettleKey, records: Vec<SettlementVersion>) -> Vec<Version> {
    let days: BTreeSet<Date> = records.iter().map(|record| record.settlement.head.payout_on).collect();
    let last = records.last().map(|last| (last.version, last.settlement.head.payout_on));
    let show = |record: SettlementVersion| {
        let is_current = last.is_some_and(|(version, _)| version == record.version);
        let others = if is_current { days.clone() } else { last.iter().map(|(_, day)| *day).collect() };
        let other_days = others.into_iter().filter(|day| *day != record.settlement.head.payout_on).collect();
        Version {
            key: key.clone(),
            owner: TableOwner::new(&key.account_id, &key.provider, &record.format, record.report, "UTC"),
            is_current,
            is_paid: record.settlement.proof == Proof::Exact,
            added: Vec::new(),
            other_days,
            record,
        }
    };
    records.into_iter().map(show).collect()
}

/// The days of all versions of a settlement, whether or not they count.
pub(super) async fn days_of(ports: &Ports, place: &Place) -> Result<BTreeSet<Date>, StepError> {
    let record = place.read::<SettlementItem>(&*ports.state).await?;
    Ok(record.iter().flat_map(|(item, _)| days_in(item)).collect())
}

/// The days of all versions of all settlements.
pub(super) async fn all_days(ports: &Ports, account: &AccountId) -> Result<BTreeSet<Date>, StepError> {
    let mut days = BTreeSet::new();
    let mut settlements = Pager::new(&*ports.state, Query::settlements(account));
    while let Some(item) = settlements.next().await? {
        days.extend(days_in(&decode(&item)?));
    }
    Ok(days)
}

fn days_in(item: &SettlementItem) -> impl Iterator<Item = Date> {
    item.versions.iter().map(|version| version.settlement.head.payout_on)
}
