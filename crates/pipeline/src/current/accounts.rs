//! Accounts: which there are, what they are called, and the merchant numbers that are their own.

use jiff::Timestamp;
use settlement::{Account, AccountId, HeaderText};
use store::{Expect, ListedAccount, MerchantItem, Order, Place, Put, Query, journal, listed_account};

use crate::{Ports, StepError};

/// All accounts that something is configured for, in the order of their ids.
///
/// # Errors
/// When the state cannot answer.
pub async fn all(ports: &Ports) -> Result<Vec<AccountId>, StepError> {
    let items = store::all(&*ports.state, Query::accounts()).await?;
    Ok(items.iter().map(listed_account).collect::<Result<_, _>>()?)
}

/// The writes of an account's record that was read at that revision. It is listed by the same transaction, whoever writes it:
/// what only the first writer did would be missing where accounts are older than the list.
pub(crate) fn puts(account: &Account, revision: Option<u64>) -> Result<[Put; 2], StepError> {
    let expect = revision.map_or(Expect::Absent, Expect::Revision);
    Ok([Place::account(&account.id).put(account, expect)?, listed(&account.id)?])
}

fn listed(id: &AccountId) -> Result<Put, StepError> {
    Ok(Place::listed_account(id).put(&ListedAccount { account: id.clone() }, Expect::Any)?)
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
            let listed = listed(&command.account)?;
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
    let mut account = store::account(&*ports.state, &command.account).await?;
    account.merchant_numbers.entry(command.provider.clone()).or_default().insert(command.number.clone());
    let what = format!("merchant number {} of {} added", command.number, command.provider);
    let [record, listed] = puts(&account, revision)?;
    let writes = [
        record,
        listed,
        merchant.put(&MerchantItem { account: command.account.clone() }, Expect::Absent)?,
        journal(&place, revision.unwrap_or(0) + 1, command.now, Order::First, what)?,
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
    let account = Account { name: Some(name.to_string()), ..store::account(&*ports.state, id).await? };
    let [record, listed] = puts(&account, revision)?;
    let told = journal(&place, revision.unwrap_or(0) + 1, now, Order::First, format!("named {name}"))?;
    Ok(ports.state.transact(&[record, listed, told]).await?)
}
