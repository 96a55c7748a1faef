//! What the service that sends a mail says of it, by the id that goes with it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use settlement::MailId;

use super::{Order, Record, journal};
use crate::error::{PortErrorKind, RecordError};
use crate::place::Place;
use crate::ports::{Expect, State};

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] = &[Record {
    name: "trace",
    place: "`TRACE#<mail>`, `MAIL`",
    question: "what the mail service says of a mail: sent, delivered, rejected, bounced, complained",
}];

/// What the service says of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailEvent {
    /// It took the mail.
    Sent,
    /// The recipient's own service took it.
    Delivered,
    /// It took the mail and then did not send it.
    Rejected,
    /// The recipient's own service did not take it.
    Bounced,
    /// The recipient called it unwanted.
    Complained,
}

impl MailEvent {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            MailEvent::Sent => "sent",
            MailEvent::Delivered => "delivered",
            MailEvent::Rejected => "rejected",
            MailEvent::Bounced => "bounced",
            MailEvent::Complained => "complained",
        }
    }
}

/// Everything that is known of a mail from the service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceItem {
    /// Each event with the time of its first report, by the id that the service gave the mail. A mail that was sent twice
    /// has two ids.
    pub messages: BTreeMap<String, BTreeMap<MailEvent, Timestamp>>,
}

impl Place {
    /// What the service says of a mail, whichever account it is of.
    pub fn trace(mail: &MailId) -> Self {
        Place::new(format!("TRACE#{mail}"), "MAIL")
    }
}

/// The id that a mail is known to have been sent under; `None` when nothing is known of it.
///
/// # Errors
/// When the state cannot answer.
pub async fn sent_message_id(state: &dyn State, mail: &MailId) -> Result<Option<String>, RecordError> {
    let known = Place::trace(mail).read::<TraceItem>(state).await?;
    // The id that was reported first, so that the answer stays the same.
    let first = |(item, _): (TraceItem, u64)| {
        let messages = item.messages.into_iter();
        messages.min_by_key(|(_, events)| events.values().min().copied()).map(|(message_id, _)| message_id)
    };
    Ok(known.and_then(first))
}

/// So many other workers may write of the same mail at the same moment.
const TRIES_MAX: usize = 8;

/// Records an event of a mail; `false` when it is recorded already.
///
/// # Errors
/// When the state cannot answer.
pub async fn note_mail_event(
    state: &dyn State,
    mail: &MailId,
    message_id: &str,
    event: MailEvent,
    at: Timestamp,
) -> Result<bool, RecordError> {
    let place = Place::trace(mail);
    let mut tries = 1;
    loop {
        let known = place.read::<TraceItem>(state).await?;
        let revision = known.as_ref().map(|(_, revision)| *revision);
        let mut item = known.map(|(item, _)| item).unwrap_or_default();
        let events = item.messages.entry(message_id.to_owned()).or_default();
        if events.contains_key(&event) {
            return Ok(false);
        }
        events.insert(event, at);
        let what = format!("{} as {message_id}", event.word());
        let writes = [
            place.put(&item, revision.map_or(Expect::Absent, Expect::Revision))?,
            journal(&place, revision.unwrap_or(0) + 1, at, Order::Midway, what)?,
        ];
        match state.transact(&writes).await {
            Ok(()) => return Ok(true),
            Err(error) if error.kind == PortErrorKind::Conflict && tries < TRIES_MAX => tries += 1,
            Err(error) => return Err(error.into()),
        }
    }
}
