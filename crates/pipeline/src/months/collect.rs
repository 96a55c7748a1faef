//! Everything that the summaries of an account's months are made of, read once for all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use matching::{AllowedWaits, GroupBridge};
use settlement::{Account, AccountId, Month, SettleKey, Settlement};
use store::keys::LandingKey;
use store::{
    BatchItem, DayItem, DirtyItem, HeldItem, JournalItem, ListedVersion, MatchingItem, ObjectItem, ObjectPager,
    OutboxItem, Pager, Place, Query, ReportItem, ReportState, UnsettledSum, batch_id,
};

use crate::current::events::outboxes;
use crate::current::notice::{self, NoticeCheck};
use crate::current::versions::Versions;
use crate::current::zone::zone_of;
use crate::matching::unsettled::{ListUnsettled, UnsettledTransactions};
use crate::{Ports, StepError, lake};

/// What is known of an account.
pub(super) struct Collected {
    pub(super) account: Account,
    pub(super) zone: TimeZone,
    pub(super) days: Vec<(Date, DayItem)>,
    pub(super) bridges: Vec<GroupBridge>,
    pub(super) waiting: Vec<UnsettledSum>,
    pub(super) settlements: Vec<SettlementInForce>,
    pub(super) held: Vec<Held>,
    pub(super) events: Vec<OpenEvents>,
    pub(super) open: UnsettledTransactions,
    /// The day it is.
    pub(super) today: Date,
}

/// A settlement in its version in force.
pub(super) struct SettlementInForce {
    pub(super) key: SettleKey,
    pub(super) version: u32,
    /// With fees and payout as its notice makes them.
    pub(super) settlement: Settlement,
    /// Why it is not proved to be paid out; `None` when it is.
    pub(super) not_exact: Option<&'static str>,
}

/// A report or file that is held.
pub(super) struct Held {
    pub(super) name: String,
    pub(super) provider: String,
    pub(super) state: String,
    pub(super) arrived_on: Date,
}

/// Settlement events of one settlement that a person should know of, in minor units.
pub(super) struct OpenEvents {
    pub(super) key: SettleKey,
    pub(super) state: &'static str,
    pub(super) count: u64,
    pub(super) amount: i128,
}

/// Tells whether anything that is collected has changed: whatever changes a payout marks its day in the same transaction.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Snapshot {
    marks: BTreeMap<String, u64>,
    matching: Option<u64>,
    /// Whether the lake is not up to date.
    pub(super) is_dirty: bool,
}

/// How everything stands right now.
pub(super) async fn snapshot(ports: &Ports, account: &AccountId) -> Result<Snapshot, StepError> {
    let (mut marks, mut is_dirty) = (BTreeMap::new(), false);
    for item in store::all(&*ports.state, Query::dirty(account)).await? {
        is_dirty |= store::decode::<DirtyItem>(&item)?.is_dirty;
        marks.insert(item.sort, item.revision);
    }
    let matching = Place::matching(account).read::<MatchingItem>(&*ports.state).await?.map(|(_, revision)| revision);
    Ok(Snapshot { marks, matching, is_dirty })
}

impl Collected {
    pub(super) async fn read(
        ports: &Ports,
        account: &AccountId,
        now: Timestamp,
        scratch: &Path,
    ) -> Result<Collected, StepError> {
        let zone = zone_of(ports, account).await?;
        let today = zone.to_datetime(now).date();
        let (days, bridges) = lake::days_and_months(ports, account).await?;
        let matching = Place::matching(account).read::<MatchingItem>(&*ports.state).await?;
        let missed = ListUnsettled {
            account: account.clone(),
            today,
            waits: AllowedWaits::default(),
            scratch: scratch.to_owned(),
        };
        Ok(Collected {
            account: store::account(&*ports.state, account).await?,
            days,
            bridges,
            waiting: matching.map(|(item, _)| item.waiting).unwrap_or_default(),
            settlements: settlements(ports, account, scratch).await?,
            held: held(ports, account, &zone).await?,
            events: events(ports, account).await?,
            open: UnsettledTransactions::read(ports, &missed).await?,
            zone,
            today,
        })
    }

    /// The months from the first that anything is known of to the current one.
    pub(super) fn months(&self) -> Vec<Month> {
        let of_bridge = self.bridges.iter().flat_map(|group| group.months.first()).map(|row| row.month);
        let of_settlements = self.settlements.iter().map(|in_force| Month::of(in_force.settlement.head.payout_on));
        let of_held = self.held.iter().map(|held| Month::of(held.arrived_on));
        let first = of_bridge.chain(of_settlements).chain(of_held).min();
        let last = Month::of(self.today);
        std::iter::successors(first, |month| Some(month.next())).take_while(|month| *month <= last).collect()
    }
}

/// Every settlement in its version in force.
async fn settlements(ports: &Ports, account: &AccountId, scratch: &Path) -> Result<Vec<SettlementInForce>, StepError> {
    let noticed = store::all(&*ports.state, Query::notices(account)).await?;
    let noticed: BTreeSet<String> = noticed.into_iter().map(|item| item.sort).collect();
    let mut found = Vec::new();
    for (key, version) in Versions::new(ports, account).all().await? {
        let number = version.version;
        let proof = version.settlement.proof;
        let check = match noticed.contains(&Place::notice(&key).sort) {
            true => Some(notice::check(ports, &key, &version, scratch).await?),
            false => None,
        };
        let not_exact = check.as_ref().map_or(notice::unproved(proof), |check| check.not_exact(proof));
        let settlement = match check {
            Some(NoticeCheck::Agree(confirmed)) => confirmed.settlement,
            _ => version.settlement,
        };
        found.push(SettlementInForce { key, version: number, settlement, not_exact });
    }
    Ok(found)
}

