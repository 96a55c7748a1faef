//! What may be told of an account, as the state has it: read only as far as somebody has not been told.

use documents::mail::Rhythm;
use documents::{Apart, ApartKind};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use settlement::{Kind, ReportId, SettleKey};

use super::MailAccount;
use super::due::{Known, KnownHeld, KnownPayout};
use super::item::MailItem;
use crate::items::{self, Place, ReportItem, ReportState, SettlementItem, SettlementVersion};
use crate::notice::{self, Together};
use crate::ports::{Expect, Ports, Put, Query};
use crate::recipients::{RecipientItem, RecipientKind};
use crate::reconcile::ExactSettlement;
use crate::{StepError, summarise};

/// What is known, with what is needed to write it down.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) known: Known,
    /// The settlements of `known`, as they were proved.
    pub(super) payouts: Vec<ExactSettlement>,
    /// The reports of `known`.
    pub(super) held: Vec<ReportItem>,
    /// Settlements that count and are not exact, and why in a word.
    pub(super) not_exact: Vec<(SettleKey, SettlementVersion, &'static str)>,
}

impl Gathered {
    pub(super) fn payout(&self, key: &SettleKey, version: u32) -> Option<&ExactSettlement> {
        self.payouts.iter().find(|owned| owned.key == *key && owned.version.version == version)
    }

    pub(super) fn report(&self, report: ReportId) -> Option<&ReportItem> {
        self.held.iter().find(|item| item.report == report)
    }

    /// Settlements that are not exact, and reports that are held, in lines of their own.
    pub(super) fn apart(&self, held: &[ReportId]) -> Vec<Apart> {
        let held = held.iter().filter_map(|report| self.report(*report));
        let held = held.map(|item| Apart {
            reference: item.name.clone(),
            state: item.state.word(),
            count: Some(1),
            ..Apart::of(ApartKind::HeldReport, &item.provider, None)
        });
        let not_exact = self.not_exact.iter().map(|(key, version, why)| Apart {
            reference: key.settlement_id.clone(),
            merchant_number: Some(key.merchant_number.clone()),
            day: Some(version.settlement.head.payout_on),
            state: (*why).to_owned(),
            count: Some(version.settlement.lines),
            amount_minor: version.settlement.net_minor(),
            ..Apart::of(ApartKind::NotExact, &key.provider, Some(key.currency))
        });
        held.chain(not_exact).collect()
    }
}

/// Reads what somebody waits for.
pub(super) async fn gather(
    ports: &Ports,
    command: &MailAccount,
    recipients: &[RecipientItem],
    planned: &[&MailItem],
) -> Result<Gathered, StepError> {
    let mut gathered = Gathered::default();
    let asked = |recipient: &&RecipientItem| {
        recipient.removed_at.is_none() && recipient.rhythms.iter().any(|rhythm| *rhythm != Rhythm::Monthly)
    };
    let asking: Vec<&RecipientItem> = recipients.iter().filter(asked).collect();
    let is_monthly = |recipient: &RecipientItem| recipient.rhythms.contains(&Rhythm::Monthly);
    if recipients.iter().any(is_monthly) {
        let months = summarise::told(ports, &command.account).await?;
        gathered.known.months = months.into_iter().map(|(month, revision)| (month.first_day(), revision)).collect();
    }
    if asking.is_empty() {
        return Ok(gathered);
    }
    let told = Told { asking: &asking, planned };
    for item in items::all(ports, Query::all(format!("SETTLEMENT#{}", command.account))).await? {
        let SettlementItem { versions } = items::decode(&item)?;
        let Some(last) = versions.last() else { continue };
        let provider = item.sort.split('/').next().unwrap_or_default();
        let key = SettleKey::new(&command.account, provider, &last.settlement.head);
        if told.is_told(&key, last) {
            continue;
        }
        let Some(version) = notice::current(ports, &key).await? else { continue };
        match notice::together(ports, &key, &version, &command.scratch).await? {
            Together::Agree(confirmed) => {
                let (settlement, added) = (confirmed.settlement, confirmed.added);
                let payout_on = settlement.head.payout_on;
                let number = version.version;
                gathered.known.payouts.push(KnownPayout { settlement: key.clone(), version: number, payout_on });
                gathered.payouts.push(ExactSettlement {
                    key,
                    version: SettlementVersion { settlement, ..version },
                    added,
                });
            }
            other => {
                let why = other.not_exact(version.settlement.proof).unwrap_or_default();
                gathered.not_exact.push((key, version, why));
            }
        }
    }
    if asking.iter().any(|recipient| recipient.kind == RecipientKind::Person) {
        gather_held(ports, command, &mut gathered).await?;
    }
    Ok(gathered)
}

struct Told<'a> {
    asking: &'a [&'a RecipientItem],
    planned: &'a [&'a MailItem],
}

impl Told<'_> {
    /// Whether everybody who asks has been told of that version, in each of their rhythms.
    fn is_told(&self, key: &SettleKey, version: &SettlementVersion) -> bool {
        let told = (key.clone(), version.version);
        let is_of = |item: &MailItem, rhythm: Rhythm| match &item.occasion {
            super::Occasion::Payout { .. } => rhythm == Rhythm::EachPayout,
            super::Occasion::Digest { rhythm: own, .. } => *own == rhythm,
            _ => false,
        };
        let waits = |recipient: &&RecipientItem| {
            version.settlement.head.payout_on >= recipient.from
                && recipient.rhythms.iter().filter(|rhythm| **rhythm != Rhythm::Monthly).any(|rhythm| {
                    let mut own = self.planned.iter().filter(|item| item.recipient == recipient.address);
                    !own.any(|item| is_of(item, *rhythm) && item.payouts.contains(&told))
                })
        };
        !self.asking.iter().any(waits)
    }
}

/// That a report was held once; its own record says whether it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeldEntry {
    pub(crate) report: ReportId,
    pub(crate) at: Timestamp,
}

/// Notes a report that comes to be held among those of its account: written together with its record.
pub(crate) fn mark_held(item: &ReportItem, at: Timestamp) -> Option<Put> {
    held_kind(&item.state)?;
    let place = Place::new(format!("HELD#{}", item.account), item.report.to_string());
    Some(place.put(&HeldEntry { report: item.report, at }, Expect::Any))
}

/// Reports that are held, with the time at which they came to be.
async fn gather_held(ports: &Ports, command: &MailAccount, gathered: &mut Gathered) -> Result<(), StepError> {
    for entry in items::all(ports, Query::all(format!("HELD#{}", command.account))).await? {
        let HeldEntry { report, at } = items::decode(&entry)?;
        let item = Place::report(report, &command.account).read::<ReportItem>(&*ports.state).await?;
        if let Some((item, _)) = item.filter(|(item, _)| held_kind(&item.state).is_some()) {
            gathered.known.held.push(KnownHeld { report, at });
            gathered.held.push(item);
        }
    }
    Ok(())
}

/// Why a report is held; the inner value is absent when it ended whoever read it.
pub(crate) fn held_kind(state: &ReportState) -> Option<Option<Kind>> {
    match state {
        ReportState::Quarantined { kind } | ReportState::Rejected { kind } => Some(Some(*kind)),
        ReportState::Crashed => Some(None),
        ReportState::Claimed { .. } | ReportState::Committed | ReportState::Duplicate | ReportState::Released => None,
    }
}
