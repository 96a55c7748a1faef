//! A payment as Dintero knows it: only what matching and posting need, and no data of the buyer.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::currency::Currency;

/// One payment with its events. Amounts are minor units of its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// Dintero's id: the account, a dot and a unique word.
    pub id: String,
    /// The merchant's reference.
    pub merchant_reference: String,
    /// The merchant's second reference, often the order number.
    pub merchant_reference_2: Option<String>,
    /// Its status at Dintero.
    pub status: TransactionStatus,
    /// The payment product, as in `vipps`.
    pub payment_product: String,
    /// The type of the payment product, as in `bambora.creditcard`.
    pub payment_product_type: String,
    /// Currency.
    pub currency: Currency,
    /// The amount agreed with the buyer.
    pub amount_minor: i64,
    /// The seller that the money goes to, where payouts are split.
    pub payout_destination_id: Option<String>,
    /// The merchant's store.
    pub store_id: Option<String>,
    /// The fields of its metadata that lines are matched by, with their values: ids that providers know it by.
    pub keys: BTreeMap<String, String>,
    /// Its events, the first one first.
    pub events: Vec<TransactionEvent>,
    /// Settlement events that Dintero stores at the transaction itself.
    pub settlement_events: Vec<SettlementEvent>,
    /// Its settlement status at Dintero.
    pub settlement_status: Option<SettlementStatus>,
}

/// One event of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionEvent {
    /// The kind of event.
    pub kind: TransactionEventKind,
    /// The amount, positive for a refund as well; 0 where none is stated.
    pub amount_minor: i64,
    /// Whether it succeeded.
    pub success: bool,
    /// The time of the event.
    pub at: Option<Timestamp>,
    /// The merchant's reference of the event.
    pub reference: Option<String>,
    /// The fields of its metadata that lines are matched by, as at the transaction.
    pub keys: BTreeMap<String, String>,
    /// Settlement events that Dintero stores at this event.
    pub settlement_events: Vec<SettlementEvent>,
}

/// The kinds of events that matter to a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TransactionEventKind {
    /// Money was reserved.
    Authorize,
    /// Money was captured.
    Capture,
    /// Money was refunded.
    Refund,
    /// The reservation was released.
    Void,
    /// Any other event.
    Other,
}

/// One part of a settlement at a transaction. Capture, refund and fee are magnitudes, whatever their signs at Dintero.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SettlementEvent {
    /// The id of the settlement that paid it out.
    pub settlement_id: String,
    /// The provider's reference of the settlement.
    pub provider_reference: String,
    /// The event of the transaction that it belongs to, where one is named.
    pub event_correlation_id: Option<String>,
    /// The amount paid out: capture less refund less fee.
    pub amount_minor: i64,
    /// The captured amount.
    pub capture_minor: i64,
    /// The refunded amount.
    pub refund_minor: i64,
    /// The deducted fee.
    pub fee_minor: i64,
}

impl SettlementEvent {
    /// Amount, capture, refund and fee, in minor units.
    pub fn money(&self) -> [i64; 4] {
        [self.amount_minor, self.capture_minor, self.refund_minor, self.fee_minor]
    }
}

impl Transaction {
    /// All settlement events, of the transaction itself and of its events.
    pub fn all_settlement_events(&self) -> impl Iterator<Item = &SettlementEvent> {
        self.settlement_events.iter().chain(self.events.iter().flat_map(|event| &event.settlement_events))
    }

    /// The sum of its successful events of a kind, in minor units; `None` beyond the range of `i64`.
    pub fn sum_minor(&self, kind: TransactionEventKind) -> Option<i64> {
        let events = self.events.iter().filter(|event| event.success && event.kind == kind);
        events.map(|event| event.amount_minor).try_fold(0_i64, i64::checked_add)
    }

