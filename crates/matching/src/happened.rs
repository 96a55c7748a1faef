//! Successful captures and refunds, with their amounts.

use jiff::Timestamp;
use settlement::{Transaction, TransactionEvent, TransactionEventKind, TransactionStatus};

/// A successful capture or refund.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Happened<'a> {
    /// Its place among the events of the transaction, from 0.
    pub(crate) number: u32,
    /// Minor units above zero; `None` where neither the event nor the transaction states it.
    pub(crate) amount_minor: Option<i64>,
    /// The event itself.
    pub(crate) event: &'a TransactionEvent,
}

impl Happened<'_> {
    /// Capture or refund.
    pub(crate) fn kind(&self) -> TransactionEventKind {
        self.event.kind
    }

    /// The time of the event.
    pub(crate) fn at(&self) -> Option<Timestamp> {
        self.event.at
    }
}

/// The successful captures and refunds of a transaction, in order.
pub(crate) fn happened(transaction: &Transaction) -> impl Iterator<Item = Happened<'_>> {
    (0_u32..).zip(&transaction.events).filter(|(_, event)| is_settled_by_lines(event)).map(|(number, event)| Happened {
        number,
        amount_minor: amount_minor(transaction, event),
        event,
    })
}

fn is_settled_by_lines(event: &TransactionEvent) -> bool {
    event.success && matches!(event.kind, TransactionEventKind::Capture | TransactionEventKind::Refund)
}

/// An event that states no amount has the whole amount when it is the only one of its kind and the status says that
/// everything was captured, or refunded.
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
    let alone =
        transaction.events.iter().filter(|other| is_settled_by_lines(other) && other.kind == event.kind).count() == 1;
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
    fn an_event_without_amount_has_the_whole_only_when_the_status_says_so() {
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
    fn failed_events_and_other_kinds_are_left_out() {
        let mut paid = transaction("a", 500, vec![capture(500), capture(500), refund(-1)]);
        paid.events[0].success = false;
        paid.events.push(TransactionEvent { kind: TransactionEventKind::Void, ..capture(500) });
        assert_eq!(amounts(&paid), [(1, Some(500)), (2, None)]);
    }
}
