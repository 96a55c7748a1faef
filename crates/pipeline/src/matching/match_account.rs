//! Match: every line of an account's settlements gets its state, by the transactions of the mirror.
//!
//! All lines of the account are matched together, settlement by settlement in the order of payouts, so that what they come to
//! depends on neither the order in which reports arrived nor on who matched last: a capture belongs to the settlement that paid
//! it first. What is stored is one table for each report, named by its content; only what changed is stored.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use matching::Seen;
use settlement::{AccountId, Confirmed, Defect, LineRecord, ReportId, SettleKey, is_seeded};
use store::keys::Key;
use store::{
    Expect, MatchItem, MatchingItem, Order, Place, PortErrorKind, Put, SettlementVersion, journal, mark_days_dirty,
};
use tempfile::NamedTempFile;

pub use super::known::MatchAccount;

use super::known::{Known, ReportInForce};
use super::lines::{ReportLines, Written, days_of};
use crate::current::lines::fetch_lines;
use crate::current::notice::{self, NoticeCheck};
use crate::current::versions::{Versions, versions_of};
use crate::current::zone::zone_of;
use crate::current::{match_rows, versions};
use crate::transactions::client::AccountClient;
use crate::transactions::sync;
use crate::{Ports, StepError};

/// Another worker may match the same account this often at the same time.
const TRIES_MAX: usize = 4;

/// Transactions are read this long around the days of a report's lines.
const AROUND: SignedDuration = SignedDuration::from_hours(48);

/// Matches all lines of an account and stores what has changed. Running it again changes nothing.
///
/// Gives what the lines of each report came to, in the order of payouts.
///
/// # Errors
/// When a port or the disk fails, `Busy` when others match the account again and again.
pub async fn run(ports: &Ports, command: &MatchAccount) -> Result<Vec<MatchItem>, StepError> {
    for _ in 0..TRIES_MAX {
        if let Some(items) = match_all(ports, command).await? {
            return Ok(items);
        }
    }
    Err(StepError::Busy { what: format!("Matching account {}", command.account), until: command.now })
}

/// What the lines of those reports were matched with; what is not matched yet, or left lines open, is matched anew after
/// the transactions around its lines are read again.
///
/// # Errors
/// As [`run`], or when Dintero cannot be read.
pub(crate) async fn of_reports(
    ports: &Ports,
    client: &AccountClient<'_>,
    reports: impl IntoIterator<Item = ReportId>,
    command: &MatchAccount,
) -> Result<(), StepError> {
    let MatchAccount { account, scratch, .. } = command;
    let mut is_open = false;
    for report in reports {
        if is_settled(ports, account, report, scratch).await? {
            continue;
        }
        is_open = true;
        let lines = NamedTempFile::new_in(scratch)?;
        fetch_lines(ports, account, report, &lines).await?;
        if let Some((first, last)) = days_of(&lines)? {
            let begin = first.saturating_sub(AROUND).unwrap_or(first);
            let end = last.saturating_add(AROUND).unwrap_or(last);
            sync::between(ports, client, account, begin, end, scratch).await?;
        }
    }
    if is_open {
        run(ports, command).await?;
    }
    Ok(())
}

/// Whether every line in force of a report has its state for good.
async fn is_settled(ports: &Ports, account: &AccountId, report: ReportId, scratch: &Path) -> Result<bool, StepError> {
    let (mut settlements, mut added_lines) = (BTreeSet::new(), 0);
    for (key, version) in versions_of(ports, account, report).await? {
        if versions::in_force(ports, &key).await?.is_some_and(|current| current.version == version.version) {
            if let NoticeCheck::Agree(confirmed) = notice::check(ports, &key, &version, scratch).await? {
                added_lines += confirmed.added.len() as u64;
            }
            settlements.insert(key);
        }
    }
    if settlements.is_empty() {
        // Nothing of it is in force, or not yet.
        return Ok(true);
    }
    let Some(item) = match_rows::known(ports, account, report).await? else { return Ok(false) };
    let matched: BTreeSet<SettleKey> = item.settlements.iter().cloned().collect();
    Ok(item.is_complete() && settlements == matched && added_lines == item.added_lines)
}

/// What is in force of an account, report by report in the order of their first payouts.
async fn reports_in_force(ports: &Ports, account: &AccountId) -> Result<Vec<ReportInForce>, StepError> {
    let mut found: BTreeMap<ReportId, BTreeMap<SettleKey, SettlementVersion>> = BTreeMap::new();
    for (key, version) in Versions::new(ports, account).all().await? {
        found.entry(version.report).or_default().insert(key, version);
    }
    let reports = found.into_iter().map(|(report, settlements)| ReportInForce { report, settlements });
    let mut reports: Vec<ReportInForce> = reports.collect();
    reports.sort_by_key(|report| (report.first_payout_on(), report.report));
    Ok(reports)
}

