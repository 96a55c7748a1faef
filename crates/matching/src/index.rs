//! An index of transactions that is small enough to hold a million of them in memory.

use std::collections::BTreeMap;

use settlement::{Currency, Transaction, TransactionEventKind, TransactionStatus};

use crate::digest::Digest;
use crate::happened::happened;
use crate::keys::{self, Against, keys_of, provider_paying};

/// The average number of entries that share one start.
const ENTRIES_PER_START: usize = 16;

/// Means no event, or no merchant number.
const NONE: u32 = u32::MAX;

/// One value of one field of one transaction or event. 24 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    digest: Digest,
    transaction: u32,
    event: u32,
}

/// A transaction that has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hit {
    /// Position of the transaction.
    pub(crate) transaction: u32,
    /// The number of the event that has the value; `None` when the transaction itself has it.
    pub(crate) event: Option<u32>,
}

/// What matching needs of a transaction.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) id: Box<str>,
    pub(crate) currency: Currency,
    pub(crate) status: TransactionStatus,
    product: u32,
    merchant_number: u32,
    first_event: u32,
}

/// A successful capture or refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventFacts {
    pub(crate) kind: TransactionEventKind,
    /// Place among the events of the transaction.
    pub(crate) number: u32,
    /// Minor units above zero, where known.
    pub(crate) amount_minor: Option<i64>,
}

/// The index cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// A transaction was added twice: its captures would be matched twice.
    #[error("Transaction {0} stands twice in the list of transactions")]
    TwiceTheSame(String),
    /// More transactions, or events of them, than the index can number.
    #[error("More than 4 294 967 294 transactions or events")]
    TooMany,
}

/// Builds an [`Index`] from transactions, one at a time. Each may be dropped once it is added.
#[derive(Debug)]
pub struct IndexBuilder {
    fields: Vec<Against>,
    names: BTreeMap<(String, String), u32>,
    index: Index,
}

/// Transactions by every value that a line may be found by. It is built once and then only read.
///
/// It keeps no transaction, but a sorted list of digests of field and value, 24 bytes for each value of a field that a
/// ladder looks at, with a table of places by the first bits of a digest; id, currency, status and product of each
/// transaction, about 80 bytes; and 32 bytes for each capture and refund. 1 000 000 transactions with a capture and a
/// refund each have some twelve such values each and take about 410 MB. What is found does not depend on the order in
/// which transactions are added.
#[derive(Debug, Default)]
pub struct Index {
    entries: Vec<Entry>,
    /// The place of the first entry by the first bits of its digest. A search then reads one short range of the
    /// entries.
    starts: Vec<usize>,
    bits: u32,
    facts: Vec<Facts>,
    events: Vec<EventFacts>,
    products: Vec<(String, String)>,
    merchant_numbers: Vec<String>,
}

impl Default for IndexBuilder {
    fn default() -> Self {
        IndexBuilder { fields: keys::indexed(), names: BTreeMap::new(), index: Index::default() }
    }
}

impl IndexBuilder {
    /// Adds a transaction.
    ///
    /// # Errors
    /// When there are more transactions or events than the index can number.
    pub fn add(&mut self, transaction: &Transaction) -> Result<(), IndexError> {
        let position = self.index.facts.len().try_into().ok().filter(|at| *at < NONE).ok_or(IndexError::TooMany)?;
        let first_event = u32::try_from(self.index.events.len()).map_err(|_| IndexError::TooMany)?;
        for field in &self.fields {
            if let Some(text) = field.of_transaction(transaction) {
                let digest = of_field(*field, text);
                self.index.entries.push(Entry { digest, transaction: position, event: NONE });
            }
        }
        for reference in [Some(&transaction.merchant_reference), transaction.merchant_reference_2.as_ref()] {
            for digest in reference.into_iter().flat_map(|text| alike(text)) {
                self.index.entries.push(Entry { digest, transaction: position, event: NONE });
            }
        }
        for happened in happened(transaction) {
            let facts =
                EventFacts { kind: happened.kind(), number: happened.number, amount_minor: happened.amount_minor };
            self.index.events.push(facts);
            for field in &self.fields {
                if let Some(text) = field.of_event(happened.event) {
                    let digest = of_field(*field, text);
                    self.index.entries.push(Entry { digest, transaction: position, event: happened.number });
                }
            }
        }
        let facts = Facts {
            id: transaction.id.as_str().into(),
            currency: transaction.currency,
            status: transaction.status,
            product: self.product(transaction),
            merchant_number: self.merchant_number(transaction),
            first_event,
        };
        self.index.facts.push(facts);
        Ok(())
    }

    fn product(&mut self, transaction: &Transaction) -> u32 {
        let name = (transaction.payment_product.clone(), transaction.payment_product_type.clone());
        if let Some(known) = self.names.get(&name) {
            return *known;
        }
        let number = u32::try_from(self.index.products.len()).unwrap_or(NONE);
        self.index.products.push(name.clone());
        self.names.insert(name, number);
        number
    }

