//! Listing: an account's settlements as they stand, and its reports that are held, page by page, from the state alone.
//!
//! A page looks at no more than a bounded number of records, so that it may be short, or empty, before the end; only the
//! absence of a cursor says that nothing follows.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use settlement::{AccountId, Kind, Proof, SettleKey, Settlement};
use store::{HeldItem, Item, NoticeItem, Pager, Place, Query, ReportItem, SettlementVersion};

use crate::current::versions::Versions;
use crate::{Ports, StepError};

/// A page has at most so many entries.
pub const LISTED_MAX: usize = 100;

/// A page looks at no more records than these, whatever is asked for.
const LOOKED_AT_MAX: usize = 1_000;

/// How an entry of the list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ListedState {
    /// A settlement that is proved to its payout, by its report or together with its notice.
    Exact,
    /// A settlement whose report states no fees or payout, and nobody has told them yet.
    WaitsForNotice,
    /// A settlement with a notice that can be held against it by its lines alone; its figures are those of its report.
    Noticed,
    /// A settlement that its notice contradicts, so that neither is proved.
    Disagrees,
    /// A report that is held, with whatever settlements it may hold.
    Held,
}

impl ListedState {
    /// Every state.
    pub const ALL: &'static [ListedState] = &[
        ListedState::Exact,
        ListedState::WaitsForNotice,
        ListedState::Noticed,
        ListedState::Disagrees,
        ListedState::Held,
    ];

    /// The word in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            ListedState::Exact => "EXACT",
            ListedState::WaitsForNotice => "WAITS_FOR_NOTICE",
            ListedState::Noticed => "NOTICED",
            ListedState::Disagrees => "DISAGREES",
            ListedState::Held => "HELD",
        }
    }
}

/// Where a page ended: settlements come before held reports, each in the order of their records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cursor {
    /// After the settlement with that sort key.
    Settlement(String),
    /// After the held report with that sort key.
    Held(String),
}

/// A cursor that no page ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Found a cursor that no page ended with, expected the one of the page before")]
pub struct BadCursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cursor::Settlement(sort) => write!(f, "settlement:{sort}"),
            Cursor::Held(sort) => write!(f, "held:{sort}"),
        }
    }
}

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        match text.split_once(':').filter(|(_, sort)| sort.len() <= 1_024) {
            Some(("settlement", sort)) => Ok(Cursor::Settlement(sort.to_owned())),
            Some(("held", sort)) => Ok(Cursor::Held(sort.to_owned())),
            _ => Err(BadCursor),
        }
    }
}

/// List what an account has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListSettlements {
    /// The account.
    pub account: AccountId,
    /// Paid out on that day or later. Held reports have no day that can be trusted, so that days leave them in.
    pub from: Option<Date>,
    /// Paid out on that day or earlier.
    pub to: Option<Date>,
    /// Of that provider alone.
    pub provider: Option<String>,
    /// In that state alone.
    pub state: Option<ListedState>,
    /// At most so many entries, and never more than [`LISTED_MAX`].
    pub limit: usize,
    /// Where the page before ended.
    pub cursor: Option<Cursor>,
}

/// One page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listed {
    /// Settlements in the version in force.
    pub settlements: Vec<ListedSettlement>,
    /// Reports that are held.
    pub held: Vec<HeldReport>,
    /// Where to go on; `None` at the end.
    pub cursor: Option<Cursor>,
}

/// A settlement in the version in force.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedSettlement {
    /// Names it.
    pub key: SettleKey,
    /// How it stands.
    pub state: ListedState,
    /// Its version and the report that brought it; the settlement has fees and payout as its notice makes them.
    pub version: SettlementVersion,
}

/// A report that is held.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldReport {
    /// What became of it.
    pub report: ReportItem,
    /// What the first error is.
    pub kind: Kind,
    /// When it came to be held.
    pub held_at: Timestamp,
}

/// Lists a page; nothing is changed.
///
/// # Errors
/// When the state cannot answer.
pub async fn run(ports: &Ports, command: &ListSettlements) -> Result<Listed, StepError> {
    let mut listing = Listing {
        ports,
        command,
        versions: Versions::new(ports, &command.account),
        listed: Listed::default(),
        looked_at: 0,
    };
    let wants_held = command.state.is_none_or(|state| state == ListedState::Held);
    let wants_settlements = command.state != Some(ListedState::Held);
    let (after_settlement, after_held) = match &command.cursor {
        None => (Some(""), ""),
        Some(Cursor::Settlement(sort)) => (Some(sort.as_str()), ""),
        Some(Cursor::Held(sort)) => (None, sort.as_str()),
    };
    if let Some(after) = after_settlement.filter(|_| wants_settlements) {
        listing.listed.cursor = listing.settlements(after).await?;
    }
    if wants_held && listing.listed.cursor.is_none() {
        listing.listed.cursor = listing.held(after_held).await?;
    }
    Ok(listing.listed)
}

