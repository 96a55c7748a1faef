//! Sums of a month, and the checks that every way to compute them gives the same.

use std::collections::{BTreeMap, BTreeSet};

use settlement::{Currency, TermSums, Terms};

use super::content::MonthContent;
use crate::error::DocumentError;

/// What was paid out in one currency, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CurrencyTotal {
    pub(super) currency: Currency,
    pub(super) exponent: u8,
    pub(super) payouts: u64,
    pub(super) lines: u64,
    pub(super) sums: Terms,
    pub(super) invoiced_minor: i64,
    pub(super) carried_minor: i64,
    pub(super) paid_out_minor: i64,
    pub(super) opening_minor: i64,
    pub(super) closing_minor: i64,
}

#[derive(Default)]
struct Wide {
    exponent: u8,
    payouts: u64,
    lines: u64,
    sums: TermSums,
    others: [i128; 5],
}

type Group<'a> = (&'a str, Option<&'a str>, Currency);

impl MonthContent {
    /// Whether all sums agree to the minor unit: each row with its payout, figures with payouts, the bridge with the payouts
    /// and with its closing, and what was in transit with that closing.
    pub(super) fn check(&self) -> Result<(), DocumentError> {
        for row in &self.figures {
            let what = || format!("What {} paid out in {}", row.provider, row.currency);
            let parts = row.sums.net_minor().map(i128::from).unwrap_or(i128::MAX);
            let found = parts.saturating_add(i128::from(row.invoiced_minor) + i128::from(row.carried_minor));
            agree(what, found, i128::from(row.paid_out_minor))?;
        }
        for payout in &self.payouts {
            let what = || format!("Settlement {} of {}", payout.settlement_id, payout.provider);
            let parts = payout.sums.net_minor().map(i128::from).unwrap_or(i128::MAX);
            let rest = [payout.invoiced_minor(), payout.opening_minor].into_iter().map(i128::from).sum::<i128>();
            let found = parts.saturating_add(rest - i128::from(payout.closing_minor));
            agree(what, found, i128::from(payout.payout_minor))?;
        }
        let mut closing: BTreeMap<Group<'_>, i128> = BTreeMap::new();
        for row in &self.bridge {
            let what = || format!("The bridge of {} in {}", row.provider, row.currency);
            let net = row.happened.net_minor().map(i128::from).unwrap_or(i128::MAX);
            let found = net.saturating_add(i128::from(row.opening_minor) - i128::from(row.paid_out_minor));
            agree(what, found, i128::from(row.closing_minor))?;
            let group = (row.provider.as_str(), row.payment_product.as_deref(), row.currency);
            *closing.entry(group).or_default() += i128::from(row.closing_minor);
        }
        for part in &self.in_transit {
            let group = (part.provider.as_str(), part.payment_product.as_deref(), part.currency);
            *closing.entry(group).or_default() -= i128::from(part.amount_minor);
        }
        for ((provider, _, currency), left) in closing {
            agree(|| format!("What of {provider} was in transit in {currency}"), left, 0)?;
        }
        for total in self.totals()? {
            let parts = total.sums.net_minor().map(i128::from).unwrap_or(i128::MAX);
            let found = parts.saturating_add(i128::from(total.invoiced_minor) + i128::from(total.carried_minor));
            agree(|| format!("The total in {}", total.currency), found, i128::from(total.paid_out_minor))?;
        }
        self.check_paid_out()
    }

    /// Figures come from lines, payouts from what settlements state, and the bridge from both. They must agree for each provider
    /// and currency, term by term.
    fn check_paid_out(&self) -> Result<(), DocumentError> {
        let mut lines: BTreeMap<(&str, Currency), [i128; PARTS.len()]> = BTreeMap::new();
        let mut stated = lines.clone();
        let mut bridge: BTreeMap<(&str, Currency), i128> = BTreeMap::new();
        for row in &self.figures {
            let rest = [row.invoiced_minor, row.carried_minor, row.paid_out_minor];
            let sums = lines.entry((&row.provider, row.currency)).or_default();
            add(sums, parts(row.lines, &row.sums, rest));
        }
        for payout in &self.payouts {
            let rest = [payout.invoiced_minor(), payout.carried_minor(), payout.payout_minor];
            let sums = stated.entry((&payout.provider, payout.currency)).or_default();
            add(sums, parts(payout.lines, &payout.sums, rest));
        }
        for row in &self.bridge {
            *bridge.entry((&row.provider, row.currency)).or_default() += i128::from(row.paid_out_minor);
        }
        let names: BTreeSet<_> = lines.keys().chain(stated.keys()).chain(bridge.keys()).copied().collect();
        for name in names {
            let (provider, currency) = name;
            let found = lines.get(&name).copied().unwrap_or_default();
            let expected = stated.get(&name).copied().unwrap_or_default();
            for ((part, found), expected) in PARTS.into_iter().zip(found).zip(expected) {
                agree(|| format!("The {part} of what {provider} paid out in {currency}, by lines,"), found, expected)?;
            }
            let [.., paid_out] = expected;
            let found = bridge.get(&name).copied().unwrap_or(0);
            agree(|| format!("What the bridge says {provider} paid out in {currency}"), found, paid_out)?;
        }
        Ok(())
    }

