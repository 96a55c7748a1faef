//! Writing mails and planning them: the message lies under its content before the record of the mail names it.

use std::collections::BTreeMap;

use documents::mail::{
    Attachment, Confirmation, DigestMail, DigestPayout, FileName, HeldMail, HeldPayout, Mail, MonthMail, PayoutMail,
    Reader, Written, encoded_bytes,
};
use documents::{Apart, ApartKind, DinteroReport, Language};
use jiff::Timestamp;
use jiff::civil::Date;
use matching::AllowedWaits;
use settlement::{Account, HeaderText, MailId, Mailbox, Month, SettleKey, WebAddress, hexadecimal};
use sha2::{Digest, Sha256};
use store::keys::Key;
use store::{Expect, HeldSettlement, ObjectMeta, Order, Place, PortErrorKind, RecipientItem, RecipientKind, journal};

use super::details::Cache;
use super::known::Gathered;
use super::{Due, MailAccount, Mailing, id_of, merchant_of};
use crate::current::events::batches_of;
use crate::current::held::HeldReport;
use crate::current::versions::ExactSettlement;
use crate::matching::unsettled::{self, ListUnsettled};
use crate::months::{self, Summarised};
use crate::{Ports, StepError};
use store::{MailItem, MailState, Occasion};

/// Text and HTML of a letter, and the head, take no more than this of a mail.
const LETTER_BYTES: u64 = 200_000;

const PDF: &str = "application/pdf";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Writes what is due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writer<'a> {
    pub(super) ports: &'a Ports,
    pub(super) mailing: &'a Mailing,
    pub(super) command: &'a MailAccount,
    pub(super) account: &'a Account,
    pub(super) gathered: &'a Gathered,
    pub(super) now: Timestamp,
}

/// A file that may go with a mail.
struct File {
    name: FileName,
    content_type: &'static str,
    key: Key,
    meta: ObjectMeta,
}

