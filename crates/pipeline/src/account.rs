//! Accounts: what they are called, and the merchant numbers that are their own.

use documents::mail::HeaderText;
use jiff::Timestamp;
use settlement::{Account, AccountId};

use crate::StepError;
use crate::items::{self, MerchantItem, Order, Place, journal};
use crate::ports::{Expect, Ports};

/// Register a provider's merchant number as the account's own.
#[derive(Debug, Clone)]
pub struct AddMerchant {
    /// The account.
    pub account: AccountId,
    /// The provider, as in object keys.
    pub provider: String,
    /// The provider's number of the merchant.
    pub number: String,
    /// The time.
    pub now: Timestamp,
}

/// Registers the number; doing it again changes nothing. `true` when it is new.
///
/// # Errors
/// When another account has the number, or the state cannot answer.
pub async fn add_merchant(ports: &Ports, command: &AddMerchant) -> Result<bool, StepError> {
    let merchant = Place::merchant(&command.provider, &command.number);
    if let Some((owner, _)) = merchant.read::<MerchantItem>(&*ports.state).await? {
        if owner.account == command.account {
            return Ok(false);
        }
        let AddMerchant { provider, number, .. } = command;
        let message = format!("Merchant number {number} of {provider} is registered to another account");
        return Err(StepError::Refused(message));
    }
    let place = Place::account(&command.account);
    let revision = place.read::<settlement::Account>(&*ports.state).await?.map(|(_, revision)| revision);
    let mut account = items::account(&*ports.state, &command.account).await?;
    account.merchant_numbers.entry(command.provider.clone()).or_default().insert(command.number.clone());
    let what = format!("merchant number {} of {} added", command.number, command.provider);
    let writes = [
        place.put(&account, revision.map_or(Expect::Absent, Expect::Revision)),
        merchant.put(&MerchantItem { account: command.account.clone() }, Expect::Absent),
        journal(&place, revision.unwrap_or(0) + 1, command.now, Order::First, what),
    ];
    ports.state.transact(&writes).await?;
    Ok(true)
}

/// Names the merchant as people call it; mails begin with it.
///
/// # Errors
/// When the state cannot answer.
pub async fn set_name(ports: &Ports, id: &AccountId, name: &HeaderText, now: Timestamp) -> Result<(), StepError> {
    let place = Place::account(id);
    let revision = place.read::<Account>(&*ports.state).await?.map(|(_, revision)| revision);
    let account = Account { name: Some(name.to_string()), ..items::account(&*ports.state, id).await? };
    let writes = [
        place.put(&account, revision.map_or(Expect::Absent, Expect::Revision)),
        journal(&place, revision.unwrap_or(0) + 1, now, Order::First, format!("named {name}")),
    ];
    Ok(ports.state.transact(&writes).await?)
}
