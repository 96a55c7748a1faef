//! Post: what an exact settlement paid out is told to Dintero as events of its transactions, each once in effect.
//!
//! Order of effects: plan into the outbox, read what stands at Dintero, write down what is sent, send it once, note what
//! the answer says. What cannot be known is read back before anything is sent again; what stays unclear is a person's.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::current::events::{batches_of, outboxes, switched_off};
use crate::current::versions;
use jiff::{SignedDuration, Timestamp};
use settlement::{AccountId, Defect, ReportId, SettleKey, is_seeded};
use store::{
    BatchItem, Expect, Order, OutboxItem, Place, PlannedEvent, PortErrorKind, Query, SettlementItem, SwitchItem,
    journal, settlement_key,
};

pub use super::plan::PostReport;

use super::plan;
use super::send::Sender;
use crate::current::accounts::{self, AccountSettings};
use crate::current::notice::{self, NoticeCheck};
use crate::matching::match_account::{self, MatchAccount};
use crate::transactions::client::{AccountClient, Dintero};
use crate::{Ports, StepError};

/// Plan what of an account is not planned, and go on with whatever has not ended.
#[derive(Debug, Clone)]
pub struct PostAccount {
    /// The account.
    pub account: AccountId,
    /// The time.
    pub now: Timestamp,
    /// How long no other worker may send the same batch.
    pub lease: SignedDuration,
    /// A directory for temporary files.
    pub scratch: PathBuf,
}

/// What came of posting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Posted {
    /// Why nothing was sent at all.
    pub off: Option<String>,
    /// Settlements of which nothing more is sent, and why.
    pub withheld: Vec<(SettleKey, String)>,
    /// Outboxes of the settlements, as they were planned.
    pub outboxes: Vec<OutboxItem>,
    /// All events with their states, batch by batch.
    pub events: Vec<PlannedEvent>,
    /// When the first of the rest may be taken up again.
    pub not_before: Option<Timestamp>,
}

impl Posted {
    /// How many events have that word for their state.
    pub fn count(&self, word: &str) -> usize {
        self.events.iter().filter(|event| event.state.word() == word).count()
    }
}

/// Matches the lines of a report, then plans and sends what its exact settlements paid out, where the account posts. Running
/// it again sends nothing twice.
///
/// # Errors
/// When the report is not committed, or a port fails; whatever Dintero answers is in the states of the events.
pub async fn run(ports: &Ports, dintero: &Dintero, command: &PostReport) -> Result<Posted, StepError> {
    let client = dintero.account(&command.account)?;
    let PostReport { account, report, now, scratch, .. } = command;
    let matching = MatchAccount { account: account.clone(), now: *now, scratch: scratch.clone() };
    match_account::of_reports(ports, &client, [*report], &matching).await?;
    if let Some(off) = switched_off(ports, account).await? {
        return Ok(Posted { off: Some(off), ..Posted::default() });
    }
    let outboxes = plan::plan(ports, &client, command).await?;
    let (mut posted, mut pause) = (Posted::default(), None);
    for outbox in outboxes {
        let worker = Worker { account: &command.account, lease: command.lease, scratch: &command.scratch };
        work_through(ports, &client, worker, &outbox, &mut pause, &mut posted).await?;
        posted.outboxes.push(outbox);
    }
    Ok(posted)
}

/// Goes on with everything of an account: settlements without an outbox, lines that had no transaction before, events
/// that have not ended.
///
/// # Errors
/// When a port fails.
pub async fn go_on(ports: &Ports, dintero: &Dintero, command: &PostAccount) -> Result<Posted, StepError> {
    let client = dintero.account(&command.account)?;
    if let Some(off) = switched_off(ports, &command.account).await? {
        return Ok(Posted { off: Some(off), ..Posted::default() });
    }
    let PostAccount { account, now, lease, scratch } = command.clone();
    let (mut posted, mut pause) = (Posted::default(), None);
    let unplanned = unplanned(ports, &account).await?;
    let matching = MatchAccount { account: account.clone(), now, scratch: scratch.clone() };
    match_account::of_reports(ports, &client, unplanned.iter().copied(), &matching).await?;
    for report in unplanned {
        let (account, scratch) = (account.clone(), scratch.clone());
        let command = PostReport { account, report, now, lease, scratch };
        match plan::plan(ports, &client, &command).await {
            // A report that is being read or held has nothing to post yet.
            Ok(_) | Err(StepError::NotCommitted(_)) => {}
            Err(error) => return Err(error),
        }
    }
    for outbox in outboxes(ports, &account).await? {
        let worker = Worker { account: &account, lease, scratch: &scratch };
        work_through(ports, &client, worker, &outbox, &mut pause, &mut posted).await?;
        posted.outboxes.push(outbox);
    }
    Ok(posted)
}

/// Stops all posting of all accounts, or lets it go on.
///
/// # Errors
/// When the state cannot answer.
pub async fn switch(ports: &Ports, stopped_by: Option<String>, by: &str, now: Timestamp) -> Result<(), StepError> {
    let place = Place::switch();
    let revision = place.read::<SwitchItem>(&*ports.state).await?.map(|(_, revision)| revision);
    let what = if stopped_by.is_some() { "all posting stopped" } else { "posting goes on" };
    let writes = [
        place.put(&SwitchItem { stopped_by }, revision.map_or(Expect::Absent, Expect::Revision))?,
        journal(&place, revision.unwrap_or(0) + 1, now, Order::First, format!("{what} by {by}"))?,
    ];
    Ok(ports.state.transact(&writes).await?)
}