impl Writer<'_> {
    /// Plans every mail that is due; gives them, and those that somebody else has planned in the meantime.
    pub(super) async fn plan_all(&self, due: Vec<Due>) -> Result<Vec<(MailId, MailItem, u64)>, StepError> {
        let mut planned = Vec::new();
        let mut cache = Cache::default();
        for due in due {
            match self.plan(&due, &mut cache).await {
                Ok(mail) => planned.extend(mail),
                Err(StepError::Port(error)) if error.kind == PortErrorKind::Conflict => {
                    planned.extend(self.planned_by_another(&due).await?);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(planned)
    }

    async fn planned_by_another(&self, due: &Due) -> Result<Option<(MailId, MailItem, u64)>, StepError> {
        let place = Place::recipient(&self.account.id, &due.recipient);
        let Some((recipient, _)) = place.read::<RecipientItem>(&*self.ports.state).await? else { return Ok(None) };
        let id = id_of(&self.item(due, &recipient), &self.account.id);
        let known = Place::mail(&self.account.id, &id).read::<MailItem>(&*self.ports.state).await?;
        Ok(known.filter(|(item, _)| !item.is_ended()).map(|(item, revision)| (id, item, revision)))
    }

    /// The record of a mail that nothing is written of yet.
    fn item(&self, due: &Due, recipient: &RecipientItem) -> MailItem {
        MailItem {
            occasion: due.occasion.clone(),
            recipient: due.recipient.clone(),
            language: Language::of(&recipient.language).tag().to_owned(),
            subject: String::new(),
            digest: None,
            planned_at: self.now,
            payouts: due.payouts.clone(),
            held: due.held.clone(),
            attempt: 0,
            unknown_times: 0,
            state: MailState::Planned { not_before: None },
        }
    }

    /// `None` when the documents that go with the mail are not written yet, or a later digest is planned.
    async fn plan(&self, due: &Due, cache: &mut Cache) -> Result<Option<(MailId, MailItem, u64)>, StepError> {
        let place = Place::recipient(&self.account.id, &due.recipient);
        let Some((recipient, _)) = place.read::<RecipientItem>(&*self.ports.state).await? else { return Ok(None) };
        let mut item = self.item(due, &recipient);
        let id = id_of(&item, &self.account.id);
        let Some((written, files)) = self.written(due, &recipient, &id, cache).await? else { return Ok(None) };
        item.subject = written.subject.to_string();
        if !matches!(due.occasion, Occasion::Confirmation { .. }) {
            let attachments = self.attachments(&files).await?;
            let message = message(self.mailing, &id, self.now, &recipient, &written, &attachments)?;
            let digest = hexadecimal(&Sha256::digest(&message));
            let key = Key::Mail { account: self.account.id.clone(), mail: id.clone(), digest: digest.clone() };
            self.ports.objects.put_new(&key, &message).await?;
            item.digest = Some(digest);
        }
        let place = Place::mail(&self.account.id, &id);
        let mut writes = vec![
            place.put(&item, Expect::Absent)?,
            journal(&place, 1, self.now, Order::First, format!("planned: {}", due.occasion.describe()))?,
        ];
        if let Occasion::Digest { rhythm, until } = &due.occasion {
            // Two digests of one recipient are never planned of the same knowledge.
            let last = Place::digests(&self.account.id, &due.recipient, *rhythm);
            let known = last.read::<jiff::civil::Date>(&*self.ports.state).await?;
            if known.is_some_and(|(told_until, _)| told_until >= *until) {
                return self.planned_by_another(due).await;
            }
            writes.push(last.put(until, known.map_or(Expect::Absent, |(_, revision)| Expect::Revision(revision)))?);
        }
        self.ports.state.transact(&writes).await?;
        Ok(Some((id, item, 1)))
    }

    async fn written(
        &self,
        due: &Due,
        recipient: &RecipientItem,
        id: &MailId,
        cache: &mut Cache,
    ) -> Result<Option<(Written, Vec<File>)>, StepError> {
        let Some((attached, left_out)) = self.files(due, recipient).await? else { return Ok(None) };
        let names: Vec<FileName> = attached.iter().map(|file| file.name.clone()).collect();
        let places: Vec<(FileName, String)> =
            left_out.into_iter().map(|file| (file.name, file.key.to_string())).collect();
        let merchant = merchant_of(self.account);
        let stop = stop_of(self.mailing, id);
        let reader = Reader {
            attached: &names,
            left_out: &places,
            ..reader_of(self.mailing, &merchant, recipient, stop.as_ref())
        };
        let written = match &due.occasion {
            Occasion::Confirmation { .. } => confirmation(self.mailing, self.account, recipient),
            Occasion::Payout { settlement, version } => {
                let Some(owned) = self.gathered.payout(settlement, *version) else { return Ok(None) };
                self.payout(owned, &reader, cache).await?
            }
            Occasion::Held { report } => {
                let Some(HeldReport { report: item, kind, held }) = self.gathered.held_report(*report) else {
                    return Ok(None);
                };
                let settlements: Vec<HeldPayout> = held.settlements.iter().map(held_payout).collect();
                let mail = HeldMail {
                    report: *report,
                    file: &item.name,
                    provider: &item.provider,
                    kind: *kind,
                    settlements: &settlements,
                    settlement_count: held.settlement_count,
                };
                mail.written(&reader)
            }
            Occasion::Digest { rhythm, until } => {
                let (payouts, apart) = self.digest(due, *until, recipient, cache).await?;
                DigestMail { rhythm: *rhythm, until: *until, payouts: &payouts, apart: &apart }.written(&reader)
            }
            Occasion::Month { first, revision } => {
                MonthMail(&self.month(*first, *revision).await?.summary).written(&reader)
            }
        };
        Ok(Some((written, attached)))
    }

    async fn payout(
        &self,
        owned: &ExactSettlement,
        reader: &Reader<'_>,
        cache: &mut Cache,
    ) -> Result<Written, StepError> {
        let details = cache.of(self.ports, &self.account.id, &self.command.scratch, owned).await?;
        let report = DinteroReport {
            key: &owned.key,
            settlement: &owned.version.settlement,
            version: owned.version.version,
            report: owned.version.report,
            breakdown: &details.breakdown,
            language: reader.language,
        };
        Ok(PayoutMail { report, matched: details.matched.as_ref() }.written(reader))
    }

    /// The payouts of a digest, and what stands apart from their sums: an account's held reports and what is not exact, and
    /// of these payouts the lines without a transaction and what Dintero has not answered.
    async fn digest(
        &self,
        due: &Due,
        until: Date,
        recipient: &RecipientItem,
        cache: &mut Cache,
    ) -> Result<(Vec<DigestPayout>, Vec<Apart>), StepError> {
        let mut owned: Vec<&ExactSettlement> =
            due.payouts.iter().filter_map(|(key, version)| self.gathered.payout(key, *version)).collect();
        owned.sort_by_key(|owned| owned.version.report);
        let (mut payouts, mut apart) = (Vec::new(), Vec::new());
        if recipient.kind == RecipientKind::Person {
            apart = self.gathered.apart(&due.held);
            apart.extend(self.missed(until).await?);
        }
        for owned in owned {
            let details = cache.of(self.ports, &self.account.id, &self.command.scratch, owned).await?;
            let settlement = &owned.version.settlement;
            let head = &settlement.head;
            let of = |kind, count, amount_minor: i64| Apart {
                reference: head.settlement_id.to_string(),
                merchant_number: Some(head.merchant_number.to_string()),
                day: Some(head.payout_on),
                count: Some(count),
                amount_minor: Some(amount_minor),
                ..Apart::of(kind, &owned.key.provider, Some(head.currency))
            };
            let open = details.matched.as_ref().map_or(0, |matched| matched.lines.saturating_sub(matched.found));
            if open > 0 {
                apart.push(of(ApartKind::Unmatched, open, details.open_minor));
            }
            for (state, (count, amount_minor)) in self.unanswered(&owned.key).await? {
                apart.push(Apart { state: state.to_owned(), ..of(ApartKind::Event, count, amount_minor) });
            }
            payouts.push(DigestPayout {
                provider: owned.key.provider.to_string(),
                settlement_id: head.settlement_id.to_string(),
                version: owned.version.version,
                payout_on: head.payout_on,
                bank_reference: settlement.bank_reference.clone(),
                currency: head.currency,
                exponent: head.exponent,
                sums: settlement.sums,
                fees: settlement.fees,
                payout_minor: settlement.payout_minor.unwrap_or(0),
            });
        }
        payouts.sort_by(|a, b| {
            (a.payout_on, &a.provider, &a.settlement_id).cmp(&(b.payout_on, &b.provider, &b.settlement_id))
        });
        apart.sort();
        Ok((payouts, apart))
    }

    /// Settlement events that a person should know of, by their state: how many, and what they sum to in minor units.
    async fn unanswered(&self, key: &SettleKey) -> Result<BTreeMap<&'static str, (u64, i64)>, StepError> {
        let mut found: BTreeMap<&'static str, (u64, i64)> = BTreeMap::new();
        for (_, batch, _) in batches_of(self.ports, key).await? {
            for event in &batch.events {
                let Some(state) = event.state.open() else { continue };
                let (count, minor) = found.entry(state).or_default();
                *count += 1;
                *minor = minor.saturating_add(event.event.amount_minor);
            }
        }
        Ok(found)
    }

    /// What was due on a day and has not come.
    async fn missed(&self, today: Date) -> Result<Vec<Apart>, StepError> {
        let (account, scratch) = (self.account.id.clone(), self.command.scratch.clone());
        let command = ListUnsettled { account, today, waits: AllowedWaits::default(), scratch };
        unsettled::run(self.ports, &command).await?.apart()
    }

    async fn month(&self, first: Date, revision: u32) -> Result<Summarised, StepError> {
        months::revision(self.ports, &self.account.id, Month::of(first), revision).await
    }

    /// The files of a mail, parted into those that go with it and those that are too large; `None` when one is not written yet.
    async fn files(&self, due: &Due, recipient: &RecipientItem) -> Result<Option<(Vec<File>, Vec<File>)>, StepError> {
        let mut wanted: Vec<(FileName, &'static str, Key)> = Vec::new();
        let forms: &[(&str, &str)] = match recipient.kind {
            RecipientKind::Person => &[("pdf", PDF), ("xlsx", XLSX)],
            RecipientKind::Inbox => &[("pdf", PDF)],
        };
        for (extension, content_type) in forms {
            for (settlement, version) in &due.payouts {
                let Some(owned) = self.gathered.payout(settlement, *version) else { continue };
                let key = Key::DinteroReport { settlement: settlement.clone(), version: *version, extension };
                wanted.push((file_name(owned, extension), content_type, key));
            }
        }
        if let Occasion::Month { first, revision } = &due.occasion {
            for key in self.month(*first, *revision).await?.files {
                let path = key.to_string();
                let form = forms.iter().find(|(extension, _)| path.ends_with(&format!(".{extension}")));
                let Some((extension, content_type)) = form else { continue };
                let name = FileName::of(&format!("{}_avstem_{}.{extension}", first.strftime("%Y-%m"), self.account.id));
                wanted.push((name, content_type, key));
            }
        }
        let (mut attached, mut left_out, mut size_bytes) = (Vec::new(), Vec::new(), LETTER_BYTES);
        for (name, content_type, key) in wanted {
            let Some(meta) = self.ports.objects.head(&key).await? else { return Ok(None) };
            let with = size_bytes.saturating_add(encoded_bytes(meta.size_bytes));
            let file = File { name, content_type, key, meta };
            if with > self.mailing.bytes_max {
                left_out.push(file);
            } else {
                size_bytes = with;
                attached.push(file);
            }
        }
        Ok(Some((attached, left_out)))
    }

    async fn attachments(&self, files: &[File]) -> Result<Vec<Attachment>, StepError> {
        let mut attachments = Vec::new();
        for File { name, content_type, key, meta } in files {
            let mut bytes = Vec::new();
            self.ports.objects.fetch(key, &meta.version, &mut bytes).await?;
            attachments.push(Attachment { name: name.clone(), content_type, bytes });
        }
        Ok(attachments)
    }
}

/// `2026-11-03_vipps_2000123_NOK.pdf`; a later version says so.
fn file_name(owned: &ExactSettlement, extension: &str) -> FileName {
    let (key, head) = (&owned.key, &owned.version.settlement.head);
    let version = match owned.version.version {
        1 => String::new(),
        version => format!("_v{version}"),
    };
    let SettleKey { provider, settlement_id, currency, .. } = key;
    FileName::of(&format!("{}_{provider}_{settlement_id}_{currency}{version}.{extension}", head.payout_on))
}

/// A reader with nothing attached.
fn reader_of<'a>(
    mailing: &'a Mailing,
    merchant: &'a HeaderText,
    recipient: &'a RecipientItem,
    stop: Option<&'a WebAddress>,
) -> Reader<'a> {
    Reader {
        merchant,
        address: &recipient.address,
        language: Language::of(&recipient.language),
        is_inbox: recipient.kind == RecipientKind::Inbox,
        attached: &[],
        left_out: &[],
        backoffice: mailing.backoffice.as_ref().filter(|_| recipient.kind == RecipientKind::Person),
        stop,
    }
}

