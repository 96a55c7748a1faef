//! Which transaction a line is of: by an id or reference that is exactly the same, and belongs to no other.

use std::collections::BTreeMap;

use settlement::{LineKind, LineRecord, Transaction};

/// Transactions by everything that a line may name them by.
#[derive(Debug, Default)]
pub(super) struct Finder {
    transactions: Vec<Transaction>,
    /// Places in `transactions`, sorted; a name that several have stands for none of them.
    by_name: BTreeMap<String, Vec<usize>>,
}

/// What a line is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found<'a> {
    /// Money of that transaction.
    Transaction(&'a Transaction),
    /// Nothing that Dintero keeps at a transaction: fees alone, chargebacks, reserves, adjustments.
    NotPostable,
    /// Money of a transaction that cannot be told.
    Unmatched(String),
}

impl Finder {
    /// Takes a transaction in; one that is known already changes nothing.
    pub(super) fn add(&mut self, transaction: Transaction) {
        if self.named(&transaction.id).any(|known| known.id == transaction.id) {
            return;
        }
        let place = self.transactions.len();
        for name in names(&transaction) {
            let places = self.by_name.entry(name.to_owned()).or_default();
            if places.last() != Some(&place) {
                places.push(place);
            }
        }
        self.transactions.push(transaction);
    }

    /// Finds the transaction of a line.
    pub(super) fn find(&self, line: &LineRecord) -> Found<'_> {
        if !matches!(line.kind, LineKind::Sale | LineKind::Refund) {
            return Found::NotPostable;
        }
        let names = [&line.provider_transaction_id, &line.original_reference, &line.order_reference];
        for name in names.into_iter().flatten() {
            let found: Vec<&Transaction> = self.named(name).filter(|found| found.currency == line.currency).collect();
            match found[..] {
                [] => {}
                [one] => return Found::Transaction(one),
                [..] => return Found::Unmatched(format!("{} transactions have the reference {name}", found.len())),
            }
        }
        let name = names.into_iter().flatten().next().map_or("no reference at all", |name| name);
        Found::Unmatched(format!("Dintero has no transaction in {} with {name}", line.currency))
    }

    fn named(&self, name: &str) -> impl Iterator<Item = &Transaction> {
        self.by_name.get(name).into_iter().flatten().filter_map(|place| self.transactions.get(*place))
    }
}

fn names(transaction: &Transaction) -> impl Iterator<Item = &str> {
    let own = [Some(&transaction.id), Some(&transaction.merchant_reference), transaction.merchant_reference_2.as_ref()];
    let keys = transaction.keys.iter().chain(transaction.events.iter().flat_map(|event| &event.keys));
    // A merchant's own number is that of all its transactions.
    let keys = keys.filter(|(name, _)| !name.to_lowercase().contains("merchant") && !name.ends_with("StoreId"));
    let references = transaction.events.iter().filter_map(|event| event.reference.as_ref());
    let all = own.into_iter().flatten().chain(keys.map(|(_, value)| value)).chain(references);
    all.map(String::as_str).filter(|name| !name.is_empty())
}
