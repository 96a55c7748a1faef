//! Parse: one uploaded object becomes a proved report, a held one, or nothing new.
//!
//! Order of effects: claim, compute, content-addressed writes, proposals, commit. A crash after any of them repeats
//! safely, and nothing is in force before the commit, which is one record.

mod claim;
mod commit;
mod unpack;

use std::io::{BufReader, Seek};
use std::path::PathBuf;

use formats::{Format, Limits};
use jiff::{SignedDuration, Timestamp};
use settlement::{AccountId, Kind, Problem, Problems, ReportId, Settlement, Verdict};
use store::keys::{Key, LandingKey};
use store::{
    Expect, HELD_SETTLEMENTS_MAX, HeldItem, HeldSettlement, ObjectItem, Order, Place, Put, ReportItem,
    ReportSettlementItem, ReportState, journal, mark_held,
};
use tables::{LineTable, TableOwner};
use tempfile::NamedTempFile;

use self::claim::Claim;
use self::unpack::Contents;
use crate::current::accounts::{AddMerchant, register_merchant};
use crate::intake::dismiss::held_for;
use crate::intake::judge::{Judgement, judge};
use crate::intake::known::{Case, IncomingReport, KnownSettlement, merchant_numbers};
use crate::intake::ledger::Ledgers;
use crate::intake::spool::{Spool, Spooled, spool};
use crate::intake::upload::MadeUpload;
use crate::{Ports, StepError};

/// A report that ends its reader this often is given up.
pub const ATTEMPTS_MAX: u32 = 3;

/// Read the object that lies there.
#[derive(Debug, Clone)]
pub struct ParseReport {
    /// Where it lies.
    pub landing: LandingKey,
    /// Which version of it.
    pub version: String,
    /// The time.
    pub now: Timestamp,
    /// How long no other worker may read the same report.
    pub lease: SignedDuration,
    /// A directory for temporary files.
    pub scratch: PathBuf,
    /// Bounds on the file.
    pub limits: Limits,
    /// Whether a merchant number that nobody has becomes the account's own by this report. Only on a person's own
    /// machine, where there is nobody else that it could belong to.
    pub adopts_merchants: bool,
}

/// What became of the object.
#[derive(Debug)]
pub struct Outcome {
    /// The report; `None` when the object was gone or too large to be read.
    pub report: Option<ReportId>,
    /// The verdict.
    pub verdict: Verdict,
    /// What was found in the file; empty when it needed no reading.
    pub judgement: Judgement,
    /// Where its settlements stand, for a committed report.
    pub settlements: Vec<ReportSettlementItem>,
    /// Reports that it was found to hold or to complete.
    pub uploads: Vec<MadeUpload>,
}

impl Outcome {
    fn new(report: Option<ReportId>, judgement: Judgement) -> Self {
        let verdict = judgement.verdict();
        Outcome { report, verdict, judgement, settlements: Vec::new(), uploads: Vec::new() }
    }
}

/// Reads, proves and records one object. Running it again changes nothing.
///
/// # Errors
/// When a port or the disk fails, or another worker holds the report; whatever is wrong with the report itself is an
/// [`Outcome`].
pub async fn run(ports: &Ports, command: &ParseReport) -> Result<Outcome, StepError> {
    let key = Key::Landing(command.landing.clone());
    let size_max = command.limits.file_bytes_max;
    let spooled = match spool(&*ports.objects, &key, &command.version, &command.scratch, size_max).await? {
        Spool::Done(spooled) => spooled,
        Spool::Missing => {
            let message = "Found no such object or version, expected a report. Upload the file again";
            return unread(ports, command, &key, Problem::error(Kind::Missing, message)).await;
        }
        Spool::TooLarge => {
            let message = format!("Found a file of more than {size_max} bytes. Ask for the report in shorter periods");
            return unread(ports, command, &key, Problem::error(Kind::TooLarge, message)).await;
        }
    };
    let work = Work { ports, command, spooled: &spooled, key: key.to_string() };
    match work.claim().await? {
        Claim::Ended(outcome) if outcome.verdict == Verdict::Duplicate => {
            let mut uploads = work.ledgers().resume().await?;
            if let Contents::Several(made) = work.unpack().await? {
                uploads.extend(made);
            }
            Ok(Outcome { uploads, ..outcome })
        }
        Claim::Ended(outcome) => Ok(outcome),
        Claim::Taken(item, revision) => {
            let read = work.read((*item).clone(), revision).await;
            if read.is_err() {
                // Where this fails too, the lease ends by itself.
                let _ = work.let_go(*item, revision).await;
            }
            read
        }
    }
}

