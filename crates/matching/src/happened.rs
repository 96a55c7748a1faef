//! Captures and refunds that came about, with their amounts.

use jiff::Timestamp;
use settlement::{Transaction, TransactionEvent, TransactionEventKind, TransactionStatus};

/// A capture or refund that came about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Happened<'a> {
    /// Its place among the events of the transaction, from 0.
    pub(crate) number: u32,
    /// Minor units above zero; `None` where neither the event nor the transaction tells.
    pub(crate) amount_minor: Option<i64>,
    /// The event itself.
    pub(crate) event: &'a TransactionEvent,
}

impl Happened<'_> {
    /// Capture or refund.
    pub(crate) fn kind(&self) -> TransactionEventKind {
        self.event.kind
    }

    /// When.
    pub(crate) fn at(&self) -> Option<Timestamp> {
        self.event.at
    }
}

/// The captures and refunds of a transaction that came about, in order.
pub(crate) fn happened(transaction: &Transaction) -> impl Iterator<Item = Happened<'_>> {
    (0_u32..).zip(&transaction.events).filter(|(_, event)| counts(event)).map(|(number, event)| Happened {
        number,
        amount_minor: amount_minor(transaction, event),
        event,
    })
}

fn counts(event: &TransactionEvent) -> bool {
    event.success && matches!(event.kind, TransactionEventKind::Capture | TransactionEventKind::Refund)
}

/// An event without an amount is of the whole amount when it is the only one of its kind and the status says that all was
/// captured, or all given back.
fn amount_minor(transaction: &Transaction, event: &TransactionEvent) -> Option<i64> {
    if event.amount_minor != 0 {
        return Some(event.amount_minor).filter(|minor| *minor > 0);
    }
    use TransactionStatus::{Captured, PartiallyRefunded, Refunded};
    let whole = match event.kind {
        TransactionEventKind::Capture => matches!(transaction.status, Captured | PartiallyRefunded | Refunded),
        TransactionEventKind::Refund => transaction.status == Refunded,
        _ => false,
    };
    let alone = transaction.events.iter().filter(|other| counts(other) && other.kind == event.kind).count() == 1;
    (whole && alone).then_some(transaction.amount_minor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{capture, refund, transaction};

    fn amounts(transaction: &Transaction) -> Vec<(u32, Option<i64>)> {
        happened(transaction).map(|happened| (happened.number, happened.amount_minor)).collect()
    }

    #[test]
    fn an_unstated_amount_is_the_whole_only_when_nothing_else_can_be_meant() {
        let mut paid = transaction("a", 500, vec![capture(0)]);
        assert_eq!(amounts(&paid), [(0, Some(500))]);
        paid.status = TransactionStatus::PartiallyCaptured;
        assert_eq!(amounts(&paid), [(0, None)]);
        paid.status = TransactionStatus::Captured;
        paid.events.push(capture(100));
        assert_eq!(amounts(&paid), [(0, None), (1, Some(100))]);
        paid.events = vec![capture(0), refund(0)];
        assert_eq!(amounts(&paid), [(0, Some(500)), (1, None)]);
        paid.status = TransactionStatus::Refunded;
        assert_eq!(amounts(&paid), [(0, Some(500)), (1, Some(500))]);
    }

    #[test]
    fn what_did_not_come_about_did_not_happen() {
        let mut paid = transaction("a", 500, vec![capture(500), capture(500), refund(-1)]);
        paid.events[0].success = false;
        paid.events.push(TransactionEvent { kind: TransactionEventKind::Void, ..capture(500) });
        assert_eq!(amounts(&paid), [(1, Some(500)), (2, None)]);
    }
}