struct Listing<'a> {
    ports: &'a Ports,
    command: &'a ListSettlements,
    versions: Versions<'a>,
    listed: Listed,
    looked_at: usize,
}

impl<'a> Listing<'a> {
    fn is_full(&self) -> bool {
        let entries = self.listed.settlements.len() + self.listed.held.len();
        entries >= self.command.limit.min(LISTED_MAX) || self.looked_at >= LOOKED_AT_MAX
    }

    /// Lists settlements after that sort key, until the page is full.
    async fn settlements(&mut self, after: &str) -> Result<Option<Cursor>, StepError> {
        let ListSettlements { account, provider, .. } = self.command;
        let prefix = provider.as_ref().map_or_else(String::new, |provider| format!("{provider}/"));
        let query = Query { prefix, ..Query::settlements(account) };
        let mut records = self.pager(query, after);
        let mut after = after.to_owned();
        loop {
            if self.is_full() {
                return Ok(Some(Cursor::Settlement(after)));
            }
            let Some(item) = records.next().await? else { return Ok(None) };
            self.looked_at += 1;
            if let Some(found) = self.settlement(&item).await? {
                self.listed.settlements.push(found);
            }
            after = item.sort;
        }
    }

    /// The version of a settlement in force, when it is one that is asked for.
    async fn settlement(&mut self, item: &Item) -> Result<Option<ListedSettlement>, StepError> {
        let ListSettlements { from, to, state: wanted, .. } = self.command;
        let (key, Some(version)) = self.versions.of_item(item).await? else { return Ok(None) };
        let payout_on = version.settlement.head.payout_on;
        if from.is_some_and(|from| payout_on < from) || to.is_some_and(|to| payout_on > to) {
            return Ok(None);
        }
        let notice = Place::notice(&key).read::<NoticeItem>(&*self.ports.state).await?;
        let (state, settlement) = stands(version.settlement, notice.map(|(item, _)| item).as_ref());
        let is_wanted = wanted.is_none_or(|wanted| wanted == state);
        let version = SettlementVersion { settlement, ..version };
        Ok(is_wanted.then_some(ListedSettlement { key, state, version }))
    }

    fn pager(&self, query: Query, after: &str) -> Pager<'a> {
        let cursor = (!after.is_empty()).then(|| after.to_owned());
        Pager::new(&*self.ports.state, Query { limit: LISTED_MAX, cursor, ..query })
    }

    /// Lists held reports after that sort key, until the page is full.
    async fn held(&mut self, after: &str) -> Result<Option<Cursor>, StepError> {
        let ListSettlements { account, provider, .. } = self.command;
        let mut records = self.pager(Query::held(account), after);
        let mut after = after.to_owned();
        loop {
            if self.is_full() {
                return Ok(Some(Cursor::Held(after)));
            }
            let Some(item) = records.next().await? else { return Ok(None) };
            self.looked_at += 1;
            let HeldItem { report, at, .. } = store::decode(&item)?;
            let found = Place::report(report, account).read::<ReportItem>(&*self.ports.state).await?;
            let found = found
                .map(|(report, _)| report)
                .filter(|report| provider.as_ref().is_none_or(|provider| *provider == report.provider));
            if let Some((report, kind)) = found.and_then(|report| report.state.held_kind().map(|kind| (report, kind))) {
                self.listed.held.push(HeldReport { report, kind: kind.unwrap_or(Kind::Crashed), held_at: at });
            }
            after = item.sort;
        }
    }
}

/// How a settlement stands beside its notice, and its figures as the two make them.
fn stands(settlement: Settlement, notice: Option<&NoticeItem>) -> (ListedState, Settlement) {
    match notice.map(|item| &item.notice) {
        None if settlement.proof == Proof::Exact => (ListedState::Exact, settlement),
        None => (ListedState::WaitsForNotice, settlement),
        Some(notice) if !notice.elsewhere.is_empty() => (ListedState::Noticed, settlement),
        Some(notice) => match notice.confirm(&settlement, &[]) {
            Ok(confirmed) => (ListedState::Exact, confirmed.settlement),
            Err(_) => (ListedState::Disagrees, settlement),
        },
    }
}
