//! Sending a mail: once in effect, whatever breaks off and whoever else is at it.

use jiff::{SignedDuration, Timestamp};
use settlement::{Account, Defect, MailId, is_seeded};
use store::keys::Key;
use store::{Envelope, Expect, NotSent, NotSentKind, Order, Place, RecipientItem, ReportItem, journal};

use super::compose::confirmation_message;
use super::{MailAccount, Mailing};
use crate::current::notice::{self, NoticeCheck};
use crate::current::versions;
use crate::{Ports, StepError};
use store::{MailItem, MailState, Occasion, TRACE_WITHIN};

/// So many times may nobody know what came of a mail; then a person decides.
const UNKNOWN_TIMES_MAX: u32 = 2;

/// A mail that the service does not take for now is sent again after this time, and later each time.
const LATER: SignedDuration = SignedDuration::from_mins(1);

/// At most so much later.
const LATER_MAX: SignedDuration = SignedDuration::from_mins(60);

/// A worker that has a mail.
#[derive(Debug)]
pub(super) struct Sender<'a> {
    pub(super) ports: &'a Ports,
    pub(super) mailing: &'a Mailing,
    pub(super) command: &'a MailAccount,
    pub(super) account: &'a Account,
    pub(super) id: &'a MailId,
    pub(super) place: Place,
    pub(super) item: MailItem,
    pub(super) revision: u64,
}

