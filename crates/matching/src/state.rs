//! The result of matching a line, with a reason that a person can act on.

use settlement::{Currency, LineKind, MajorUnits, TransactionEventKind, TransactionStatus, exponent};

use crate::keys::Rung;
use crate::seen::SettlementName;

/// The result of matching one line. Every line has exactly one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MatchState {
    /// The line is this capture or refund of this transaction.
    Matched(Matched),
    /// Its transaction is known and has no capture or refund of this amount.
    AmountDiffers {
        /// Dintero's id of the transaction.
        transaction_id: String,
        /// The key it was found by.
        by: Rung,
        /// Capture or refund.
        kind: TransactionEventKind,
        /// The line's amount in minor units, positive for a refund as well.
        found_minor: i64,
        /// The nearest amount at Dintero, in minor units; `None` where it states none.
        expected_minor: Option<i64>,
        /// Currency of both.
        currency: Currency,
    },
    /// Its transaction is known and has another currency.
    CurrencyDiffers {
        /// Dintero's id of the transaction.
        transaction_id: String,
        /// The key it was found by.
        by: Rung,
        /// The line's currency.
        found: Currency,
        /// The transaction's.
        expected: Currency,
    },
    /// Its transaction is known and its status or its events rule the line out.
    StatusForbids {
        /// Dintero's id of the transaction.
        transaction_id: String,
        /// The key it was found by.
        by: Rung,
        /// Why the line is ruled out.
        why: Forbidden,
    },
    /// No key leads to a transaction.
    TransactionUnknown {
        /// The transaction that is most like it, where there is one.
        nearest: Option<Nearest>,
    },
    /// The line is in an earlier settlement already.
    DuplicateAcrossSettlements {
        /// The settlement that had it first.
        first: SettlementName,
        /// Dintero's id of the transaction, where it is known.
        transaction_id: Option<String>,
    },
    /// The line is no capture or refund of one transaction: a fee, a chargeback, a reserve, an adjustment or a deposit.
    NotATransaction(LineKind),
    /// A person has to decide.
    NeedsAPerson(Unclear),
}

/// The capture or refund that a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// Dintero's id of the transaction.
    pub transaction_id: String,
    /// Position of the transaction in the index, from 0.
    pub position: u32,
    /// The key it was found by.
    pub by: Rung,
    /// Capture or refund.
    pub kind: TransactionEventKind,
    /// Place of the event in the transaction's list of events, from 0.
    pub event: u32,
}

/// Why the transaction that a key leads to rules the line out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forbidden {
    /// The transaction was voided.
    Voided,
    /// Nothing of it was captured; this is its status.
    NotCaptured(TransactionStatus),
    /// Dintero has no refund of it; this is its status.
    NotRefunded(TransactionStatus),
    /// With this line, more is refunded than was captured. Amounts are minor units of the currency.
    RefundedMoreThanCaptured {
        /// The refunded sum with this line.
        refunded_minor: i64,
        /// The captured sum.
        captured_minor: i64,
        /// Currency of both.
        currency: Currency,
    },
    /// Other lines of the same settlement have all its captures or refunds of this amount already.
    MoreLinesThanEvents,
}

/// A transaction that is like a line and not matched with it, for a person to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nearest {
    /// Dintero's id of the transaction.
    pub transaction_id: String,
    /// What they have in common.
    pub nearness: Nearness,
}

/// What a line and a transaction that it is not matched with have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nearness {
    /// A key and the money agree, but another provider pays out its payment product.
    OtherProduct,
    /// A key and the money agree, but it belongs to another merchant number.
    OtherMerchantNumber,
    /// A reference differs only in capitals, blanks and punctuation.
    SameLetters,
    /// A reference contains the same number.
    SameNumber,
}

/// Why a person has to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unclear {
    /// Several transactions fit equally well.
    SeveralTransactions {
        /// The key they were found by.
        by: Rung,
        /// Dintero's ids of them, in order.
        transaction_ids: Vec<String>,
    },
    /// So many transactions have the value of a key that it names none of them.
    KeyTellsNothing {
        /// The key.
        by: Rung,
        /// How many have it.
        times: usize,
    },
    /// The line has both a captured and a refunded amount.
    CaptureAndRefund,
    /// The format does not know what kind of line it is.
    UnknownKind,
    /// The provider is not in the table of providers, so that nothing is known of its lines.
    UnknownProvider,
}