/// Where one click stops what this mail is of.
fn stop_of(mailing: &Mailing, id: &MailId) -> Option<WebAddress> {
    mailing.stop.as_ref().and_then(|address| format!("{}?mail={id}", address.as_str()).parse().ok())
}

fn held_payout(settlement: &HeldSettlement) -> HeldPayout {
    let HeldSettlement { payout_on, lines, currency, exponent, payout_minor, payout_before_minor, .. } = *settlement;
    HeldPayout {
        merchant_number: settlement.merchant_number.clone(),
        settlement_id: settlement.settlement_id.clone(),
        payout_on,
        lines,
        currency,
        exponent,
        payout_minor,
        payout_before_minor,
    }
}

/// What asks a recipient to confirm: written anew each time, since its token is kept nowhere.
fn confirmation(mailing: &Mailing, account: &Account, recipient: &RecipientItem) -> Written {
    let merchant = merchant_of(account);
    let reader = Reader { backoffice: None, ..reader_of(mailing, &merchant, recipient, None) };
    let token = mailing.secret.token(&account.id, &recipient.address, recipient.generation);
    Confirmation { token: &token, link: None }.written(&reader)
}

/// The whole of that mail.
pub(super) fn confirmation_message(
    mailing: &Mailing,
    account: &Account,
    recipient: &RecipientItem,
    id: &MailId,
    at: Timestamp,
) -> Result<Vec<u8>, StepError> {
    message(mailing, id, at, recipient, &confirmation(mailing, account, recipient), &[])
}

fn message(
    mailing: &Mailing,
    id: &MailId,
    at: Timestamp,
    recipient: &RecipientItem,
    written: &Written,
    attachments: &[Attachment],
) -> Result<Vec<u8>, StepError> {
    let to = Mailbox { name: recipient.name.clone(), address: recipient.address.clone() };
    let stop = stop_of(mailing, id);
    let (from, reply_to) = (&mailing.from, mailing.reply_to.as_ref());
    Ok(Mail { id, at, from, reply_to, to: &to, written, attachments, stop: stop.as_ref() }.bytes()?)
}
