//! The lines matched so far: which captures and refunds are taken, and by which settlement.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use settlement::{Currency, LineKind, LineRecord, Provider};

use crate::digest::Digest;
use crate::index::Index;
use crate::keys::LineField;

/// The name of a settlement of an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SettlementName {
    /// The provider that pays.
    pub provider: String,
    /// The provider's number of the merchant.
    pub merchant_number: String,
    /// The provider's id, unique only within the merchant number.
    pub settlement_id: String,
    /// Currency of the settlement.
    pub currency: Currency,
}

impl SettlementName {
    fn is_of(&self, provider: &str, line: &LineRecord) -> bool {
        self.provider == provider
            && self.merchant_number == line.merchant_number
            && self.settlement_id == line.settlement_id
            && self.currency == line.currency
    }
}

impl fmt::Display for SettlementName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SettlementName { provider, merchant_number, settlement_id, currency } = self;
        write!(f, "settlement {settlement_id} of merchant {merchant_number} at {provider} in {currency}")
    }
}

/// The number of a settlement in a [`Seen`], from 1.
pub(crate) type SettlementNumber = u32;

/// The lines of an account that are matched so far. One value serves all settlements of the account, in the order of
/// payouts.
///
/// It keeps four bytes for each capture and refund of the index, about 60 bytes for the references of each matched
/// sale, about 30 bytes for each line of a provider with an id per line, and the name of each settlement once: about
/// 150 MB for 1 000 000 lines.
#[derive(Debug, Default)]
pub struct Seen {
    numbers: BTreeMap<SettlementName, SettlementNumber>,
    names: Vec<SettlementName>,
    /// The settlement that has an event, by the place of the event in the index; 0 for none.
    taken: Vec<SettlementNumber>,
    /// The settlement of each line of a provider with an id per line.
    lines: HashMap<Digest, SettlementNumber>,
    /// The transaction of each reference of a matched sale; `None` when two transactions share it.
    earlier: HashMap<Digest, Option<u32>>,
}

impl Seen {
    /// Records a line that an earlier run matched, without matching it again; `false` when the index has no such
    /// capture or refund.
    ///
    /// With it a run can begin at a checkpoint: the stored matches of all earlier payouts are recorded, and only later
    /// payouts are matched. The result is the same as that of a run over all payouts.
    pub fn remember(
        &mut self,
        index: &Index,
        provider: &str,
        line: &LineRecord,
        transaction_id: &str,
        event: u32,
    ) -> bool {
        let Some(transaction) = index.position(transaction_id) else { return false };
        let place = index.events(transaction).find(|(_, facts)| facts.number == event).map(|(place, _)| place);
        let Some(place) = place else { return false };
        let settlement = self.settlement(provider, line);
        self.note_line(provider, line, settlement);
        self.take(provider, line, settlement, transaction, place);
        true
    }

    /// Whether a capture or refund is in a settlement. It is given by the position of its transaction and its place in
    /// the transaction's list of events.
    pub fn has(&self, index: &Index, position: u32, event: u32) -> bool {
        index.events(position).any(|(place, facts)| facts.number == event && self.taken_by(place).is_some())
    }

    /// The captures and refunds that are in a settlement.
    ///
    /// A checkpoint stores them, so that a later run knows what is settled without the lines.
    pub fn settled(&self, index: &Index) -> SettledEvents {
        let mut settled = SettledEvents::default();
        for (position, facts) in index.all() {
            for (_, event) in index.events(position).filter(|(place, _)| self.taken_by(*place).is_some()) {
                settled.insert(&facts.id, event.number);
            }
        }
        settled
    }

    /// The number of a line's settlement.
    pub(crate) fn settlement(&mut self, provider: &str, line: &LineRecord) -> SettlementNumber {
        let last = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        if self.names.last().is_some_and(|name| name.is_of(provider, line)) {
            return last;
        }
        let name = SettlementName {
            provider: provider.to_owned(),
            merchant_number: line.merchant_number.clone(),
            settlement_id: line.settlement_id.clone(),
            currency: line.currency,
        };
        if let Some(number) = self.numbers.get(&name) {
            return *number;
        }
        self.names.push(name.clone());
        let number = last.saturating_add(1);
        self.numbers.insert(name, number);
        number
    }

    /// The name of the settlement with a number.
    pub(crate) fn name(&self, number: SettlementNumber) -> Option<&SettlementName> {
        self.names.get((number as usize).checked_sub(1)?)
    }

    /// Records a line by its own id, and gives the settlement that had it before when that is another one.
    pub(crate) fn note_line(
        &mut self,
        provider: &str,
        line: &LineRecord,
        settlement: SettlementNumber,
    ) -> Option<SettlementNumber> {
        let id_per_line = Provider::of(provider).is_some_and(|provider| provider.id_per_line);
        let id = LineField::ProviderTransactionId.of(line).filter(|_| id_per_line)?;
        let (kind, currency) = (line.kind.as_str(), line.currency.as_str());
        let digest = Digest::of(&["line", provider, &line.merchant_number, id, kind, currency]);
        let first = *self.lines.entry(digest).or_insert(settlement);
        Some(first).filter(|first| *first != settlement)
    }

    /// The settlement that has the event at a place of the index.
    pub(crate) fn taken_by(&self, place: u32) -> Option<SettlementNumber> {
        self.taken.get(place as usize).copied().filter(|number| *number != 0)
    }

    /// Gives an event to a settlement, and records the references of a sale for later lines.
    pub(crate) fn take(
        &mut self,
        provider: &str,
        line: &LineRecord,
        settlement: SettlementNumber,
        transaction: u32,
        place: u32,
    ) {
        let needed = (place as usize).saturating_add(1);
        if self.taken.len() < needed {
            self.taken.resize(needed, 0);
        }
        if let Some(slot) = self.taken.get_mut(place as usize) {
            *slot = settlement;
        }
        if line.kind != LineKind::Sale {
            return;
        }
        for field in [LineField::ProviderTransactionId, LineField::OrderReference] {
            if let Some(text) = field.of(line) {
                let known = self.earlier.entry(earlier(provider, line, field, text)).or_insert(Some(transaction));
                *known = known.filter(|known| *known == transaction);
            }
        }
    }

    /// The transaction of the earlier sales that have `text` in `field`, when it is the same for all.
    pub(crate) fn earlier(&self, provider: &str, line: &LineRecord, field: LineField, text: &str) -> Option<u32> {
        self.earlier.get(&earlier(provider, line, field, text)).copied().flatten()
    }
}

fn earlier(provider: &str, line: &LineRecord, field: LineField, text: &str) -> Digest {
    let field = match field {
        LineField::ProviderTransactionId => "provider_transaction_id",
        LineField::OriginalReference => "original_reference",
        LineField::OrderReference => "order_reference",
        LineField::CorrelationId => "correlation_id",
    };
    Digest::of(&[field, provider, &line.merchant_number, text])
}

/// The captures and refunds that are in a settlement: pairs of a transaction and the place of its event, from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettledEvents(BTreeSet<(Digest, u32)>);

impl SettledEvents {
    /// Adds one event of a transaction.
    pub fn insert(&mut self, transaction_id: &str, event: u32) {
        self.0.insert((Digest::of(&[transaction_id]), event));
    }

    /// Whether an event of a transaction is in a settlement.
    pub fn contains(&self, transaction_id: &str, event: u32) -> bool {
        self.0.contains(&(Digest::of(&[transaction_id]), event))
    }

    /// Number of events.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
