//! Transactions as the sandbox holds and answers them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use settlement::{AccountId, SettlementEvent, TransactionEventKind};

use super::posting::PostedEvent;

/// Stands in everything that a transaction tells of its buyer, so that whatever should not show it can be searched for it.
pub const BUYER_MARK: &str = "Kanari";

/// Where an event says which settlement events are its own.
const CORRELATION: &str = "payout_correlation_id";

/// A made-up transaction; amounts are minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeTransaction {
    /// Its id: the account, a dot, and what makes it unique.
    pub id: String,
    /// The merchant's reference.
    pub merchant_reference: String,
    /// The merchant's second reference.
    pub merchant_reference_2: Option<String>,
    /// Product that it was paid with, as in `vipps`.
    pub payment_product: String,
    /// Kind of the product, as in `bambora.creditcard`.
    pub payment_product_type: String,
    /// Code of its currency.
    pub currency: String,
    /// The amount agreed with the buyer.
    pub amount_minor: i64,
    /// What providers know it by.
    pub metadata: BTreeMap<String, String>,
    /// What happened to it.
    pub events: Vec<MadeEvent>,
}

/// Something that happened to a made-up transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeEvent {
    /// What happened.
    pub kind: TransactionEventKind,
    /// Of which amount.
    pub amount_minor: i64,
    /// Whether it came about.
    pub success: bool,
    /// When.
    pub at: Timestamp,
    /// The merchant's reference of the event.
    pub reference: Option<String>,
    /// What providers know it by.
    pub metadata: BTreeMap<String, String>,
}

impl MadeTransaction {
    /// A transaction of that amount, reserved and no more.
    pub fn new(
        id: &str,
        merchant_reference: &str,
        payment_product_type: &str,
        currency: &str,
        amount_minor: i64,
    ) -> Self {
        let payment_product = payment_product_type.split('.').next().unwrap_or_default().to_owned();
        MadeTransaction {
            id: id.to_owned(),
            merchant_reference: merchant_reference.to_owned(),
            merchant_reference_2: None,
            payment_product,
            payment_product_type: payment_product_type.to_owned(),
            currency: currency.to_owned(),
            amount_minor,
            metadata: BTreeMap::new(),
            events: Vec::new(),
        }
    }

    /// The same with a field of metadata.
    #[must_use]
    pub fn known_as(mut self, name: &str, value: &str) -> Self {
        self.metadata.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The same with an event.
    #[must_use]
    pub fn with(mut self, event: MadeEvent) -> Self {
        self.events.push(event);
        self
    }
}

impl MadeEvent {
    /// An event that came about.
    pub fn new(kind: TransactionEventKind, amount_minor: i64, at: Timestamp) -> Self {
        MadeEvent { kind, amount_minor, success: true, at, reference: None, metadata: BTreeMap::new() }
    }

    /// The same with a field of metadata.
    #[must_use]
    pub fn known_as(mut self, name: &str, value: &str) -> Self {
        self.metadata.insert(name.to_owned(), value.to_owned());
        self
    }
}

/// A transaction with the settlement events that were added to it.
#[derive(Debug, Clone)]
pub(super) struct Transaction {
    made: MadeTransaction,
    posted: Vec<PostedEvent>,
}

impl Transaction {
    pub(super) fn new(made: MadeTransaction) -> Self {
        Transaction { made, posted: Vec::new() }
    }

    pub(super) fn made(&self) -> &MadeTransaction {
        &self.made
    }

    pub(super) fn id(&self) -> &str {
        &self.made.id
    }

    pub(super) fn belongs_to(&self, account: &AccountId) -> bool {
        self.made.id.split('.').next() == Some(account.as_str())
    }

    pub(super) fn add(&mut self, event: PostedEvent) {
        self.posted.push(event);
    }

    pub(super) fn settlement_events(&self) -> impl Iterator<Item = (&str, &SettlementEvent)> {
        self.posted.iter().map(|posted| (self.id(), &posted.event))
    }

    /// Whether an event of that kind came about in that time.
    pub(super) fn happened(&self, kind: TransactionEventKind, from: Option<Timestamp>, to: Option<Timestamp>) -> bool {
        let mut events = self.made.events.iter().filter(|event| event.success && event.kind == kind);
        events.any(|event| from.is_none_or(|from| from <= event.at) && to.is_none_or(|to| event.at <= to))
    }

    fn sum(&self, kind: TransactionEventKind) -> i128 {
        let events = self.made.events.iter().filter(|event| event.success && event.kind == kind);
        events.map(|event| i128::from(event.amount_minor)).sum()
    }