    /// The settlement status that its own events give: the settled sums compared with the captured and refunded sums.
    ///
    /// `pending` says that settlement events of it wait to be posted. Dintero publishes no rule for its four words; this is
    /// their plain meaning.
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

/// The settlement status of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SettlementStatus {
    /// Nothing of it is in a settlement.
    NotSettled,
    /// It is in a settlement that is not posted to Dintero yet.
    PendingSettlement,
    /// Part of it is in settlements.
    PartiallySettled,
    /// Everything captured and refunded is in settlements.
    Settled,
}

impl SettlementStatus {
    /// What it means, in words for the merchant.
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

/// The status of a transaction, in Dintero's words.
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
    /// What it means, in words for the merchant.
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
    fn a_transaction_is_settled_when_all_captures_and_refunds_are_in_settlements() {
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

    fn transaction(events: Vec<TransactionEvent>) -> Transaction {
        Transaction {
            id: "T00000001.a".into(),
            merchant_reference: "1".into(),
            merchant_reference_2: None,
            status: TransactionStatus::Captured,
            payment_product: "vipps".into(),
            payment_product_type: "vipps".into(),
            currency: "NOK".parse().unwrap(),
            amount_minor: 500,
            payout_destination_id: None,
            store_id: None,
            keys: BTreeMap::new(),
            events,
            settlement_events: vec![settled(1, 0)],
            settlement_status: None,
        }
    }

    #[test]
    fn settlement_events_of_the_transaction_come_before_those_of_its_events() {
        let events =
            vec![event(TransactionEventKind::Capture, 500, &[SettlementEvent { fee_minor: 9, ..settled(2, 3) }])];
        let transaction = transaction(events);
        let money: Vec<[i64; 4]> = transaction.all_settlement_events().map(SettlementEvent::money).collect();
        assert_eq!(money, [[1, 1, 0, 0], [-1, 2, 3, 9]]);
    }

    #[test]
    fn successful_events_of_a_kind_are_summed() {
        use TransactionEventKind::{Capture, Refund, Void};
        let failed = TransactionEvent { success: false, ..event(Capture, 1_000, &[]) };
        let mut paid =
            transaction(vec![event(Capture, 500, &[]), failed, event(Capture, 20, &[]), event(Refund, 3, &[])]);
        assert_eq!([Capture, Refund, Void].map(|kind| paid.sum_minor(kind)), [Some(520), Some(3), Some(0)]);
        paid.events.push(event(Capture, i64::MAX, &[]));
        assert_eq!(paid.sum_minor(Capture), None);
        // A sum that cannot be counted settles nothing.
        assert_eq!(paid.derived_settlement_status(false), SettlementStatus::PartiallySettled);
    }

    #[test]
    fn statuses_have_dinteros_words_and_each_is_explained_in_its_own() {
        let statuses = [
            SettlementStatus::NotSettled,
            SettlementStatus::PendingSettlement,
            SettlementStatus::PartiallySettled,
            SettlementStatus::Settled,
        ];
        for status in statuses {
            assert_eq!(serde_json::to_string(&status).unwrap(), format!("\"{status}\""));
        }
        let mut explained: Vec<&str> = statuses.iter().map(|status| status.explained()).collect();
        let unknown: TransactionStatus = serde_json::from_str("\"CHARGED_BACK\"").unwrap();
        assert_eq!(unknown, TransactionStatus::Unknown);
        let words = [
            "INITIATED",
            "ON_HOLD",
            "AUTHORIZED",
            "AUTHORIZATION_VOIDED",
            "PARTIALLY_CAPTURED",
            "CAPTURED",
            "PARTIALLY_CAPTURED_REFUNDED",
            "PARTIALLY_REFUNDED",
            "REFUNDED",
            "DECLINED",
            "FAILED",
            "CHARGED_BACK",
        ];
        let read = |word: &str| serde_json::from_str::<TransactionStatus>(&format!("\"{word}\"")).unwrap();
        explained.extend(words.iter().map(|word| read(word).explained()));
        assert!(explained.iter().all(|text| text.split(' ').count() > 3), "{explained:?}");
        let count = explained.len();
        explained.sort_unstable();
        explained.dedup();
        assert_eq!(explained.len(), count);
    }
}
