//! Summarise: the month of an account as documents, in revisions.
//!
//! Only months that are over have revisions. What is known of a month is collected from state and lake in one piece: whoever changes
//! either meanwhile makes it begin again. Equal content is the revision that there is; other content is the next one, written beside
//! what stands, and is in force once its record names it. Of two that make it at once one is named, and the other begins again.

mod collect;
mod content;
mod write;

use std::collections::BTreeMap;
use std::path::PathBuf;

use documents::{Language, MonthContent, MonthSummary};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use settlement::{AccountId, Month};
use store::keys::Key;
use store::{Expect, Order, Place, PortErrorKind, Query, journal, summarised_month};

use self::collect::Collected;
use self::write::digest_of;
use crate::lake::{self, BuildLake};
use crate::{Ports, StepError};
use store::{SummaryItem, SummaryRevision};

/// What is collected may change under the summariser this often, and others may write the same month this often.
const TRIES_MAX: usize = 8;

/// Summarise months of an account.
#[derive(Debug, Clone)]
pub struct Summarise {
    /// The account.
    pub account: AccountId,
    /// The month; every month that is due where none is said.
    pub month: Option<Month>,
    /// The time.
    pub now: Timestamp,
    /// How long nobody else may build the lake, which is brought up to date first.
    pub lease: SignedDuration,
    /// A directory for temporary files.
    pub scratch: PathBuf,
}

/// A month that is summarised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summarised {
    /// The summary as it was written; of revision 0, and not written, while its month is not over.
    pub summary: MonthSummary,
    /// Where its forms lie.
    pub files: Vec<Key>,
    /// Whether this revision was made now.
    pub is_new: bool,
}

/// Digests of a month's figures, now and when it was last summarised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthDigests {
    /// The month.
    pub month: Month,
    /// Digest of its figures now.
    pub known: String,
    /// Digest of its last revision; `None` when it was never summarised.
    pub summarised: Option<String>,
}

/// Whether a month is over at that time, by the calendar of the zone.
pub fn is_over(month: Month, now: Timestamp, zone: &TimeZone) -> bool {
    Month::of(zone.to_datetime(now).date()) > month
}

/// The months that need a summary: over, and never summarised or changed since.
pub fn due(now: Timestamp, zone: &TimeZone, digests: &[MonthDigests]) -> Vec<Month> {
    let is_due = |digests: &&MonthDigests| digests.summarised.as_ref() != Some(&digests.known);
    let over = digests.iter().filter(|digests| is_over(digests.month, now, zone));
    over.filter(is_due).map(|digests| digests.month).collect()
}

/// Summarises the month, or every month that is due. Running it again changes nothing.
///
/// # Errors
/// `Busy` when what is known changes faster than it is collected, `Bridge` when the months do not come out even, else when a port, the
/// disk or a document fails.
pub async fn run(ports: &Ports, command: &Summarise) -> Result<Vec<Summarised>, StepError> {
    let mut done: BTreeMap<Month, Summarised> = BTreeMap::new();
    for _ in 0..TRIES_MAX {
        // Read before anything is collected: what is collected is then not older than any revision that it follows.
        let known = revisions(ports, &command.account).await?;
        let collected = collected(ports, command).await?;
        let months = match command.month {
            Some(month) => vec![month],
            None => due(command.now, &collected.zone, &digests(&collected, &known)?),
        };
        let mut is_overtaken = false;
        for month in months {
            let content = collected.content(month)?;
            let made = match is_over(month, command.now, &collected.zone) {
                true => revise(ports, command, &collected, known.get(&month), month, content).await?,
                false => Some(so_far(&collected, month, content)),
            };
            is_overtaken |= made.is_none();
            done.extend(made.map(|made| (month, made)));
        }
        if !is_overtaken {
            return Ok(done.into_values().collect());
        }
    }
    Err(StepError::Busy { what: format!("The months of account {}", command.account), until: command.now })
}

/// How every month that anything is known of stands to its summary; the lake is brought up to date for it.
///
/// # Errors
/// As [`run`].
pub async fn months(ports: &Ports, command: &Summarise) -> Result<Vec<MonthDigests>, StepError> {
    let known = revisions(ports, &command.account).await?;
    digests(&collected(ports, command).await?, &known)
}

/// The last revision of a month as it was written; `None` when there is none.
///
/// # Errors
/// When a port fails, or what was written cannot be read.
pub async fn last(ports: &Ports, account: &AccountId, month: Month) -> Result<Option<Summarised>, StepError> {
    let item = Place::month_summary(account, month).read::<SummaryItem>(&*ports.state).await?;
    let Some(last) = item.and_then(|(item, _)| item.revisions.into_iter().next_back()) else { return Ok(None) };
    let summary = write::read(ports, account, month, &last).await?;
    Ok(Some(Summarised { summary, files: write::files(account, month, &last), is_new: false }))
}

/// A revision that was written, as it was written.
///
/// # Errors
/// When a port fails, there is no such revision, or what was written cannot be read.
pub async fn revision(ports: &Ports, account: &AccountId, month: Month, number: u32) -> Result<Summarised, StepError> {
    let item = Place::month_summary(account, month).read::<SummaryItem>(&*ports.state).await?;
    let mut revisions = item.into_iter().flat_map(|(item, _)| item.revisions);
    let Some(known) = revisions.find(|revision| revision.revision == number) else {
        return Err(StepError::Refused(format!("Found no revision {number} of the summary of {month}")));
    };
    let summary = write::read(ports, account, month, &known).await?;
    Ok(Summarised { summary, files: write::files(account, month, &known), is_new: false })
}

