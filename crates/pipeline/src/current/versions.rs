//! Which version of a settlement is in force: the last one whose report is committed.

use std::collections::HashMap;
use std::path::Path;

use settlement::{AccountId, Confirmed, Currency, LineRecord, ReportId, SettleKey};
use store::{
    Item, Pager, Place, Query, ReportItem, ReportSettlementItem, ReportState, SettlementItem, SettlementVersion,
    settlement_key,
};

use super::notice::{self, NoticeCheck};
use crate::{Ports, StepError};

/// Reads which versions of an account's settlements are in force. Each report's state is read once.
pub struct Versions<'a> {
    ports: &'a Ports,
    account: &'a AccountId,
    committed: HashMap<ReportId, bool>,
}

impl<'a> Versions<'a> {
    /// A reader that knows nothing yet.
    pub fn new(ports: &'a Ports, account: &'a AccountId) -> Self {
        Versions { ports, account, committed: HashMap::new() }
    }

    /// Whether a report is committed.
    ///
    /// # Errors
    /// When the state cannot answer.
    pub async fn is_committed(&mut self, report: ReportId) -> Result<bool, StepError> {
        if let Some(known) = self.committed.get(&report) {
            return Ok(*known);
        }
        let item = Place::report(report, self.account).read::<ReportItem>(&*self.ports.state).await?;
        let committed = item.is_some_and(|(item, _)| item.state == ReportState::Committed);
        self.committed.insert(report, committed);
        Ok(committed)
    }

    /// The committed versions of a settlement's record, the first one first. The last of them is in force.
    ///
    /// # Errors
    /// When the state cannot answer.
    pub async fn committed(&mut self, record: SettlementItem) -> Result<Vec<SettlementVersion>, StepError> {
        let mut committed = Vec::new();
        for version in record.versions {
            if self.is_committed(version.report).await? {
                committed.push(version);
            }
        }
        Ok(committed)
    }

    /// The version of a settlement's record that is in force; `None` when no report of it is committed.
    ///
    /// # Errors
    /// When the state cannot answer.
    pub async fn of_record(&mut self, record: SettlementItem) -> Result<Option<SettlementVersion>, StepError> {
        for version in record.versions.into_iter().rev() {
            if self.is_committed(version.report).await? {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    /// The settlement that a record of the state is of, with its version in force.
    ///
    /// # Errors
    /// When the state cannot answer or the record is not readable.
    pub async fn of_item(&mut self, item: &Item) -> Result<(SettleKey, Option<SettlementVersion>), StepError> {
        let key = settlement_key(item)?;
        Ok((key, self.of_record(store::decode(item)?).await?))
    }

    /// Every settlement of the account with its version in force, in the order of their keys.
    ///
    /// # Errors
    /// When the state cannot answer or a record is not readable.
    pub async fn all(&mut self) -> Result<Vec<(SettleKey, SettlementVersion)>, StepError> {
        let mut found = Vec::new();
        let mut pager = Pager::new(&*self.ports.state, Query::settlements(self.account));
        while let Some(item) = pager.next().await? {
            if let (key, Some(version)) = self.of_item(&item).await? {
                found.push((key, version));
            }
        }
        Ok(found)
    }
}

/// The version of a settlement that is in force; `None` when no report of it is committed.
///
/// # Errors
/// When the state cannot answer.
pub async fn in_force(ports: &Ports, key: &SettleKey) -> Result<Option<SettlementVersion>, StepError> {
    let record = Place::settlement(key).read::<SettlementItem>(&*ports.state).await?;
    match record {
        Some((item, _)) => Versions::new(ports, &key.account_id).of_record(item).await,
        None => Ok(None),
    }
}

/// The settlements that a report brought.
///
/// # Errors
/// When the state cannot answer.
pub async fn settlements_of(
    ports: &Ports,
    report: ReportId,
    account: &AccountId,
) -> Result<Vec<ReportSettlementItem>, StepError> {
    let items = store::all(&*ports.state, Query::report_settlements(report, account)).await?;
    Ok(items.iter().map(store::decode).collect::<Result<_, _>>()?)
}

/// The versions of settlements that a report made.
pub(crate) async fn versions_of(
    ports: &Ports,
    account: &AccountId,
    report: ReportId,
) -> Result<Vec<(SettleKey, SettlementVersion)>, StepError> {
    let mut found = Vec::new();
    for listed in settlements_of(ports, report, account).await? {
        let Some(number) = listed.version else { continue };
        let record = Place::settlement(&listed.key).read::<SettlementItem>(&*ports.state).await?;
        let versions = record.map(|(item, _)| item.versions).unwrap_or_default();
        let own = versions.into_iter().find(|version| version.version == number && version.report == report);
        found.extend(own.map(|version| (listed.key, version)));
    }
    Ok(found)
}

/// A settlement version that a report made, proved exactly.
#[derive(Debug, Clone)]
pub(crate) struct ExactSettlement {
    pub(crate) key: SettleKey,
    pub(crate) version: SettlementVersion,
    /// Lines that its notice adds.
    pub(crate) added: Vec<LineRecord>,
}

impl ExactSettlement {
    pub(crate) fn name(&self) -> (&str, &str, Currency) {
        (&self.key.merchant_number, &self.key.settlement_id, self.key.currency)
    }
}

/// The versions that a committed report made which are exact, by themselves or with their notices, and those that are
/// not, with how they stand to theirs. A later version may have taken their place.
pub(crate) async fn exact_settlements(
    ports: &Ports,
    account: &AccountId,
    report: ReportId,
    scratch: &Path,
) -> Result<(Vec<ExactSettlement>, Vec<(SettleKey, NoticeCheck)>), StepError> {
    let item = Place::report(report, account).read::<ReportItem>(&*ports.state).await?.map(|(item, _)| item);
    if item.as_ref().map(|item| &item.state) != Some(&ReportState::Committed) {
        return Err(StepError::NotCommitted(report.short()));
    }
    let (mut exact, mut withheld) = (Vec::new(), Vec::new());
    for (key, version) in versions_of(ports, account, report).await? {
        match notice::check(ports, &key, &version, scratch).await? {
            NoticeCheck::Agree(confirmed) => {
                let Confirmed { settlement, added } = *confirmed;
                exact.push(ExactSettlement { key, version: SettlementVersion { settlement, ..version }, added });
            }
            other => withheld.push((key, other)),
        }
    }
    Ok((exact, withheld))
}