/// Records an object that could not even be read.
async fn unread(ports: &Ports, command: &ParseReport, key: &Key, problem: Problem) -> Result<Outcome, StepError> {
    let place = Place::object(&key.to_string(), &command.version);
    let item = ObjectItem { report: None, kind: Some(problem.kind) };
    ports.state.put_if(&place.put(&item, Expect::Any)?).await?;
    let judgement = Judgement { problems: problem.into(), ..Judgement::default() };
    Ok(Outcome::new(None, judgement))
}

struct Work<'a> {
    ports: &'a Ports,
    command: &'a ParseReport,
    spooled: &'a Spooled,
    key: String,
}

impl Work<'_> {
    fn account(&self) -> &AccountId {
        &self.command.landing.account
    }

    fn place(&self) -> Place {
        Place::report(self.spooled.report, self.account())
    }

    /// Writes the report's record with its journal entry and the object's record, all or nothing.
    async fn write(&self, item: &ReportItem, expect: Expect, revision: u64, what: String) -> Result<(), StepError> {
        self.write_marking(item, expect, revision, what, Vec::new()).await
    }

    /// The same together with marks.
    async fn write_marking(
        &self,
        item: &ReportItem,
        expect: Expect,
        revision: u64,
        what: String,
        marks: Vec<Put>,
    ) -> Result<(), StepError> {
        let object = ObjectItem { report: Some(item.report), kind: None };
        let claims = matches!(item.state, ReportState::Claimed { .. });
        let order = if claims { Order::First } else { Order::Last };
        let mut writes = vec![
            self.place().put(item, expect)?,
            Place::object(&self.key, &self.command.version).put(&object, Expect::Any)?,
            journal(&self.place(), revision, self.command.now, order, what)?,
        ];
        writes.extend(marks);
        Ok(self.ports.state.transact(&writes).await?)
    }

    fn outcome(&self, problem: Problem) -> Outcome {
        let judgement = Judgement { problems: problem.into(), ..Judgement::default() };
        Outcome::new(Some(self.spooled.report), judgement)
    }

    /// Reads the claimed report and brings it to an end.
    async fn read(&self, item: ReportItem, revision: u64) -> Result<Outcome, StepError> {
        let lines = NamedTempFile::new_in(&self.command.scratch)?;
        let account = store::account(&*self.ports.state, self.account()).await?;
        let mut judgement = match self.unpack().await? {
            Contents::Alone => self.judge(&lines, &account.zone)?,
            Contents::Several(uploads) => return self.record_unpacked(item, revision, uploads).await,
            Contents::Unreadable(judgement) => *judgement,
        };
        let known = if judgement.problems.has_errors() {
            Vec::new()
        } else {
            let incoming = IncomingReport {
                ports: self.ports,
                account: self.account(),
                provider: &self.command.landing.provider,
                report: self.spooled.report,
                now: self.command.now,
                scratch: &self.command.scratch,
            };
            let foreign = incoming.foreign_merchant_numbers(&judgement).await?;
            if self.command.adopts_merchants && foreign.iter().all(|p| p.kind == Kind::MerchantUnknown) {
                self.adopt(&judgement).await?;
            } else {
                foreign.into_iter().for_each(|problem| judgement.problems.push(problem));
            }
            incoming.compare(&mut judgement, lines.path(), item.release.is_some()).await?
        };
        let item = ReportItem {
            format: judgement.format.map(|format| format.id.to_owned()),
            problems: judgement.problems.count(),
            first_problem: judgement.problems.first_error().map(|problem| problem.message.clone()),
            ..item
        };
        if let Some(kind) = judgement.kind() {
            return self.hold(item, revision, kind, judgement, &known).await;
        }
        // A report of an empty period brings nothing that could be known.
        let all_known = known.iter().all(|one| matches!(one.case, Case::Known(_)));
        let brings_entries = self.ledgers().keep(&judgement.entries).await?;
        let outcome = if all_known && !known.is_empty() && !brings_entries {
            self.record_duplicate(item, revision, judgement, &known).await?
        } else {
            self.accept(item, revision, judgement, known, lines.path()).await?
        };
        let Judgement { format, settlements, entries, .. } = &outcome.judgement;
        if !format.is_some_and(Format::is_ledger) {
            return Ok(outcome);
        }
        let uploads = self.ledgers().settle(settlements, entries).await?;
        Ok(Outcome { uploads, ..outcome })
    }

    fn ledgers(&self) -> Ledgers<'_> {
        let ParseReport { landing, now, .. } = self.command;
        Ledgers { ports: self.ports, account: &landing.account, provider: &landing.provider, now: *now }
    }

    async fn adopt(&self, judgement: &Judgement) -> Result<(), StepError> {
        for number in merchant_numbers(judgement) {
            let command = AddMerchant {
                account: self.account().clone(),
                provider: self.command.landing.provider.to_string(),
                number: number.to_owned(),
                now: self.command.now,
            };
            register_merchant(self.ports, &command).await?;
        }
        Ok(())
    }

    fn judge(&self, lines: &NamedTempFile, zone: &str) -> Result<Judgement, StepError> {
        let mut input = BufReader::new(self.spooled.file.reopen()?);
        input.rewind()?;
        let provider = Some(self.command.landing.provider.as_str());
        judge(&self.command.landing.name, &mut input, &self.command.limits, provider, |format| {
            let report = self.spooled.report;
            let owner = TableOwner::new(self.account(), format.provider.id, format.id, report, zone);
            LineTable::create(lines.reopen()?, owner, self.ports.packing)
        })
    }

    async fn hold(
        &self,
        item: ReportItem,
        revision: u64,
        kind: Kind,
        judgement: Judgement,
        known: &[KnownSettlement],
    ) -> Result<Outcome, StepError> {
        let state = held_for(kind);
        let key = Key::Problems {
            account: self.account().clone(),
            report: item.report,
            attempt: u32::try_from(revision).unwrap_or(u32::MAX),
        };
        self.ports.objects.put_new(&key, problems_json(&judgement.problems).as_bytes()).await?;
        let what = format!("{}: {}", state.word(), item.first_problem.as_deref().unwrap_or_default());
        let item = ReportItem { state, ..item };
        let mark = mark_held(&item, &self.held(&judgement.settlements, known))?;
        self.write_marking(&item, Expect::Revision(revision), revision + 1, what, vec![mark]).await?;
        Ok(Outcome::new(Some(item.report), judgement))
    }

    /// What a person knows a held report by: its first settlements, beside what is in force.
    fn held(&self, settlements: &[Settlement], known: &[KnownSettlement]) -> HeldItem {
        let named = settlements.iter().enumerate().take(HELD_SETTLEMENTS_MAX).map(|(place, settlement)| {
            let head = &settlement.head;
            let before = known.get(place).and_then(|one| match &one.case {
                Case::Conflict(before) => before.settlement.payout_minor,
                _ => None,
            });
            HeldSettlement {
                merchant_number: head.merchant_number.clone(),
                settlement_id: head.settlement_id.clone(),
                currency: head.currency,
                exponent: head.exponent,
                payout_on: head.payout_on,
                lines: settlement.lines,
                payout_minor: settlement.payout_minor,
                payout_before_minor: before,
            }
        });
        HeldItem {
            report: self.spooled.report,
            at: self.command.now,
            settlements: named.collect(),
            settlement_count: settlements.len() as u64,
        }
    }

    async fn record_duplicate(
        &self,
        item: ReportItem,
        revision: u64,
        judgement: Judgement,
        known: &[KnownSettlement],
    ) -> Result<Outcome, StepError> {
        let first = known.iter().find_map(|one| match one.case {
            Case::Known(report) => Some(report.short()),
            _ => None,
        });
        let what = format!("DUPLICATE: the same content came with report {}", first.unwrap_or_default());
        let settlements = self.list_settlements(known, &[]).await?;
        let item = ReportItem { state: ReportState::Duplicate, ..item };
        self.write(&item, Expect::Revision(revision), revision + 1, what).await?;
        let outcome = Outcome::new(Some(item.report), judgement);
        Ok(Outcome { verdict: Verdict::Duplicate, settlements, ..outcome })
    }

    /// Records which settlements the report brought, before it is committed.
    async fn list_settlements(
        &self,
        known: &[KnownSettlement],
        proposed: &[Option<u32>],
    ) -> Result<Vec<ReportSettlementItem>, StepError> {
        let versions = proposed.iter().copied().chain(std::iter::repeat(None));
        let items: Vec<ReportSettlementItem> = known
            .iter()
            .zip(versions)
            .map(|(one, version)| ReportSettlementItem { key: one.key.clone(), version })
            .collect();
        let put = |(number, item)| {
            Place::report_settlement(self.spooled.report, self.account(), number).put(item, Expect::Any)
        };
        let writes: Vec<_> = items.iter().enumerate().map(put).collect::<Result<_, _>>()?;
        self.ports.state.put_many(&writes).await?;
        Ok(items)
    }
}

fn problems_json(problems: &Problems) -> String {
    let answer = serde_json::json!({ "problems": problems.list(), "beyond_limit": problems.beyond_limit() });
    format!("{answer:#}\n")
}
