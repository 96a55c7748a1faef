//! Notice: a person tells what a provider's balance report says, and the settlement it speaks of becomes exact.
//!
//! Neither waits for the other to come first. A notice that says otherwise than the list holds both: nothing of the
//! settlement flows on until the notice is corrected or the list released anew.

use std::fs::File;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use settlement::{
    AccountId, Confirmed, Kind, LineRecord, MajorUnits, PayoutNotice, Problem, Proof, ReportId, SettleKey, Settlement,
    TermSums,
};
use tempfile::NamedTempFile;

use crate::items::{
    NoticeItem, Order, Place, ReportItem, ReportState, SettlementItem, SettlementVersion, journal,
    mark_settlement_dirty,
};
use crate::keys::Key;
use crate::ports::{Expect, Ports};
use crate::standing::fetch_lines;
use crate::{StepError, report_id_of};

/// Record what a balance report says.
#[derive(Debug, Clone)]
pub struct AddNotice {
    /// Its figures.
    pub notice: PayoutNotice,
    /// The document they were read from, on local disk; it is kept.
    pub evidence: PathBuf,
    /// Who read them.
    pub by: String,
    /// The time.
    pub now: Timestamp,
    /// A directory for temporary files.
    pub scratch: PathBuf,
}

/// How a settlement and its notice stand to each other.
#[derive(Debug, Clone, PartialEq)]
pub enum Together {
    /// There is a list without fees or payout, and no notice yet.
    WaitsForNotice,
    /// There is a notice, and no list yet.
    WaitsForList,
    /// Both say the same, or the list says all by itself.
    Agree(Box<Confirmed>),
    /// They say different things; both are held.
    Disagree(Vec<Problem>),
}

impl Together {
    /// Why a version with that proof is not proved to be paid out, in a word; `None` when it is.
    pub(crate) fn not_exact(&self, proof: Proof) -> Option<&'static str> {
        match (self, proof) {
            (Together::Agree(_), _) => None,
            (Together::Disagree(_), _) => Some("contradicted"),
            (Together::WaitsForNotice | Together::WaitsForList, proof) => unproved(proof),
        }
    }
}

/// Why a settlement with that proof is not proved to be paid out by itself, in a word; `None` when it is.
pub(crate) fn unproved(proof: Proof) -> Option<&'static str> {
    match proof {
        Proof::Exact => None,
        Proof::GrossOnly => Some("gross_only"),
        Proof::RowsOnly => Some("rows_only"),
    }
}

/// Keeps the evidence, records the notice, and says how it stands to its settlement. Running it again changes nothing.
///
/// Gives the report that brought the settlement beside, when there is one.
///
/// # Errors
/// When the figures do not add up by themselves, when other figures have made the settlement exact, or a port fails.
pub async fn run(ports: &Ports, command: &AddNotice) -> Result<(Together, Option<ReportId>), StepError> {
    let notice = &command.notice;
    if notice.difference_minor() != Some(0) {
        return Err(StepError::Refused(unbalanced(notice)));
    }
    let mut file = File::open(&command.evidence)?;
    let evidence = report_id_of(&mut file)?;
    let version = current(ports, &notice.key).await?;
    let place = Place::notice(&notice.key);
    let known = place.read::<NoticeItem>(&*ports.state).await?;
    let is_known = known.as_ref().is_some_and(|(item, _)| item.notice == *notice && item.evidence == evidence);
    if !is_known {
        if let (Some((item, _)), Some(version)) = (&known, &version)
            && matches!(compare(ports, version, &item.notice, &command.scratch).await?, Together::Agree(_))
        {
            let message = format!(
                "Settlement {} has a notice of {} that agrees with its list; another cannot take its place",
                notice.key.settlement_id, item.by
            );
            return Err(StepError::Refused(message));
        }
        let key = Key::Evidence { account: notice.key.account_id.clone(), evidence };
        ports.objects.upload_new(&key, &command.evidence).await?;
        let revision = known.map_or(0, |(_, revision)| revision);
        let expect = if revision == 0 { Expect::Absent } else { Expect::Revision(revision) };
        let item = NoticeItem { notice: notice.clone(), evidence, by: command.by.clone() };
        let what = format!("payout notice by {}, evidence {}: {}", item.by, evidence.short(), told(notice));
        let writes = [
            place.put(&item, expect),
            journal(&place, revision + 1, command.now, Order::First, what),
            mark_settlement_dirty(&notice.key),
        ];
        ports.state.transact(&writes).await?;
    }
    match version {
        None => Ok((Together::WaitsForList, None)),
        Some(version) => Ok((compare(ports, &version, notice, &command.scratch).await?, Some(version.report))),
    }
}

/// How a version of a settlement stands to the notice that there is of it.
///
/// # Errors
/// When a port or the disk fails.
pub async fn together(
    ports: &Ports,
    key: &SettleKey,
    version: &SettlementVersion,
    scratch: &Path,
) -> Result<Together, StepError> {
    match Place::notice(key).read::<NoticeItem>(&*ports.state).await? {
        Some((item, _)) => compare(ports, version, &item.notice, scratch).await,
        None if version.settlement.proof == Proof::Exact => {
            Ok(Together::Agree(Box::new(Confirmed { settlement: version.settlement.clone(), added: Vec::new() })))
        }
        None => Ok(Together::WaitsForNotice),
    }
}

