//! Entries of a ledger that are in no settlement yet, and the days of those that are.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::currency::Currency;
use crate::ids::MerchantNumber;

/// Entries of one merchant that no settlement of the file has: their payout, or what came before them, is in another.
///
/// A file of a ledger holds entries and not settlements. What closes with a payout inside one file is a settlement; the
/// rest is this, so that several files can be put together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingEntries {
    /// The provider's number of the merchant or sales unit.
    pub merchant_number: MerchantNumber,
    /// Currency of all the amounts.
    pub currency: Currency,
    /// Decimals of that currency in the provider's files.
    pub exponent: u8,
    /// What they wait for.
    pub reason: WaitingReason,
    /// Number of entries, without payouts.
    pub entries: u64,
    /// What they add to the balance, in minor units.
    pub sum_minor: i64,
    /// Balance before the first of them, in minor units.
    pub opening_minor: i64,
    /// First booking day.
    pub from: Date,
    /// Last booking day.
    pub to: Date,
}

/// What entries wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitingReason {
    /// Their payout is not in the file.
    Payout,
    /// The file begins after the first entries of their payout.
    Beginning,
    /// Their fees are in a report of their own, and not known or others than were taken out.
    Fees,
    /// The row has a type that the format does not know, and nothing after it can be put together.
    UnknownType {
        /// That row.
        row: u32,
    },
}

/// Booking days that settlements have paid out, from the first to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PaidDays {
    /// The first of them.
    pub from: Date,
    /// The last of them.
    pub to: Date,
}

impl PaidDays {
    /// Whether a day is one of them.
    pub fn holds(&self, day: Date) -> bool {
        self.from <= day && day <= self.to
    }

    /// The same days in as few ranges as there can be, in their order.
    pub fn merged(mut ranges: Vec<PaidDays>) -> Vec<PaidDays> {
        ranges.sort_unstable();
        let mut merged: Vec<PaidDays> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match merged.last_mut() {
                Some(last) if last.to.tomorrow().is_ok_and(|next| range.from <= next) => {
                    last.to = last.to.max(range.to)
                }
                _ => merged.push(range),
            }
        }
        merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_overlap_or_follow_one_another_are_one_range() {
        let day = |day| jiff::civil::date(2026, 10, day);
        let range = |from, to| PaidDays { from: day(from), to: day(to) };
        let merged = PaidDays::merged(vec![range(10, 12), range(1, 2), range(3, 3), range(5, 9), range(6, 7)]);
        assert_eq!(merged, [range(1, 3), range(5, 12)]);
        assert!(merged[0].holds(day(1)) && merged[0].holds(day(3)) && !merged[0].holds(day(4)));
    }
}
