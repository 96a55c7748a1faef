//! What tests make documents of.

use settlement::{Currency, LineKind, LineRecord, SettlementHead, Terms};

/// Settlement 2000461, paid out on the 30th of October 2026.
pub(crate) fn head() -> SettlementHead {
    SettlementHead {
        merchant_number: "123456".parse().unwrap(),
        settlement_id: "2000461".parse().unwrap(),
        currency: Currency::NOK,
        exponent: 2,
        payout_on: jiff::civil::date(2026, 10, 30),
    }
}

/// A line of it, with the reference of an order and nothing else to find it by.
pub(crate) fn line(line_no: i64, kind: LineKind, terms: Terms, order: Option<&str>) -> LineRecord {
    let SettlementHead { merchant_number, settlement_id, currency, .. } = head();
    LineRecord {
        merchant_number: merchant_number.into(),
        settlement_id: settlement_id.into(),
        currency,
        line_no,
        kind,
        terms,
        provider_transaction_id: None,
        original_reference: None,
        order_reference: order.map(str::to_owned),
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