impl MatchState {
    /// The word in tables: `matched`, `amount_differs` and so on.
    pub fn as_str(&self) -> &'static str {
        match self {
            MatchState::Matched(_) => "matched",
            MatchState::AmountDiffers { .. } => "amount_differs",
            MatchState::CurrencyDiffers { .. } => "currency_differs",
            MatchState::StatusForbids { .. } => "status_forbids",
            MatchState::TransactionUnknown { .. } => "transaction_unknown",
            MatchState::DuplicateAcrossSettlements { .. } => "duplicate_across_settlements",
            MatchState::NotATransaction(_) => "not_a_transaction",
            MatchState::NeedsAPerson(_) => "needs_a_person",
        }
    }

    /// The transaction of the line, where it is known.
    pub fn transaction_id(&self) -> Option<&str> {
        match self {
            MatchState::Matched(matched) => Some(&matched.transaction_id),
            MatchState::AmountDiffers { transaction_id, .. }
            | MatchState::CurrencyDiffers { transaction_id, .. }
            | MatchState::StatusForbids { transaction_id, .. } => Some(transaction_id),
            MatchState::DuplicateAcrossSettlements { transaction_id, .. } => transaction_id.as_deref(),
            MatchState::TransactionUnknown { .. } | MatchState::NotATransaction(_) | MatchState::NeedsAPerson(_) => {
                None
            }
        }
    }

    /// The reason in words for a person. Amounts are shown with the decimals of `provider`.
    pub fn explained(&self, provider: &str) -> String {
        match self {
            MatchState::Matched(Matched { transaction_id, by, kind, .. }) => {
                format!("{} of {transaction_id}, found by {by}", word(*kind))
            }
            MatchState::AmountDiffers { transaction_id, by, kind, found_minor, expected_minor, currency } => {
                let amount = |minor| MajorUnits::new(minor, exponent(provider, *currency));
                let known = match expected_minor {
                    Some(minor) => format!("Dintero has {} {currency}", amount(*minor)),
                    None => "Dintero states no amount".to_owned(),
                };
                let found = amount(*found_minor);
                format!("{} of {found} {currency}, but {known} at {transaction_id}, found by {by}", word(*kind))
            }
            MatchState::CurrencyDiffers { transaction_id, by, found, expected } => {
                format!("paid in {found}, but {transaction_id}, found by {by}, is in {expected}")
            }
            MatchState::StatusForbids { transaction_id, by, why } => {
                format!("{} {transaction_id}, found by {by}", why.explained(provider))
            }
            MatchState::TransactionUnknown { nearest: None } => "no transaction has any of its references".to_owned(),
            MatchState::TransactionUnknown { nearest: Some(nearest) } => {
                let Nearest { transaction_id, nearness } = nearest;
                format!("no transaction is certain; look at {transaction_id}: {}", nearness.explained())
            }
            MatchState::DuplicateAcrossSettlements { first, .. } => format!("paid already in {first}"),
            MatchState::NotATransaction(kind) => {
                format!("a line of kind {} belongs to no capture or refund", kind.as_str())
            }
            MatchState::NeedsAPerson(unclear) => unclear.explained(provider),
        }
    }
}

impl Forbidden {
    fn explained(self, provider: &str) -> String {
        match self {
            Forbidden::Voided => "voided before any money was taken:".to_owned(),
            Forbidden::NotCaptured(status) => format!("nothing is captured ({}):", status.explained()),
            Forbidden::NotRefunded(status) => format!("no refund is known ({}):", status.explained()),
            Forbidden::RefundedMoreThanCaptured { refunded_minor, captured_minor, currency } => {
                let amount = |minor| MajorUnits::new(minor, exponent(provider, currency));
                let (refunded, captured) = (amount(refunded_minor), amount(captured_minor));
                format!("{refunded} {currency} given back in all, but only {captured} {currency} captured:")
            }
            Forbidden::MoreLinesThanEvents => {
                "every capture or refund of this amount is another line of the same settlement:".to_owned()
            }
        }
    }
}

impl Nearness {
    fn explained(self) -> &'static str {
        match self {
            Nearness::OtherProduct => "key and money agree, but another provider pays it out",
            Nearness::OtherMerchantNumber => "key and money agree, but it belongs to another merchant number",
            Nearness::SameLetters => "a reference differs in capitals, blanks or signs only",
            Nearness::SameNumber => "a reference has the same number in it",
        }
    }
}

impl Unclear {
    fn explained(&self, provider: &str) -> String {
        match self {
            Unclear::SeveralTransactions { by, transaction_ids } => {
                format!("fits equally well, by {by}: {}", transaction_ids.join(", "))
            }
            Unclear::KeyTellsNothing { by, times } => format!("{by} at {times} transactions, so that it tells nothing"),
            Unclear::CaptureAndRefund => "captures and refunds in one line".to_owned(),
            Unclear::UnknownKind => "a row type that the format does not know".to_owned(),
            Unclear::UnknownProvider => format!("nothing is known of the lines of {provider}"),
        }
    }
}

fn word(kind: TransactionEventKind) -> &'static str {
    match kind {
        TransactionEventKind::Capture => "capture",
        TransactionEventKind::Refund => "refund",
        _ => "event",
    }
}
