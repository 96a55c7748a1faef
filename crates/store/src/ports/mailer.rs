//! Sending mails.

use async_trait::async_trait;
use jiff::Timestamp;
use settlement::{Address, MailId};

use crate::error::PortError;

/// Who sends a mail to whom, and until when.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// The id of the mail, by which a mailer finds out whether it was sent.
    pub id: &'a MailId,
    /// When the mail was made.
    pub at: Timestamp,
    /// Who sends it.
    pub from: &'a Address,
    /// The one recipient.
    pub to: &'a Address,
    /// After this time it MUST NOT be sent: another worker may have claimed it.
    pub not_after: Timestamp,
}

/// Why a mail has no message id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSentKind {
    /// It was surely not sent, and may be later: throttled, not reached, too late.
    Later,
    /// It was surely not sent, and never will be as it is.
    Refused,
    /// Nobody knows: it may have been sent, or may still be.
    Unknown,
}

/// A mail was not sent, or nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct NotSent {
    /// What it means.
    pub kind: NotSentKind,
    /// What happened, for a person; never an address.
    pub why: String,
}

/// Sends mails: SES, files in a directory, or memory.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Sends a mail once, as it is, to one recipient; gives the id that the service knows it by.
    ///
    /// # Errors
    /// MUST be `Unknown` whenever the mail may have left, and never tried again here.
    async fn send(&self, envelope: &Envelope<'_>, message: &[u8]) -> Result<String, NotSent>;

    /// The id of a mail that is known to have been sent; `None` when there is no trace of it, yet.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be found out.
    async fn sent(&self, id: &MailId) -> Result<Option<String>, PortError>;
}
