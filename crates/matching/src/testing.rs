//! Transactions and lines for the tests of this crate.

use std::collections::BTreeMap;

use settlement::{LineKind, LineRecord, Terms, Transaction, TransactionEvent, TransactionEventKind, TransactionStatus};

use crate::index::{Index, IndexBuilder};

/// A captured Vipps payment in NOK that can be found by its `id` only.
pub(crate) fn transaction(id: &str, amount_minor: i64, events: Vec<TransactionEvent>) -> Transaction {
    Transaction {
        id: id.into(),
        merchant_reference: String::new(),
        merchant_reference_2: None,
        status: TransactionStatus::Captured,
        payment_product: "vipps".into(),
        payment_product_type: "vipps".into(),
        currency: "NOK".parse().unwrap(),
        amount_minor,
        payout_destination_id: None,
        store_id: None,
        keys: BTreeMap::new(),
        events,
        settlement_events: Vec::new(),
        settlement_status: None,
    }
}

pub(crate) fn capture(amount_minor: i64) -> TransactionEvent {
    event(TransactionEventKind::Capture, amount_minor)
}

pub(crate) fn refund(amount_minor: i64) -> TransactionEvent {
    event(TransactionEventKind::Refund, amount_minor)
}

fn event(kind: TransactionEventKind, amount_minor: i64) -> TransactionEvent {
    TransactionEvent {
        kind,
        amount_minor,
        success: true,
        at: None,
        reference: None,
        keys: BTreeMap::new(),
        settlement_events: Vec::new(),
    }
}

/// A sale above zero or a refund below, in NOK, in settlement 1, without any reference.
pub(crate) fn line(minor: i64) -> LineRecord {
    let (kind, terms) = match minor < 0 {
        true => (LineKind::Refund, Terms { refund_minor: minor, ..Terms::default() }),
        false => (LineKind::Sale, Terms { capture_minor: minor, ..Terms::default() }),
    };
    LineRecord {
        merchant_number: "123456".into(),
        settlement_id: "1".into(),
        currency: "NOK".parse().unwrap(),
        line_no: 1,
        kind,
        terms,
        provider_transaction_id: None,
        original_reference: None,
        order_reference: None,
        correlation_id: None,
        provider_method: None,
        provider_kind: None,
        store_id: None,
        payout_destination_id: None,
        captured_at_us: None,
        captured_on: None,
        provider_date: None,
    }
}

/// A line with an order reference.
pub(crate) fn ordered(minor: i64, order: &str) -> LineRecord {
    LineRecord { order_reference: Some(order.into()), ..line(minor) }
}

/// The same line in another settlement.
pub(crate) fn within(settlement_id: &str, line: &LineRecord) -> LineRecord {
    LineRecord { settlement_id: settlement_id.into(), ..line.clone() }
}

pub(crate) fn index(transactions: &[Transaction]) -> Index {
    let mut builder = IndexBuilder::default();
    for transaction in transactions {
        builder.add(transaction).unwrap();
    }
    builder.build().unwrap()
}
