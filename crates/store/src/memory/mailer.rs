//! A mailer that keeps what it is given.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use settlement::{Address, MailId};

use crate::error::PortError;
use crate::ports::{Envelope, Mailer, NotSent};

/// A mail that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMail {
    /// Names it.
    pub id: MailId,
    /// Who sent it.
    pub from: Address,
    /// Who it went to.
    pub to: Address,
    /// The message.
    pub message: Vec<u8>,
}

/// Mails in the order they were sent.
#[derive(Debug, Default)]
pub struct MemoryMailer {
    mails: Mutex<Vec<SentMail>>,
}

impl MemoryMailer {
    /// Every mail, in the order they were sent.
    pub fn all(&self) -> Vec<SentMail> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Mailer for MemoryMailer {
    async fn send(&self, envelope: &Envelope<'_>, message: &[u8]) -> Result<String, NotSent> {
        let Envelope { id, from, to, .. } = *envelope;
        let mail = SentMail { id: id.clone(), from: from.clone(), to: to.clone(), message: message.to_vec() };
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
        Ok(message_id(id))
    }

    async fn sent(&self, id: &MailId) -> Result<Option<String>, PortError> {
        let mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(mails.iter().any(|mail| mail.id == *id).then(|| message_id(id)))
    }
}

fn message_id(id: &MailId) -> String {
    format!("memory-{id}")
}