/// Adds the reports that were matched and of which nothing is in force any more: their tables are to be empty.
async fn with_former(
    ports: &Ports,
    account: &AccountId,
    mut reports: Vec<ReportInForce>,
) -> Result<Vec<ReportInForce>, StepError> {
    let in_force: BTreeSet<ReportId> = reports.iter().map(|report| report.report).collect();
    let former = match_rows::all_known(ports, account).await?.into_iter().map(|item| item.report);
    let former = former.filter(|report| !in_force.contains(report) && !is_seeded(Defect::FormerMatchesKept));
    reports.extend(former.map(|report| ReportInForce { report, settlements: BTreeMap::new() }));
    Ok(reports)
}

/// One matching; `None` when another worker matched in the meantime.
async fn match_all(ports: &Ports, command: &MatchAccount) -> Result<Option<Vec<MatchItem>>, StepError> {
    let MatchAccount { account, now, scratch } = command;
    let last = Place::matching(account);
    let before = last.read::<MatchingItem>(&*ports.state).await?;
    let known = Known::read(ports, account, &zone_of(ports, account).await?).await?;
    let mut seen = Seen::default();
    let mut items = Vec::new();
    let mut changed = Vec::new();
    for report in with_former(ports, account, reports_in_force(ports, account).await?).await? {
        let lines = ReportLines { ports, command, report: &report, added: added(ports, &report, scratch).await? };
        let Written { item, file } = lines.write(&known, &mut seen).await?;
        let place = Place::matches(item.report, account);
        let stored = place.read::<MatchItem>(&*ports.state).await?;
        if stored.as_ref().is_none_or(|(stored, _)| *stored != item) {
            let key = Key::Matches { account: account.clone(), report: item.report, digest: item.digest.clone() };
            ports.objects.upload_new(&key, file.path()).await?;
            changed.push((item.clone(), stored));
        }
        items.push(item);
    }
    let waiting = known.waiting(&seen)?;
    let settled = before.as_ref().is_some_and(|(item, _)| item.waiting == waiting);
    if changed.is_empty() && settled {
        return Ok(Some(items));
    }
    // Whoever ends in between leaves a committed report unmatched, which is seen, and no capture in two settlements.
    changed.sort_by_key(|(item, _)| !item.settlements.is_empty());
    let revision = before.map_or(0, |(_, revision)| revision);
    let item = MatchingItem { waiting };
    let writes = |(item, stored): &(MatchItem, _)| writes(account, item, stored, *now);
    let mut parts: Vec<Vec<Put>> = changed.iter().map(writes).collect::<Result<_, _>>()?;
    if parts.is_empty() {
        parts.push(Vec::new());
    }
    for (mut part, revision) in parts.into_iter().zip(revision..) {
        let expect = if revision == 0 { Expect::Absent } else { Expect::Revision(revision) };
        let expect = if is_seeded(Defect::MatchesUnfenced) { Expect::Any } else { expect };
        part.push(last.put(&item, expect)?);
        match ports.state.transact(&part).await {
            Err(error) if error.kind == PortErrorKind::Conflict => return Ok(None),
            written => written?,
        }
    }
    Ok(Some(items))
}

/// The writes for one report: its record, its journal, and the days that the lake has to be built again for.
fn writes(
    account: &AccountId,
    item: &MatchItem,
    stored: &Option<(MatchItem, u64)>,
    now: Timestamp,
) -> Result<Vec<Put>, StepError> {
    let place = Place::matches(item.report, account);
    let revision = stored.as_ref().map_or(0, |(_, revision)| *revision);
    let expect = if revision == 0 { Expect::Absent } else { Expect::Revision(revision) };
    let states: Vec<String> = item.states.iter().map(|(state, lines)| format!("{state} {lines}")).collect();
    let what = format!("lines matched: {}", states.join(", "));
    let mut writes = vec![place.put(item, expect)?, journal(&place, revision + 1, now, Order::Last, what)?];
    let earlier = stored.iter().flat_map(|(stored, _)| &stored.payout_days);
    let days: BTreeSet<Date> = item.payout_days.iter().chain(earlier).copied().collect();
    writes.extend(mark_days_dirty(item.report, account, days)?);
    Ok(writes)
}

/// Lines that agreeing notices add, by settlement.
async fn added(
    ports: &Ports,
    report: &ReportInForce,
    scratch: &Path,
) -> Result<Vec<(SettleKey, Vec<LineRecord>)>, StepError> {
    let mut added = Vec::new();
    for (key, version) in &report.settlements {
        if let NoticeCheck::Agree(confirmed) = notice::check(ports, key, version, scratch).await? {
            let Confirmed { added: lines, .. } = *confirmed;
            if !lines.is_empty() {
                added.push((key.clone(), lines));
            }
        }
    }
    Ok(added)
}
