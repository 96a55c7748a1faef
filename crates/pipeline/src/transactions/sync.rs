//! Sync: the mirror of an account's transactions follows Dintero, day by day, as far as there is time.
//!
//! Captures and refunds between `from` and `until` of the account's record are in the mirror. A run reads the last two days
//! before `until` once more, since what happens late is listed late, then goes on to now; a run that is cut off, or asked to
//! wait, is gone on with by the next.

use std::path::{Path, PathBuf};

use dintero::TransactionFilter;
use jiff::{SignedDuration, Timestamp};
use settlement::{AccountId, Defect, is_seeded};
use store::{Expect, Order, Place, PortErrorKind, SyncItem, journal};

use crate::transactions::client::{AccountClient, Dintero};
use crate::transactions::mirror;
use crate::{Ports, StepError};

/// What is read at a time: the transactions of so long are in memory.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// What is read again by every run.
const AGAIN: SignedDuration = SignedDuration::from_hours(48);

/// The first run begins so long ago, unless it is told otherwise.
const FIRST: SignedDuration = SignedDuration::from_hours(62 * 24);

/// Bring the mirror of an account's transactions up to date.
#[derive(Debug, Clone)]
pub struct SyncTransactions {
    /// The account.
    pub account: AccountId,
    /// How far back the mirror must reach, where more is wanted than there is.
    pub from: Option<Timestamp>,
    /// The time.
    pub now: Timestamp,
    /// Nothing new begins after this time.
    pub deadline: Timestamp,
    /// A directory for temporary files.
    pub scratch: PathBuf,
}

/// How far a run came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synced {
    /// How far the mirror reaches; `None` when not even the first day could be read.
    pub reaches: Option<SyncItem>,
    /// Days of the mirror that changed.
    pub days_changed: usize,
    /// When to go on; `None` when all was read.
    pub go_on_at: Option<Timestamp>,
}

/// Reads what was captured and refunded since the last run, and before it where that is asked for.
///
/// # Errors
/// When a port fails; what was read before is kept, and the next run goes on from there.
pub async fn run(ports: &Ports, dintero: &Dintero, command: &SyncTransactions) -> Result<Synced, StepError> {
    let client = dintero.account(&command.account)?;
    let place = Place::sync(&command.account);
    let record = place.read::<SyncItem>(&*ports.state).await?;
    let mut sync = Sync { ports, client, command, place, record, days_changed: 0 };
    let go_on_at = match sync.go_on().await {
        Ok(is_complete) => (!is_complete).then_some(sync.client.now()),
        Err(StepError::Later { until, .. }) => Some(until),
        Err(error) => return Err(error),
    };
    Ok(Synced { reaches: sync.record.map(|(item, _)| item), days_changed: sync.days_changed, go_on_at })
}

struct Sync<'a> {
    ports: &'a Ports,
    client: AccountClient<'a>,
    command: &'a SyncTransactions,
    place: Place,
    record: Option<(SyncItem, u64)>,
    days_changed: usize,
}

impl Sync<'_> {
    /// Whether all was read before the deadline.
    async fn go_on(&mut self) -> Result<bool, StepError> {
        let now = self.command.now;
        let begin = match &self.record {
            Some((item, _)) => {
                before(item.until, if is_seeded(Defect::SyncWithoutOverlap) { SignedDuration::ZERO } else { AGAIN })
            }
            None => self.command.from.unwrap_or(before(now, FIRST)),
        };
        let mut begin = begin.min(now);
        while begin < now {
            let end = after(begin, WINDOW).min(now);
            if !self.window(begin, end).await? {
                return Ok(false);
            }
            let item = match &self.record {
                Some((item, _)) => SyncItem { until: item.until.max(end), ..item.clone() },
                None => SyncItem { from: begin, until: end },
            };
            self.save(item).await?;
            begin = end;
        }
        while let Some(item) = self.earlier() {
            let start = before(item.from, WINDOW).max(self.command.from.unwrap_or(item.from));
            if !self.window(start, item.from).await? {
                return Ok(false);
            }
            self.save(SyncItem { from: start, ..item }).await?;
        }
        Ok(true)
    }

    /// The record, when the mirror does not reach as far back as it is asked to.
    fn earlier(&self) -> Option<SyncItem> {
        let (item, _) = self.record.as_ref()?;
        self.command.from.is_some_and(|from| from < item.from).then(|| item.clone())
    }

    /// Reads one window, unless the time is over.
    async fn window(&mut self, begin: Timestamp, end: Timestamp) -> Result<bool, StepError> {
        if self.client.now() >= self.command.deadline {
            return Ok(false);
        }
        let SyncTransactions { account, scratch, .. } = self.command;
        self.days_changed += between(self.ports, &self.client, account, begin, end, scratch).await?;
        Ok(true)
    }

    async fn save(&mut self, item: SyncItem) -> Result<(), StepError> {
        let revision = self.record.as_ref().map_or(0, |(_, revision)| *revision);
        if self.record.as_ref().is_some_and(|(known, _)| *known == item) {
            return Ok(());
        }
        let expect = if revision == 0 { Expect::Absent } else { Expect::Revision(revision) };
        let what = format!("transactions from {} until {} are known", item.from, item.until);
        let entry = journal(&self.place, revision + 1, self.command.now, Order::First, what)?;
        match self.ports.state.transact(&[self.place.put(&item, expect)?, entry]).await {
            Ok(()) => {
                self.record = Some((item, revision + 1));
                Ok(())
            }
            Err(error) if error.kind == PortErrorKind::Conflict => {
                let until = self.client.now();
                Err(StepError::Busy { what: format!("The mirror of account {}", self.command.account), until })
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Reads what was captured or refunded between two times into the mirror; gives how many days of it changed.
///
/// # Errors
/// When Dintero or a port fails; reading again changes nothing.
pub(crate) async fn between(
    ports: &Ports,
    client: &AccountClient<'_>,
    account: &AccountId,
    begin: Timestamp,
    end: Timestamp,
    scratch: &Path,
) -> Result<usize, StepError> {
    let mut found = Vec::new();
    for filter in [TransactionFilter::CapturedBetween(begin, end), TransactionFilter::RefundedBetween(begin, end)] {
        client.transactions(&filter, |transaction| found.push(transaction)).await?;
        if is_seeded(Defect::SyncWithoutRefunds) {
            break;
        }
    }
    mirror::merge(ports, account, found, scratch).await
}

fn before(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.saturating_sub(span).unwrap_or(at)
}

fn after(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.saturating_add(span).unwrap_or(at)
}
