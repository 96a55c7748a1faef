//! The whole way of one object: parsed, reconciled, posted. Every step repeats safely, and so does the way.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use settlement::{AccountId, ReportId, Verdict};

use crate::StepError;
use crate::client::Dintero;
use crate::parse::{self, Outcome, ParseReport};
use crate::ports::Ports;
use crate::post::{self, PostReport, Posted};
use crate::reconcile::{self, ReconcileReport, Reconciled};

/// What became of an object on its way.
#[derive(Debug)]
pub struct Gone {
    /// What its parse came to.
    pub outcome: Outcome,
    /// Dintero reports of its settlements, and which of them do not flow on.
    pub reconciled: Reconciled,
    /// What Dintero was told, or why it could not be: the rest of the way is gone all the same.
    pub posted: Result<Posted, StepError>,
}

/// A report that goes on: what the step that parses it tells the step that reconciles it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoesOn {
    /// The account it was accepted for.
    #[serde(rename = "account_id")]
    pub account: AccountId,
    /// The report.
    #[serde(rename = "report_id")]
    pub report: ReportId,
}

/// An account whose mirror is behind: what the step that reconciles is told by the sweep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MirrorBehind {
    /// The account.
    #[serde(rename = "account_id")]
    pub account: AccountId,
    /// How far its mirror reached then; `None` when it was never begun.
    #[serde(rename = "mirror_reaches")]
    pub reaches: Option<Timestamp>,
}

/// An account of which something may be due: what the step that mails is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MayBeDue {
    /// The account.
    #[serde(rename = "account_id")]
    pub account: AccountId,
    /// Whether months that are over are summarised first.
    #[serde(default)]
    pub months: bool,
    /// What has to wait is gone on with until then; whatever is left is taken up by the next morning's message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// An upload that is to be read: what the step that parses is told where no notification told it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Uploaded {
    /// Its key below the landing bucket, as it is.
    #[serde(rename = "object_key")]
    pub key: String,
    /// Its version.
    #[serde(rename = "object_version")]
    pub version: String,
}

/// The report of an outcome that goes on to be reconciled; `None` where nothing may flow, or all of it did before.
pub fn goes_on(outcome: &Outcome) -> Option<ReportId> {
    // A duplicate goes on when it is the very report that was committed before.
    let counts = outcome.settlements.iter().any(|settlement| settlement.version.is_some());
    let flows = matches!(outcome.verdict, Verdict::Accepted | Verdict::Duplicate) && counts;
    outcome.report.filter(|_| flows)
}

/// Takes an object as far as it may go; Dintero is told where it can be reached and the account wants it.
///
/// # Errors
/// When the report cannot be read or its documents not be written; what was done before stays done.
pub async fn go(ports: &Ports, dintero: Option<&Dintero>, command: &ParseReport) -> Result<Gone, StepError> {
    let outcome = parse::run(ports, command).await?;
    let mut gone = Gone { outcome, reconciled: Reconciled::default(), posted: Ok(Posted::default()) };
    let Some(report) = goes_on(&gone.outcome) else { return Ok(gone) };
    let ParseReport { landing, now, lease, scratch, .. } = command;
    let command =
        PostReport { account: landing.account.clone(), report, now: *now, lease: *lease, scratch: scratch.clone() };
    (gone.reconciled, gone.posted) = follow(ports, dintero, &command).await?;
    Ok(gone)
}

/// Takes a report that counts as far as it may go: all that follows its parse.
///
/// # Errors
/// As [`go`].
pub async fn follow(
    ports: &Ports,
    dintero: Option<&Dintero>,
    command: &PostReport,
) -> Result<(Reconciled, Result<Posted, StepError>), StepError> {
    let PostReport { account, report, scratch, .. } = command;
    let reconcile = ReconcileReport { account: account.clone(), report: *report, scratch: scratch.clone() };
    let reconciled = reconcile::run(ports, &reconcile).await?;
    let posted = match dintero {
        Some(dintero) => post::run(ports, dintero, command).await,
        None => Ok(Posted::default()),
    };
    Ok((reconciled, posted))
}