    /// The currencies of the month in order, with what was paid out in each.
    ///
    /// # Errors
    /// When a sum is beyond the range of `i64`.
    pub(super) fn totals(&self) -> Result<Vec<CurrencyTotal>, DocumentError> {
        let mut all: BTreeMap<Currency, Wide> = BTreeMap::new();
        for row in &self.figures {
            let wide = all.entry(row.currency).or_default();
            wide.exponent = row.exponent;
            wide.lines += row.lines;
            wide.sums.add(&row.sums);
            wide.add([row.invoiced_minor, row.carried_minor, row.paid_out_minor, 0, 0]);
        }
        for row in &self.bridge {
            let wide = all.entry(row.currency).or_default();
            wide.exponent = row.exponent;
            wide.add([0, 0, 0, row.opening_minor, row.closing_minor]);
        }
        for payout in &self.payouts {
            all.entry(payout.currency).or_default().payouts += 1;
        }
        let total = |(currency, wide): (Currency, Wide)| wide.total(currency).ok_or_else(|| not_countable(currency));
        all.into_iter().map(total).collect()
    }
}

impl Wide {
    fn add(&mut self, more: [i64; 5]) {
        self.others.iter_mut().zip(more).for_each(|(sum, minor)| *sum += i128::from(minor));
    }

    /// The sums in minor units; `None` beyond the range of `i64`.
    fn total(self, currency: Currency) -> Option<CurrencyTotal> {
        let Wide { exponent, payouts, lines, sums, others: [invoiced, carried, paid_out, opening, closing] } = self;
        let narrow = |wide: i128| i64::try_from(wide).ok();
        Some(CurrencyTotal {
            currency,
            exponent,
            payouts,
            lines,
            sums: sums.terms()?,
            invoiced_minor: narrow(invoiced)?,
            carried_minor: narrow(carried)?,
            paid_out_minor: narrow(paid_out)?,
            opening_minor: narrow(opening)?,
            closing_minor: narrow(closing)?,
        })
    }
}

/// The refusal to write a summary with a sum beyond the range of `i64`.
pub(super) fn not_countable(currency: Currency) -> DocumentError {
    DocumentError::NotCountable { what: format!("the month in {currency}") }
}

/// The names of what is compared between lines and settlements.
const PARTS: [&str; 11] = [
    "number of lines",
    "capture",
    "refund",
    "fee",
    "fee VAT",
    "chargeback",
    "reserve",
    "adjustment",
    "invoiced fee",
    "carried balance",
    "payout",
];

fn parts(lines: u64, sums: &Terms, rest: [i64; 3]) -> [i128; PARTS.len()] {
    let [capture, refund, fee, fee_vat, chargeback, reserve, adjustment] =
        sums.named().map(|(_, minor)| i128::from(minor));
    let [invoiced, carried, paid_out] = rest.map(i128::from);
    let lines = i128::from(lines);
    [lines, capture, refund, fee, fee_vat, chargeback, reserve, adjustment, invoiced, carried, paid_out]
}

fn add(sums: &mut [i128; PARTS.len()], more: [i128; PARTS.len()]) {
    sums.iter_mut().zip(more).for_each(|(sum, minor)| *sum += minor);
}

fn agree(what: impl FnOnce() -> String, found: i128, expected: i128) -> Result<(), DocumentError> {
    if found == expected { Ok(()) } else { Err(DocumentError::Month { what: what(), found, expected }) }
}
