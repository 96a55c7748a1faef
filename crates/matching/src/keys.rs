//! The keys of each provider: which field of a line holds the same value as which field of a transaction.
//!
//! The ladder of a line is the rungs of its provider from the top, then [`GENERAL`]; all that name one payment come
//! before all that refer to it. A field is listed only where it is known what the provider writes into it. A provider
//! without rungs of its own has the general ladder. A line of a provider without a row is not matched: a person
//! decides.

use std::fmt;

use settlement::{LineRecord, Provider, Transaction, TransactionEvent, product_family};

use Against::{EarlierLine, EventMetadata, EventReference, Id, MerchantReference, MerchantReference2, Metadata};
use LineField::{CorrelationId, OrderReference, OriginalReference, ProviderTransactionId};
use Weight::{NamesOne, Refers};

/// A field of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the field of LineRecord with that name")]
pub enum LineField {
    ProviderTransactionId,
    OriginalReference,
    OrderReference,
    CorrelationId,
}

/// What the field of a line is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Against {
    /// Dintero's id of the transaction.
    Id,
    /// The merchant's reference.
    MerchantReference,
    /// The merchant's second reference.
    MerchantReference2,
    /// A field of the transaction's metadata.
    Metadata(&'static str),
    /// The merchant's reference of a capture or refund.
    EventReference,
    /// A field of the metadata of a capture or refund.
    EventMetadata(&'static str),
    /// The same field, or another one, of a sale that was matched earlier, in this settlement or in one before it.
    EarlierLine(LineField),
}

/// What it means that two fields hold the same value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// The value names one payment. If the money differs, no other payment is searched for.
    NamesOne,
    /// The value is the merchant's own and several payments may have it. Only a payment whose money agrees to the minor
    /// unit is taken.
    Refers,
}

/// One step of a ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rung {
    /// The field of the line.
    pub line: LineField,
    /// What it is compared with.
    pub against: Against,
    /// What it means that both are equal.
    pub weight: Weight,
}

const fn rung(line: LineField, against: Against, weight: Weight) -> Rung {
    Rung { line, against, weight }
}

/// What the lines of one provider are matched by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProviderKeys {
    /// The provider.
    pub provider: &'static Provider,
    /// Field of a transaction's metadata that holds the merchant number its settlements come under.
    pub merchant_number: Option<&'static str>,
    /// Its own rungs, the surest first.
    pub rungs: &'static [Rung],
}

/// The keys of every provider, in order of ids.
pub const PROVIDER_KEYS: &[ProviderKeys] = &[
    ProviderKeys { provider: &Provider::BAMBORA, merchant_number: None, rungs: &[] },
    ProviderKeys {
        provider: &Provider::KLARNA,
        merchant_number: None,
        rungs: &[
            rung(ProviderTransactionId, EventMetadata("klarna:headers:capture_id"), NamesOne),
            rung(ProviderTransactionId, EventMetadata("klarna:headers:refund_id"), NamesOne),
            rung(OriginalReference, EventMetadata("klarna:headers:capture_id"), NamesOne),
        ],
    },
    ProviderKeys { provider: &Provider::PAYOUT, merchant_number: None, rungs: &[] },
    ProviderKeys {
        provider: &Provider::SWEDBANK_PAY,
        merchant_number: None,
        rungs: &[
            rung(ProviderTransactionId, EventMetadata("payex:transaction:number"), NamesOne),
            rung(OriginalReference, EventMetadata("payex:transaction:number"), NamesOne),
            rung(OrderReference, EventMetadata("payex:transaction:payee_reference"), Refers),
        ],
    },
    ProviderKeys {
        provider: &Provider::SWISH,
        merchant_number: None,
        rungs: &[
            rung(ProviderTransactionId, Metadata("swish:paymentReference"), NamesOne),
            rung(OriginalReference, Metadata("swish:paymentReference"), NamesOne),
            rung(OriginalReference, EventMetadata("swish:originalPaymentReference"), NamesOne),
        ],
    },
    ProviderKeys {
        provider: &Provider::VIPPS,
        // An order id is the merchant's own and unique only within a sales unit.
        merchant_number: Some("vipps:merchantInfo.merchantSerialNumber"),
        rungs: &[
            rung(ProviderTransactionId, EventMetadata("vipps:transactionInfo.transactionId"), NamesOne),
            rung(OriginalReference, EventMetadata("vipps:transactionInfo.transactionId"), NamesOne),
            rung(OrderReference, Metadata("vipps:transaction.orderId"), Refers),
        ],
    },
    // Dintero sends the id of its session as Walley's order number.
    ProviderKeys {
        provider: &Provider::WALLEY,
        merchant_number: None,
        rungs: &[rung(OrderReference, Metadata("collector:Invoice.OrderNumber"), Refers)],
    },
];

/// The rungs of every provider, tried after its own.
///
/// A number within a typed text, as in "Order #11536", is no rung: it leads to a candidate that a person is shown, and
/// never to a match.
pub const GENERAL: &[Rung] = &[
    rung(CorrelationId, EventMetadata("payout_correlation_id"), NamesOne),
    rung(CorrelationId, Metadata("payout_correlation_id"), NamesOne),
    rung(ProviderTransactionId, Id, NamesOne),
    rung(OrderReference, Id, NamesOne),
    rung(OriginalReference, EarlierLine(ProviderTransactionId), NamesOne),
    rung(OrderReference, MerchantReference2, Refers),
    rung(OrderReference, EventReference, Refers),
    rung(OrderReference, MerchantReference, Refers),
    rung(ProviderTransactionId, EarlierLine(ProviderTransactionId), Refers),
    rung(OrderReference, EarlierLine(OrderReference), Refers),
];

