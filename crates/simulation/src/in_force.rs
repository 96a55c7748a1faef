//! Which versions of settlements are in force by the records, and that none is in force twice.

use std::collections::BTreeMap;

use settlement::SettleKey;
use store::{Item, ReportItem, ReportSettlementItem, ReportState, SettlementItem, decode};

use crate::violation::Violation;

/// I1: no content of a settlement is in force twice, and each version in force comes from one report.
pub(crate) fn check_once(records: &[Item]) -> Result<(), Violation> {
    let of = |kind: &'static str| records.iter().filter(move |item| item.partition.starts_with(kind));
    let committed: Vec<&str> = of("REPORT#")
        .filter(|item| decode::<ReportItem>(item).is_ok_and(|report| report.state == ReportState::Committed))
        .map(|item| item.partition.as_str())
        .collect();
    let mut brought: BTreeMap<(String, u32), &str> = BTreeMap::new();
    for item in of("REPORT#").filter(|item| committed.contains(&item.partition.as_str())) {
        let Ok(ReportSettlementItem { key, version: Some(version) }) = decode(item) else { continue };
        let SettleKey { account_id, .. } = &key;
        if let Some(other) = brought.insert((key.to_string(), version), &item.partition) {
            let what = format!("I1: {other} and {} both brought version {version} of", item.partition);
            return Err(Violation(format!("{what} {key} of {account_id}")));
        }
    }
    for item in of("SETTLEMENT#") {
        let Ok(settlement) = decode::<SettlementItem>(item) else { continue };
        let is_committed = |report: &str| committed.iter().any(|partition| partition.ends_with(report));
        let hashes: Vec<_> = settlement
            .versions
            .iter()
            .filter(|version| is_committed(&version.report.to_string()))
            .map(|version| version.hash)
            .collect();
        if hashes.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(Violation(format!("I1: {} {} is in force twice with one content", item.partition, item.sort)));
        }
    }
    Ok(())
}

/// The version in force of each settlement of an account.
pub(crate) fn versions_in_force(records: &[Item], account: &str) -> Vec<(SettleKey, u32)> {
    let committed: Vec<&str> = records
        .iter()
        .filter(|item| decode::<ReportItem>(item).is_ok_and(|report| report.state == ReportState::Committed))
        .filter_map(|item| item.partition.strip_prefix("REPORT#"))
        .collect();
    let own = records.iter().filter(|item| item.partition == format!("SETTLEMENT#{account}"));
    let last = own.filter_map(|item| {
        let settlement: SettlementItem = decode(item).ok()?;
        let mut versions = settlement.versions.into_iter().rev();
        let last = versions.find(|version| committed.contains(&version.report.to_string().as_str()))?;
        let provider = item.sort.split('/').next()?;
        Some((SettleKey::new(&account.parse().ok()?, &provider.parse().ok()?, &last.settlement.head), last.version))
    });
    last.collect()
}
