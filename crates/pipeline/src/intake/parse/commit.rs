//! Accepting a report: what is named by its content is written first, then proposed, then committed by one record.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::civil::Date;
use settlement::{Defect, ReportId, Settlement, Verdict, is_seeded};
use store::keys::Key;
use store::{
    Expect, Order, Place, PortErrorKind, Put, ReportItem, ReportState, SettlementItem, SettlementVersion, journal,
    mark_days_dirty,
};
use tables::{SettlementRow, TableOwner};

use super::{Outcome, Work};
use crate::intake::judge::Judgement;
use crate::intake::known::KnownSettlement;
use crate::{PARSER_VERSION, StepError};

impl Work<'_> {
    pub(super) async fn accept(
        &self,
        item: ReportItem,
        revision: u64,
        judgement: Judgement,
        known: Vec<KnownSettlement>,
        lines: &Path,
    ) -> Result<Outcome, StepError> {
        self.store(&item, &judgement, &known, lines).await?;
        let mut proposed = Vec::new();
        for (one, settlement) in known.iter().zip(&judgement.settlements) {
            for overtaken in &one.overtaken {
                self.overtake(*overtaken).await?;
            }
            proposed.push(self.propose(&item, one, settlement).await?);
        }
        let settlements = self.list_settlements(&known, &proposed).await?;
        let what = match &item.release {
            Some(release) => format!("COMMITTED, released by {}: {}", release.by, release.why),
            None => format!("COMMITTED, settlements: {}", settlements.len()),
        };
        let item = ReportItem { state: ReportState::Committed, ..item };
        let unfenced = is_seeded(Defect::CommitsWithoutRevision);
        let expect = if unfenced { Expect::Any } else { Expect::Revision(revision) };
        let marks = self.marks(&known, &judgement.settlements)?;
        self.write_marking(&item, expect, revision + 1, what, marks).await?;
        let outcome = Outcome::new(Some(item.report), judgement);
        Ok(Outcome { verdict: Verdict::Accepted, settlements, ..outcome })
    }

    /// Marks the days that the lake has to build again once this report is committed: those of each new version and of the one
    /// it replaces.
    ///
    /// The commit itself writes them: a mark before it could be worked off too early, and one after it could be lost.
    fn marks(&self, known: &[KnownSettlement], settlements: &[Settlement]) -> Result<Vec<Put>, StepError> {
        let new = known.iter().zip(settlements).filter(|(one, _)| one.next_version().is_some());
        let days: BTreeSet<Date> = new
            .flat_map(|(one, settlement)| {
                let replaced = one.item.versions.last().map(|version| version.settlement.head.payout_on);
                [Some(settlement.head.payout_on), replaced]
            })
            .flatten()
            .collect();
        Ok(mark_days_dirty(self.spooled.report, self.account(), days)?)
    }

    /// Writes source and tables under keys made of the report's content; what is there already is the same.
    async fn store(
        &self,
        item: &ReportItem,
        judgement: &Judgement,
        known: &[KnownSettlement],
        lines: &Path,
    ) -> Result<(), StepError> {
        let (account, report) = (self.account().clone(), item.report);
        let objects = &self.ports.objects;
        let source = Key::Source { account: account.clone(), report };
        objects.upload_new(&source, self.spooled.file.path()).await?;
        let key = Key::Lines { account: account.clone(), report, parser_version: PARSER_VERSION.to_owned() };
        objects.upload_new(&key, lines).await?;
        let format = item.format.as_deref().unwrap_or_default();
        let owner = TableOwner::new(&account, &item.provider, format, report, "");
        let mut table = Vec::new();
        let versions = known.iter().map(KnownSettlement::next_version).zip(&judgement.settlements);
        let row = |(version, settlement): (Option<u32>, _)| {
            Some(SettlementRow { owner: &owner, version: version?, is_current: true, settlement })
        };
        let new: Vec<_> = versions.filter_map(row).collect();
        tables::write_settlements(&mut table, &new, self.ports.packing)?;
        let key = Key::Settlements { account, report, parser_version: PARSER_VERSION.to_owned() };
        objects.put_new(&key, &table).await?;
        Ok(())
    }

    /// Makes sure that a report whose worker outlived its lease cannot be committed any more: its proposal is replaced.
    async fn overtake(&self, report: ReportId) -> Result<(), StepError> {
        let place = Place::report(report, self.account());
        let Some((item, revision)) = place.read::<ReportItem>(&*self.ports.state).await? else { return Ok(()) };
        if matches!(item.state, ReportState::Claimed { .. }) {
            self.ports.state.put_if(&place.put(&item, Expect::Revision(revision))?).await?;
        }
        Ok(())
    }

    /// Proposes a settlement under this report; it is in force once the report is committed. `None` when it is known.
    async fn propose(
        &self,
        item: &ReportItem,
        one: &KnownSettlement,
        settlement: &Settlement,
    ) -> Result<Option<u32>, StepError> {
        let Some((hash, version)) = settlement.hash.zip(one.next_version()) else { return Ok(None) };
        let mut versions = one.item.versions.clone();
        versions.push(SettlementVersion {
            version,
            report: item.report,
            format: item.format.clone().unwrap_or_default(),
            hash,
            settlement: settlement.clone(),
        });
        let place = Place::settlement(&one.key);
        let expect = one.revision.map_or(Expect::Absent, Expect::Revision);
        let expect = if is_seeded(Defect::ProposesWithoutCondition) { Expect::Any } else { expect };
        let what = format!("version {version} proposed by report {}", item.report.short());
        let revision = one.revision.unwrap_or(0) + 1;
        let writes = [
            place.put(&SettlementItem { versions }, expect)?,
            journal(&place, revision, self.command.now, Order::Midway, what)?,
        ];
        match self.ports.state.transact(&writes).await {
            Ok(()) => Ok(Some(version)),
            Err(error) if error.kind == PortErrorKind::Conflict => {
                let until = self.command.now + self.command.lease;
                Err(StepError::Busy { what: settlement.name(), until })
            }
            Err(error) => Err(error.into()),
        }
    }
}
