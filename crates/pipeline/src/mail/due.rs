//! Who is due to be told of what: a function of the time, the recipients, what is known, and what was planned before.

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use settlement::{Address, Defect, ReportId, Rhythm, SettleKey, is_seeded};
use store::{RecipientItem, RecipientKind};

use store::{MailItem, Occasion};

/// Digests are due at this hour of the account's zone: no clock is ever moved then.
const DIGEST_HOUR: i8 = 6;

/// What may be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Settlements that count and are proved exactly.
    pub payouts: Vec<KnownPayout>,
    /// Reports that are held.
    pub held: Vec<KnownHeld>,
    /// First days of closed months, with the revision of their newest summary.
    pub months: Vec<(Date, u32)>,
}

/// A settlement that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPayout {
    /// The settlement.
    pub settlement: SettleKey,
    /// The version in force.
    pub version: u32,
    /// The day it is paid out.
    pub payout_on: Date,
}

/// A report that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownHeld {
    /// The report.
    pub report: ReportId,
    /// Since when.
    pub at: Timestamp,
}

/// A mail that is to be planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Who is told.
    pub recipient: Address,
    /// Of what.
    pub occasion: Occasion,
    /// Settlements that are told as paid, with their versions.
    pub payouts: Vec<(SettleKey, u32)>,
    /// Held reports that are named.
    pub held: Vec<ReportId>,
}

/// What is due now, in the order of recipients. Asked again after it is planned, nothing of it is.
pub fn due(
    now: Timestamp,
    zone: &TimeZone,
    recipients: &[RecipientItem],
    known: &Known,
    planned: &[&MailItem],
) -> Vec<Due> {
    let mut all = Vec::new();
    for recipient in recipients.iter().filter(|recipient| recipient.removed_at.is_none()) {
        let own: Vec<&MailItem> = planned.iter().copied().filter(|item| item.recipient == recipient.address).collect();
        let of_recipient = OfRecipient { now, zone, recipient, known, own: &own };
        let mut due = match recipient.confirmed_at {
            Some(confirmed_at) => of_recipient.confirmed(confirmed_at),
            None if is_seeded(Defect::MailToUnconfirmed) => of_recipient.confirmed(now),
            None => vec![of_recipient.about(Occasion::Confirmation { generation: recipient.generation })],
        };
        due.retain(|due| !own.iter().any(|item| item.occasion == due.occasion));
        all.append(&mut due);
    }
    all
}

struct OfRecipient<'a> {
    now: Timestamp,
    zone: &'a TimeZone,
    recipient: &'a RecipientItem,
    known: &'a Known,
    /// Every mail to the recipient so far.
    own: &'a [&'a MailItem],
}

impl OfRecipient<'_> {
    fn about(&self, occasion: Occasion) -> Due {
        Due { recipient: self.recipient.address.clone(), occasion, payouts: Vec::new(), held: Vec::new() }
    }

    fn confirmed(&self, confirmed_at: Timestamp) -> Vec<Due> {
        let mut due = Vec::new();
        for rhythm in &self.recipient.rhythms {
            match rhythm {
                Rhythm::EachPayout => due.extend(self.each()),
                Rhythm::Daily | Rhythm::Weekly => due.extend(self.digest(*rhythm, confirmed_at)),
                Rhythm::Monthly => due.extend(self.months()),
            }
        }
        due
    }

    fn payouts(&self) -> impl Iterator<Item = &KnownPayout> {
        self.known.payouts.iter().filter(|payout| payout.payout_on >= self.recipient.from)
    }

    /// Held reports, for whoever can do something about them.
    fn held(&self) -> impl Iterator<Item = &KnownHeld> {
        let is_person = self.recipient.kind == RecipientKind::Person;
        let from = self.recipient.from;
        self.known.held.iter().filter(move |held| is_person && self.day_of(held.at) >= from)
    }

    fn day_of(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }

    fn each(&self) -> Vec<Due> {
        let payout = |payout: &KnownPayout| {
            let (settlement, version) = (payout.settlement.clone(), payout.version);
            let payouts = vec![(settlement.clone(), version)];
            Due { payouts, ..self.about(Occasion::Payout { settlement, version }) }
        };
        let held =
            |held: &KnownHeld| Due { held: vec![held.report], ..self.about(Occasion::Held { report: held.report }) };
        self.payouts().map(payout).chain(self.held().map(held)).collect()
    }

    /// The digest of the period that ended last, of whatever was in none before: one that was missed is made up for by the
    /// next one.
    fn digest(&self, rhythm: Rhythm, confirmed_at: Timestamp) -> Option<Due> {
        let (begun, until) = self.ended_last(rhythm)?;
        let digests = || {
            let own = self.own.iter();
            own.filter_map(|item| match &item.occasion {
                Occasion::Digest { rhythm: own, until } if *own == rhythm => Some((*until, *item)),
                _ => None,
            })
        };
        if begun <= confirmed_at || digests().any(|(told_until, _)| told_until >= until) {
            return None;
        }
        let mailed: BTreeSet<&(SettleKey, u32)> = digests().flat_map(|(_, item)| &item.payouts).collect();
        let told_held: BTreeSet<&ReportId> = digests().flat_map(|(_, item)| &item.held).collect();
        let payouts = self.payouts().filter(|payout| payout.payout_on <= until);
        let payouts = payouts.map(|payout| (payout.settlement.clone(), payout.version));
        let payouts: Vec<(SettleKey, u32)> = payouts.filter(|payout| !mailed.contains(payout)).collect();
        let held = self.held().filter(|held| self.day_of(held.at) <= until).map(|held| held.report);
        let held: Vec<ReportId> = held.filter(|report| !told_held.contains(report)).collect();
        let is_empty = payouts.is_empty() && held.is_empty();
        (!is_empty).then(|| Due { payouts, held, ..self.about(Occasion::Digest { rhythm, until }) })
    }

    /// When the digest that is due became so, and the last day that it is about.
    fn ended_last(&self, rhythm: Rhythm) -> Option<(Timestamp, Date)> {
        let mut day = self.day_of(self.now);
        for _ in 0..=7 {
            let begins = day.at(DIGEST_HOUR, 0, 0, 0).to_zoned(self.zone.clone()).ok()?.timestamp();
            let is_day = rhythm == Rhythm::Daily || day.weekday() == Weekday::Monday;
            if is_day && begins <= self.now {
                return Some((begins, day.yesterday().ok()?));
            }
            day = day.yesterday().ok()?;
        }
        None
    }

    fn months(&self) -> Vec<Due> {
        let ended_behind = |first: Date| first.checked_add(1.month()).is_ok_and(|next| next > self.recipient.from);
        let months = self.known.months.iter().filter(|(first, _)| ended_behind(*first));
        months.map(|(first, revision)| self.about(Occasion::Month { first: *first, revision: *revision })).collect()
    }
}
