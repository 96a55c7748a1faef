//! Entries of ledgers over several files: kept while they wait, put together, and brought in as reports of their own.
//!
//! What waits is kept before its report is committed, and what a settlement in force has is left out after that. Both say
//! the same however often they are repeated, and in whatever order files come.

use std::collections::BTreeMap;

use formats::{AssembledPayout, Assembly, FORMATS, Run, assemble};
use jiff::Timestamp;
use settlement::{
    AccountId, Currency, LedgerEntry, MerchantNumber, PaidDays, ProviderId, ReportId, Settlement, hexadecimal,
};
use sha2::{Digest, Sha256};
use store::keys::{Key, LandingKey};
use store::{Expect, LedgerItem, PAID_RANGES_MAX, Place, PortErrorKind, ReportItem, ReportState, WAITING_SHOWN_MAX};

use crate::current::ledgers;
use crate::intake::upload::{MadeUpload, upload_payout};
use crate::{Ports, StepError};

/// So often a record is read again that another worker has changed.
const RACES_MAX: u32 = 10;

/// The ledgers of an account with a provider.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ledgers<'a> {
    pub(crate) ports: &'a Ports,
    pub(crate) account: &'a AccountId,
    pub(crate) provider: &'a ProviderId,
    pub(crate) now: Timestamp,
}

/// Names a ledger among those of an account with a provider.
type Owner = (MerchantNumber, Currency);

/// A payout that was put together, as a report.
struct MadeReport {
    landing: LandingKey,
    bytes: Vec<u8>,
    days: PaidDays,
    /// Its settlement is in force.
    is_known: bool,
    /// Nobody has read it to its end.
    is_unread: bool,
}

/// What a report says of one ledger.
#[derive(Debug, Default)]
struct Change {
    added: Vec<LedgerEntry>,
    paid: Vec<PaidDays>,
}

