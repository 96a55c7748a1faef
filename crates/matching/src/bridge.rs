//! The month bridge: the money in transit at the beginning and at the end of a month, and what changed it.
//!
//! `opening + captures − refunds − fees − fee VAT ± chargebacks ± reserves ± adjustments − paid out = closing`
//!
//! It holds for each provider, payment product and currency. The closing is computed in two ways that must agree. By transaction month, the money
//! of the month's transactions is added and the month's payouts are subtracted. By payout month, the closing is the
//! money of all transactions so far that are paid out later, less payouts of transactions that come later. The lines
//! that are paid out in a month must sum to the payouts that the settlements state.

use std::collections::BTreeMap;

use jiff::civil::Date;
use settlement::{BridgeMonth, Currency, Fees, LineRecord, Month, Terms};

/// A bridge over more months than this has a wrong date in it.
const MONTHS_MAX: i32 = 1_200;

/// The lines that one bridge is made of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// The provider that pays.
    pub provider: String,
    /// Currency.
    pub currency: Currency,
    /// Payment product of the lines; `None` for lines whose product is unknown, and for balances that settlements carry
    /// on.
    pub payment_product: Option<String>,
}

/// One line of a settlement, or one that waits for its settlement.
#[derive(Debug, Clone, Copy)]
pub struct BridgeLine<'a> {
    /// The provider that pays.
    pub provider: &'a str,
    /// Currency.
    pub currency: Currency,
    /// Payment product, where it is known.
    pub payment_product: Option<&'a str>,
    /// The day of the capture or refund, as [`happened_on`] gives it.
    pub happened_on: Date,
    /// The day of the payout; `None` when the line is in no settlement yet.
    pub payout_on: Option<Date>,
    /// How its fees are taken: invoiced fees are not deducted from the payout.
    pub fees: Fees,
    /// Its money in minor units, signed as [`Terms`].
    pub terms: Terms,
}

/// What one settlement states, in minor units.
#[derive(Debug, Clone, Copy)]
pub struct BridgePayout<'a> {
    /// The provider that pays.
    pub provider: &'a str,
    /// Currency.
    pub currency: Currency,
    /// The day of the payout.
    pub payout_on: Date,
    /// Balance carried in from the settlement before.
    pub opening_minor: i64,
    /// Balance carried on to the next settlement.
    pub closing_minor: i64,
    /// The payout, negative when the merchant owes.
    pub payout_minor: i64,
}

/// The bridge of one group: its months without a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupBridge {
    /// The lines that it is made of.
    pub group: Group,
    /// Its months, from the first in which anything happened to the last of the whole bridge.
    pub months: Vec<BridgeMonth>,
    /// All months as one row, under the month that is the last.
    pub total: BridgeMonth,
}

/// The bridge cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BridgeError {
    /// A sum leaves the range of `i64`.
    #[error("A sum of {provider} in {currency} for {month} is beyond any amount that is believed")]
    TooLarge {
        /// The provider.
        provider: String,
        /// Currency.
        currency: Currency,
        /// The month.
        month: Month,
    },
    /// The lines that are paid out in a month do not sum to the payouts that the settlements state.
    #[error(
        "Lines of {provider} in {currency} paid out in {month} come to {found_minor} minor units, payouts state {expected_minor}"
    )]
    PayoutDisagrees {
        /// The provider.
        provider: String,
        /// Currency.
        currency: Currency,
        /// The month of the payouts.
        month: Month,
        /// The sum of lines and carried balances, in minor units.
        found_minor: i128,
        /// The sum of the stated payouts, in minor units.
        expected_minor: i128,
    },
    /// The two computations give different closings: an error of this module.
    #[error(
        "{provider} in {currency} has {by_transaction_month} minor units in transit after {month} by transaction month, {by_payout_month} by payout month"
    )]
    WaysDisagree {
        /// The provider.
        provider: String,
        /// Currency.
        currency: Currency,
        /// The month.
        month: Month,
        /// The closing by transaction month, in minor units.
        by_transaction_month: i128,
        /// The closing by payout month, in minor units.
        by_payout_month: i128,
    },
    /// The first and the last date are implausibly far apart.
    #[error("{provider} has dates from {first} to {last}, more than {MONTHS_MAX} months apart")]
    TooLong {
        /// The provider.
        provider: String,
        /// The first month.
        first: Month,
        /// The last month.
        last: Month,
    },
}

/// Sums of lines. No number of lines can overflow them.
#[derive(Debug, Clone, Copy, Default)]
struct Wide {
    terms: [i128; 7],
    invoiced: [i128; 2],
}

