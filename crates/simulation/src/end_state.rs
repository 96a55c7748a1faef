//! Mirror, matches and lake at the end of a run, compared with what the scenario knows was paid.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use jiff::civil::Date;
use pipeline::current::{match_rows, versions};
use pipeline::transactions::mirror;
use pipeline::{Ports, StepError};
use settlement::{AccountId, Provider, ProviderId, SettleKey, TransactionEventKind};
use store::keys::Key;
use store::{DayItem, DirtyItem, MatchingItem, Place, Query, SettlementItem};
use tables::MatchRow;

use crate::faults::Script;
use crate::poll::to_end;
use crate::scenario::{Paid, Scenario};
use crate::violation::Violation;
use crate::world::{Worker, World, locked};
use sandbox::MadeEvent;

/// Compares mirror, matches and lake of every account with what the scenario says has happened.
pub(crate) fn check(
    world: &Arc<World>,
    scenario: &Scenario,
    is_corrected: bool,
    scratch: &Path,
) -> Result<(), Violation> {
    let ports = Worker::new(world, 0, Script::quiet()).ports();
    for account in &scenario.accounts {
        let failed = |error: StepError| Violation(format!("M1: the matches of {account} cannot be read: {error}"));
        let state = EndState::read(&ports, account, scratch).map_err(failed)?;
        let is_right = state.every_line_once().and_then(|()| state.as_matched(world, scenario, is_corrected));
        is_right.and_then(|()| state.as_paid(scenario, is_corrected)).map_err(Violation)?;
        if !scenario.late.is_empty() {
            lake_is_right(&ports, account, &state.in_force).map_err(Violation)?;
        }
    }
    Ok(())
}

/// L5: the lake holds what is in force, day by day, and nothing waits to be built.
fn lake_is_right(ports: &Ports, account: &AccountId, in_force: &BTreeMap<Date, (u64, i64)>) -> Result<(), String> {
    let all = |partition: &str| {
        to_end(store::all(&*ports.state, Query::all(format!("{partition}#{account}"))))
            .map_err(|error| error.to_string())
    };
    if let Some(item) =
        all("DIRTY")?.iter().find(|item| store::decode(item).is_ok_and(|DirtyItem { is_dirty }| is_dirty))
    {
        return Err(format!("L5: {} {} still waits to be built", item.partition, item.sort));
    }
    let mut built = BTreeMap::new();
    for item in all("LAKE")? {
        let Some(payout_on) = item.sort.strip_prefix("DAY#").and_then(|day| day.parse::<Date>().ok()) else { continue };
        let day: DayItem = store::decode(&item).map_err(|error| error.to_string())?;
        for table in ["settlement_line", "match"] {
            let version = day.objects.get(table);
            let key = Key::LakeDay { account: account.clone(), table, payout_on };
            let found = to_end(ports.objects.head(&key)).map_err(|error| error.to_string())?;
            if found.as_ref().map(|meta| &meta.version) != version {
                return Err(format!("L5: {key} is not the object that was made last"));
            }
        }
        let lines = day.sums.iter().map(|sum| sum.lines).sum::<u64>();
        let net_minor = day.sums.iter().filter_map(|sum| sum.terms.net_minor()).sum::<i64>();
        built.insert(payout_on, (lines, net_minor));
    }
    if built != *in_force {
        return Err(format!("L5: the lake of {account} holds {built:?}, expected {in_force:?}"));
    }
    Ok(())
}

/// The check of the lake alone.
pub(crate) fn check_lake(world: &Arc<World>, account: &AccountId, scratch: &Path) -> Result<(), Violation> {
    let ports = Worker::new(world, 0, Script::quiet()).ports();
    let state = EndState::read(&ports, account, scratch).map_err(|error| Violation(format!("L5: {error}")))?;
    lake_is_right(&ports, account, &state.in_force).map_err(Violation)
}

struct EndState<'a> {
    account: &'a AccountId,
    rows: Vec<MatchRow>,
    /// Lines of each settlement in force.
    lines: BTreeMap<String, u64>,
    /// Lines and net in minor units of the settlements in force, by day of payout.
    in_force: BTreeMap<Date, (u64, i64)>,
    /// What each settlement in force pays.
    paid: BTreeMap<String, Paid>,
    /// Ids of the transactions in the mirror.
    mirror: BTreeSet<String>,
    /// Captures less refunds that are in no settlement, in minor units.
    waiting_minor: i64,
}

