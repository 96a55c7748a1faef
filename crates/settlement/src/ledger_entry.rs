//! An entry of a provider's ledger, kept while it is in no settlement.

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

use crate::currency::Currency;
use crate::ids::{MerchantNumber, SettlementId};

/// An entry of a merchant's ledger with a provider, as a report states it.
///
/// The balance of each entry is that of the entry before it plus its amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The provider's number of the merchant or sales unit.
    pub merchant_number: MerchantNumber,
    /// Currency of all amounts.
    pub currency: Currency,
    /// Decimals of that currency in the provider's files.
    pub exponent: u8,
    /// What it is.
    pub kind: LedgerEntryKind,
    /// The provider's word for what it is.
    pub provider_kind: String,
    /// When it was made, in the provider's local time.
    pub time: DateTime,
    /// The day that it is booked on.
    pub booked_on: Date,
    /// What it adds to the balance, in minor units: above zero towards the merchant.
    pub amount_minor: i64,
    /// The balance after it, in minor units.
    pub balance_minor: i64,
    /// The fee of a capture or refund, in minor units: above zero when charged, below when given back. `None` of other
    /// entries, and where the report leaves fees to another one.
    pub fee_minor: Option<i64>,
    /// The provider's id of the transaction.
    pub transaction_id: String,
    /// The merchant's reference of the order.
    pub order_reference: String,
    /// How it was paid, in the provider's word.
    pub method: String,
    /// Of a payout: which settlement it is.
    pub payout: Option<LedgerPayout>,
}

/// What an entry of a ledger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerEntryKind {
    /// Money captured from a customer.
    Capture,
    /// Money given back to a customer.
    Refund,
    /// The fees of a booking day, taken out of the balance.
    Fees,
    /// A payout to the merchant.
    Payout,
    /// The fee of one transaction, in a ledger of fees that is kept apart.
    TransactionFee,
    /// A type that the format does not know.
    Unknown,
}

/// The settlement that a payout is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerPayout {
    /// The provider's number of the payout.
    pub settlement_id: SettlementId,
    /// The day the money is paid out.
    pub paid_on: Date,
    /// Last four digits of the account that the money goes to.
    pub account: Option<String>,
}

/// What two reports state alike of one entry, whatever their language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LedgerEntryIdentity<'a> {
    kind: LedgerEntryKind,
    time: DateTime,
    booked_on: Date,
    amount_minor: i64,
    balance_minor: i64,
    fee_minor: Option<i64>,
    transaction_id: &'a str,
    settlement_id: Option<&'a SettlementId>,
}

impl LedgerEntry {
    /// Entries of one ledger are the same when this is equal.
    pub fn identity(&self) -> LedgerEntryIdentity<'_> {
        LedgerEntryIdentity {
            kind: self.kind,
            time: self.time,
            booked_on: self.booked_on,
            amount_minor: self.amount_minor,
            balance_minor: self.balance_minor,
            fee_minor: self.fee_minor,
            transaction_id: &self.transaction_id,
            settlement_id: self.payout.as_ref().map(|payout| &payout.settlement_id),
        }
    }

    /// The balance before it, in minor units; `None` when that leaves the range of `i64`.
    pub fn balance_before_minor(&self) -> Option<i64> {
        self.balance_minor.checked_sub(self.amount_minor)
    }

    /// Whether `next` may stand right after it: its balance goes on where this one ends.
    pub fn leads_to(&self, next: &LedgerEntry) -> bool {
        next.balance_before_minor() == Some(self.balance_minor)
    }
}