    fn merchant_number(&mut self, transaction: &Transaction) -> u32 {
        let keys = keys_of(provider_paying(&transaction.payment_product));
        let field = keys.and_then(|keys| keys.merchant_number);
        let Some(text) = field.and_then(|field| Against::Metadata(field).of_transaction(transaction)) else {
            return NONE;
        };
        // An account has a handful of merchant numbers at a provider.
        let numbers = &mut self.index.merchant_numbers;
        let known = numbers.iter().position(|number| number == text);
        let place = known.unwrap_or_else(|| {
            numbers.push(text.to_owned());
            numbers.len() - 1
        });
        u32::try_from(place).unwrap_or(NONE)
    }

    /// The index of all that was added.
    ///
    /// # Errors
    /// When a transaction was added twice.
    pub fn build(mut self) -> Result<Index, IndexError> {
        self.index.entries.sort_unstable();
        self.index.entries.dedup();
        let mut index = self.index;
        index.entries.shrink_to_fit();
        index.mark_starts();
        for (position, facts) in (0_u32..).zip(&index.facts) {
            let twice = index.find(Against::Id, &facts.id).any(|hit| hit.transaction != position);
            if twice {
                return Err(IndexError::TwiceTheSame(facts.id.to_string()));
            }
        }
        Ok(index)
    }
}

impl Index {
    fn mark_starts(&mut self) {
        self.bits = (self.entries.len() / ENTRIES_PER_START).checked_ilog2().unwrap_or(0);
        let mut starts = Vec::with_capacity((1 << self.bits) + 1);
        for (place, entry) in self.entries.iter().enumerate() {
            // A number without entries begins where the next number begins.
            starts.resize(starts.len().max(entry.digest.first_bits(self.bits) + 1), place);
        }
        starts.resize((1 << self.bits) + 1, self.entries.len());
        self.starts = starts;
    }

    /// The entries whose digests have the same first bits as `digest`.
    fn near(&self, digest: Digest) -> &[Entry] {
        let bits = digest.first_bits(self.bits);
        let ends = self.starts.get(bits).zip(self.starts.get(bits + 1));
        ends.and_then(|(start, end)| self.entries.get(*start..*end)).unwrap_or_default()
    }

    /// Number of transactions.
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Whether there is no transaction.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// The position of a transaction in the order of adding, from 0; `None` when it was not added.
    pub fn position(&self, transaction_id: &str) -> Option<u32> {
        self.find(Against::Id, transaction_id).next().map(|hit| hit.transaction)
    }

    /// Payment product and product type of the transaction at a position, as in [`crate::Matched::position`].
    pub fn payment_product(&self, position: u32) -> Option<(&str, &str)> {
        let (product, kind) = self.products.get(self.facts(position)?.product as usize)?;
        Some((product, kind))
    }

    /// The transactions with a value of a field, in the order of adding.
    pub(crate) fn find(&self, field: Against, text: &str) -> impl ExactSizeIterator<Item = Hit> {
        self.with(of_field(field, text))
    }

    /// Transactions with a reference like the text: first those with the same letters, then those with the same number.
    pub(crate) fn alike(&self, text: &str) -> [impl ExactSizeIterator<Item = Hit> + use<'_>; 2] {
        let [letters, number] = likenesses(text);
        [letters, number].map(|digest| self.with_some(digest))
    }

    fn with(&self, digest: Digest) -> impl ExactSizeIterator<Item = Hit> + use<'_> {
        self.with_some(Some(digest))
    }

    fn with_some(&self, digest: Option<Digest>) -> impl ExactSizeIterator<Item = Hit> + use<'_> {
        let from = |digest| {
            let near = self.near(digest);
            let rest = near.get(near.partition_point(|entry| entry.digest < digest)..).unwrap_or_default();
            rest.get(..rest.partition_point(|entry| entry.digest == digest)).unwrap_or_default()
        };
        let entries = digest.map(from).unwrap_or_default();
        entries.iter().map(|entry| Hit {
            transaction: entry.transaction,
            event: Some(entry.event).filter(|event| *event != NONE),
        })
    }

    /// The facts of the transaction at a position.
    pub(crate) fn facts(&self, position: u32) -> Option<&Facts> {
        self.facts.get(position as usize)
    }

    /// Its merchant number at its provider, where Dintero states it.
    pub(crate) fn merchant_number(&self, facts: &Facts) -> Option<&str> {
        self.merchant_numbers.get(facts.merchant_number as usize).map(String::as_str)
    }

    /// The captures and refunds of the transaction at a position, each with its place among those of all transactions.
    pub(crate) fn events(&self, position: u32) -> impl Iterator<Item = (u32, &EventFacts)> + Clone {
        let first = self.facts(position).map_or(NONE, |facts| facts.first_event);
        let end = position.checked_add(1).and_then(|next| self.facts(next)).map(|facts| facts.first_event as usize);
        let events = self.events.get(first as usize..end.unwrap_or(self.events.len())).unwrap_or_default();
        events.iter().zip(first..).map(|(facts, place)| (place, facts))
    }

    /// All transactions with their positions.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u32, &Facts)> {
        (0_u32..).zip(&self.facts)
    }
}