impl Ledgers<'_> {
    /// Keeps the entries of a report that are in none of its settlements; says whether any of them is new.
    ///
    /// # Errors
    /// When a port fails, or others change the same ledger again and again.
    pub(crate) async fn keep(&self, entries: &[LedgerEntry]) -> Result<bool, StepError> {
        let mut changes: BTreeMap<Owner, Change> = BTreeMap::new();
        for entry in entries {
            let owner = (entry.merchant_number.clone(), entry.currency);
            changes.entry(owner).or_default().added.push(entry.clone());
        }
        let mut is_new = false;
        for (owner, change) in changes {
            is_new |= self.change(&owner, &change).await?.1;
        }
        Ok(is_new)
    }

    /// Leaves out what settlements in force have, and uploads each payout that the ledgers of a report then close, as a
    /// report to be read.
    ///
    /// # Errors
    /// As [`Ledgers::keep`].
    pub(crate) async fn settle(
        &self,
        settlements: &[Settlement],
        entries: &[LedgerEntry],
    ) -> Result<Vec<MadeUpload>, StepError> {
        let mut changes: BTreeMap<Owner, Change> = BTreeMap::new();
        for entry in entries {
            changes.entry((entry.merchant_number.clone(), entry.currency)).or_default();
        }
        for settlement in settlements {
            let owner = (settlement.head.merchant_number.clone(), settlement.head.currency);
            let days = settlement.period_from.zip(settlement.period_to).map(|(from, to)| PaidDays { from, to });
            changes.entry(owner).or_default().paid.extend(days);
        }
        self.bring_in(changes).await
    }

    /// Uploads what an earlier worker did not come to: the payouts that all ledgers close and that nobody has read yet.
    ///
    /// # Errors
    /// As [`Ledgers::keep`].
    pub(crate) async fn resume(&self) -> Result<Vec<MadeUpload>, StepError> {
        let mut changes = BTreeMap::new();
        for ledger in ledgers::all(self.ports, self.account).await? {
            if ledger.item.payouts > 0 && ledger.provider == *self.provider {
                changes.insert((ledger.merchant_number, ledger.currency), Change::default());
            }
        }
        self.bring_in(changes).await
    }

    async fn bring_in(&self, changes: BTreeMap<Owner, Change>) -> Result<Vec<MadeUpload>, StepError> {
        let mut uploads = Vec::new();
        for (owner, mut change) in changes {
            let (mut assembly, _) = self.change(&owner, &change).await?;
            let mut made = self.reports_of(&assembly.payouts).await?;
            // A payout may have come otherwise, such as in the provider's XML: its report is known, and so are its days.
            change.paid.extend(made.iter().filter(|made| made.is_known).map(|made| made.days));
            if made.iter().any(|made| made.is_known) {
                (assembly, _) = self.change(&owner, &change).await?;
                made = self.reports_of(&assembly.payouts).await?;
            }
            for report in made.into_iter().filter(|made| made.is_unread) {
                uploads.extend(upload_payout(self.ports, report.landing, &report.bytes).await?);
            }
        }
        Ok(uploads)
    }

    /// Payouts as reports, with how far each has come.
    async fn reports_of(&self, payouts: &[AssembledPayout]) -> Result<Vec<MadeReport>, StepError> {
        let writes = FORMATS.iter().find(|format| format.provider.id == self.provider.as_str() && format.is_ledger());
        let mut reports = Vec::new();
        for payout in payouts {
            let written = writes.map(|format| format.write_payout(&payout.entries)).transpose()?.flatten();
            let Some((name, bytes)) = written else { continue };
            let report = ReportId::from_sha256(Sha256::digest(&bytes).into());
            let item = Place::report(report, self.account).read::<ReportItem>(&*self.ports.state).await?;
            let state = item.map(|(item, _)| item.state);
            let landing =
                LandingKey::new(self.account.clone(), self.provider, &format!("{name}-{}.csv", report.short()))
                    .map_err(|error| StepError::Refused(error.to_string()))?;
            reports.push(MadeReport {
                landing,
                bytes,
                days: payout.days,
                is_known: matches!(state, Some(ReportState::Committed | ReportState::Duplicate)),
                is_unread: matches!(state, None | Some(ReportState::Claimed { .. } | ReportState::Released)),
            });
        }
        Ok(reports)
    }

    /// Changes what is known of one ledger; says whether its waiting entries are others than before.
    async fn change(&self, owner: &Owner, change: &Change) -> Result<(Assembly, bool), StepError> {
        let place = Place::ledger(self.account, self.provider, &owner.0, owner.1);
        for _ in 0..RACES_MAX {
            let known = place.read::<LedgerItem>(&*self.ports.state).await?;
            let (before, revision) = known.map_or((None, None), |(item, revision)| (Some(item), Some(revision)));
            let before = before.unwrap_or_default();
            let mut paid = before.paid.clone();
            paid.extend(&change.paid);
            let mut paid = PaidDays::merged(paid);
            // What is older than that is no longer told from what is new: it waits, and is in no settlement.
            paid.drain(..paid.len().saturating_sub(PAID_RANGES_MAX));
            let runs = self.runs(before.entries.as_deref()).await?;
            let mut assembly = assemble(runs, change.added.clone(), &paid);
            let item = LedgerItem { paid, ..self.item(&assembly).await? };
            let is_new = item.entries != before.entries;
            if revision.is_some() && (LedgerItem { at: before.at, ..item.clone() }) == before {
                return Ok((assembly, false));
            }
            let expect = revision.map_or(Expect::Absent, Expect::Revision);
            match self.ports.state.put_if(&place.put(&item, expect)?).await {
                Ok(()) => {
                    assembly.runs.clear();
                    return Ok((assembly, is_new));
                }
                Err(error) if error.kind == PortErrorKind::Conflict => {}
                Err(error) => return Err(error.into()),
            }
        }
        let what = format!("The ledger of merchant {}", owner.0);
        Err(StepError::Busy { what, until: self.now })
    }

    /// The record of what was put together, whose entries lie in an object named by its content.
    async fn item(&self, assembly: &Assembly) -> Result<LedgerItem, StepError> {
        let mut entries = None;
        if !assembly.runs.is_empty() {
            let bytes = serde_json::to_vec(&assembly.runs)
                .map_err(|error| StepError::Refused(format!("Cannot write entries of a ledger: {error}")))?;
            let digest = hexadecimal(&Sha256::digest(&bytes));
            let key = Key::Waiting { account: self.account.clone(), digest: digest.clone() };
            self.ports.objects.put_new(&key, &bytes).await?;
            entries = Some(digest);
        }
        Ok(LedgerItem {
            entries,
            entry_count: assembly.runs.iter().map(|run| run.len() as u64).sum(),
            payouts: assembly.payouts.len() as u64,
            waiting: assembly.waiting.iter().take(WAITING_SHOWN_MAX).cloned().collect(),
            waiting_count: assembly.waiting.len() as u64,
            left_out: assembly.left_out,
            paid: Vec::new(),
            at: self.now,
        })
    }

    async fn runs(&self, digest: Option<&str>) -> Result<Vec<Run>, StepError> {
        let Some(digest) = digest else { return Ok(Vec::new()) };
        let key = Key::Waiting { account: self.account.clone(), digest: digest.to_owned() };
        let missing = || StepError::Refused(format!("Found no object {key}, whose entries wait for their payout"));
        let meta = self.ports.objects.head(&key).await?.ok_or_else(missing)?;
        let mut bytes = Vec::new();
        self.ports.objects.fetch(&key, &meta.version, &mut bytes).await?;
        serde_json::from_slice(&bytes).map_err(|error| StepError::Refused(format!("Cannot read {key}: {error}")))
    }
}
