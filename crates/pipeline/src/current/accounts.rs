//! Accounts: which there are, what they are called, and the merchant numbers that are their own.

use documents::mail::HeaderText;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use settlement::{Account, AccountId};

use crate::StepError;
use crate::items::{self, MerchantItem, Order, Place, journal};
use crate::ports::{Expect, Ports, Put, Query};

/// The partition in which every account is listed once.
const LISTED: &str = "ACCOUNTS";

/// An account in the list of all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ListedAccount {
    account: AccountId,
}

/// All accounts that something is configured for, in the order of their ids.
///
/// # Errors
/// When the state cannot answer.
pub async fn all(ports: &Ports) -> Result<Vec<AccountId>, StepError> {
    let items = items::all(ports, Query::all(LISTED)).await?;
    items.iter().map(|item| Ok(items::decode::<ListedAccount>(item)?.account)).collect()
}

/// The writes of an account's record that was read at that revision. It is listed by the same transaction, whoever writes it:
/// what only the first writer did would be missing where accounts are older than the list.
pub(crate) fn puts(account: &Account, revision: Option<u64>) -> [Put; 2] {
    let expect = revision.map_or(Expect::Absent, Expect::Revision);
    [Place::account(&account.id).put(account, expect), listed(&account.id)]
}

fn listed(id: &AccountId) -> Put {
    Place::new(LISTED, id.as_str()).put(&ListedAccount { account: id.clone() }, Expect::Any)
}

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
            let listed = listed(&command.account);
            if ports.state.get(&listed.partition, &listed.sort).await?.is_none() {
                ports.state.put_if(&listed).await?;
            }
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
    let [record, listed] = puts(&account, revision);
    let writes = [
        record,
        listed,
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
    let [record, listed] = puts(&account, revision);
    let told = journal(&place, revision.unwrap_or(0) + 1, now, Order::First, format!("named {name}"));
    Ok(ports.state.transact(&[record, listed, told]).await?)
}