/// The keys of the provider with that id; `None` when the table has none, and then nothing is known of its lines.
pub(crate) fn keys_of(provider: &str) -> Option<&'static ProviderKeys> {
    PROVIDER_KEYS.iter().find(|keys| keys.provider.id == provider)
}

/// The id of the provider that pays out a payment product; the product's own name when no provider of the table does.
pub fn provider_paying(payment_product: &str) -> &str {
    Provider::paying(payment_product).map_or_else(|| product_family(payment_product), |provider| provider.id)
}

impl ProviderKeys {
    /// The whole ladder from the top: rungs that name one payment, then rungs that refer to one, the provider's own
    /// first in both.
    pub fn ladder(&self) -> impl Iterator<Item = Rung> {
        let all = || self.rungs.iter().chain(GENERAL).copied();
        let of = move |weight| all().filter(move |rung| rung.weight == weight);
        of(NamesOne).chain(of(Refers))
    }
}

/// Every field of a transaction that any ladder looks at, each once.
pub(crate) fn indexed() -> Vec<Against> {
    let rungs = PROVIDER_KEYS.iter().flat_map(|keys| keys.rungs).chain(GENERAL);
    let mut fields: Vec<Against> =
        rungs.map(|rung| rung.against).filter(|field| !matches!(field, EarlierLine(_))).collect();
    fields.sort_unstable();
    fields.dedup();
    fields
}

impl LineField {
    /// Its value without surrounding blanks; `None` when the provider gives none.
    pub fn of(self, line: &LineRecord) -> Option<&str> {
        let text = match self {
            ProviderTransactionId => &line.provider_transaction_id,
            OriginalReference => &line.original_reference,
            OrderReference => &line.order_reference,
            CorrelationId => &line.correlation_id,
        };
        present(text.as_deref())
    }
}

impl Against {
    /// Its value at the transaction; `None` when it is a field of events, or empty.
    pub(crate) fn of_transaction(self, transaction: &Transaction) -> Option<&str> {
        present(match self {
            Id => Some(&transaction.id),
            MerchantReference => Some(&transaction.merchant_reference),
            MerchantReference2 => transaction.merchant_reference_2.as_deref(),
            Metadata(name) => transaction.keys.get(name).map(String::as_str),
            EventReference | EventMetadata(_) | EarlierLine(_) => None,
        })
    }

    /// Its value at the event; `None` when it is a field of transactions, or empty.
    pub(crate) fn of_event(self, event: &TransactionEvent) -> Option<&str> {
        present(match self {
            EventReference => event.reference.as_deref(),
            EventMetadata(name) => event.keys.get(name).map(String::as_str),
            Id | MerchantReference | MerchantReference2 | Metadata(_) | EarlierLine(_) => None,
        })
    }
}

fn present(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

impl fmt::Display for LineField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ProviderTransactionId => "provider_transaction_id",
            OriginalReference => "original_reference",
            OrderReference => "order_reference",
            CorrelationId => "correlation_id",
        })
    }
}

impl fmt::Display for Against {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Id => f.write_str("id"),
            MerchantReference => f.write_str("merchant_reference"),
            MerchantReference2 => f.write_str("merchant_reference_2"),
            Metadata(name) => write!(f, "metadata {name}"),
            EventReference => f.write_str("event_reference"),
            EventMetadata(name) => write!(f, "event metadata {name}"),
            EarlierLine(field) => write!(f, "{field} of an earlier line"),
        }
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.line, self.against)
    }
}

#[cfg(test)]
mod tests {
    use settlement::PROVIDERS;

    use super::*;

    #[test]
    fn every_provider_has_its_row_in_order_of_ids() {
        let rows: Vec<&str> = PROVIDER_KEYS.iter().map(|keys| keys.provider.id).collect();
        let providers: Vec<&str> = PROVIDERS.iter().map(|provider| provider.id).collect();
        assert_eq!(rows, providers);
        for provider in PROVIDERS {
            assert_eq!(keys_of(provider.id).map(|keys| keys.provider), Some(provider));
        }
        assert_eq!((keys_of("netaxept"), keys_of("")), (None, None));
    }

    #[test]
    fn on_every_ladder_rungs_that_name_one_payment_come_first() {
        for keys in PROVIDER_KEYS {
            let ladder: Vec<Rung> = keys.ladder().collect();
            assert!(ladder.is_sorted_by_key(|rung| rung.weight != NamesOne), "{ladder:?}");
            assert_eq!(ladder.len(), keys.rungs.len() + GENERAL.len());
            assert!(keys.rungs.iter().chain(GENERAL).all(|rung| ladder.contains(rung)));
        }
        for rungs in PROVIDER_KEYS.iter().map(|keys| keys.rungs).chain([GENERAL]) {
            assert!(rungs.is_sorted_by_key(|rung| rung.weight != NamesOne), "read from the top: {rungs:?}");
        }
    }

    #[test]
    fn a_product_leads_to_its_provider_or_to_its_own_name() {
        for (product, provider) in [
            ("payex", "swedbankpay"),
            ("collector.invoice", "walley"),
            ("netaxept", "netaxept"),
            ("netaxept.creditcard", "netaxept"),
        ] {
            assert_eq!(provider_paying(product), provider, "{product}");
        }
    }
}
