//! A batch: settlement events that are sent together, with the state of each.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use settlement::{AccountId, SettleKey, SettlementEvent, hexadecimal};
use sha2::{Digest, Sha256};

use super::{Record, sort_of};
use crate::place::Place;
use crate::ports::{Item, Query};

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] = &[Record {
    name: "batch",
    place: "`BATCH#<account>`, `<provider>/<merchant>/<id>/<currency>/<batch>`",
    question: "how far each settlement event has come, and what was sent last",
}];

/// Most events of one batch; each is of another transaction or another event of it.
pub const EVENTS_MAX: usize = 100;

/// One settlement event that a transaction is to have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedEvent {
    /// Made of the settlement, the transaction and its event, and so the same for ever; it is never sent.
    pub id: String,
    /// The transaction.
    pub transaction: String,
    /// The settlement event.
    pub event: SettlementEvent,
    /// How many lines of the settlement it sums.
    pub lines: u64,
    /// How far it has come.
    #[serde(flatten)]
    pub state: EventState,
}

/// How far an event has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventState {
    /// It is to be sent.
    Planned,
    /// It is being sent, or the worker that sent it ended.
    InFlight,
    /// Dintero has it.
    Posted {
        /// Whether Dintero had it before it was sent.
        found: bool,
    },
    /// Dintero does not take it.
    Refused {
        /// Status of the answer.
        status: u16,
        /// What it said.
        message: String,
    },
    /// Nobody knows whether Dintero has it: it is read back, and not sent again before `until`.
    Unknown {
        /// A request that is still on its way has arrived by then.
        until: Timestamp,
        /// What happened.
        why: String,
    },
    /// A later version of the settlement took its place before it was ever sent.
    Superseded,
    /// Only a person can say what is right.
    Human {
        /// What is to be decided.
        why: String,
    },
}

impl EventState {
    /// The word for what a person should look at; `None` when there is nothing to look at.
    pub fn open(&self) -> Option<&'static str> {
        match self {
            // The worker of one in flight may have ended: nobody knows whether it arrived.
            EventState::Unknown { .. } | EventState::InFlight => Some("UNKNOWN"),
            EventState::Human { .. } => Some("HUMAN"),
            EventState::Refused { .. } => Some("REFUSED"),
            EventState::Planned | EventState::Posted { .. } | EventState::Superseded => None,
        }
    }

    /// Whether nothing more is to be done by itself.
    pub fn is_ended(&self) -> bool {
        match self {
            EventState::Planned | EventState::InFlight | EventState::Unknown { .. } => false,
            EventState::Posted { .. }
            | EventState::Refused { .. }
            | EventState::Superseded
            | EventState::Human { .. } => true,
        }
    }

    /// The word for people.
    pub fn word(&self) -> &'static str {
        match self {
            EventState::Planned => "PLANNED",
            EventState::InFlight => "IN_FLIGHT",
            EventState::Posted { .. } => "POSTED",
            EventState::Refused { .. } => "REFUSED",
            EventState::Unknown { .. } => "UNKNOWN",
            EventState::Superseded => "SUPERSEDED",
            EventState::Human { .. } => "HUMAN",
        }
    }
}

/// Events that are sent together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchItem {
    /// The settlement that the events are of.
    pub settlement: SettleKey,
    /// The version of it.
    pub version: u32,
    /// The events, sorted by their ids.
    pub events: Vec<PlannedEvent>,
    /// How many workers have claimed it.
    pub attempt: u32,
    /// Until then no other worker may claim it.
    pub lease_until: Option<Timestamp>,
    /// It is not claimed again before this time.
    pub not_before: Option<Timestamp>,
    /// The last body that was to be sent, byte for byte, stored before it was sent. A refused batch is sent in
    /// parts, each a body of its own.
    pub body: Option<String>,
}

impl BatchItem {
    /// Whether nothing more is to be done by itself.
    pub fn is_ended(&self) -> bool {
        self.events.iter().all(|event| event.state.is_ended())
    }

    /// Its id: made of the version, its events and their money, so that what is there under it is the same.
    pub fn id_of(version: u32, events: &[PlannedEvent]) -> String {
        let mut hash = Sha256::new();
        hash.update(version.to_be_bytes());
        for event in events {
            hash.update(event.id.as_bytes());
            event.event.money().iter().for_each(|minor| hash.update(minor.to_be_bytes()));
        }
        hexadecimal(&hash.finalize())
    }
}

/// Names an event of a transaction in a settlement for ever.
pub fn event_id(settlement: &SettleKey, transaction: &str, correlation_id: Option<&str>) -> String {
    let mut hash = Sha256::new();
    for part in [&settlement.to_string(), transaction, correlation_id.unwrap_or("-")] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hexadecimal(&hash.finalize())
}

impl Place {
    /// The record of a batch of a settlement's events.
    pub fn batch(key: &SettleKey, batch: &str) -> Self {
        Place::new(format!("BATCH#{}", key.account_id), format!("{}/{batch}", sort_of(key)))
    }
}

impl Query {
    /// The batches of all settlements of an account.
    pub fn all_batches(account: &AccountId) -> Self {
        Query::all(format!("BATCH#{account}"))
    }

    /// The batches of a settlement, those of a planning that was cut off among them.
    pub fn batches(key: &SettleKey) -> Self {
        let Place { partition, sort } = Place::batch(key, "");
        Query { prefix: sort, ..Query::all(partition) }
    }
}

/// The id of the batch that a record is of.
pub fn batch_id(item: &Item) -> &str {
    item.sort.rsplit_once('/').map_or(item.sort.as_str(), |(_, id)| id)
}