    fn settled(&self, minor: fn(&SettlementEvent) -> i64) -> i128 {
        self.posted.iter().map(|posted| i128::from(minor(&posted.event))).sum()
    }

    fn status(&self) -> &'static str {
        let captured = self.sum(TransactionEventKind::Capture);
        let refunded = self.sum(TransactionEventKind::Refund);
        let whole = captured >= i128::from(self.made.amount_minor);
        match (captured > 0, whole, refunded > 0, refunded >= captured) {
            (false, ..) => "AUTHORIZED",
            (true, true, false, _) => "CAPTURED",
            (true, false, false, _) => "PARTIALLY_CAPTURED",
            (true, true, true, true) => "REFUNDED",
            (true, false, true, true) => "PARTIALLY_CAPTURED_REFUNDED",
            (true, _, true, false) => "PARTIALLY_REFUNDED",
        }
    }

    /// How far it is settled; what happened and what was settled must be the same for it to be all.
    fn settlement_status(&self) -> &'static str {
        let captured = self.settled(|event| event.capture_minor) == self.sum(TransactionEventKind::Capture);
        let refunded = self.settled(|event| event.refund_minor) == self.sum(TransactionEventKind::Refund);
        match (self.posted.is_empty(), captured && refunded) {
            (true, _) => "NOT_SETTLED",
            (false, true) => "SETTLED",
            (false, false) => "PARTIALLY_SETTLED",
        }
    }

    /// Which of its events a settlement event belongs to; `None` when it is kept at the transaction.
    fn place_of(&self, posted: &PostedEvent) -> Option<usize> {
        let correlation = posted.event.event_correlation_id.as_ref()?;
        self.made.events.iter().position(|event| event.metadata.get(CORRELATION) == Some(correlation))
    }

    fn settlements(&self, place: Option<usize>) -> Value {
        let here = self.posted.iter().filter(|posted| self.place_of(posted) == place);
        let events: Vec<Value> = here.map(|posted| Value::Object(posted.as_posted.clone())).collect();
        json!({ "events": events })
    }

    /// The transaction as it is answered, with a buyer.
    pub(super) fn json(&self) -> Value {
        let MadeTransaction { id, merchant_reference, merchant_reference_2, metadata, .. } = &self.made;
        let first = self.made.events.iter().map(|event| event.at).min();
        let events = self.made.events.iter().enumerate().map(|(place, event)| self.event_json(place, event));
        let mut body = json!({
            "id": id,
            "created_at": first.map(|at| at.to_string()),
            "payment_product": self.made.payment_product,
            "payment_product_type": self.made.payment_product_type,
            "amount": self.made.amount_minor,
            "currency": self.made.currency,
            "merchant_reference": merchant_reference,
            "status": self.status(),
            "settlement_status": self.settlement_status(),
            "customer": {
                "customer_id": BUYER_MARK,
                "email": format!("{BUYER_MARK}@example.com"),
                "phone_number": "+4799999999",
            },
            "shipping_address": { "first_name": "Kari", "last_name": BUYER_MARK, "postal_place": "Oslo" },
            "metadata": metadata,
            "events": events.collect::<Vec<Value>>(),
            "settlements": self.settlements(None),
        });
        if let (Some(reference), Value::Object(body)) = (merchant_reference_2, &mut body) {
            body.insert("merchant_reference_2".to_owned(), reference.as_str().into());
        }
        body
    }

    fn event_json(&self, place: usize, event: &MadeEvent) -> Value {
        let mut body = Map::new();
        body.insert("event".to_owned(), word(event.kind).into());
        body.insert("amount".to_owned(), event.amount_minor.into());
        body.insert("success".to_owned(), event.success.into());
        body.insert("created_at".to_owned(), event.at.to_string().into());
        body.insert("created_by".to_owned(), BUYER_MARK.into());
        if let Some(reference) = &event.reference {
            body.insert("event_reference".to_owned(), reference.as_str().into());
        }
        body.insert("metadata".to_owned(), json!(event.metadata));
        body.insert("settlements".to_owned(), self.settlements(Some(place)));
        Value::Object(body)
    }
}

fn word(kind: TransactionEventKind) -> &'static str {
    match kind {
        TransactionEventKind::Authorize => "AUTHORIZE",
        TransactionEventKind::Capture => "CAPTURE",
        TransactionEventKind::Refund => "REFUND",
        TransactionEventKind::Void => "VOID",
        TransactionEventKind::Other => "INITIATE",
    }
}
