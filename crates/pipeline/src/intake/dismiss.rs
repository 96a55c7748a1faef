//! Dismiss: a person decides that nothing is to be done with a held report.

use jiff::Timestamp;
use settlement::{AccountId, Kind, ReportId, Verdict};
use store::{Expect, Order, Place, Release, ReportItem, ReportState, journal};

use crate::{Ports, StepError};

/// Let a held report rest, or take that back.
#[derive(Debug, Clone)]
pub struct DismissReport {
    /// The account it was sent to.
    pub account: AccountId,
    /// The report.
    pub report: ReportId,
    /// Who says so, and why.
    pub decision: Release,
    /// The time.
    pub now: Timestamp,
}

/// Marks a held report as dismissed: it is listed, mailed and counted no more. Doing it again changes nothing.
///
/// # Errors
/// When there is no such report, it is not held, or the state cannot answer.
pub async fn dismiss(ports: &Ports, command: &DismissReport) -> Result<ReportItem, StepError> {
    let (item, revision) = read(ports, command).await?;
    if let ReportState::Dismissed { .. } = item.state {
        return Ok(item);
    }
    let Some(kind) = item.state.held_kind() else {
        return Err(not_held(&item, "a held report"));
    };
    let Release { by, why } = command.decision.clone();
    let what = format!("DISMISSED by {by}: {why}");
    write(ports, command, ReportItem { state: ReportState::Dismissed { kind, by, why }, ..item }, revision, what).await
}

/// Holds a dismissed report again, for the reason it was held for.
///
/// # Errors
/// When there is no such report, it is not dismissed, or the state cannot answer.
pub async fn reopen(ports: &Ports, command: &DismissReport) -> Result<ReportItem, StepError> {
    let (item, revision) = read(ports, command).await?;
    let ReportState::Dismissed { kind, .. } = &item.state else {
        return Err(not_held(&item, "a dismissed report"));
    };
    let state = match kind {
        None => ReportState::Crashed,
        Some(kind) => held_for(*kind),
    };
    let Release { by, why } = &command.decision;
    let what = format!("{} again, reopened by {by}: {why}", state.word());
    write(ports, command, ReportItem { state, ..item }, revision, what).await
}

/// The state of a report that is held for that reason.
pub(crate) fn held_for(kind: Kind) -> ReportState {
    match kind.verdict() {
        Verdict::Rejected => ReportState::Rejected { kind },
        _ => ReportState::Quarantined { kind },
    }
}

async fn read(ports: &Ports, command: &DismissReport) -> Result<(ReportItem, u64), StepError> {
    let found = Place::report(command.report, &command.account).read::<ReportItem>(&*ports.state).await?;
    found.ok_or_else(|| {
        let (report, account) = (command.report.short(), &command.account);
        StepError::Refused(format!("Found no report {report} of account {account}"))
    })
}

fn not_held(item: &ReportItem, expected: &str) -> StepError {
    StepError::Refused(format!("Report {} is {}, expected {expected}", item.report.short(), item.state.word()))
}

async fn write(
    ports: &Ports,
    command: &DismissReport,
    item: ReportItem,
    revision: u64,
    what: String,
) -> Result<ReportItem, StepError> {
    let place = Place::report(command.report, &command.account);
    let writes = [
        place.put(&item, Expect::Revision(revision))?,
        journal(&place, revision + 1, command.now, Order::First, what)?,
    ];
    ports.state.transact(&writes).await?;
    Ok(item)
}
