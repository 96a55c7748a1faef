//! The whole way of one object: parsed, reconciled, posted. Every step repeats safely, and so does the way.

use settlement::Verdict;

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

/// Takes an object as far as it may go; Dintero is told where it can be reached and the account wants it.
///
/// # Errors
/// When the report cannot be read or its documents not be written; what was done before stays done.
pub async fn go(ports: &Ports, dintero: Option<&Dintero>, command: &ParseReport) -> Result<Gone, StepError> {
    let outcome = parse::run(ports, command).await?;
    let mut gone = Gone { outcome, reconciled: Reconciled::default(), posted: Ok(Posted::default()) };
    let outcome = &gone.outcome;
    // A duplicate goes on when it is the very report that was committed before.
    let counts = outcome.settlements.iter().any(|settlement| settlement.version.is_some());
    let flows = matches!(outcome.verdict, Verdict::Accepted | Verdict::Duplicate) && counts;
    let Some(report) = outcome.report.filter(|_| flows) else { return Ok(gone) };
    let ParseReport { landing, now, lease, scratch, .. } = command;
    let (account, scratch) = (landing.account.clone(), scratch.clone());
    let reconcile = ReconcileReport { account: account.clone(), report, scratch: scratch.clone() };
    gone.reconciled = reconcile::run(ports, &reconcile).await?;
    if let Some(dintero) = dintero {
        let command = PostReport { account, report, now: *now, lease: *lease, scratch };
        gone.posted = post::run(ports, dintero, &command).await;
    }
    Ok(gone)
}
