//! Transactions as the API lists them. Buyers, addresses and goods are dropped while they are read.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use settlement::{
    SettlementEvent, SettlementStatus, Transaction, TransactionEvent, TransactionEventKind, TransactionStatus,
};

use crate::error::{Unreadable, read};
use crate::http::Response;

/// The fields of metadata that are kept, to match lines of settlements by. All others are dropped.
const KEYS: &[&str] = &[
    "payout_correlation_id",
    "gateway:id",
    "event_reference",
    "bambora:merchant_number",
    "bambora:transaction_id",
    "bambora:reference",
    "bambora:transactionoperation:id",
    "collector:StoreId",
    "collector:Invoice.InvoiceNumber",
    "collector:Invoice.OrderNumber",
    "collector:Invoice.PaymentReference",
    "collector:Invoice.CurrentInvoiceNumber",
    "collector:Invoice.NewInvoiceNumber",
    "collector:Invoice.SettlementReference",
    "klarna:reference",
    "klarna:headers:capture_id",
    "klarna:headers:refund_id",
    "payex:payment:number",
    "payex:payment:payee_info:payee_id",
    "payex:payment:payee_info:subsite",
    "payex:transaction:number",
    "payex:transaction:payee_reference",
    "swish:id",
    "swish:paymentReference",
    "swish:originalPaymentReference",
    "swish:swish_number",
    "vipps:transaction.orderId",
    "vipps:merchantInfo.merchantSerialNumber",
    "vipps:transactionInfo.transactionId",
    "netaxept:merchant_id",
    "netaxept:transaction_id",
    "netaxept:bat_number",
    "dintero_psp:operation_ref",
    "dintero_psp:capture_operation_ref",
];

#[derive(Deserialize)]
struct TransactionBody {
    id: String,
    #[serde(default, deserialize_with = "or_nothing")]
    merchant_reference: String,
    merchant_reference_2: Option<String>,
    status: TransactionStatus,
    #[serde(default, deserialize_with = "or_nothing")]
    payment_product: String,
    #[serde(default, deserialize_with = "or_nothing")]
    payment_product_type: String,
    currency: String,
    amount: i64,
    payout_destination_id: Option<String>,
    store: Option<StoreBody>,
    #[serde(default, deserialize_with = "or_nothing")]
    metadata: BTreeMap<String, Value>,
    #[serde(default, deserialize_with = "or_nothing")]
    events: Vec<EventBody>,
    settlements: Option<SettlementsBody>,
    #[serde(default, deserialize_with = "known")]
    settlement_status: Option<SettlementStatus>,
}

#[derive(Deserialize)]
struct StoreBody {
    id: Option<String>,
}

#[derive(Deserialize)]
struct EventBody {
    event: String,
    #[serde(default, deserialize_with = "or_nothing")]
    amount: i64,
    #[serde(default = "succeeded")]
    success: bool,
    created_at: Option<Timestamp>,
    event_reference: Option<String>,
    #[serde(default, deserialize_with = "or_nothing")]
    metadata: BTreeMap<String, Value>,
    settlements: Option<SettlementsBody>,
}

fn succeeded() -> bool {
    true
}

/// Reads `null` as an absent value.
fn or_nothing<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(value: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(value)?.unwrap_or_default())
}

/// Reads an unknown status as none. The transaction is kept: its events say how far it is settled.
fn known<'de, D: Deserializer<'de>>(value: D) -> Result<Option<SettlementStatus>, D::Error> {
    let word: Option<String> = Option::deserialize(value)?;
    Ok(word.and_then(|word| serde_json::from_value(Value::String(word)).ok()))
}

#[derive(Deserialize)]
struct SettlementsBody {
    #[serde(default, deserialize_with = "or_nothing")]
    events: Vec<SettlementEventBody>,
}

#[derive(Deserialize)]
struct SettlementEventBody {
    settlement_id: String,
    provider_reference: String,
    amount: i64,
    event_correlation_id: Option<String>,
    #[serde(default, deserialize_with = "or_nothing")]
    capture: i64,
    #[serde(default, deserialize_with = "or_nothing")]
    refund: i64,
    #[serde(default, deserialize_with = "or_nothing")]
    fee: i64,
}

/// Reads a list of transactions.
///
/// # Errors
/// When the response does not have the documented form, or an amount is no whole number of minor units.
pub fn transactions(answer: &Response) -> Result<Vec<Transaction>, Unreadable> {
    let bodies: Vec<TransactionBody> = read(answer)?;
    bodies.into_iter().map(|body| body.transaction(answer.status)).collect()
}

impl TransactionBody {
    fn transaction(self, status: u16) -> Result<Transaction, Unreadable> {
        let currency = self
            .currency
            .parse()
            .map_err(|_| Unreadable { status, reason: "a transaction's currency is no known code".to_owned() })?;
        Ok(Transaction {
            id: self.id,
            merchant_reference: self.merchant_reference,
            merchant_reference_2: self.merchant_reference_2,
            status: self.status,
            payment_product: self.payment_product,
            payment_product_type: self.payment_product_type,
            currency,
            amount_minor: self.amount,
            payout_destination_id: self.payout_destination_id,
            store_id: self.store.and_then(|store| store.id),
            keys: keys(self.metadata),
            events: self.events.into_iter().map(EventBody::event).collect(),
            settlement_events: settlement_events(self.settlements),
            settlement_status: self.settlement_status,
        })
    }
}

impl EventBody {
    fn event(self) -> TransactionEvent {
        let kind = match self.event.as_str() {
            "AUTHORIZE" => TransactionEventKind::Authorize,
            "CAPTURE" => TransactionEventKind::Capture,
            "REFUND" => TransactionEventKind::Refund,
            "VOID" => TransactionEventKind::Void,
            _ => TransactionEventKind::Other,
        };
        TransactionEvent {
            kind,
            amount_minor: self.amount,
            success: self.success,
            at: self.created_at,
            reference: self.event_reference,
            keys: keys(self.metadata),
            settlement_events: settlement_events(self.settlements),
        }
    }
}

fn keys(metadata: BTreeMap<String, Value>) -> BTreeMap<String, String> {
    let known = metadata.into_iter().filter(|(name, _)| KEYS.contains(&name.as_str()));
    let texts = known.filter_map(|(name, value)| match value {
        Value::String(text) if !text.is_empty() => Some((name, text)),
        Value::Number(number) => Some((name, number.to_string())),
        _ => None,
    });
    texts.collect()
}

fn settlement_events(body: Option<SettlementsBody>) -> Vec<SettlementEvent> {
    let events = body.map(|body| body.events).unwrap_or_default();
    let event = |event: SettlementEventBody| SettlementEvent {
        settlement_id: event.settlement_id,
        provider_reference: event.provider_reference,
        event_correlation_id: event.event_correlation_id,
        amount_minor: event.amount,
        capture_minor: event.capture.saturating_abs(),
        refund_minor: event.refund.saturating_abs(),
        fee_minor: event.fee.saturating_abs(),
    };
    events.into_iter().map(event).collect()
}
