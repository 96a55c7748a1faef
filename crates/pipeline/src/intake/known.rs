//! How a settlement stands to what came before: new, known with the same content, or in conflict.

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;

use jiff::Timestamp;
use settlement::{AccountId, Defect, Kind, Problem, ProviderId, ReportId, SettleKey, Settlement, is_seeded};
use store::{Place, ReportItem, ReportState, SettlementItem, SettlementVersion};
use tempfile::NamedTempFile;

use crate::current::accounts::owner_of;
use crate::current::lease;
use crate::current::lines::fetch_lines;
use crate::intake::difference;
use crate::intake::judge::Judgement;
use crate::{Ports, StepError};

/// A settlement beside its record.
#[derive(Debug, Clone)]
pub struct KnownSettlement {
    /// Names it.
    pub key: SettleKey,
    /// All versions so far that count or may still come to count.
    pub item: SettlementItem,
    /// Revision of the record; `None` when there is none.
    pub revision: Option<u64>,
    /// What it is to the version in force.
    pub case: Case,
    /// Reports that proposed a version and whose lease is over; their proposal is not in `item`.
    pub overtaken: Vec<ReportId>,
}

impl KnownSettlement {
    /// The version that the settlement is to become; none where the same content is in force already.
    pub fn next_version(&self) -> Option<u32> {
        let known = matches!(self.case, Case::Known(_));
        (!known).then(|| self.item.versions.last().map_or(0, |last| last.version) + 1)
    }
}

/// What a settlement is to its version in force.
#[derive(Debug, Clone, PartialEq)]
pub enum Case {
    /// None is in force yet.
    New,
    /// The same content, brought by that report.
    Known(ReportId),
    /// Other content.
    Conflict(Box<SettlementVersion>),
    /// Another report that brings it is being read right now, until then.
    InFlight(Timestamp),
}

/// A report that has been judged and is to be held against what came before.
#[derive(Debug, Clone, Copy)]
pub struct IncomingReport<'a> {
    /// Where what came before is known.
    pub ports: &'a Ports,
    /// The account it was sent to.
    pub account: &'a AccountId,
    /// The provider that wrote it.
    pub provider: &'a ProviderId,
    /// Its id.
    pub report: ReportId,
    /// The time.
    pub now: Timestamp,
    /// A directory for temporary files.
    pub scratch: &'a Path,
}