impl Sender<'_> {
    /// Brings the mail as far as it goes now.
    ///
    /// # Errors
    /// `Conflict` when another worker has taken it, else when a port fails.
    pub(super) async fn run(mut self) -> Result<MailItem, StepError> {
        loop {
            let now = self.mailing.now();
            match self.item.state.clone() {
                MailState::Planned { not_before } if not_before.is_some_and(|until| until > now) => break,
                MailState::Planned { .. } => match self.withdrawn().await? {
                    Some(why) => self.becomes(MailState::Withdrawn { why }).await?,
                    None => self.send().await?,
                },
                MailState::Sending { lease_until, .. } if lease_until > now => break,
                // Whoever was sending it came to no end.
                MailState::Sending { since, .. } => {
                    self.item.unknown_times += 1;
                    self.becomes(MailState::Unknown { since, why: "the worker that sent it ended".to_owned() }).await?;
                }
                MailState::Unknown { since, why } => {
                    if !self.asked(since, &why, now).await? {
                        break;
                    }
                }
                _ => break,
            }
        }
        Ok(self.item)
    }

    /// Looks for a trace of what may have been sent; whether anything came of it.
    async fn asked(&mut self, since: Timestamp, why: &str, now: Timestamp) -> Result<bool, StepError> {
        if is_seeded(Defect::MailResentOnUnknown) {
            self.send().await?;
            return Ok(true);
        }
        match self.mailing.mailer.sent(self.id).await {
            Ok(Some(message_id)) => {
                self.becomes(MailState::Sent { message_id }).await?;
                return Ok(true);
            }
            Ok(None) => {}
            // Nobody can tell now; other mails need not wait for it.
            Err(error) if error.is_retryable() => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        if now < since.saturating_add(TRACE_WITHIN).unwrap_or(since) {
            return Ok(false);
        }
        match self.withdrawn().await? {
            _ if self.item.unknown_times >= UNKNOWN_TIMES_MAX => {
                self.becomes(MailState::Human { why: format!("{why}, and there is no trace of it") }).await?;
            }
            Some(gone) => {
                self.becomes(MailState::Human { why: format!("{why}; it is not sent again: {gone}") }).await?
            }
            None => self.send().await?,
        }
        Ok(true)
    }

    /// Sends it once: what it comes to is its state.
    async fn send(&mut self) -> Result<(), StepError> {
        let message = self.message().await?;
        let since = self.mailing.now();
        let lease_until = since.saturating_add(self.command.lease).unwrap_or(since);
        let not_after = if is_seeded(Defect::MailUnfenced) { Timestamp::MAX } else { lease_until };
        let recipient = self.item.recipient.clone();
        let envelope = Envelope {
            id: self.id,
            at: self.item.planned_at,
            from: &self.mailing.from.address,
            to: &recipient,
            not_after,
        };
        let early = match is_seeded(Defect::MailSentBeforeSending) {
            true => Some(self.mailing.mailer.send(&envelope, &message).await),
            false => None,
        };
        self.item.attempt += 1;
        self.becomes(MailState::Sending { since, lease_until }).await?;
        let sent = match early {
            Some(sent) => sent,
            None => self.mailing.mailer.send(&envelope, &message).await,
        };
        let now = self.mailing.now();
        let state = match sent {
            Ok(message_id) => MailState::Sent { message_id },
            Err(NotSent { kind: NotSentKind::Refused, why }) => MailState::Refused { why },
            Err(NotSent { kind: NotSentKind::Later, .. }) => {
                let times = i32::try_from(self.item.attempt).unwrap_or(i32::MAX);
                let wait = LATER.saturating_mul(times).min(LATER_MAX);
                MailState::Planned { not_before: now.saturating_add(wait).ok() }
            }
            Err(NotSent { kind: NotSentKind::Unknown, why }) => {
                self.item.unknown_times += 1;
                MailState::Unknown { since: now, why }
            }
        };
        self.becomes(state).await
    }

    /// The message as it was written when it was planned.
    async fn message(&self) -> Result<Vec<u8>, StepError> {
        let Some(digest) = self.item.digest.clone() else {
            let place = Place::recipient(&self.account.id, &self.item.recipient);
            let Some((recipient, _)) = place.read::<RecipientItem>(&*self.ports.state).await? else {
                return Err(StepError::Refused(format!("The recipient of mail {} is gone", self.id)));
            };
            return confirmation_message(self.mailing, self.account, &recipient, self.id, self.item.planned_at);
        };
        let key = Key::Mail { account: self.account.id.clone(), mail: self.id.clone(), digest };
        let Some(meta) = self.ports.objects.head(&key).await? else {
            return Err(StepError::Refused(format!("Mail {} is gone from {key}", self.id)));
        };
        let mut message = Vec::new();
        self.ports.objects.fetch(&key, &meta.version, &mut message).await?;
        Ok(message)
    }

    /// Writes the state, unless somebody else has the mail by now.
    async fn becomes(&mut self, state: MailState) -> Result<(), StepError> {
        self.item.state = state;
        let what = match &self.item.state {
            MailState::Sending { .. } => format!("SENDING, attempt {}", self.item.attempt),
            MailState::Sent { message_id } => format!("SENT as {message_id}"),
            MailState::Planned { not_before: Some(until) } => format!("not taken, to be sent after {until:.0}"),
            MailState::Unknown { why, .. }
            | MailState::Refused { why }
            | MailState::Withdrawn { why }
            | MailState::Human { why } => format!("{}: {why}", self.item.state.word()),
            MailState::Planned { not_before: None } => self.item.state.word().to_owned(),
        };
        let writes = [
            self.place.put(&self.item, Expect::Revision(self.revision))?,
            journal(&self.place, self.revision + 1, self.mailing.now(), Order::Midway, what)?,
        ];
        self.ports.state.transact(&writes).await?;
        self.revision += 1;
        Ok(())
    }

    /// Why it is not to be sent any more; `None` when it still is.
    async fn withdrawn(&self) -> Result<Option<String>, StepError> {
        let place = Place::recipient(&self.account.id, &self.item.recipient);
        let recipient = place.read::<RecipientItem>(&*self.ports.state).await?.map(|(item, _)| item);
        let Some(recipient) = recipient.filter(|recipient| recipient.removed_at.is_none()) else {
            return Ok(Some("the recipient was removed".to_owned()));
        };
        if let Occasion::Confirmation { generation } = &self.item.occasion {
            let is_asked = recipient.confirmed_at.is_none() && recipient.generation == *generation;
            return Ok((!is_asked).then(|| "nobody is asked to confirm any more".to_owned()));
        }
        if !recipient.is_confirmed() && !is_seeded(Defect::MailToUnconfirmed) {
            return Ok(Some("the recipient has not confirmed".to_owned()));
        }
        match &self.item.occasion {
            Occasion::Payout { settlement, version } => {
                let Some(current) = versions::in_force(self.ports, settlement).await? else {
                    return Ok(Some("no report of the settlement is committed".to_owned()));
                };
                if current.version != *version {
                    return Ok(Some(format!("version {} is in force", current.version)));
                }
                let check = notice::check(self.ports, settlement, &current, &self.command.scratch).await?;
                let agrees = matches!(check, NoticeCheck::Agree(_));
                Ok((!agrees).then(|| "its payout notice does not agree with it".to_owned()))
            }
            Occasion::Held { report } => {
                let place = Place::report(*report, &self.account.id);
                let item = place.read::<ReportItem>(&*self.ports.state).await?;
                let is_held = item.is_some_and(|(item, _)| item.state.held_kind().is_some());
                Ok((!is_held).then(|| "the report is not held any more".to_owned()))
            }
            // What was true at its time: what has changed since comes with the next one.
            Occasion::Digest { .. } | Occasion::Month { .. } | Occasion::Confirmation { .. } => Ok(None),
        }
    }
}
