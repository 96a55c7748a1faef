//! A person tells what a provider's balance report says, and the settlement it speaks of becomes exact.
//!
//! Neither waits for the other to come first. A notice that says otherwise than the list holds both: nothing of the
//! settlement flows on until the notice is corrected or the list released anew.

use std::fs::File;
use std::path::PathBuf;

use jiff::Timestamp;
use settlement::{MajorUnits, PayoutNotice, ReportId};
use store::keys::Key;
use store::{Expect, NoticeItem, Order, Place, journal, mark_settlement_dirty};

use super::spool::report_id_of;
use crate::current::notice::{NoticeCheck, compare};
use crate::current::versions::in_force;
use crate::{Ports, StepError};

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

/// Keeps the evidence, records the notice, and says how it stands to its settlement. Running it again changes nothing.
///
/// Gives the report that brought the settlement beside, when there is one.
///
/// # Errors
/// When the figures do not add up by themselves, when other figures have made the settlement exact, or a port fails.
pub async fn add_notice(ports: &Ports, command: &AddNotice) -> Result<(NoticeCheck, Option<ReportId>), StepError> {
    let notice = &command.notice;
    if notice.difference_minor() != Some(0) {
        return Err(StepError::Refused(unbalanced(notice)));
    }
    let mut file = File::open(&command.evidence)?;
    let evidence = report_id_of(&mut file)?;
    let version = in_force(ports, &notice.key).await?;
    let place = Place::notice(&notice.key);
    let known = place.read::<NoticeItem>(&*ports.state).await?;
    let is_known = known.as_ref().is_some_and(|(item, _)| item.notice == *notice && item.evidence == evidence);
    if !is_known {
        if let (Some((item, _)), Some(version)) = (&known, &version)
            && matches!(compare(ports, version, &item.notice, &command.scratch).await?, NoticeCheck::Agree(_))
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
        let what = format!("payout notice by {}, evidence {}: {}", item.by, evidence.short(), figures_of(notice));
        let writes = [
            place.put(&item, expect)?,
            journal(&place, revision + 1, command.now, Order::First, what)?,
            mark_settlement_dirty(&notice.key)?,
        ];
        ports.state.transact(&writes).await?;
    }
    match version {
        None => Ok((NoticeCheck::WaitsForList, None)),
        Some(version) => Ok((compare(ports, &version, notice, &command.scratch).await?, Some(version.report))),
    }
}

fn figures_of(notice: &PayoutNotice) -> String {
    let show = |minor| MajorUnits::new(minor, notice.exponent);
    let mut figures = format!(
        "amount {}, fees {}, VAT {}, transferred {} {}",
        show(notice.amount_minor),
        show(notice.fee_minor),
        show(notice.fee_vat_minor),
        show(notice.payout_minor),
        notice.key.currency
    );
    for method in &notice.elsewhere {
        figures.push_str(&format!(", {method:?} paid out elsewhere"));
    }
    figures
}

fn unbalanced(notice: &PayoutNotice) -> String {
    let difference = notice.difference_minor().map_or_else(
        || "more than can be counted".to_owned(),
        |minor| MajorUnits::new(minor, notice.exponent).to_string(),
    );
    format!(
        "The figures do not add up: {}; difference {difference}. Amount less fees and VAT must be what is transferred; \
         fees and VAT are typed without a minus, and fees that are invoiced apart need --invoiced",
        figures_of(notice)
    )
}