fn of_field(field: Against, text: &str) -> Digest {
    match field {
        Against::Metadata(name) => Digest::of(&["metadata", name, text]),
        Against::EventMetadata(name) => Digest::of(&["event metadata", name, text]),
        Against::Id => Digest::of(&["id", text]),
        Against::MerchantReference => Digest::of(&["merchant_reference", text]),
        Against::MerchantReference2 => Digest::of(&["merchant_reference_2", text]),
        Against::EventReference => Digest::of(&["event_reference", text]),
        Against::EarlierLine(_) => Digest::of(&["earlier line", text]),
    }
}

fn alike(text: &str) -> impl Iterator<Item = Digest> {
    likenesses(text).into_iter().flatten()
}

/// A number in a reference with fewer digits is too common to name a payment.
const DIGITS_MIN: usize = 4;

/// The letters and digits of a text in lower case; and its only number, without leading zeros.
fn likenesses(text: &str) -> [Option<Digest>; 2] {
    let letters: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|digits| digits.len() >= DIGITS_MIN);
    let number = numbers.next().filter(|_| numbers.next().is_none()).map(|digits| digits.trim_start_matches('0'));
    [
        Some(letters).filter(|letters| !letters.is_empty()).map(|letters| Digest::of(&["letters", &letters])),
        number.filter(|number| !number.is_empty()).map(|number| Digest::of(&["number", number])),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{capture, index, refund, transaction};

    fn positions(hits: impl Iterator<Item = Hit>) -> Vec<u32> {
        hits.map(|hit| hit.transaction).collect()
    }

    #[test]
    fn a_value_is_found_in_its_own_field_only() {
        let mut first = transaction("a", 500, vec![capture(500), refund(200)]);
        first.merchant_reference = "77".into();
        first.events[1].reference = Some(" 77 ".into());
        let mut second = transaction("b", 500, Vec::new());
        second.merchant_reference_2 = Some("77".into());
        let index = index(&[first, second]);
        assert_eq!(positions(index.find(Against::MerchantReference, "77")), [0]);
        assert_eq!(positions(index.find(Against::MerchantReference2, "77")), [1]);
        let at_event: Vec<Hit> = index.find(Against::EventReference, "77").collect();
        assert_eq!(at_event, [Hit { transaction: 0, event: Some(1) }]);
        assert_eq!(positions(index.find(Against::Id, "b")), [1]);
        assert_eq!(index.find(Against::Id, "77").len(), 0);
    }

    #[test]
    fn every_value_is_found_among_many() {
        let many: Vec<Transaction> =
            (0..2_000).map(|number| transaction(&format!("t{number}"), 1, Vec::new())).collect();
        for count in [0, 1, 2, 17, 2_000] {
            let index = index(&many[..count]);
            for (position, transaction) in (0_u32..).zip(&many[..count]) {
                assert_eq!(positions(index.find(Against::Id, &transaction.id)), [position]);
            }
            assert_eq!(index.find(Against::Id, "none").len(), 0);
        }
    }

    #[test]
    fn events_belong_to_their_transaction() {
        let index = index(&[
            transaction("a", 500, vec![capture(500), refund(200)]),
            transaction("b", 1, Vec::new()),
            transaction("c", 300, vec![capture(300)]),
        ]);
        let amounts = |position| -> Vec<(u32, Option<i64>)> {
            index.events(position).map(|(place, event)| (place, event.amount_minor)).collect()
        };
        assert_eq!(amounts(0), [(0, Some(500)), (1, Some(200))]);
        assert_eq!(amounts(1), []);
        assert_eq!(amounts(2), [(2, Some(300))]);
        assert_eq!(amounts(3), []);
        assert_eq!(index.payment_product(2), Some(("vipps", "vipps")));
        assert_eq!((index.len(), index.is_empty()), (3, false));
        assert_eq!((index.position("c"), index.position("d")), (Some(2), None));
    }

    #[test]
    fn a_transaction_may_not_be_added_twice() {
        let mut builder = IndexBuilder::default();
        for id in ["a", "b", "a"] {
            builder.add(&transaction(id, 1, Vec::new())).unwrap();
        }
        assert_eq!(builder.build().unwrap_err(), IndexError::TwiceTheSame("a".into()));
    }

    #[test]
    fn texts_are_alike_by_letters_and_by_their_only_number() {
        let alike_in = |one: &str, other: &str| {
            let [letters, number] = likenesses(one);
            let [other_letters, other_number] = likenesses(other);
            (letters.is_some() && letters == other_letters, number.is_some() && number == other_number)
        };
        assert_eq!(alike_in("Order-11 A", "ORDER11a"), (true, false));
        assert_eq!(alike_in("Order #11536", "11536"), (false, true));
        assert_eq!(alike_in("0011536", "no. 11536"), (false, true));
        assert_eq!(alike_in("Order 115", "115"), (false, false));
        assert_eq!(alike_in("11536/20011", "11536"), (false, false));
        assert_eq!(alike_in("#", "-"), (false, false));
    }
}
