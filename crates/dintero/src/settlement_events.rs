//! The body of the request that adds settlement events to transactions.

#[cfg(test)]
mod tests;

use serde::Serialize;
use settlement::SettlementEvent;

/// The signs of refunds and fees. The specification subtracts magnitudes; some events read from the live API have
/// negative fees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Signs {
    /// `amount = capture - refund - fee`, none of the three negative.
    #[default]
    Magnitudes,
    /// `amount = capture + refund + fee`, refund and fee not positive.
    Signed,
}

#[derive(Serialize)]
struct Body<'a> {
    transactions: Vec<TransactionBody<'a>>,
}

#[derive(Serialize)]
struct TransactionBody<'a> {
    id: &'a str,
    settlements: SettlementsBody<'a>,
}

#[derive(Serialize)]
struct SettlementsBody<'a> {
    events: Vec<EventBody<'a>>,
}

#[derive(Serialize)]
struct EventBody<'a> {
    settlement_id: &'a str,
    provider_reference: &'a str,
    amount: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_correlation_id: Option<&'a str>,
    capture: i64,
    refund: i64,
    fee: i64,
}

/// The body for pairs of a transaction's id and one of its events. Each transaction is listed once, in the order of
/// first events.
///
/// Amounts are minor units. The caller passes at most [`crate::TRANSACTIONS_MAX`] transactions.
pub fn body<'a>(events: impl IntoIterator<Item = (&'a str, &'a SettlementEvent)>, signs: Signs) -> String {
    let mut transactions: Vec<TransactionBody<'a>> = Vec::new();
    for (id, event) in events {
        let event = EventBody::new(event, signs);
        match transactions.iter_mut().find(|transaction| transaction.id == id) {
            Some(transaction) => transaction.settlements.events.push(event),
            None => transactions.push(TransactionBody { id, settlements: SettlementsBody { events: vec![event] } }),
        }
    }
    // Strings, integers and lists of them always serialise.
    serde_json::to_string(&Body { transactions }).unwrap_or_default()
}

impl<'a> EventBody<'a> {
    fn new(event: &'a SettlementEvent, signs: Signs) -> Self {
        let signed = |magnitude: i64| match signs {
            Signs::Magnitudes => magnitude,
            Signs::Signed => magnitude.saturating_neg(),
        };
        EventBody {
            settlement_id: &event.settlement_id,
            provider_reference: &event.provider_reference,
            amount: event.amount_minor,
            event_correlation_id: event.event_correlation_id.as_deref(),
            capture: event.capture_minor,
            refund: signed(event.refund_minor),
            fee: signed(event.fee_minor),
        }
    }
}