/// What the notices that are known make of settlements which are not stored: one that agrees completes its settlement,
/// one that does not gives its problems. `lines` is the table of the settlements' lines.
///
/// # Errors
/// When the state cannot answer or the lines cannot be read.
pub async fn hold_against(
    ports: &Ports,
    account: &AccountId,
    provider: &str,
    settlements: &mut [Settlement],
    lines: &Path,
) -> Result<Vec<Problem>, StepError> {
    let mut problems = Vec::new();
    for settlement in settlements {
        let key = SettleKey::new(account, provider, &settlement.head);
        let Some((item, _)) = Place::notice(&key).read::<NoticeItem>(&*ports.state).await? else { continue };
        match confirm(&item.notice, settlement, lines)? {
            Together::Agree(confirmed) => *settlement = confirmed.settlement,
            Together::Disagree(found) => problems.extend(found),
            Together::WaitsForNotice | Together::WaitsForList => {}
        }
    }
    Ok(problems)
}

/// The version of a settlement that counts.
///
/// # Errors
/// When the state cannot answer.
pub async fn current(ports: &Ports, key: &SettleKey) -> Result<Option<SettlementVersion>, StepError> {
    let record = Place::settlement(key).read::<SettlementItem>(&*ports.state).await?;
    let mut versions = record.map(|(item, _)| item.versions).unwrap_or_default();
    while let Some(version) = versions.pop() {
        let report = Place::report(version.report, &key.account_id).read::<ReportItem>(&*ports.state).await?;
        if report.is_some_and(|(item, _)| item.state == ReportState::Committed) {
            return Ok(Some(version));
        }
    }
    Ok(None)
}

async fn compare(
    ports: &Ports,
    version: &SettlementVersion,
    notice: &PayoutNotice,
    scratch: &Path,
) -> Result<Together, StepError> {
    let lines = NamedTempFile::new_in(scratch)?;
    if !notice.elsewhere.is_empty() {
        fetch_lines(ports, &notice.key.account_id, version.report, &lines).await?;
    }
    confirm(notice, &version.settlement, lines.path())
}

/// Holds a notice against a settlement; its lines are read when methods of it are paid out elsewhere.
fn confirm(notice: &PayoutNotice, settlement: &Settlement, lines: &Path) -> Result<Together, StepError> {
    let mut elsewhere = Vec::new();
    for method in &notice.elsewhere {
        match gross_of(settlement, method, File::open(lines)?)? {
            Some(minor) => elsewhere.push((method.clone(), minor)),
            None => {
                let message = format!(
                    "Found no line of {method:?} in {}, which is said to be paid out elsewhere. Write the method as \
                     the list does",
                    settlement.name()
                );
                return Ok(Together::Disagree(vec![Problem::error(Kind::SecondDocument, message)]));
            }
        }
    }
    Ok(match notice.confirm(settlement, &elsewhere) {
        Ok(confirmed) => Together::Agree(Box::new(confirmed)),
        Err(problems) => Together::Disagree(problems),
    })
}

/// Captures and refunds of one method, in minor units; `None` when the settlement has no line of it.
fn gross_of(settlement: &Settlement, method: &str, lines: File) -> Result<Option<i64>, StepError> {
    let mut found = false;
    let mut sums = TermSums::default();
    for line in tables::read_lines(lines)? {
        let line: LineRecord = line?;
        let head = &settlement.head;
        let own = line.settlement_id == head.settlement_id
            && line.merchant_number == head.merchant_number
            && line.currency == head.currency;
        if own && line.provider_method.as_deref() == Some(method) {
            found = true;
            sums.add(&line.terms);
        }
    }
    Ok(sums.terms().filter(|_| found).and_then(|terms| terms.capture_minor.checked_add(terms.refund_minor)))
}

fn told(notice: &PayoutNotice) -> String {
    let show = |minor| MajorUnits::new(minor, notice.exponent);
    let mut told = format!(
        "amount {}, fees {}, VAT {}, transferred {} {}",
        show(notice.amount_minor),
        show(notice.fee_minor),
        show(notice.fee_vat_minor),
        show(notice.payout_minor),
        notice.key.currency
    );
    for method in &notice.elsewhere {
        told.push_str(&format!(", {method:?} paid out elsewhere"));
    }
    told
}

fn unbalanced(notice: &PayoutNotice) -> String {
    let difference = notice.difference_minor().map_or_else(
        || "more than can be counted".to_owned(),
        |minor| MajorUnits::new(minor, notice.exponent).to_string(),
    );
    format!(
        "The figures do not add up: {}; difference {difference}. Amount less fees and VAT must be what is transferred; \
         fees and VAT are typed without a minus, and fees that are invoiced apart need --invoiced",
        told(notice)
    )
}

/// Whose settlement a notice speaks of, from words as a person writes them.
pub fn key_of(
    account: &AccountId,
    provider: &str,
    settlement: &str,
    currency: settlement::Currency,
) -> Option<SettleKey> {
    let (merchant_number, settlement_id) = settlement.split_once('/')?;
    let word = |text: &str| {
        !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    (word(merchant_number) && word(settlement_id)).then(|| SettleKey {
        account_id: account.clone(),
        provider: provider.to_owned(),
        merchant_number: merchant_number.to_owned(),
        settlement_id: settlement_id.to_owned(),
        currency,
    })
}
