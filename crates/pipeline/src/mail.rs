//! Mail: recipients are told what was paid out, each mail once in effect.
//!
//! Who is due is a pure function ([`due()`]). Order of effects: write the message, plan it, note that it is being sent, send
//! it once, note what came of it. What may have been sent is asked for, and sent once more only when there is no trace of
//! it a quarter of an hour later; what stays unclear is a person's.

mod compose;
mod details;
mod due;
mod known;
pub mod recipients;
mod send;

use std::path::PathBuf;
use std::sync::Arc;

use documents::Language;
use documents::mail::MAIL_BYTES_MAX;
use jiff::{SignedDuration, Timestamp};
use settlement::{Account, AccountId, HeaderText, MailId, Mailbox, WebAddress};
use store::{MailItem, Mailer, Place, PortErrorKind, Query};

pub use self::due::{Due, Known, KnownHeld, KnownPayout, due};
use crate::current::zone::zone_of;
use crate::transactions::client::Clock;
use crate::{Ports, StepError};
use store::TokenSecret;

/// Everything that is needed to send mails.
#[derive(Clone)]
pub struct Mailing {
    /// Sends them.
    pub mailer: Arc<dyn Mailer>,
    /// Who they come from.
    pub from: Mailbox,
    /// Who is answered to, where that is somebody else.
    pub reply_to: Option<Mailbox>,
    /// Where the back office is, which a mail leads to.
    pub backoffice: Option<WebAddress>,
    /// Where one click stops mails; the id of the mail is appended.
    pub stop: Option<WebAddress>,
    /// What tokens are made with.
    pub secret: TokenSecret,
    /// About how large a mail may be.
    pub bytes_max: u64,
    /// Tells the time: a run may take longer than a lease.
    pub clock: Clock,
}

impl std::fmt::Debug for Mailing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailing")
            .field("from", &self.from)
            .field("backoffice", &self.backoffice)
            .finish_non_exhaustive()
    }
}

impl Mailing {
    /// Mails from that address, with nothing that leads to the web.
    pub fn new(mailer: Arc<dyn Mailer>, from: Mailbox, secret: TokenSecret, clock: Clock) -> Self {
        let bytes_max = MAIL_BYTES_MAX;
        Mailing { mailer, from, reply_to: None, backoffice: None, stop: None, secret, bytes_max, clock }
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

/// Send whatever is due of an account.
#[derive(Debug, Clone)]
pub struct MailAccount {
    /// The account.
    pub account: AccountId,
    /// How long no other worker may send the same mail.
    pub lease: SignedDuration,
    /// A directory for temporary files.
    pub scratch: PathBuf,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mailed {
    /// Mails that were planned or had not ended, as they are now.
    pub mails: Vec<(MailId, MailItem)>,
    /// When the first of the rest may be taken up again.
    pub not_before: Option<Timestamp>,
}

impl Mailed {
    /// How many have that word for their state.
    pub fn count(&self, word: &str) -> usize {
        self.mails.iter().filter(|(_, item)| item.state.word() == word).count()
    }
}

/// Plans what is due and brings every mail as far as it goes now. Running it again sends nothing twice.
///
/// # Errors
/// When a port fails; whatever the mailer says is in the states of the mails.
pub async fn run(ports: &Ports, mailing: &Mailing, command: &MailAccount) -> Result<Mailed, StepError> {
    let account = store::account(&*ports.state, &command.account).await?;
    let zone = zone_of(ports, &command.account).await?;
    let now = mailing.now();
    let recipients = recipients::list(ports, &command.account).await?;
    let mails = all(ports, &command.account).await?;
    let planned: Vec<&MailItem> = mails.iter().map(|(_, item, _)| item).collect();
    let gathered = known::gather(ports, command, &recipients, &planned).await?;
    let due = due(now, &zone, &recipients, &gathered.known, &planned);
    let mut open: Vec<(MailId, MailItem, u64)> = mails.into_iter().filter(|(_, item, _)| !item.is_ended()).collect();
    let writer = compose::Writer { ports, mailing, command, account: &account, gathered: &gathered, now };
    open.extend(writer.plan_all(due).await?);
    let mut mailed = Mailed::default();
    for (id, item, revision) in open {
        let place = Place::mail(&command.account, &id);
        let before = item.clone();
        let sender = send::Sender { ports, mailing, command, account: &account, id: &id, place, item, revision };
        let item = match sender.run().await {
            Ok(item) => item,
            // Another worker took the mail: it is the one to bring it to an end.
            Err(StepError::Port(error)) if error.kind == PortErrorKind::Conflict => before,
            Err(error) => return Err(error),
        };
        if let Some(next) = item.state.not_before() {
            mailed.not_before = Some(mailed.not_before.map_or(next, |first| first.min(next)));
        }
        mailed.mails.push((id, item));
    }
    Ok(mailed)
}

/// All mails of an account with their ids and revisions.
///
/// # Errors
/// When the state cannot answer.
pub async fn all(ports: &Ports, account: &AccountId) -> Result<Vec<(MailId, MailItem, u64)>, StepError> {
    let items = store::all(&*ports.state, Query::mails(account)).await?;
    let mail = |item: &store::Item| {
        let decoded: MailItem = store::decode(item)?;
        Ok((id_of(&decoded, account), decoded, item.revision))
    };
    items.iter().map(mail).collect()
}

/// The merchant as mails call it.
fn merchant_of(account: &Account) -> HeaderText {
    HeaderText::cleaned(account.name.as_deref().unwrap_or(account.id.as_str()))
}

/// The id of a mail: made of what it is about, its recipient and its language.
pub fn id_of(item: &MailItem, account: &AccountId) -> MailId {
    let (purpose, subject, revision) = item.occasion.parts();
    MailId::of(account, purpose, &subject, revision, &item.recipient, Language::of(&item.language).tag())
}
