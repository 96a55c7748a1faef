//! Summarise: the month of an account as documents, in revisions.
//!
//! Only months that are over have revisions. What is known of a month is collected from state and lake in one piece: whoever changes
//! either meanwhile makes it begin again. Equal content is the revision that there is; other content is the next one, written beside
//! what stands, and counts once its record names it. Of two that make it at once one is named, and the other begins again.

mod collect;
mod content;
mod records;
mod write;

use std::path::PathBuf;

use documents::{Language, MonthContent, MonthSummary};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use settlement::{AccountId, Month};

use self::collect::Collected;
pub use self::records::{SummaryItem, SummaryRevision};
use self::write::digest_of;
use crate::StepError;
use crate::items::{Order, Place, journal};
use crate::keys::Key;
use crate::lake::{self, BuildLake};
use crate::ports::{Expect, PortErrorKind, Ports};

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

/// How a month stands to its summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthStanding {
    /// The month.
    pub month: Month,
    /// Digest of what is known of it.
    pub known: String,
    /// Digest of what its last revision says; `None` when it was never summarised.
    pub summarised: Option<String>,
}

/// Whether a month is over at that time, by the calendar of the zone.
pub fn is_over(month: Month, now: Timestamp, zone: &TimeZone) -> bool {
    Month::of(zone.to_datetime(now).date()) > month
}

/// The months that need a summary: over, and never summarised or changed since.
pub fn due(now: Timestamp, zone: &TimeZone, standings: &[MonthStanding]) -> Vec<Month> {
    let is_due = |standing: &&MonthStanding| standing.summarised.as_ref() != Some(&standing.known);
    let over = standings.iter().filter(|standing| is_over(standing.month, now, zone));
    over.filter(is_due).map(|standing| standing.month).collect()
}

/// Summarises the month, or every month that is due. Running it again changes nothing.
///
/// # Errors
/// `Busy` when what is known changes faster than it is collected, `Bridge` when the months do not come out even, else when a port, the
/// disk or a document fails.
pub async fn run(ports: &Ports, command: &Summarise) -> Result<Vec<Summarised>, StepError> {
    let collected = collected(ports, command).await?;
    let months = match command.month {
        Some(month) => vec![month],
        None => due(command.now, &collected.zone, &standings(ports, &collected).await?),
    };
    let mut summarised = Vec::with_capacity(months.len());
    for month in months {
        let content = collected.content(month)?;
        summarised.push(match is_over(month, command.now, &collected.zone) {
            true => revise(ports, command, &collected, month, content).await?,
            false => so_far(&collected, month, content),
        });
    }
    Ok(summarised)
}

/// How every month that anything is known of stands to its summary; the lake is brought up to date for it.
///
/// # Errors
/// As [`run`].
pub async fn months(ports: &Ports, command: &Summarise) -> Result<Vec<MonthStanding>, StepError> {
    standings(ports, &collected(ports, command).await?).await
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

/// What is known, with nothing changed between its first record and its last.
async fn collected(ports: &Ports, command: &Summarise) -> Result<Collected, StepError> {
    let (account, scratch) = (&command.account, &command.scratch);
    let what = || format!("The lake of account {account}");
    let build = BuildLake { account: account.clone(), now: command.now, lease: command.lease, scratch: scratch.clone(), all: false };
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

async fn standings(ports: &Ports, collected: &Collected) -> Result<Vec<MonthStanding>, StepError> {
    let mut standings = Vec::new();
    for month in collected.months() {
        let content = collected.content(month)?;
        let place = Place::month_summary(&collected.account.id, month);
        let last = place.read::<SummaryItem>(&*ports.state).await?;
        let summarised = last.and_then(|(item, _)| item.revisions.into_iter().next_back()).map(|last| last.content);
        if content != MonthContent::default() || summarised.is_some() {
            standings.push(MonthStanding { month, known: digest_of(&content)?, summarised });
        }
    }
    Ok(standings)
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
    collected.account.id.to_string()
}

/// The revision that says what is known: the last one, or the next.
async fn revise(
    ports: &Ports,
    command: &Summarise,
    collected: &Collected,
    month: Month,
    content: MonthContent,
) -> Result<Summarised, StepError> {
    let account = &command.account;
    let place = Place::month_summary(account, month);
    let digest = digest_of(&content)?;
    for _ in 0..TRIES_MAX {
        let known = place.read::<SummaryItem>(&*ports.state).await?;
        let (mut item, revision) = known.map_or((SummaryItem::default(), 0), |(item, revision)| (item, revision));
        let summary = match item.revisions.last() {
            Some(last) if last.content == digest => {
                let summary = write::read(ports, account, month, last).await?;
                return Ok(Summarised { summary, files: write::files(account, month, last), is_new: false });
            }
            Some(last) => {
                let before = write::read(ports, account, month, last).await?;
                before.followed_by(content.clone(), name_of(collected), collected.account.zone.clone())
            }
            None => MonthSummary { revision: 1, ..so_far(collected, month, content.clone()).summary },
        };
        let language = Language::of(&collected.account.language);
        let edition = write::edition_of(&summary, language)?;
        let made = SummaryRevision {
            revision: summary.revision,
            content: digest.clone(),
            edition,
            language: language.tag().to_owned(),
            changes_payouts: summary.changes_payouts(),
            made_at: command.now,
        };
        let files = write::write(ports, &summary, &made, language, &command.scratch).await?;
        let what = told(&summary);
        item.revisions.push(made);
        let expect = if revision == 0 { Expect::Absent } else { Expect::Revision(revision) };
        let writes =
            [place.put(&item, expect), journal(&place, revision + 1, command.now, Order::Last, what)];
        match ports.state.transact(&writes).await {
            Ok(()) => return Ok(Summarised { summary, files, is_new: true }),
            Err(error) if error.kind == PortErrorKind::Conflict => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StepError::Busy { what: format!("The summary of {month} of account {account}"), until: command.now })
}

fn told(summary: &MonthSummary) -> String {
    let MonthSummary { month, revision, content, differences, .. } = summary;
    let (payouts, apart) = (content.payouts.len(), content.apart.len());
    format!("{month} summarised in revision {revision}: {payouts} payouts, {apart} things apart, {} differences", differences.len())
}

/// The day that what was due in a month is told from: the first one behind it, whenever that is looked at.
fn day_behind(month: Month) -> Date {
    month.next().first_day()
}

#[cfg(test)]
mod tests;
