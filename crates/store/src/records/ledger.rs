//! Entries of a provider's ledger that are in no settlement.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use settlement::{AccountId, Currency, MerchantNumber, PaidDays, ProviderId, WaitingEntries};

use super::Record;
use crate::error::RecordError;
use crate::place::{Place, unreadable};
use crate::ports::{Item, Query};

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] = &[Record {
    name: "ledger",
    place: "`LEDGER#<account>`, `<provider>/<merchant number>/<currency>`",
    question: "which entries of a merchant's ledger wait for their payout or for another report, and which days are paid out",
}];

/// Waiting entries that a record describes; the rest are counted.
pub const WAITING_SHOWN_MAX: usize = 100;

/// Ranges of days that a record keeps, the newest: fifty years of weeks that end with a payout.
pub const PAID_RANGES_MAX: usize = 2_600;

/// What is known of a merchant's ledger besides its settlements.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerItem {
    /// SHA-256 of the object with the entries that are in no settlement; `None` when there are none.
    pub entries: Option<String>,
    /// How many entries the object has.
    pub entry_count: u64,
    /// How many payouts of them can be taken and are not in force yet.
    pub payouts: u64,
    /// What waits for another report, the first of it.
    pub waiting: Vec<WaitingEntries>,
    /// How much there is of it.
    pub waiting_count: u64,
    /// Entries that were left out, since too many wait.
    pub left_out: u64,
    /// Days that settlements in force have paid out.
    pub paid: Vec<PaidDays>,
    /// When this was written.
    pub at: Timestamp,
}

impl Place {
    /// What is known of a merchant's ledger besides its settlements.
    pub fn ledger(
        account: &AccountId,
        provider: &ProviderId,
        merchant_number: &MerchantNumber,
        currency: Currency,
    ) -> Self {
        Place::new(format!("LEDGER#{account}"), format!("{provider}/{merchant_number}/{currency}"))
    }
}

impl Query {
    /// All ledgers of an account.
    pub fn ledgers(account: &AccountId) -> Self {
        Query::all(format!("LEDGER#{account}"))
    }
}

/// The provider, merchant number and currency that the place of a ledger's record names.
///
/// # Errors
/// When its sort key names none.
pub fn ledger_owner(item: &Item) -> Result<(ProviderId, MerchantNumber, Currency), RecordError> {
    let mut parts = item.sort.split('/');
    let (provider, number, currency) = (parts.next(), parts.next(), parts.next());
    let owner = provider.and_then(|provider| provider.parse().ok()).zip(number.and_then(|number| number.parse().ok()));
    let owner = owner.zip(currency.and_then(|currency| currency.parse().ok()));
    owner
        .map(|((provider, number), currency)| (provider, number, currency))
        .ok_or_else(|| unreadable(item, "its sort key names no ledger"))
}
