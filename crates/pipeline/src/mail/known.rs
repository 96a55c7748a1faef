//! What may be mailed of an account, by its state: only what some recipient has not had yet is read.

use documents::{Apart, ApartKind};
use settlement::{ReportId, Rhythm, SettleKey};
use store::{
    Occasion, Query, RecipientItem, RecipientKind, ReportItem, SettlementItem, SettlementVersion, settlement_key,
};

use super::MailAccount;
use super::due::{Known, KnownHeld, KnownPayout};
use crate::current::held::{self, HeldReport};
use crate::current::notice::{self, NoticeCheck};
use crate::current::versions::{ExactSettlement, Versions};
use crate::{Ports, StepError, months};
use store::MailItem;

/// What is known, with what is needed to write it down.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) known: Known,
    /// The settlements of `known`, as they were proved.
    pub(super) payouts: Vec<ExactSettlement>,
    /// The reports of `known`.
    pub(super) held: Vec<HeldReport>,
    /// Settlements that count and are not exact, and why in a word.
    pub(super) not_exact: Vec<(SettleKey, SettlementVersion, &'static str)>,
}

impl Gathered {
    pub(super) fn payout(&self, key: &SettleKey, version: u32) -> Option<&ExactSettlement> {
        self.payouts.iter().find(|owned| owned.key == *key && owned.version.version == version)
    }

    pub(super) fn held_report(&self, report: ReportId) -> Option<&HeldReport> {
        self.held.iter().find(|held| held.report.report == report)
    }

    fn report(&self, report: ReportId) -> Option<&ReportItem> {
        self.held_report(report).map(|held| &held.report)
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
            reference: key.settlement_id.to_string(),
            merchant_number: Some(key.merchant_number.to_string()),
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
        let months = months::newest_revisions(ports, &command.account).await?;
        gathered.known.months = months.into_iter().map(|(month, revision)| (month.first_day(), revision)).collect();
    }
    if asking.is_empty() {
        return Ok(gathered);
    }
    let mailed = AlreadyMailed { asking: &asking, planned };
    let mut versions = Versions::new(ports, &command.account);
    for item in store::all(&*ports.state, Query::settlements(&command.account)).await? {
        let record: SettlementItem = store::decode(&item)?;
        let key = settlement_key(&item)?;
        if record.versions.last().is_none_or(|last| mailed.is_mailed(&key, last)) {
            continue;
        }
        let Some(version) = versions.of_record(record).await? else { continue };
        match notice::check(ports, &key, &version, &command.scratch).await? {
            NoticeCheck::Agree(confirmed) => {
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

struct AlreadyMailed<'a> {
    asking: &'a [&'a RecipientItem],
    planned: &'a [&'a MailItem],
}

impl AlreadyMailed<'_> {
    /// Whether everybody who asks has been told of that version, in each of their rhythms.
    fn is_mailed(&self, key: &SettleKey, version: &SettlementVersion) -> bool {
        let payout = (key.clone(), version.version);
        let is_of = |item: &MailItem, rhythm: Rhythm| match &item.occasion {
            Occasion::Payout { .. } => rhythm == Rhythm::EachPayout,
            Occasion::Digest { rhythm: own, .. } => *own == rhythm,
            _ => false,
        };
        let waits = |recipient: &&RecipientItem| {
            version.settlement.head.payout_on >= recipient.from
                && recipient.rhythms.iter().filter(|rhythm| **rhythm != Rhythm::Monthly).any(|rhythm| {
                    let mut own = self.planned.iter().filter(|item| item.recipient == recipient.address);
                    !own.any(|item| is_of(item, *rhythm) && item.payouts.contains(&payout))
                })
        };
        !self.asking.iter().any(waits)
    }
}

/// Reports that are held, with the time at which they came to be.
async fn gather_held(ports: &Ports, command: &MailAccount, gathered: &mut Gathered) -> Result<(), StepError> {
    gathered.held = held::all(ports, &command.account).await?;
    let known = gathered.held.iter().map(|held| KnownHeld { report: held.report.report, at: held.held.at });
    gathered.known.held.extend(known);
    Ok(())
}
