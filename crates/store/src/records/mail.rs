//! What a mail is about, to whom it goes, and how far it has come.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use settlement::{AccountId, Address, MailId, ReportId, Rhythm, SettleKey};

use super::Record;
use crate::place::Place;
use crate::ports::Query;

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] = &[Record {
    name: "mail",
    place: "`MAIL#<account>`, `<mail>`",
    question: "what a mail was about, whom it went to, and how far it has come",
}];

/// A mail whose outcome is unknown is sent once more when there is no trace of it after this time.
pub const TRACE_WITHIN: SignedDuration = SignedDuration::from_mins(15);

/// What a mail is about: with the recipient it names the mail.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "purpose", rename_all = "snake_case")]
pub enum Occasion {
    /// A new recipient is asked to confirm.
    Confirmation {
        /// Counts how often the address was added.
        generation: u32,
    },
    /// A version of a settlement is in force.
    Payout {
        /// The settlement.
        settlement: SettleKey,
        /// Its version.
        version: u32,
    },
    /// A report is held.
    Held {
        /// The report.
        report: ReportId,
    },
    /// A day or a week is over.
    Digest {
        /// Which of them.
        rhythm: Rhythm,
        /// Its last day.
        until: Date,
    },
    /// A month is closed, or has changed since.
    Month {
        /// Its first day.
        first: Date,
        /// The revision of its summary.
        revision: u32,
    },
}

impl Occasion {
    /// Purpose, period or settlement, and revision: what the id of the mail is made of.
    pub fn parts(&self) -> (&'static str, String, u32) {
        match self {
            Occasion::Confirmation { generation } => ("confirmation", String::new(), *generation),
            Occasion::Payout { settlement, version } => ("payout", settlement.to_string(), *version),
            Occasion::Held { report } => ("held", report.to_string(), 1),
            Occasion::Digest { rhythm, until } => (rhythm.as_str(), until.to_string(), 1),
            Occasion::Month { first, revision } => ("month", first.to_string(), *revision),
        }
    }

    /// In words.
    pub fn describe(&self) -> String {
        match self {
            Occasion::Confirmation { .. } => "confirmation".to_owned(),
            Occasion::Payout { settlement, version: 1 } => format!("payout {}", settlement.settlement_id),
            Occasion::Payout { settlement, version } => {
                format!("payout {}, version {version}", settlement.settlement_id)
            }
            Occasion::Held { report } => format!("held report {}", report.short()),
            Occasion::Digest { rhythm, until } => format!("{} digest until {until}", rhythm.as_str()),
            Occasion::Month { first, revision } => format!("month {}, revision {revision}", first.strftime("%Y-%m")),
        }
    }
}

/// A mail to one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailItem {
    /// What about.
    pub occasion: Occasion,
    /// Who it goes to.
    pub recipient: Address,
    /// The language that it names: a recipient who changes theirs gets no second mail.
    pub language: String,
    /// Its subject.
    pub subject: String,
    /// SHA-256 of the message as it was written; `None` for what is written anew each time, since it holds a token.
    pub digest: Option<String>,
    /// When it was planned.
    pub planned_at: Timestamp,
    /// The settlements that it says are paid, with their versions.
    pub payouts: Vec<(SettleKey, u32)>,
    /// Held reports that it names.
    pub held: Vec<ReportId>,
    /// Counts the workers that sent it, or were about to.
    pub attempt: u32,
    /// How often nobody knew what came of it.
    pub unknown_times: u32,
    /// How far it has come.
    #[serde(flatten)]
    pub state: MailState,
}

/// How far a mail has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MailState {
    /// It is to be sent.
    Planned {
        /// Not before then.
        not_before: Option<Timestamp>,
    },
    /// It is being sent, or the worker that sent it ended.
    Sending {
        /// Since when.
        since: Timestamp,
        /// Until then the worker is the only one, and may still send.
        lease_until: Timestamp,
    },
    /// It was sent.
    Sent {
        /// The id that the service knows it by.
        message_id: String,
    },
    /// Nobody knows whether it was sent.
    Unknown {
        /// Since when.
        since: Timestamp,
        /// What happened.
        why: String,
    },
    /// The service does not take it.
    Refused {
        /// What it said.
        why: String,
    },
    /// It is not to be sent any more, and never was.
    Withdrawn {
        /// Why.
        why: String,
    },
    /// Only a person can say whether it arrived.
    Human {
        /// What happened.
        why: String,
    },
}

impl MailState {
    /// The word for people.
    pub fn word(&self) -> &'static str {
        match self {
            MailState::Planned { .. } => "PLANNED",
            MailState::Sending { .. } => "SENDING",
            MailState::Sent { .. } => "SENT",
            MailState::Unknown { .. } => "UNKNOWN",
            MailState::Refused { .. } => "REFUSED",
            MailState::Withdrawn { .. } => "WITHDRAWN",
            MailState::Human { .. } => "HUMAN",
        }
    }

    /// When it may be taken up again; `None` when it has ended.
    pub fn not_before(&self) -> Option<Timestamp> {
        match self {
            MailState::Planned { not_before } => Some(not_before.unwrap_or_default()),
            MailState::Sending { lease_until, .. } => Some(*lease_until),
            MailState::Unknown { since, .. } => Some(since.saturating_add(TRACE_WITHIN).unwrap_or(*since)),
            _ => None,
        }
    }
}

impl MailItem {
    /// Whether nothing more is to be done by itself.
    pub fn is_ended(&self) -> bool {
        self.state.not_before().is_none()
    }
}

impl Place {
    /// The record of a mail.
    pub fn mail(account: &AccountId, mail: &MailId) -> Self {
        Place::new(format!("MAIL#{account}"), mail.as_str())
    }
}

impl Query {
    /// All mails of an account.
    pub fn mails(account: &AccountId) -> Self {
        Query::all(format!("MAIL#{account}"))
    }
}
