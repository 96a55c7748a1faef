//! Adding settlement events to transactions.

use serde_json::{Map, Value};
use settlement::{AccountId, SettlementEvent};

use super::refusal::Refusal;
use super::{Extent, Sandbox};

/// Most transactions of one posting.
const TRANSACTIONS_MAX: usize = 100;

/// A posting that was read.
#[derive(Debug, Clone)]
pub(super) struct Posting {
    pub(super) transactions: Vec<PostedTransaction>,
}

#[derive(Debug, Clone)]
pub(super) struct PostedTransaction {
    id: String,
    events: Vec<PostedEvent>,
}

/// A settlement event, with its numbers as they came and as magnitudes.
#[derive(Debug, Clone)]
pub(super) struct PostedEvent {
    pub(super) event: SettlementEvent,
    pub(super) as_posted: Map<String, Value>,
}

impl Sandbox {
    pub(super) fn post(&mut self, account: &AccountId, body: &str, extent: Extent) -> Result<Value, Refusal> {
        let posting = Posting::read(body)?;
        for PostedTransaction { id, .. } in &posting.transactions {
            let Some(transaction) = self.transaction(id) else {
                return Err(Refusal::new(400, "NOT_FOUND", format!("Transaction {id} was not found")));
            };
            if !transaction.belongs_to(account) {
                return Err(Refusal::forbidden());
            }
        }
        if posting.transactions.iter().any(|transaction| self.refused.contains(&transaction.id)) {
            // Which one it is has to be found out.
            return Err(Refusal::new(422, "UNPROCESSABLE", "A transaction cannot be settled"));
        }
        let all = posting.transactions.as_slice();
        let applied = match extent {
            Extent::Whole => all,
            Extent::Half => all.get(..all.len().div_ceil(2)).unwrap_or_default(),
            Extent::ButFirst => all.get(1..).unwrap_or_default(),
            Extent::Late(at) => {
                self.waiting.push((at, posting));
                return Ok(Value::Null);
            }
        };
        self.apply(applied);
        let updated = applied.iter().filter_map(|transaction| self.transaction(&transaction.id));
        Ok(Value::Array(updated.map(|transaction| transaction.json()).collect()))
    }

    /// Adds the events, and adds them again when they come again.
    pub(super) fn apply(&mut self, transactions: &[PostedTransaction]) {
        for PostedTransaction { id, events } in transactions {
            if let Some(transaction) = self.transaction_mut(id) {
                events.iter().for_each(|event| transaction.add(event.clone()));
            }
        }
    }
}

impl Posting {
    fn read(body: &str) -> Result<Self, Refusal> {
        let body: Value = serde_json::from_str(body).map_err(|_| Refusal::bad("The body is no JSON"))?;
        let body = object(&body, "the body", &["transactions"])?;
        let transactions = array(body, "transactions")?;
        if !(1..=TRANSACTIONS_MAX).contains(&transactions.len()) {
            return Err(Refusal::bad(format!("transactions must have 1 to {TRANSACTIONS_MAX} elements")));
        }
        let transactions = transactions.iter().map(PostedTransaction::read).collect::<Result<_, _>>()?;
        Ok(Posting { transactions })
    }
}

impl PostedTransaction {
    fn read(value: &Value) -> Result<Self, Refusal> {
        let transaction = object(value, "a transaction", &["id", "settlements"])?;
        let settlements = transaction.get("settlements").unwrap_or(&Value::Null);
        let events = array(object(settlements, "settlements", &["events"])?, "events")?;
        if events.is_empty() {
            return Err(Refusal::bad("events must have an element"));
        }
        let events = events.iter().map(PostedEvent::read).collect::<Result<_, _>>()?;
        Ok(PostedTransaction { id: text(transaction, "id")?.to_owned(), events })
    }
}

impl PostedEvent {
    fn read(value: &Value) -> Result<Self, Refusal> {
        let known =
            ["settlement_id", "provider_reference", "amount", "event_correlation_id", "capture", "refund", "fee"];
        let event = object(value, "an event", &known)?;
        let magnitude = |name| Ok(number(event, name)?.unwrap_or_default().saturating_abs());
        let correlation = event.contains_key("event_correlation_id").then(|| text(event, "event_correlation_id"));
        let read = SettlementEvent {
            settlement_id: text(event, "settlement_id")?.to_owned(),
            provider_reference: text(event, "provider_reference")?.to_owned(),
            event_correlation_id: correlation.transpose()?.map(str::to_owned),
            amount_minor: number(event, "amount")?.ok_or_else(|| Refusal::bad("amount is required"))?,
            capture_minor: magnitude("capture")?,
            refund_minor: magnitude("refund")?,
            fee_minor: magnitude("fee")?,
        };
        Ok(PostedEvent { event: read, as_posted: event.clone() })
    }

    /// An event that somebody else has added.
    pub(super) fn of(event: &SettlementEvent) -> Self {
        let SettlementEvent { settlement_id, provider_reference, event_correlation_id, .. } = event;
        let mut as_posted = Map::new();
        as_posted.insert("settlement_id".to_owned(), settlement_id.as_str().into());
        as_posted.insert("provider_reference".to_owned(), provider_reference.as_str().into());
        if let Some(correlation) = event_correlation_id {
            as_posted.insert("event_correlation_id".to_owned(), correlation.as_str().into());
        }
        for (name, minor) in ["amount", "capture", "refund", "fee"].into_iter().zip(event.money()) {
            as_posted.insert(name.to_owned(), minor.into());
        }
        PostedEvent { event: event.clone(), as_posted }
    }
}

/// An object that has none but the known fields: a misspelt one that is left out of account would be found too late.
fn object<'a>(value: &'a Value, what: &str, known: &[&str]) -> Result<&'a Map<String, Value>, Refusal> {
    let object = value.as_object().ok_or_else(|| Refusal::bad(format!("{what} must be an object")))?;
    match object.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Refusal::bad(format!("{what} has the unknown field {name}"))),
        None => Ok(object),
    }
}

fn array<'a>(object: &'a Map<String, Value>, name: &str) -> Result<&'a Vec<Value>, Refusal> {
    object.get(name).and_then(Value::as_array).ok_or_else(|| Refusal::bad(format!("{name} must be an array")))
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    let text = object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| Refusal::bad(format!("{name} must be a text")))
}

/// A whole number, which every amount in minor units is.
fn number(object: &Map<String, Value>, name: &str) -> Result<Option<i64>, Refusal> {
    let whole = |value: &Value| value.as_i64().ok_or_else(|| Refusal::bad(format!("{name} must be a whole number")));
    object.get(name).map(whole).transpose()
}