/// The reports of an account that are held, and the files that could not even be read as one, in the order of their keys.
///
/// An upload may expire while its report is still held; a file that could not be read is known as long as it is kept.
async fn held(ports: &Ports, account: &AccountId, zone: &TimeZone) -> Result<Vec<Held>, StepError> {
    let mut found: Vec<(String, Held)> = Vec::new();
    for entry in store::all(&*ports.state, Query::held(account)).await? {
        found.extend(held_report(ports, account, zone, store::decode(&entry)?).await?);
    }
    let mut listing = ObjectPager::new(&*ports.objects, format!("landing/{account}/"));
    while let Some(listed) = listing.next().await? {
        found.extend(unread_file(ports, zone, &listed).await?.map(|held| (listed.key, held)));
    }
    found.sort_by(|(one, a), (other, b)| (one, &a.name).cmp(&(other, &b.name)));
    Ok(found.into_iter().map(|(_, held)| held).collect())
}

async fn unread_file(ports: &Ports, zone: &TimeZone, listed: &ListedVersion) -> Result<Option<Held>, StepError> {
    let Some(Ok(landing)) = listed.key.strip_prefix("landing/").map(str::parse::<LandingKey>) else { return Ok(None) };
    let place = Place::object(&listed.key, &listed.version);
    let Some((ObjectItem { report: None, kind: Some(kind) }, _)) = place.read(&*ports.state).await? else {
        return Ok(None);
    };
    let Some(at) = first_recorded(ports, &place).await?.or(listed.at) else { return Ok(None) };
    let LandingKey { name, provider, .. } = landing;
    let (provider, state) = (provider.to_string(), format!("REJECTED({kind})"));
    Ok(Some(Held { name, provider, state, arrived_on: zone.to_datetime(at).date() }))
}

/// A report that was held once, with the key that it was uploaded under; `None` when it is held no more.
async fn held_report(
    ports: &Ports,
    account: &AccountId,
    zone: &TimeZone,
    entry: HeldItem,
) -> Result<Option<(String, Held)>, StepError> {
    let place = Place::report(entry.report, account);
    let Some((item, _)) = place.read::<ReportItem>(&*ports.state).await? else { return Ok(None) };
    let is_held = match item.state {
        ReportState::Quarantined { .. } | ReportState::Rejected { .. } => true,
        ReportState::Crashed | ReportState::Released => true,
        ReportState::Claimed { .. }
        | ReportState::Committed
        | ReportState::Duplicate
        | ReportState::Unpacked { .. }
        | ReportState::Dismissed { .. } => false,
    };
    if !is_held {
        return Ok(None);
    }
    let at = first_recorded(ports, &place).await?.unwrap_or(entry.at);
    let name = format!("{} · {}", item.name, item.report.short());
    let (provider, state, arrived_on) = (item.provider.clone(), item.state.word(), zone.to_datetime(at).date());
    Ok(Some((item.object_key, Held { name, provider, state, arrived_on })))
}

/// When the journal first speaks of a record.
async fn first_recorded(ports: &Ports, place: &Place) -> Result<Option<Timestamp>, StepError> {
    let first = Pager::new(&*ports.state, Query { limit: 1, ..Query::journal(place) }).next().await?;
    first.map(|item| Ok(store::decode::<JournalItem>(&item)?.at)).transpose()
}

/// Events whose outcome is unknown or a refusal, that wait for a person, or that were told with other money.
async fn events(ports: &Ports, account: &AccountId) -> Result<Vec<OpenEvents>, StepError> {
    let outboxes = outboxes(ports, account).await?;
    let mut batches: BTreeMap<SettleKey, Vec<(String, BatchItem)>> = BTreeMap::new();
    for item in store::all(&*ports.state, Query::all_batches(account)).await? {
        let id = batch_id(&item).to_owned();
        let batch: BatchItem = store::decode(&item)?;
        batches.entry(batch.settlement.clone()).or_default().push((id, batch));
    }
    let mut found: BTreeMap<(SettleKey, &'static str), (u64, i128)> = BTreeMap::new();
    for OutboxItem { settlement, batches: named, changed, .. } in &outboxes {
        let own = batches.get(settlement).into_iter().flatten().filter(|(id, _)| named.contains(id));
        for event in own.flat_map(|(_, batch)| &batch.events) {
            let Some(state) = event.state.open() else { continue };
            let (count, amount) = found.entry((settlement.clone(), state)).or_default();
            *count += 1;
            *amount += i128::from(event.event.amount_minor);
        }
        for event in changed {
            let (count, amount) = found.entry((settlement.clone(), "CHANGED")).or_default();
            *count += 1;
            *amount += i128::from(event.now_minor) - i128::from(event.before_minor);
        }
    }
    let open = |((key, state), (count, amount))| OpenEvents { key, state, count, amount };
    Ok(found.into_iter().map(open).collect())
}