impl IncomingReport<'_> {
    /// What is wrong with whose merchant numbers it holds: nothing when all are the account's own.
    ///
    /// # Errors
    /// When the state cannot answer.
    pub async fn foreign_merchant_numbers(&self, judgement: &Judgement) -> Result<Vec<Problem>, StepError> {
        let (account, provider) = (self.account, self.provider);
        let (mut foreign, mut unknown) = (Vec::new(), Vec::new());
        for number in merchant_numbers(judgement) {
            match owner_of(self.ports, provider, number).await? {
                Some(owner) if owner == *account => {}
                // Whose number it is stays untold.
                Some(_) => {
                    let message = format!(
                        "Found merchant number {number}, which is not registered to account {account}. \
                         Put the file under the account that it belongs to"
                    );
                    foreign.push(Problem::error(Kind::TenantMismatch, message));
                }
                None => {
                    let message = format!(
                        "Found merchant number {number}, which no account has. If it is yours, run \
                         `avstem account add-merchant {provider} {number} --account {account}` and send the file again"
                    );
                    unknown.push(Problem::error(Kind::MerchantUnknown, message));
                }
            }
        }
        // Another's number decides, whatever else is unknown.
        foreign.append(&mut unknown);
        Ok(foreign)
    }

    /// Holds each settlement against what is in force. Conflicts become problems of the judgement, row by row, unless
    /// they were `released`; `lines` is the table of the report's own lines.
    ///
    /// # Errors
    /// `Busy` when another report with one of its settlements is being read right now, else when a port or disk fails.
    pub async fn compare(
        &self,
        judgement: &mut Judgement,
        lines: &Path,
        released: bool,
    ) -> Result<Vec<KnownSettlement>, StepError> {
        let mut known = Vec::new();
        let mut conflicts = 0;
        for settlement in &judgement.settlements {
            let one = self.known(settlement).await?;
            match &one.case {
                Case::InFlight(until) => {
                    return Err(StepError::Busy { what: settlement.name(), until: *until });
                }
                Case::Conflict(before) if !released => {
                    conflicts += 1;
                    let by_row = conflicts <= difference::COMPARED_SETTLEMENTS_MAX;
                    for problem in self.difference(before, settlement, lines, by_row).await? {
                        judgement.problems.push(problem);
                    }
                }
                _ => {}
            }
            known.push(one);
        }
        Ok(known)
    }

    async fn known(&self, settlement: &Settlement) -> Result<KnownSettlement, StepError> {
        let key = SettleKey::new(self.account, self.provider, &settlement.head);
        let record = Place::settlement(&key).read::<SettlementItem>(&*self.ports.state).await?;
        let (mut item, revision) = match record {
            Some((item, revision)) => (item, Some(revision)),
            None => (SettlementItem::default(), None),
        };
        let mut overtaken = Vec::new();
        let case = loop {
            let Some(last) = item.versions.last() else { break Case::New };
            match self.state_of(last.report).await? {
                Some(ReportState::Committed) if Some(last.hash) == settlement.hash => {
                    let known = !is_seeded(Defect::KnownByBytesOnly) || last.report == self.report;
                    break if known { Case::Known(last.report) } else { Case::New };
                }
                Some(ReportState::Committed) => break Case::Conflict(Box::new(last.clone())),
                Some(ReportState::Claimed { lease_until })
                    if last.report != self.report && lease::holds(self.ports, lease_until, self.now) =>
                {
                    break Case::InFlight(lease_until);
                }
                // The report that proposed this version never came to count.
                state => {
                    if matches!(state, Some(ReportState::Claimed { .. })) && last.report != self.report {
                        overtaken.push(last.report);
                    }
                    item.versions.pop();
                }
            }
        };
        Ok(KnownSettlement { key, item, revision, case, overtaken })
    }

    async fn state_of(&self, report: ReportId) -> Result<Option<ReportState>, StepError> {
        let item = Place::report(report, self.account).read::<ReportItem>(&*self.ports.state).await?;
        Ok(item.map(|(item, _)| item.state))
    }

    async fn difference(
        &self,
        before: &SettlementVersion,
        settlement: &Settlement,
        lines: &Path,
        by_row: bool,
    ) -> Result<Vec<Problem>, StepError> {
        if !by_row || before.settlement.lines.max(settlement.lines) > difference::COMPARED_LINES_MAX {
            return Ok(difference::between(&before.settlement, settlement, std::iter::empty(), std::iter::empty()));
        }
        let old = NamedTempFile::new_in(self.scratch)?;
        fetch_lines(self.ports, self.account, before.report, &old).await?;
        let before_lines = lines_of(File::open(old.path())?, settlement)?;
        let now_lines = lines_of(File::open(lines)?, settlement)?;
        Ok(difference::between(&before.settlement, settlement, before_lines.into_iter(), now_lines.into_iter()))
    }
}

/// The merchant numbers of a report, each once, in the order they appear: those of its settlements, then those of entries
/// that are in none.
pub fn merchant_numbers(judgement: &Judgement) -> Vec<&str> {
    let mut seen = HashSet::new();
    let settled = judgement.settlements.iter().map(|settlement| &settlement.head.merchant_number);
    let waiting = judgement.entries.iter().map(|entry| &entry.merchant_number);
    settled.chain(waiting).map(|number| number.as_str()).filter(|number| seen.insert(*number)).collect()
}

fn lines_of(file: File, settlement: &Settlement) -> Result<Vec<settlement::LineRecord>, StepError> {
    let head = &settlement.head;
    let own = |line: &settlement::LineRecord| {
        line.settlement_id == head.settlement_id
            && line.merchant_number == head.merchant_number
            && line.currency == head.currency
    };
    let lines = tables::read_lines(file)?;
    Ok(lines.filter(|line| line.as_ref().map_or(true, own)).collect::<Result<_, _>>()?)
}
