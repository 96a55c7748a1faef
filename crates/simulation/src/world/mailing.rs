//! The mail service, and the rules for each mail that it is given.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use settlement::{AccountId, MailId, MajorUnits, Settlement};
use store::{
    Envelope, Item, MailItem, MailState, Mailer, NotSent, NotSentKind, Occasion, PortError, RecipientItem, ReportItem,
    ReportState, SettlementItem, decode,
};

use super::{Worker, World, locked};
use crate::faults::{Effect, Mode};

/// A late mail is sent this much later.
const LATE: SignedDuration = SignedDuration::from_secs(30);

/// The trace of a sent mail can be read this much later.
const TRACE: SignedDuration = SignedDuration::from_mins(5);

/// The service refuses mails to this address.
pub(crate) const REFUSED_AT: &str = "ukjent@example.no";

/// Mails that were sent, and mails that will be sent late.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mailbox {
    sent: BTreeMap<MailId, Timestamp>,
    late: Vec<(Timestamp, MailId)>,
}

impl Mailbox {
    /// Sends the late mails that are due; a mail that is sent twice is an error.
    fn pass(&mut self, now: Timestamp) -> Result<(), String> {
        let (due, rest): (Vec<_>, Vec<_>) = self.late.drain(..).partition(|(at, _)| *at <= now);
        self.late = rest;
        due.iter().try_for_each(|(at, id)| self.leave(*at, id))
    }

    fn leave(&mut self, at: Timestamp, id: &MailId) -> Result<(), String> {
        match self.sent.insert(id.clone(), at) {
            Some(_) => Err(format!("I8: mail {id} was sent twice")),
            None => Ok(()),
        }
    }

    /// Every mail that was sent.
    pub(crate) fn sent(&self) -> impl Iterator<Item = &MailId> {
        self.sent.keys()
    }

    /// Sends every late mail.
    pub(crate) fn settle(&mut self) -> Result<(), String> {
        self.pass(Timestamp::MAX)
    }
}

impl Worker {
    fn mailbox(&self, does: impl FnOnce(&mut Mailbox) -> Result<(), String>) {
        let done = does(&mut locked(&self.world.mailbox));
        if let Err(violation) = done {
            locked(&self.world.watch).violation.get_or_insert(violation);
        }
    }
}

#[async_trait]
impl Mailer for Worker {
    async fn send(&self, envelope: &Envelope<'_>, message: &[u8]) -> Result<String, NotSent> {
        let mode = self.turn(Effect::Mail, "mail").await;
        if mode == Some(Mode::Before) {
            return self.die().await;
        }
        let not_sent = |kind, why: &str| Err(NotSent { kind, why: why.to_owned() });
        let now = self.world.clock.now();
        if now > envelope.not_after {
            return not_sent(NotSentKind::Later, "too late to be sent");
        }
        let records = self.world.state.all();
        if let Err(violation) = check(envelope, message, &records) {
            locked(&self.world.watch).violation.get_or_insert(violation);
        }
        if envelope.to.as_str() == REFUSED_AT {
            return not_sent(NotSentKind::Refused, "the address is on the suppression list");
        }
        let id = envelope.id.clone();
        match mode {
            Some(Mode::Refused | Mode::Api(_)) => return not_sent(NotSentKind::Later, "throttled"),
            Some(Mode::Late) => {
                let at = now.saturating_add(LATE).unwrap_or(now);
                locked(&self.world.mailbox).late.push((at, id));
                return not_sent(NotSentKind::Unknown, "no answer");
            }
            _ => {}
        }
        self.mailbox(|mailbox| mailbox.pass(now).and_then(|()| mailbox.leave(now, &id)));
        match mode {
            Some(Mode::After) => self.die().await,
            Some(Mode::Lost) => not_sent(NotSentKind::Unknown, "no answer"),
            _ => Ok(format!("ses-{}", envelope.id)),
        }
    }