impl<'a> EndState<'a> {
    fn read(ports: &Ports, account: &'a AccountId, scratch: &Path) -> Result<Self, StepError> {
        let mut rows = Vec::new();
        to_end(match_rows::rows(ports, account, scratch, |_, row| -> Result<(), StepError> {
            rows.push(row);
            Ok(())
        }))?;
        let mut ids = BTreeSet::new();
        to_end(mirror::read(ports, account, |transaction| {
            ids.insert(transaction.id);
            Ok(())
        }))?;
        let (mut lines, mut paid) = (BTreeMap::new(), BTreeMap::new());
        let mut in_force = BTreeMap::<Date, (u64, i64)>::new();
        for item in to_end(store::all(&*ports.state, Query::all(format!("SETTLEMENT#{account}"))))? {
            let SettlementItem { versions } = store::decode(&item)?;
            let Some(last) = versions.last() else { continue };
            let key = SettleKey::new(account, &ProviderId::from(&Provider::VIPPS), &last.settlement.head);
            if let Some(current) = to_end(versions::in_force(ports, &key))? {
                let settlement = current.settlement;
                let pays = (settlement.head.payout_on, settlement.lines, settlement.net_minor().unwrap_or_default());
                let (count, net_minor) = in_force.entry(pays.0).or_default();
                *count += pays.1;
                *net_minor += pays.2;
                lines.insert(key.settlement_id.to_string(), pays.1);
                paid.insert(key.settlement_id.into(), pays);
            }
        }
        let last = to_end(Place::matching(account).read::<MatchingItem>(&*ports.state))?;
        let waiting = last.map(|(item, _)| item.waiting).unwrap_or_default();
        let waiting_minor = waiting.iter().map(|waiting| waiting.capture_minor + waiting.refund_minor).sum();
        Ok(EndState { account, rows, lines, in_force, paid, mirror: ids, waiting_minor })
    }

    /// M1: every line in force has one state, and every capture or refund is one line.
    fn every_line_once(&self) -> Result<(), String> {
        let mut lines: BTreeMap<String, u64> = BTreeMap::new();
        let mut events = BTreeSet::new();
        for row in &self.rows {
            *lines.entry(row.settlement_id.clone()).or_default() += 1;
            let event = row.transaction_id.as_ref().zip(row.transaction_event);
            if event.is_some_and(|event| !events.insert(event)) {
                return Err(format!("M1: {event:?} is two lines, the second in {}", row.settlement_id));
            }
        }
        if lines != self.lines {
            return Err(format!("M1: {} has lines {:?} with states {lines:?}", self.account, self.lines));
        }
        Ok(())
    }

    /// I1: of every settlement the version that came last is in force.
    fn as_paid(&self, scenario: &Scenario, is_corrected: bool) -> Result<(), String> {
        for (settlement, pays) in &self.paid {
            let expected = scenario.paid(settlement, is_corrected);
            if expected != Some(pays) {
                return Err(format!("I1: {settlement} pays {pays:?}, expected {expected:?}"));
            }
        }
        Ok(())
    }

    /// M2, M3: what was paid out is matched, what Dintero knows is in the mirror, and the rest is in transit.
    fn as_matched(&self, world: &World, scenario: &Scenario, is_corrected: bool) -> Result<(), String> {
        let matched: BTreeSet<(&str, &str)> = self
            .rows
            .iter()
            .filter(|row| row.state == "matched")
            .filter_map(|row| Some((row.transaction_id.as_deref()?, row.settlement_id.as_str())))
            .collect();
        let own = |id: &str| id.starts_with(self.account.as_str());
        for (transaction, settlement, _) in scenario.expected(is_corrected).iter().filter(|(id, _, _)| own(id)) {
            if self.lines.contains_key(settlement) && !matched.contains(&(transaction, settlement)) {
                return Err(format!("M2: {transaction} is in {settlement} and not matched"));
            }
        }
        let sandbox = locked(&world.sandbox);
        let made: Vec<_> = sandbox.made_transactions().filter(|made| own(&made.id)).collect();
        if let Some(missing) = made.iter().find(|made| !self.mirror.contains(&made.id)) {
            return Err(format!("M2: {} is not in the mirror", missing.id));
        }
        let minor = |event: &MadeEvent| match event.kind {
            TransactionEventKind::Capture => event.amount_minor,
            TransactionEventKind::Refund => -event.amount_minor,
            _ => 0,
        };
        let happened: i64 = made.iter().flat_map(|made| &made.events).map(minor).sum();
        let event_of = |row: &MatchRow| {
            let made = made.iter().find(|made| Some(&made.id) == row.transaction_id.as_ref())?;
            made.events.get(usize::try_from(row.transaction_event?).ok()?)
        };
        let paid: i64 = self.rows.iter().filter_map(event_of).map(minor).sum();
        if happened - paid != self.waiting_minor {
            let waiting = self.waiting_minor;
            return Err(format!("M3: {} has {waiting} in transit, expected {}", self.account, happened - paid));
        }
        Ok(())
    }
}
