//! Claiming a report: one worker at a time reads it, and none that has ended is read again.

use settlement::{Defect, Kind, Problem, Verdict, is_seeded};
use store::{Expect, ObjectItem, Place, ReportItem, ReportState, mark_held};

use super::{ATTEMPTS_MAX, Outcome, Work};
use crate::current::lease;
use crate::current::versions::settlements_of;
use crate::intake::judge::Judgement;
use crate::{PARSER_VERSION, StepError};

/// What trying to claim a report came to.
pub(super) enum Claim {
    /// The report is this worker's, at this revision.
    Taken(Box<ReportItem>, u64),
    /// The report has come to an end before.
    Ended(Outcome),
}

impl Work<'_> {
    /// Takes the report for this worker, unless it has ended or another has it.
    pub(super) async fn claim(&self) -> Result<Claim, StepError> {
        let known = self.place().read::<ReportItem>(&*self.ports.state).await?;
        let (attempts, release, expect) = match &known {
            None => (0, None, Expect::Absent),
            Some((item, revision)) => match &item.state {
                ReportState::Claimed { lease_until }
                    if lease::holds(self.ports, *lease_until, self.command.now)
                        && !is_seeded(Defect::ReportLeaseIgnored) =>
                {
                    if is_seeded(Defect::AcknowledgedWhileRead) {
                        return self.ended(&item.state, item).await.map(Claim::Ended);
                    }
                    let what = format!("Report {}", item.report.short());
                    return Err(StepError::Busy { what, until: *lease_until });
                }
                ReportState::Claimed { .. } if item.attempts >= ATTEMPTS_MAX => {
                    return self.give_up(item.clone(), *revision).await.map(Claim::Ended);
                }
                ReportState::Claimed { .. } => (item.attempts, item.release.clone(), Expect::Revision(*revision)),
                ReportState::Released => (0, item.release.clone(), Expect::Revision(*revision)),
                ended if may_be_judged_anew(ended, item) => (0, None, Expect::Revision(*revision)),
                ended => {
                    self.record_object(item).await?;
                    return self.ended(ended, item).await.map(Claim::Ended);
                }
            },
        };
        let expect = if is_seeded(Defect::ClaimsWithoutCondition) { Expect::Any } else { expect };
        let item = ReportItem {
            report: self.spooled.report,
            account: self.account().clone(),
            state: ReportState::Claimed { lease_until: self.command.now + self.command.lease },
            attempts: attempts + 1,
            object_key: self.key.clone(),
            object_version: self.command.version.clone(),
            name: self.command.landing.name.clone(),
            provider: self.command.landing.provider.to_string(),
            size_bytes: self.spooled.size_bytes,
            format: None,
            parser_version: PARSER_VERSION.to_owned(),
            problems: 0,
            first_problem: None,
            release,
        };
        let revision = known.map_or(0, |(_, revision)| revision) + 1;
        self.write(&item, expect, revision, format!("claimed, attempt {}", item.attempts)).await?;
        Ok(Claim::Taken(Box::new(item), revision))
    }

    /// Records which report an upload was that brought one that has ended: what has no record is taken for one that nobody read.
    async fn record_object(&self, item: &ReportItem) -> Result<(), StepError> {
        let place = Place::object(&self.key, &self.command.version);
        if place.read::<ObjectItem>(&*self.ports.state).await?.is_none() {
            let object = ObjectItem { report: Some(item.report), kind: None };
            self.ports.state.put_if(&place.put(&object, Expect::Any)?).await?;
        }
        Ok(())
    }

    /// Gives the report back after a failure that is not its own: only a worker that died has used up an attempt.
    pub(super) async fn let_go(&self, item: ReportItem, revision: u64) -> Result<(), StepError> {
        let state = ReportState::Claimed { lease_until: self.command.now };
        let item = ReportItem { state, attempts: item.attempts.saturating_sub(1), ..item };
        Ok(self.ports.state.put_if(&self.place().put(&item, Expect::Revision(revision))?).await?)
    }

    pub(super) async fn give_up(&self, mut item: ReportItem, revision: u64) -> Result<Outcome, StepError> {
        let message = format!(
            "Reading the file has ended the program {ATTEMPTS_MAX} times. The file is kept; report it as a fault of avstem"
        );
        item.state = ReportState::Crashed;
        item.problems = 1;
        item.first_problem = Some(message.clone());
        let mark = mark_held(&item, &self.held(&[], &[]))?;
        self.write_marking(&item, Expect::Revision(revision), revision + 1, "given up".to_owned(), vec![mark]).await?;
        Ok(self.outcome(Problem::error(Kind::Crashed, message)))
    }

    /// The outcome of a report that ended before: nothing happens again.
    pub(super) async fn ended(&self, state: &ReportState, item: &ReportItem) -> Result<Outcome, StepError> {
        let message = item.first_problem.clone().unwrap_or_default();
        match state {
            ReportState::Quarantined { kind } | ReportState::Rejected { kind } => {
                Ok(self.outcome(Problem::error(*kind, message)))
            }
            ReportState::Crashed => Ok(self.outcome(Problem::error(Kind::Crashed, message))),
            ReportState::Dismissed { kind, by, why } => {
                let message = format!("{by} dismissed this report: {why}. `avstem held reopen` holds it again");
                let note = Problem::note(kind.unwrap_or(Kind::Crashed), message);
                Ok(Outcome { verdict: Verdict::Duplicate, ..self.outcome(note) })
            }
            _ => Ok(Outcome {
                verdict: Verdict::Duplicate,
                settlements: settlements_of(self.ports, item.report, self.account()).await?,
                ..Outcome::new(Some(item.report), Judgement::default())
            }),
        }
    }
}

/// Whether a report that was held may be read again: its reason may have gone since.
fn may_be_judged_anew(state: &ReportState, item: &ReportItem) -> bool {
    match state {
        ReportState::Quarantined { kind } | ReportState::Rejected { kind } => {
            matches!(kind, Kind::MerchantUnknown | Kind::TenantMismatch | Kind::WrongProvider)
                || (item.parser_version != PARSER_VERSION && *kind != Kind::SettlementConflict)
        }
        ReportState::Crashed => item.parser_version != PARSER_VERSION,
        _ => false,
    }
}
