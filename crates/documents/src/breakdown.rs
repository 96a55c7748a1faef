//! The lines of a settlement summed by payment method, store and payout destination, with their deviations.

use std::collections::BTreeMap;

use settlement::{LineRecord, Settlement, TermSums, Terms};

use crate::deviation::Deviations;
use crate::error::DocumentError;
use crate::term::{NET, TERMS};

/// The most names with sums of their own; lines of further names are summed together.
const NAMES_MAX: usize = 2_000;

/// A part of a settlement with the sums of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What its lines have in common.
    pub name: PartName,
    /// Number of its lines.
    pub lines: u64,
    /// Sums of its lines, in minor units; `None` beyond the range of `i64`.
    pub sums: Option<Terms>,
}

/// What the lines of a part have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartName {
    /// A name that the provider gives.
    Named(String),
    /// The provider gives no name on these lines.
    Unnamed,
    /// All names beyond the most that have sums of their own.
    Others,
}

/// The breakdown of a settlement's lines, which must be known before the first of them is written.
#[derive(Debug, Clone, Default)]
pub struct Breakdown {
    methods: Groups,
    stores: Groups,
    destinations: Groups,
    pub(crate) extents: Extents,
    pub(crate) deviations: Deviations,
}

impl Breakdown {
    /// Reads all `lines`.
    ///
    /// # Errors
    /// When a line cannot be read.
    pub fn of<E>(lines: impl Iterator<Item = Result<LineRecord, E>>) -> Result<Breakdown, E> {
        let mut breakdown = Breakdown::default();
        for line in lines {
            breakdown.add(&line?);
        }
        Ok(breakdown)
    }

    /// Adds a line.
    pub fn add(&mut self, line: &LineRecord) {
        self.methods.add(line.provider_method.as_deref(), &line.terms);
        self.stores.add(line.store_id.as_deref(), &line.terms);
        self.destinations.add(line.payout_destination_id.as_deref(), &line.terms);
        self.extents.add(line);
        self.deviations.add(line);
    }

    /// The settlement by payment method, in the provider's words.
    pub fn methods(&self) -> Vec<Part> {
        self.methods.parts()
    }

    /// The settlement by store; nothing when no line has one.
    pub fn stores(&self) -> Vec<Part> {
        if self.stores.named.is_empty() { Vec::new() } else { self.stores.parts() }
    }

    /// The settlement by payout destination; nothing when no line has one.
    pub fn destinations(&self) -> Vec<Part> {
        if self.destinations.named.is_empty() { Vec::new() } else { self.destinations.parts() }
    }

    /// Whether the parts of each breakdown sum to the settlement.
    pub(crate) fn agrees_with(&self, settlement: &Settlement) -> Result<(), DocumentError> {
        for groups in [&self.methods, &self.stores, &self.destinations] {
            let mut whole = Tally::default();
            for part in groups.parts() {
                let sums = part.sums.ok_or_else(|| not_countable(settlement))?;
                whole.add_many(part.lines, &sums);
            }
            whole.agrees_with(settlement)?;
        }
        Ok(())
    }
}

/// Lines counted and summed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) lines: u64,
    sums: TermSums,
}

impl Tally {
    pub(crate) fn add(&mut self, terms: &Terms) {
        self.add_many(1, terms);
    }

    fn add_many(&mut self, lines: u64, terms: &Terms) {
        self.lines += lines;
        self.sums.add(terms);
    }

    /// The sums in minor units; `None` beyond the range of `i64`.
    pub(crate) fn terms(&self) -> Option<Terms> {
        self.sums.terms()
    }

    /// Whether these are the lines of the settlement, by number and by every term.
    pub(crate) fn agrees_with(&self, settlement: &Settlement) -> Result<(), DocumentError> {
        let (found, expected) = (self.terms(), &settlement.sums);
        let nets = found.and_then(|found| found.net_minor()).zip(expected.net_minor());
        let (found_net, expected_net) = nets.ok_or_else(|| not_countable(settlement))?;
        if self.lines == settlement.lines && found.as_ref() == Some(expected) {
            return Ok(());
        }
        Err(DocumentError::Disagrees {
            settlement: settlement.name(),
            found: self.lines,
            found_net,
            expected: settlement.lines,
            expected_net,
        })
    }
}

/// The refusal to write a document with an amount beyond the range of `i64`.
pub(crate) fn not_countable(settlement: &Settlement) -> DocumentError {
    DocumentError::NotCountable { what: settlement.name() }
}

#[derive(Debug, Clone, Default)]
struct Groups {
    named: BTreeMap<String, Tally>,
    unnamed: Tally,
    others: Tally,
}

impl Groups {
    fn add(&mut self, name: Option<&str>, terms: &Terms) {
        let Some(name) = name.filter(|name| !name.is_empty()) else { return self.unnamed.add(terms) };
        if let Some(tally) = self.named.get_mut(name) {
            tally.add(terms);
        } else if self.named.len() < NAMES_MAX {
            self.named.entry(name.to_owned()).or_default().add(terms);
        } else {
            self.others.add(terms);
        }
    }

    fn parts(&self) -> Vec<Part> {
        let part = |name, tally: &Tally| Part { name, lines: tally.lines, sums: tally.terms() };
        let named = self.named.iter().map(|(name, tally)| part(PartName::Named(name.clone()), tally));
        let rest = [part(PartName::Others, &self.others), part(PartName::Unnamed, &self.unnamed)];
        named.chain(rest.into_iter().filter(|part| part.lines > 0)).collect()
    }
}

/// The extents of the lines, which set the widths of columns: least and greatest amounts, and lengths of texts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extents {
    /// The least and greatest amount of each of [`TERMS`], zero among them.
    pub(crate) amounts_minor: [(i64, i64); TERMS.len()],
    pub(crate) net_minor: (i64, i64),
    pub(crate) order_reference: usize,
    pub(crate) transaction_id: usize,
    pub(crate) method: usize,
    pub(crate) store: usize,
    pub(crate) destination: usize,
}

impl Extents {
    fn add(&mut self, line: &LineRecord) {
        // A document refuses a line with an amount that cannot be counted.
        let widen = |(least, greatest): &mut (i64, i64), minor: Option<i64>| {
            let Some(minor) = minor else { return };
            (*least, *greatest) = ((*least).min(minor), (*greatest).max(minor));
        };
        for (extent, term) in self.amounts_minor.iter_mut().zip(&TERMS) {
            widen(extent, term.minor(&line.terms));
        }
        widen(&mut self.net_minor, NET.minor(&line.terms));
        let lengthen = |length: &mut usize, text: &Option<String>| {
            *length = (*length).max(text.as_deref().map_or(0, |text| text.chars().count()));
        };
        lengthen(&mut self.order_reference, &line.order_reference);
        lengthen(&mut self.transaction_id, &line.provider_transaction_id);
        lengthen(&mut self.method, &line.provider_method);
        lengthen(&mut self.store, &line.store_id);
        lengthen(&mut self.destination, &line.payout_destination_id);
    }
}