/// Switches posting on or off for one account.
///
/// # Errors
/// When the state cannot answer.
pub async fn set_posting(ports: &Ports, account: &AccountId, posts: bool, now: Timestamp) -> Result<(), StepError> {
    let settings = AccountSettings { posts: Some(posts), ..AccountSettings::default() };
    accounts::set(ports, account, &settings, now).await.map(|_| ())
}

/// Who works at an outbox, and for how long.
#[derive(Debug, Clone, Copy)]
struct Worker<'a> {
    account: &'a AccountId,
    lease: SignedDuration,
    scratch: &'a Path,
}

/// Reports whose settlements are not in the outbox as they stand now, or had lines without a transaction.
async fn unplanned(ports: &Ports, account: &AccountId) -> Result<BTreeSet<ReportId>, StepError> {
    let mut reports = BTreeSet::new();
    for item in store::all(&*ports.state, Query::settlements(account)).await? {
        let settlement: SettlementItem = store::decode(&item)?;
        let outbox = Place::outbox(&settlement_key(&item)?).read::<OutboxItem>(&*ports.state).await?;
        for version in settlement.versions {
            let is_planned = |outbox: &OutboxItem| {
                outbox.version > version.version || (outbox.version == version.version && outbox.unmatched_lines == 0)
            };
            if !outbox.as_ref().is_some_and(|(outbox, _)| is_planned(outbox)) {
                reports.insert(version.report);
            }
        }
    }
    Ok(reports)
}

/// Why an outbox must not be worked at: its settlement is not what it was planned of.
async fn withheld(ports: &Ports, outbox: &OutboxItem, scratch: &Path) -> Result<Option<String>, StepError> {
    let key = &outbox.settlement;
    let Some(current) = versions::in_force(ports, key).await? else {
        return Ok(Some("no report of it is committed".to_owned()));
    };
    if current.version != outbox.version {
        let version = current.version;
        return Ok(Some(format!(
            "version {version} is in force and is not planned yet; nothing of version {} is sent",
            outbox.version
        )));
    }
    Ok(match notice::check(ports, key, &current, scratch).await? {
        NoticeCheck::Agree(_) => None,
        _ => Some("its payout notice does not agree with it".to_owned()),
    })
}

/// Brings every batch of an outbox as far as it goes now. Where one finds that Dintero takes nothing more until some time,
/// the others wait as long.
async fn work_through(
    ports: &Ports,
    client: &AccountClient<'_>,
    worker: Worker<'_>,
    outbox: &OutboxItem,
    pause: &mut Option<Timestamp>,
    posted: &mut Posted,
) -> Result<(), StepError> {
    let mut batches = batches_of(ports, &outbox.settlement).await?;
    batches.retain(|(id, _, _)| outbox.batches.contains(id));
    let mut may_send = switched_off(ports, worker.account).await?.is_none();
    if may_send
        && !batches.iter().all(|(_, item, _)| item.is_ended())
        && let Some(why) = withheld(ports, outbox, worker.scratch).await?
    {
        posted.withheld.push((outbox.settlement.clone(), why));
        may_send = false;
    }
    for (id, item, revision) in batches {
        let now = client.now();
        let lease_until = item.lease_until.filter(|_| !is_seeded(Defect::BatchLeaseIgnored));
        let waits = item.not_before.max(lease_until).is_some_and(|until| until > now);
        // The switch is looked at before every batch: it is there for the worst of days.
        let item = if !may_send || item.is_ended() || waits || switched_off(ports, worker.account).await?.is_some() {
            item
        } else if let Some(until) = *pause {
            hold_back(ports, &Place::batch(&outbox.settlement, &id), item, revision, until, now).await?
        } else {
            let lease_until = now.saturating_add(worker.lease).unwrap_or(now);
            let place = Place::batch(&outbox.settlement, &id);
            let before = item.clone();
            match (Sender { ports, client, place, item, revision, now, lease_until, pause: None }).run().await {
                Ok((item, until)) => {
                    *pause = until;
                    item
                }
                // Another worker took the batch: it is the one to bring it to an end.
                Err(StepError::Port(error)) if error.kind == PortErrorKind::Conflict => before,
                Err(error) => return Err(error),
            }
        };
        if may_send && !item.is_ended() {
            let next = item.not_before.max(item.lease_until).unwrap_or(now);
            posted.not_before = Some(posted.not_before.map_or(next, |first| first.min(next)));
        }
        posted.events.extend(item.events);
    }
    Ok(())
}

/// Lets a batch wait that nobody has taken up.
async fn hold_back(
    ports: &Ports,
    place: &Place,
    item: BatchItem,
    revision: u64,
    until: Timestamp,
    now: Timestamp,
) -> Result<BatchItem, StepError> {
    let held = BatchItem { not_before: Some(until), ..item.clone() };
    let entry = journal(place, revision + 1, now, Order::Posting, "waits with the batch before it".to_owned())?;
    match ports.state.transact(&[place.put(&held, Expect::Revision(revision))?, entry]).await {
        Err(error) if error.kind == PortErrorKind::Conflict => Ok(item),
        written => Ok(written.map(|()| held)?),
    }
}