/// The months that are summarised, each with its newest revision that changes a sum of payouts.
///
/// # Errors
/// When the state cannot answer.
pub async fn newest_revisions(ports: &Ports, account: &AccountId) -> Result<Vec<(Month, u32)>, StepError> {
    let mut found = Vec::new();
    for item in store::all(&*ports.state, Query::month_summaries(account)).await? {
        let SummaryItem { revisions } = store::decode(&item)?;
        let month = summarised_month(&item)?;
        let newest = revisions.iter().rfind(|revision| revision.revision == 1 || revision.changes_payouts);
        found.extend(newest.map(|revision| (month, revision.revision)));
    }
    Ok(found)
}

/// What is known, with nothing changed between its first record and its last.
async fn collected(ports: &Ports, command: &Summarise) -> Result<Collected, StepError> {
    let (account, scratch) = (&command.account, &command.scratch);
    let what = || format!("The lake of account {account}");
    let build = BuildLake {
        account: account.clone(),
        now: command.now,
        lease: command.lease,
        scratch: scratch.clone(),
        all: false,
    };
    for _ in 0..TRIES_MAX {
        let built = lake::run(ports, &build).await?;
        if let Some(error) = built.no_bridge {
            return Err(error.into());
        }
        let before = collect::snapshot(ports, account).await?;
        if built.is_unfinished || before.is_dirty {
            continue;
        }
        let collected = Collected::read(ports, account, command.now, scratch).await?;
        if collect::snapshot(ports, account).await? == before {
            return Ok(collected);
        }
    }
    Err(StepError::Busy { what: what(), until: command.now })
}

/// The summaries of an account by month, with the revisions of their records.
async fn revisions(ports: &Ports, account: &AccountId) -> Result<BTreeMap<Month, (SummaryItem, u64)>, StepError> {
    let mut known = BTreeMap::new();
    for item in store::all(&*ports.state, Query::month_summaries(account)).await? {
        known.insert(summarised_month(&item)?, (store::decode(&item)?, item.revision));
    }
    Ok(known)
}

fn digests(
    collected: &Collected,
    revisions: &BTreeMap<Month, (SummaryItem, u64)>,
) -> Result<Vec<MonthDigests>, StepError> {
    let mut digests = Vec::new();
    for month in collected.months() {
        let content = collected.content(month)?;
        let last = revisions.get(&month).and_then(|(item, _)| item.revisions.last());
        let summarised = last.map(|last| last.content.clone());
        if content != MonthContent::default() || summarised.is_some() {
            digests.push(MonthDigests { month, known: digest_of(&content)?, summarised });
        }
    }
    Ok(digests)
}

fn so_far(collected: &Collected, month: Month, content: MonthContent) -> Summarised {
    let account = &collected.account;
    let summary = MonthSummary {
        account: account.id.clone(),
        name: name_of(collected),
        month,
        zone: account.zone.clone(),
        revision: 0,
        content,
        differences: Vec::new(),
    };
    Summarised { summary, files: Vec::new(), is_new: false }
}

/// What the account is called.
fn name_of(collected: &Collected) -> String {
    collected.account.name.clone().unwrap_or_else(|| collected.account.id.to_string())
}

/// The revision that says what is known: the last one, or the next; `None` when somebody else has written one meanwhile.
async fn revise(
    ports: &Ports,
    command: &Summarise,
    collected: &Collected,
    known: Option<&(SummaryItem, u64)>,
    month: Month,
    content: MonthContent,
) -> Result<Option<Summarised>, StepError> {
    let account = &command.account;
    let place = Place::month_summary(account, month);
    let digest = digest_of(&content)?;
    let (mut item, revision) = known.cloned().unwrap_or_default();
    let summary = match item.revisions.last() {
        Some(last) if last.content == digest => {
            let summary = write::read(ports, account, month, last).await?;
            return Ok(Some(Summarised { summary, files: write::files(account, month, last), is_new: false }));
        }
        Some(last) => {
            let before = write::read(ports, account, month, last).await?;
            before.followed_by(content, name_of(collected), collected.account.zone.clone())
        }
        None => MonthSummary { revision: 1, ..so_far(collected, month, content).summary },
    };
    let language = Language::of(&collected.account.language);
    let edition = write::edition_of(&summary, language)?;
    let made = SummaryRevision {
        revision: summary.revision,
        content: digest,
        edition,
        language: language.tag().to_owned(),
        changes_payouts: summary.changes_payouts(),
        made_at: command.now,
    };
    let files = write::write(ports, &summary, &made, language, &command.scratch).await?;
    let what = noted(&summary);
    item.revisions.push(made);
    let expect = if revision == 0 { Expect::Absent } else { Expect::Revision(revision) };
    let writes = [place.put(&item, expect)?, journal(&place, revision + 1, command.now, Order::Last, what)?];
    match ports.state.transact(&writes).await {
        Ok(()) => Ok(Some(Summarised { summary, files, is_new: true })),
        Err(error) if error.kind == PortErrorKind::Conflict => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn noted(summary: &MonthSummary) -> String {
    let MonthSummary { month, revision, content, differences, .. } = summary;
    let (payouts, apart) = (content.payouts.len(), content.apart.len());
    format!(
        "{month} summarised in revision {revision}: {payouts} payouts, {apart} things apart, {} differences",
        differences.len()
    )
}

/// The day from which overdue money of a month is reported: the first day after the month.
fn day_after(month: Month) -> Date {
    month.next().first_day()
}

#[cfg(test)]
mod tests;
