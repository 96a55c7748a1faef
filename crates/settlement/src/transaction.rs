//! A payment as Dintero knows it: only what matching and posting need, and nothing of the buyer.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::currency::Currency;

/// One payment with what happened to it. Amounts are minor units of its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// Dintero's id: the account, a dot, and what makes it unique.
    pub id: String,
    /// The merchant's reference.
    pub merchant_reference: String,
    /// The merchant's second reference, often the order number.
    pub merchant_reference_2: Option<String>,
    /// Dintero's word for how far it has come.
    pub status: TransactionStatus,
    /// Product that it was paid with, as in `vipps`.
    pub payment_product: String,
    /// Kind of the product, as in `bambora.creditcard`.
    pub payment_product_type: String,
    /// Currency.
    pub currency: Currency,
    /// The amount agreed with the buyer.
    pub amount_minor: i64,
    /// Who is paid.
    pub payout_destination_id: Option<String>,
    /// The store it was made in.
    pub store_id: Option<String>,
    /// What providers know it by: names of the fields of its metadata that lines are matched by, with their values.
    pub keys: BTreeMap<String, String>,
    /// What happened to it, from the first on.
    pub events: Vec<TransactionEvent>,
    /// Settlement events that are kept at the transaction itself.
    pub settlement_events: Vec<SettlementEvent>,
    /// Dintero's word for how far it is settled.
    pub settlement_status: Option<SettlementStatus>,
}

/// Something that happened to a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionEvent {
    /// What happened.
    pub kind: TransactionEventKind,
    /// Of which amount, above zero for a refund as well; 0 where none is stated.
    pub amount_minor: i64,
    /// Whether it came about.
    pub success: bool,
    /// When.
    pub at: Option<Timestamp>,
    /// The merchant's reference of the event.
    pub reference: Option<String>,
    /// What providers know it by, as at the transaction.
    pub keys: BTreeMap<String, String>,
    /// Settlement events that belong to it.
    pub settlement_events: Vec<SettlementEvent>,
}

/// The kinds of events that matter to a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TransactionEventKind {
    /// Money was reserved.
    Authorize,
    /// Money was taken.
    Capture,
    /// Money was given back.
    Refund,
    /// The reservation was lifted.
    Void,
    /// Anything else.
    Other,
}

/// A settlement as it stands at a transaction: capture, refund and fee are magnitudes, whichever sign they came with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SettlementEvent {
    /// The settlement it was paid in.
    pub settlement_id: String,
    /// The provider's reference of the settlement.
    pub provider_reference: String,
    /// The event of the transaction that it belongs to.
    pub event_correlation_id: Option<String>,
    /// What was paid out: capture less refund less fee.
    pub amount_minor: i64,
    /// Captured.
    pub capture_minor: i64,
    /// Refunded.
    pub refund_minor: i64,
    /// The fee that was taken off.
    pub fee_minor: i64,
}

impl SettlementEvent {
    /// Its money: amount, capture, refund and fee, in minor units.
    pub fn money(&self) -> [i64; 4] {
        [self.amount_minor, self.capture_minor, self.refund_minor, self.fee_minor]
    }
}

impl Transaction {
    /// All settlement events, wherever they are kept.
    pub fn all_settlement_events(&self) -> impl Iterator<Item = &SettlementEvent> {
        self.settlement_events.iter().chain(self.events.iter().flat_map(|event| &event.settlement_events))
    }

    /// What was taken, or given back, of events that came about, in minor units; `None` beyond the range of `i64`.
    pub fn sum_minor(&self, kind: TransactionEventKind) -> Option<i64> {
        let events = self.events.iter().filter(|event| event.success && event.kind == kind);
        events.map(|event| event.amount_minor).try_fold(0_i64, i64::checked_add)
    }

    /// How far it is settled, by its own events: the sums of what was settled against what was captured and refunded.
    ///
    /// `pending` says that settlement events of it wait to be posted. Dintero publishes no rule; this is the plain reading
    /// of its four words.
    pub fn derived_settlement_status(&self, pending: bool) -> SettlementStatus {
        let any = self.all_settlement_events().next().is_some();
        let settled = |minor: fn(&SettlementEvent) -> i64| -> i128 {
            self.all_settlement_events().map(|event| i128::from(minor(event))).sum()
        };
        let happened = |kind| self.sum_minor(kind).map(i128::from);
        let whole = happened(TransactionEventKind::Capture) == Some(settled(|event| event.capture_minor))
            && happened(TransactionEventKind::Refund) == Some(settled(|event| event.refund_minor));
        match (any, whole) {
            (true, true) => SettlementStatus::Settled,
            (true, false) => SettlementStatus::PartiallySettled,
            (false, _) if pending => SettlementStatus::PendingSettlement,
            (false, _) => SettlementStatus::NotSettled,
        }
    }
}