    async fn sent(&self, id: &MailId) -> Result<Option<String>, PortError> {
        let world = &self.world;
        let asked = async {
            let now = world.clock.now();
            self.mailbox(|mailbox| mailbox.pass(now));
            let is_traced = |at: &Timestamp| at.saturating_add(TRACE).is_ok_and(|traced| traced <= now);
            Ok(locked(&world.mailbox).sent.get(id).is_some_and(is_traced).then(|| format!("ses-{id}")))
        };
        self.call(Effect::Read, "mail", asked).await
    }
}

impl World {
    /// Sends every late mail.
    pub(crate) fn settle_mails(&self) -> Result<(), String> {
        locked(&self.mailbox).settle()
    }
}

/// I4, I6, I8: a mail is recorded as being sent, goes to a confirmed recipient, and shows the payout in force to the minor unit.
fn check(envelope: &Envelope<'_>, message: &[u8], records: &[Item]) -> Result<(), String> {
    let noted = records.iter().find(|item| item.partition.starts_with("MAIL#") && item.sort == envelope.id.as_str());
    let Some(item) = noted else { return Err(format!("I6: mail {} was sent and is not planned", envelope.id)) };
    let mail: MailItem = decode(item).map_err(|error| error.to_string())?;
    if !matches!(mail.state, MailState::Sending { .. }) {
        return Err(format!("I6: mail {} was sent while it is {}", envelope.id, mail.state.word()));
    }
    let account = item.partition.trim_start_matches("MAIL#");
    let recipient = records
        .iter()
        .find(|item| item.partition == format!("RECIPIENT#{account}") && item.sort == envelope.to.as_str());
    let recipient = recipient.and_then(|item| decode::<RecipientItem>(item).ok());
    let is_confirmed = recipient.is_some_and(|recipient| recipient.is_confirmed());
    if !is_confirmed && !matches!(mail.occasion, Occasion::Confirmation { .. }) {
        return Err(format!("I8: mail {} goes to {}, who has not confirmed", envelope.id, envelope.to));
    }
    let text = text_of(message);
    for (key, version) in &mail.payouts {
        let Some(settlement) = in_force(records, account, &key.settlement_id, *version) else {
            return Err(format!("I4: mail {} shows the payout of {key}, which is not in force", envelope.id));
        };
        let head = &settlement.head;
        let amount = MajorUnits::new(settlement.payout_minor.unwrap_or(0), head.exponent).to_string().replace('.', ",");
        if !text.contains(&amount) || !text.contains(head.settlement_id.as_str()) {
            return Err(format!("I8: mail {} does not say that {key} is {amount}", envelope.id));
        }
    }
    Ok(())
}

/// This version of a settlement, if its report is committed.
fn in_force(records: &[Item], account: &str, settlement: &str, version: u32) -> Option<Settlement> {
    let of = |item: &&Item| item.partition == format!("SETTLEMENT#{account}");
    let known = records.iter().filter(of).filter_map(|item| decode::<SettlementItem>(item).ok());
    let mut versions = known.flat_map(|item| item.versions);
    let found = versions.find(|known| known.version == version && known.settlement.head.settlement_id == settlement)?;
    let account: AccountId = account.parse().ok()?;
    let report = records
        .iter()
        .find(|item| item.partition == format!("REPORT#{}", found.report) && item.sort == account.as_str())?;
    let report: ReportItem = decode(report).ok()?;
    (report.state == ReportState::Committed).then_some(found.settlement)
}

/// The text of a mail in quoted-printable, with amounts as programs write them.
fn text_of(message: &[u8]) -> String {
    let (mut text, mut rest) = (Vec::with_capacity(4_096), message);
    // Attachments follow the letter.
    while let [first, after @ ..] = rest {
        if text.len() > 100_000 {
            break;
        }
        rest = match (first, after) {
            (b'=', [b'\r', b'\n', after @ ..]) => after,
            (b'=', [high, low, after @ ..]) => {
                let digit = |sign: &u8| char::from(*sign).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                text.extend(digit(high).zip(digit(low)).map(|(high, low)| high << 4 | low));
                after
            }
            (sign, after) => {
                text.push(*sign);
                after
            }
        };
    }
    String::from_utf8_lossy(&text).replace('\u{a0}', "")
}
