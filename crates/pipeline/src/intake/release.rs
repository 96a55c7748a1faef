//! Release: a person lets a report through that brings other content for a known settlement.

use jiff::Timestamp;
use settlement::{AccountId, Kind, ReportId};
use store::{Expect, Order, Place, Release, ReportItem, ReportState, journal};

use crate::{Ports, StepError};

/// Let that report make new versions of its settlements.
#[derive(Debug, Clone)]
pub struct ReleaseReport {
    /// The account it was sent to.
    pub account: AccountId,
    /// The report.
    pub report: ReportId,
    /// Who says so, and why.
    pub release: Release,
    /// The time.
    pub now: Timestamp,
}

/// Marks the report as released and gives its record, so that it can be parsed again.
///
/// # Errors
/// When there is no such report, or it is held for another reason than a conflict: nothing else can be released.
pub async fn run(ports: &Ports, command: &ReleaseReport) -> Result<ReportItem, StepError> {
    let place = Place::report(command.report, &command.account);
    let Some((item, revision)) = place.read::<ReportItem>(&*ports.state).await? else {
        let (report, account) = (command.report.short(), &command.account);
        return Err(StepError::Refused(format!("Found no report {report} of account {account}")));
    };
    match &item.state {
        ReportState::Quarantined { kind: Kind::SettlementConflict }
        | ReportState::Dismissed { kind: Some(Kind::SettlementConflict), .. } => {}
        // A release that was marked and not yet read is complete as it is.
        ReportState::Released => return Ok(item),
        state => {
            let message = format!(
                "Report {} is {}, expected QUARANTINED(SettlementConflict): nothing else can be released",
                item.report.short(),
                state.word()
            );
            return Err(StepError::Refused(message));
        }
    }
    let release = command.release.clone();
    let what = format!("RELEASED by {}: {}", release.by, release.why);
    let item = ReportItem { state: ReportState::Released, release: Some(release), ..item };
    let writes = [
        place.put(&item, Expect::Revision(revision))?,
        journal(&place, revision + 1, command.now, Order::First, what)?,
    ];
    ports.state.transact(&writes).await?;
    Ok(item)
}