/// How far a transaction is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SettlementStatus {
    /// Nothing of it was paid out.
    NotSettled,
    /// It stands in a settlement that is not told to Dintero yet.
    PendingSettlement,
    /// Part of it was paid out.
    PartiallySettled,
    /// All that was captured and refunded is in settlements.
    Settled,
}

impl SettlementStatus {
    /// What it means, for the person who sells.
    pub fn explained(self) -> &'static str {
        match self {
            SettlementStatus::NotSettled => "nothing of it stands in a settlement yet",
            SettlementStatus::PendingSettlement => "it stands in a settlement that Dintero is not told of yet",
            SettlementStatus::PartiallySettled => "part of what was captured or refunded stands in settlements",
            SettlementStatus::Settled => "all that was captured and refunded stands in settlements",
        }
    }
}

impl fmt::Display for SettlementStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SettlementStatus::NotSettled => "NOT_SETTLED",
            SettlementStatus::PendingSettlement => "PENDING_SETTLEMENT",
            SettlementStatus::PartiallySettled => "PARTIALLY_SETTLED",
            SettlementStatus::Settled => "SETTLED",
        })
    }
}

/// How far a transaction has come, in Dintero's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "explained() says what each means")]
pub enum TransactionStatus {
    Initiated,
    OnHold,
    Authorized,
    AuthorizationVoided,
    PartiallyCaptured,
    Captured,
    PartiallyCapturedRefunded,
    PartiallyRefunded,
    Refunded,
    Declined,
    Failed,
    #[serde(other)]
    Unknown,
}

impl TransactionStatus {
    /// What it means, for the person who sells.
    pub fn explained(self) -> &'static str {
        match self {
            TransactionStatus::Initiated => "the buyer has begun to pay",
            TransactionStatus::OnHold => "the provider looks at it by hand; wait",
            TransactionStatus::Authorized => "the money is reserved; there is no payout until you capture it",
            TransactionStatus::AuthorizationVoided => "cancelled before the money left the buyer; there is no fee",
            TransactionStatus::PartiallyCaptured => "part of the amount is captured and comes with the next settlement",
            TransactionStatus::Captured => "the amount is captured and comes with the next settlement",
            TransactionStatus::PartiallyCapturedRefunded => "all of the part that was captured is given back",
            TransactionStatus::PartiallyRefunded => "part of what was captured is given back; the fee stays charged",
            TransactionStatus::Refunded => "all that was captured is given back; the fee stays charged",
            TransactionStatus::Declined => "the payment was declined",
            TransactionStatus::Failed => "the payment was tried and did not come about",
            TransactionStatus::Unknown => "Dintero does not know how far it has come",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: TransactionEventKind, amount_minor: i64, settled: &[SettlementEvent]) -> TransactionEvent {
        TransactionEvent {
            kind,
            amount_minor,
            success: true,
            at: None,
            reference: None,
            keys: BTreeMap::new(),
            settlement_events: settled.to_vec(),
        }
    }

    fn settled(capture_minor: i64, refund_minor: i64) -> SettlementEvent {
        SettlementEvent {
            settlement_id: "1".into(),
            provider_reference: "1".into(),
            event_correlation_id: None,
            amount_minor: capture_minor - refund_minor,
            capture_minor,
            refund_minor,
            fee_minor: 0,
        }
    }

    #[test]
    fn a_transaction_is_settled_when_all_that_happened_stands_in_settlements() {
        let mut transaction = Transaction {
            id: "T00000001.a".into(),
            merchant_reference: "1".into(),
            merchant_reference_2: None,
            status: TransactionStatus::PartiallyRefunded,
            payment_product: "vipps".into(),
            payment_product_type: "vipps".into(),
            currency: "NOK".parse().unwrap(),
            amount_minor: 500,
            payout_destination_id: None,
            store_id: None,
            keys: BTreeMap::new(),
            events: vec![event(TransactionEventKind::Capture, 500, &[]), event(TransactionEventKind::Refund, 200, &[])],
            settlement_events: Vec::new(),
            settlement_status: None,
        };
        assert_eq!(transaction.derived_settlement_status(false), SettlementStatus::NotSettled);
        assert_eq!(transaction.derived_settlement_status(true), SettlementStatus::PendingSettlement);
        transaction.settlement_events.push(settled(500, 0));
        assert_eq!(transaction.derived_settlement_status(false), SettlementStatus::PartiallySettled);
        transaction.events[1].settlement_events.push(settled(0, 200));
        assert_eq!(transaction.derived_settlement_status(true), SettlementStatus::Settled);
        transaction.events[1].success = false;
        assert_eq!(transaction.derived_settlement_status(false), SettlementStatus::PartiallySettled);
    }
}