impl Wide {
    fn add_line(&mut self, terms: &Terms, fees: Fees) {
        let (taken, invoiced) = match fees {
            Fees::Invoiced => {
                (Terms { fee_minor: 0, fee_vat_minor: 0, ..*terms }, [terms.fee_minor, terms.fee_vat_minor])
            }
            Fees::Deducted | Fees::Unknown => (*terms, [0, 0]),
        };
        let taken = taken.named().map(|(_, minor)| i128::from(minor));
        add(&mut self.terms, taken);
        add(&mut self.invoiced, invoiced.map(i128::from));
    }

    fn add(&mut self, other: &Wide) {
        add(&mut self.terms, other.terms);
        add(&mut self.invoiced, other.invoiced);
    }

    fn net(&self) -> i128 {
        let [capture, refund, fee, fee_vat, chargeback, reserve, adjustment] = self.terms;
        capture + refund - fee - fee_vat + chargeback + reserve + adjustment
    }

    fn terms(&self) -> Option<Terms> {
        let [capture, refund, fee, fee_vat, chargeback, reserve, adjustment] = self.terms;
        Some(Terms {
            capture_minor: narrow(capture)?,
            refund_minor: narrow(refund)?,
            fee_minor: narrow(fee)?,
            fee_vat_minor: narrow(fee_vat)?,
            chargeback_minor: narrow(chargeback)?,
            reserve_minor: narrow(reserve)?,
            adjustment_minor: narrow(adjustment)?,
        })
    }
}

fn add<const N: usize>(sums: &mut [i128; N], more: [i128; N]) {
    for (sum, minor) in sums.iter_mut().zip(more) {
        *sum += minor;
    }
}

fn narrow(wide: i128) -> Option<i64> {
    i64::try_from(wide).ok()
}

/// The sums of one group, by month of the transaction and month of the payout.
#[derive(Debug, Clone, Default)]
struct Sums {
    opening: i128,
    lines: BTreeMap<(Month, Option<Month>), Wide>,
    /// By payout month, openings less closings of settlements.
    carried: BTreeMap<Month, i128>,
}

/// Collects lines and payouts in any order and number. It keeps only sums by month.
#[derive(Debug, Clone, Default)]
pub struct Bridge {
    groups: BTreeMap<Group, Sums>,
    payouts: BTreeMap<(String, Currency), BTreeMap<Month, i128>>,
}

impl Bridge {
    /// Sets the money of a group in transit before the first month, in minor units. The default is none.
    pub fn open(&mut self, group: Group, opening_minor: i64) {
        self.groups.entry(group).or_default().opening += i128::from(opening_minor);
    }

    /// Adds a line.
    pub fn add_line(&mut self, line: &BridgeLine<'_>) {
        let group = Group {
            provider: line.provider.to_owned(),
            currency: line.currency,
            payment_product: line.payment_product.map(str::to_owned),
        };
        let months = (Month::of(line.happened_on), line.payout_on.map(Month::of));
        let sums = self.groups.entry(group).or_default();
        sums.lines.entry(months).or_default().add_line(&line.terms, line.fees);
    }

    /// Adds a settlement's payout. Every settlement whose lines have a payout day is added once.
    pub fn add_payout(&mut self, payout: &BridgePayout<'_>) {
        let month = Month::of(payout.payout_on);
        let stated = self.payouts.entry((payout.provider.to_owned(), payout.currency)).or_default();
        *stated.entry(month).or_default() += i128::from(payout.payout_minor);
        if (payout.opening_minor, payout.closing_minor) == (0, 0) {
            return;
        }
        let group = Group { provider: payout.provider.to_owned(), currency: payout.currency, payment_product: None };
        let carried = self.groups.entry(group).or_default().carried.entry(month).or_default();
        *carried += i128::from(payout.opening_minor) - i128::from(payout.closing_minor);
    }

    /// The bridges of all groups, in order.
    ///
    /// # Errors
    /// When the lines do not sum to the payouts, the closings disagree, a sum leaves `i64`, or the dates are too far
    /// apart.
    pub fn finish(&self) -> Result<Vec<GroupBridge>, BridgeError> {
        self.check_payouts()?;
        let last = self.groups.values().flat_map(Sums::months).max();
        let with_months = self.groups.iter().filter_map(|(group, sums)| Some((group, sums, sums.months().min()?)));
        with_months.map(|(group, sums, first)| sums.bridge(group, first, last.unwrap_or(first))).collect()
    }

    /// Compares the lines of each payout month with the payouts that its settlements state.
    fn check_payouts(&self) -> Result<(), BridgeError> {
        let mut found: BTreeMap<(&str, Currency, Month), i128> = BTreeMap::new();
        for (group, sums) in &self.groups {
            for (month, minor) in sums.paid_out() {
                *found.entry((&group.provider, group.currency, month)).or_default() += minor;
            }
        }
        let stated = |provider: &str, currency, month| {
            self.payouts.get(&(provider.to_owned(), currency)).and_then(|months| months.get(&month)).copied()
        };
        for ((provider, currency), months) in &self.payouts {
            for month in months.keys() {
                found.entry((provider, *currency, *month)).or_default();
            }
        }
        for ((provider, currency, month), found_minor) in found {
            let expected_minor = stated(provider, currency, month).unwrap_or(0);
            if found_minor != expected_minor {
                let provider = provider.to_owned();
                return Err(BridgeError::PayoutDisagrees { provider, currency, month, found_minor, expected_minor });
            }
        }
        Ok(())
    }
}

