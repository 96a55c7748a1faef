//! Entries of a ledger that are in no settlement yet.

use jiff::civil::Date;

use crate::currency::Currency;
use crate::ids::MerchantNumber;

/// Entries of one merchant that no settlement of the file has: their payout, or what came before them, is in another.
///
/// A file of a ledger holds entries and not settlements. What closes with a payout inside one file is a settlement; the
/// rest is this, so that several files can be put together.
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitingReason {
    /// Their payout is not in the file.
    Payout,
    /// The file begins after the first entries of their payout.
    Beginning,
    /// The row has a type that the format does not know, and nothing after it can be put together.
    UnknownType {
        /// That row.
        row: u32,
    },
}
