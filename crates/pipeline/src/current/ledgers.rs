//! Ledgers of an account: which of their entries are in no settlement.

use settlement::{AccountId, Currency, MerchantNumber, ProviderId};
use store::{LedgerItem, Query};

use crate::{Ports, StepError};

/// A ledger with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownLedger {
    /// The provider that keeps it.
    pub provider: ProviderId,
    /// The provider's number of the merchant.
    pub merchant_number: MerchantNumber,
    /// Currency of its amounts.
    pub currency: Currency,
    /// What is known of it.
    pub item: LedgerItem,
}

/// All ledgers of an account.
///
/// # Errors
/// When the state cannot answer.
pub async fn all(ports: &Ports, account: &AccountId) -> Result<Vec<KnownLedger>, StepError> {
    let mut ledgers = Vec::new();
    for entry in store::all(&*ports.state, Query::ledgers(account)).await? {
        let (provider, merchant_number, currency) = store::ledger_owner(&entry)?;
        ledgers.push(KnownLedger { provider, merchant_number, currency, item: store::decode(&entry)? });
    }
    Ok(ledgers)
}