impl Sums {
    fn months(&self) -> impl Iterator<Item = Month> {
        let of_lines = self.lines.keys().flat_map(|(happened, paid)| [Some(*happened), *paid]).flatten();
        of_lines.chain(self.carried.keys().copied())
    }

    /// The amounts paid out by month: lines and carried balances.
    fn paid_out(&self) -> impl Iterator<Item = (Month, i128)> {
        let of_lines = self.lines.iter().filter_map(|((_, paid), wide)| Some(((*paid)?, wide.net())));
        of_lines.chain(self.carried.iter().map(|(month, minor)| (*month, *minor)))
    }

    fn bridge(&self, group: &Group, first: Month, last: Month) -> Result<GroupBridge, BridgeError> {
        if first.months_until(last) >= MONTHS_MAX {
            return Err(BridgeError::TooLong { provider: group.provider.clone(), first, last });
        }
        let mut opening = self.opening;
        let (mut happened_in_all, mut paid_in_all, mut carried_in_all) = (Wide::default(), Wide::default(), 0);
        let mut months = Vec::new();
        let mut month = first;
        while month <= last {
            let (happened, paid) =
                (self.sum(|(in_month, _)| in_month == month), self.sum(|(_, paid)| paid == Some(month)));
            let carried = self.carried.get(&month).copied().unwrap_or(0);
            let closing = opening + happened.net() - paid.net() - carried;
            let by_payout_month = self.in_transit_by_payout_month(month);
            if closing != by_payout_month {
                return Err(BridgeError::WaysDisagree {
                    provider: group.provider.clone(),
                    currency: group.currency,
                    month,
                    by_transaction_month: closing,
                    by_payout_month,
                });
            }
            months.push(row(group, month, opening, [&happened, &paid], carried, closing)?);
            happened_in_all.add(&happened);
            paid_in_all.add(&paid);
            carried_in_all += carried;
            opening = closing;
            month = month.next();
        }
        let total = row(group, last, self.opening, [&happened_in_all, &paid_in_all], carried_in_all, opening)?;
        Ok(GroupBridge { group: group.clone(), months, total })
    }

    fn sum(&self, includes: impl Fn((Month, Option<Month>)) -> bool) -> Wide {
        let mut sum = Wide::default();
        for wide in self.lines.iter().filter(|(months, _)| includes(**months)).map(|(_, wide)| wide) {
            sum.add(wide);
        }
        sum
    }

    /// Lines up to the end of a month that are paid out later, less lines that are paid out and come later, less the
    /// balances that settlements carried in and did not carry on.
    fn in_transit_by_payout_month(&self, month: Month) -> i128 {
        let paid_later = |paid: Option<Month>| paid.is_none_or(|paid| paid > month);
        let waits = self.sum(|(happened, paid)| happened <= month && paid_later(paid));
        let ahead = self.sum(|(happened, paid)| happened > month && !paid_later(paid));
        let carried: i128 = self.carried.range(..=month).map(|(_, minor)| minor).sum();
        self.opening + waits.net() - ahead.net() - carried
    }
}

fn row(
    group: &Group,
    month: Month,
    opening: i128,
    [happened, paid]: [&Wide; 2],
    carried: i128,
    closing: i128,
) -> Result<BridgeMonth, BridgeError> {
    let [invoiced_fee, invoiced_fee_vat] = happened.invoiced;
    let row = || {
        Some(BridgeMonth {
            month,
            opening_minor: narrow(opening)?,
            happened: happened.terms()?,
            paid: paid.terms()?,
            carried_minor: narrow(carried)?,
            paid_out_minor: narrow(paid.net() + carried)?,
            closing_minor: narrow(closing)?,
            invoiced_fee_minor: narrow(invoiced_fee)?,
            invoiced_fee_vat_minor: narrow(invoiced_fee_vat)?,
        })
    };
    row().ok_or_else(|| BridgeError::TooLarge { provider: group.provider.clone(), currency: group.currency, month })
}

/// The day of a line: the day of the capture in the account's zone, else the provider's date, else the day of the
/// payout.
pub fn happened_on(line: &LineRecord, payout_on: Date) -> Date {
    line.captured_on.or(line.provider_date).unwrap_or(payout_on)
}

#[cfg(test)]
mod tests;
