//! Notice: a person tells what a provider's balance report says, and the settlement it speaks of becomes exact.
//!
//! Neither waits for the other to come first. A notice that says otherwise than the list holds both: nothing of the
//! settlement flows on until the notice is corrected or the list released anew.

use std::fs::File;
use std::path::Path;

use settlement::{
    AccountId, Confirmed, Kind, LineRecord, PayoutNotice, Problem, Proof, ProviderId, SettleKey, Settlement, TermSums,
};
use store::{NoticeItem, Place, SettlementVersion};
use tempfile::NamedTempFile;

use crate::current::lines::fetch_lines;
use crate::{Ports, StepError};

/// How a settlement and its notice stand to each other.
#[derive(Debug, Clone, PartialEq)]
pub enum NoticeCheck {
    /// There is a list without fees or payout, and no notice yet.
    WaitsForNotice,
    /// There is a notice, and no list yet.
    WaitsForList,
    /// Both say the same, or the list says all by itself.
    Agree(Box<Confirmed>),
    /// They say different things; both are held.
    Disagree(Vec<Problem>),
}

impl NoticeCheck {
    /// Why a version with that proof is not proved to be paid out, in a word; `None` when it is.
    pub(crate) fn not_exact(&self, proof: Proof) -> Option<&'static str> {
        match (self, proof) {
            (NoticeCheck::Agree(_), _) => None,
            (NoticeCheck::Disagree(_), _) => Some("contradicted"),
            (NoticeCheck::WaitsForNotice | NoticeCheck::WaitsForList, proof) => unproved(proof),
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

/// How a version of a settlement stands to the notice that there is of it.
///
/// # Errors
/// When a port or the disk fails.
pub async fn check(
    ports: &Ports,
    key: &SettleKey,
    version: &SettlementVersion,
    scratch: &Path,
) -> Result<NoticeCheck, StepError> {
    match Place::notice(key).read::<NoticeItem>(&*ports.state).await? {
        Some((item, _)) => compare(ports, version, &item.notice, scratch).await,
        None if version.settlement.proof == Proof::Exact => {
            Ok(NoticeCheck::Agree(Box::new(Confirmed { settlement: version.settlement.clone(), added: Vec::new() })))
        }
        None => Ok(NoticeCheck::WaitsForNotice),
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
    provider: &ProviderId,
    settlements: &mut [Settlement],
    lines: &Path,
) -> Result<Vec<Problem>, StepError> {
    let mut problems = Vec::new();
    for settlement in settlements {
        let key = SettleKey::new(account, provider, &settlement.head);
        let Some((item, _)) = Place::notice(&key).read::<NoticeItem>(&*ports.state).await? else { continue };
        match confirm(&item.notice, settlement, lines)? {
            NoticeCheck::Agree(confirmed) => *settlement = confirmed.settlement,
            NoticeCheck::Disagree(found) => problems.extend(found),
            NoticeCheck::WaitsForNotice | NoticeCheck::WaitsForList => {}
        }
    }
    Ok(problems)
}

pub(crate) async fn compare(
    ports: &Ports,
    version: &SettlementVersion,
    notice: &PayoutNotice,
    scratch: &Path,
) -> Result<NoticeCheck, StepError> {
    let lines = NamedTempFile::new_in(scratch)?;
    if !notice.elsewhere.is_empty() {
        fetch_lines(ports, &notice.key.account_id, version.report, &lines).await?;
    }
    confirm(notice, &version.settlement, lines.path())
}

/// Holds a notice against a settlement; its lines are read when methods of it are paid out elsewhere.
fn confirm(notice: &PayoutNotice, settlement: &Settlement, lines: &Path) -> Result<NoticeCheck, StepError> {
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
                return Ok(NoticeCheck::Disagree(vec![Problem::error(Kind::SecondDocument, message)]));
            }
        }
    }
    Ok(match notice.confirm(settlement, &elsewhere) {
        Ok(confirmed) => NoticeCheck::Agree(Box::new(confirmed)),
        Err(problems) => NoticeCheck::Disagree(problems),
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

/// Whose settlement a notice speaks of, from words as a person writes them.
pub fn key_of(
    account: &AccountId,
    provider: &str,
    settlement: &str,
    currency: settlement::Currency,
) -> Option<SettleKey> {
    let (merchant_number, settlement_id) = settlement.split_once('/')?;
    Some(SettleKey {
        account_id: account.clone(),
        provider: provider.parse().ok()?,
        merchant_number: merchant_number.parse().ok()?,
        settlement_id: settlement_id.parse().ok()?,
        currency,
    })
}
