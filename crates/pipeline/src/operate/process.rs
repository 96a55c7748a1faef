//! One upload through all steps: parsed, its Dintero reports written, posted. Every step repeats safely, and so does this.

use std::collections::{BTreeSet, VecDeque};

use settlement::{ReportId, Verdict};

use crate::intake::parse::{self, Outcome, ParseReport};
use crate::intake::upload::{MadeUpload, Origin};
use crate::posting::post::{self, PostReport, Posted};
use crate::reports::dintero_report::{self, WriteReports, WrittenReports};
use crate::transactions::client::Dintero;
use crate::{Ports, StepError};

/// What became of an upload.
#[derive(Debug)]
pub struct Processed {
    /// What its parse came to.
    pub outcome: Outcome,
    /// Dintero reports of its settlements, and which of them do not flow on.
    pub reports: WrittenReports,
    /// What Dintero was told, or why it could not be: the report is processed all the same.
    pub posted: Result<Posted, StepError>,
    /// What became of the reports that it was found to hold or to complete.
    pub made: Vec<MadeReport>,
}

/// What became of a report that a step has made.
#[derive(Debug)]
pub struct MadeReport {
    /// Its file name.
    pub name: String,
    /// What it was made of.
    pub origin: Origin,
    /// What became of it.
    pub processed: Processed,
}

/// The committed report of an outcome; `None` where nothing was committed.
pub fn ready_report(outcome: &Outcome) -> Option<ReportId> {
    // A duplicate may be the very report that was committed before.
    let is_committed = outcome.settlements.iter().any(|settlement| settlement.version.is_some());
    let flows = matches!(outcome.verdict, Verdict::Accepted | Verdict::Duplicate) && is_committed;
    outcome.report.filter(|_| flows)
}

/// Takes an object as far as it may go, and each report that it makes; Dintero is told where it can be reached and the
/// account wants it.
///
/// # Errors
/// When a report cannot be read or its documents not be written; what was done before stays done.
pub async fn process_upload(
    ports: &Ports,
    dintero: Option<&Dintero>,
    command: &ParseReport,
) -> Result<Processed, StepError> {
    let mut processed = process_alone(ports, dintero, command).await?;
    let mut uploads: VecDeque<MadeUpload> = processed.outcome.uploads.iter().cloned().collect();
    let mut seen = BTreeSet::new();
    while let Some(MadeUpload { landing, version, origin }) = uploads.pop_front() {
        if !seen.insert(landing.clone()) {
            continue;
        }
        let name = landing.name.clone();
        let command = ParseReport { landing, version, ..command.clone() };
        let part = process_alone(ports, dintero, &command).await?;
        uploads.extend(part.outcome.uploads.iter().cloned());
        processed.made.push(MadeReport { name, origin, processed: part });
    }
    Ok(processed)
}

async fn process_alone(
    ports: &Ports,
    dintero: Option<&Dintero>,
    command: &ParseReport,
) -> Result<Processed, StepError> {
    let outcome = parse::run(ports, command).await?;
    let (reports, posted) = (WrittenReports::default(), Ok(Posted::default()));
    let mut processed = Processed { outcome, reports, posted, made: Vec::new() };
    let Some(report) = ready_report(&processed.outcome) else { return Ok(processed) };
    let ParseReport { landing, now, lease, scratch, .. } = command;
    let command =
        PostReport { account: landing.account.clone(), report, now: *now, lease: *lease, scratch: scratch.clone() };
    (processed.reports, processed.posted) = after_commit(ports, dintero, &command).await?;
    Ok(processed)
}

/// Takes a committed report as far as it may go: all that follows its parse.
///
/// # Errors
/// As [`process_upload`].
pub async fn after_commit(
    ports: &Ports,
    dintero: Option<&Dintero>,
    command: &PostReport,
) -> Result<(WrittenReports, Result<Posted, StepError>), StepError> {
    let PostReport { account, report, scratch, .. } = command;
    let reconcile = WriteReports { account: account.clone(), report: *report, scratch: scratch.clone() };
    let reconciled = dintero_report::write_reports(ports, &reconcile).await?;
    let posted = match dintero {
        Some(dintero) => post::run(ports, dintero, command).await,
        None => Ok(Posted::default()),
    };
    Ok((reconciled, posted))
}
