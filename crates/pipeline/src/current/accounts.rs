//! Accounts: which there are, what they are called, and the merchant numbers that are their own.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use settlement::{Account, AccountId, HeaderText, IdForm, MerchantNumber, Provider};
use store::{Expect, ListedAccount, MerchantItem, Order, Place, Put, Query, journal, listed_account, settlement_key};

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
/// When the number has not the form of its provider's, another account has it, or the state cannot answer.
pub async fn add_merchant(ports: &Ports, command: &AddMerchant) -> Result<bool, StepError> {
    check_number(&command.provider, &command.number)?;
    register_merchant(ports, command).await
}

/// The same for a number that stands in a report of the provider, which knows its numbers best.
pub(crate) async fn register_merchant(ports: &Ports, command: &AddMerchant) -> Result<bool, StepError> {
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
    let revision = place.read::<Account>(&*ports.state).await?.map(|(_, revision)| revision);
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

/// The account that a merchant number belongs to; `None` when it is nobody's.
///
/// # Errors
/// When the state cannot answer.
pub async fn owner_of(ports: &Ports, provider: &str, number: &str) -> Result<Option<AccountId>, StepError> {
    let owner = Place::merchant(provider, number).read::<MerchantItem>(&*ports.state).await?;
    Ok(owner.map(|(item, _)| item.account))
}

/// Whether a merchant number has the form that its provider's numbers have.
fn check_number(provider: &str, number: &str) -> Result<(), StepError> {
    let form = Provider::of(provider).map_or(IdForm::Any, |provider| provider.merchant_number);
    if number.parse::<MerchantNumber>().is_ok() && form.fits(number) {
        return Ok(());
    }
    let expected = form.expected();
    Err(StepError::Refused(format!("Found merchant number {number:?} of {provider}, expected {expected}")))
}

/// What of an account is set; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountSettings {
    /// What people call the merchant; mails begin with it.
    pub name: Option<HeaderText>,
    /// The name that it is registered under.
    pub legal_name: Option<HeaderText>,
    /// The number that it is registered under.
    pub organisation_number: Option<HeaderText>,
    /// Its postal address, in one line.
    pub address: Option<HeaderText>,
    /// IANA name of its time zone.
    pub zone: Option<String>,
    /// Language of its documents, as in `nb`.
    pub language: Option<String>,
    /// Whether its settlement events are posted to Dintero.
    pub posts: Option<bool>,
}

impl AccountSettings {
    /// The account with these settings, and what changed, in words.
    fn apply(&self, mut account: Account) -> (Account, Vec<String>) {
        let mut changes = Vec::new();
        let mut set = |what: &str, field: &mut Option<String>, value: Option<String>| {
            if value.is_some() && *field != value {
                changes.push(format!("{what} {}", value.as_deref().unwrap_or_default()));
                *field = value;
            }
        };
        let text = |value: &Option<HeaderText>| value.as_ref().map(ToString::to_string);
        set("name", &mut account.name, text(&self.name));
        set("legal name", &mut account.legal_name, text(&self.legal_name));
        set("organisation number", &mut account.organisation_number, text(&self.organisation_number));
        set("address", &mut account.address, text(&self.address));
        let (mut zone, mut language) = (Some(account.zone), Some(account.language));
        set("time zone", &mut zone, self.zone.clone());
        set("language", &mut language, self.language.clone());
        (account.zone, account.language) = (zone.unwrap_or_default(), language.unwrap_or_default());
        if let Some(posts) = self.posts.filter(|posts| *posts != account.posts) {
            changes.push(format!("posting switched {}", if posts { "on" } else { "off" }));
            account.posts = posts;
        }
        (account, changes)
    }

    fn check(&self) -> Result<(), StepError> {
        let Some(zone) = &self.zone else { return Ok(()) };
        TimeZone::get(zone).map(|_| ()).map_err(|_| {
            StepError::Refused(format!("Found time zone {zone:?}, expected an IANA name, as in Europe/Stockholm"))
        })
    }
}

/// Whether an account is known: it was added, or something is configured for it.
///
/// # Errors
/// When the state cannot answer.
pub async fn is_known(ports: &Ports, id: &AccountId) -> Result<bool, StepError> {
    Ok(Place::account(id).read::<Account>(&*ports.state).await?.is_some())
}

/// Adds an account, with Norwegian defaults for what is not set.
///
/// # Errors
/// When the account is known already, the zone is none, or the state cannot answer.
pub async fn add(
    ports: &Ports,
    id: &AccountId,
    settings: &AccountSettings,
    now: Timestamp,
) -> Result<Account, StepError> {
    settings.check()?;
    if is_known(ports, id).await? {
        return Err(StepError::Refused(format!("Account {id} is known already. Change it with `avstem account set`")));
    }
    let (account, _) = settings.apply(Account::new(id.clone()));
    let [record, listed] = puts(&account, None)?;
    let entry = journal(&Place::account(id), 1, now, Order::First, "added".to_owned())?;
    ports.state.transact(&[record, listed, entry]).await?;
    Ok(account)
}

/// Sets what is said of an account, and gives what changed, in words.
///
/// # Errors
/// When the zone is none, or the state cannot answer.
pub async fn set(
    ports: &Ports,
    id: &AccountId,
    settings: &AccountSettings,
    now: Timestamp,
) -> Result<Vec<String>, StepError> {
    settings.check()?;
    let place = Place::account(id);
    let revision = place.read::<Account>(&*ports.state).await?.map(|(_, revision)| revision);
    let (account, changes) = settings.apply(store::account(&*ports.state, id).await?);
    if changes.is_empty() {
        return Ok(changes);
    }
    let [record, listed] = puts(&account, revision)?;
    let entry = journal(&place, revision.unwrap_or(0) + 1, now, Order::First, changes.join("; "))?;
    ports.state.transact(&[record, listed, entry]).await?;
    Ok(changes)
}

/// Give a merchant number to another account.
#[derive(Debug, Clone)]
pub struct MoveMerchant {
    /// The provider, as in object keys.
    pub provider: String,
    /// The provider's number of the merchant.
    pub number: String,
    /// The account that has it.
    pub from: AccountId,
    /// The account that gets it.
    pub to: AccountId,
    /// The time.
    pub now: Timestamp,
}

/// Moves a merchant number of which nothing is committed.
///
/// # Errors
/// When `from` does not have the number, `to` is not known, a settlement of the number is committed, or the state cannot answer.
pub async fn move_merchant(ports: &Ports, command: &MoveMerchant) -> Result<(), StepError> {
    let MoveMerchant { provider, number, from, to, now } = command;
    let refused = |message: String| Err(StepError::Refused(message));
    let merchant = Place::merchant(provider, number);
    let revision = match merchant.read::<MerchantItem>(&*ports.state).await? {
        Some((owner, revision)) if owner.account == *from => revision,
        _ => return refused(format!("Found no merchant number {number} of {provider} at account {from}")),
    };
    if !is_known(ports, to).await? {
        return refused(format!("Found no account {to}. Add it with `avstem account add {to}`"));
    }
    let query = Query { limit: 1, ..Query::settlements_of_merchant(from, provider, number) };
    if let Some(first) = store::Pager::new(&*ports.state, query).next().await? {
        let settlement = settlement_key(&first)?.settlement_id;
        return refused(format!(
            "Merchant number {number} of {provider} stays with account {from}: settlement {settlement} of it was accepted \
             there, and its documents and mails name that account"
        ));
    }
    let mut writes = vec![merchant.put(&MerchantItem { account: to.clone() }, Expect::Revision(revision))?];
    for (id, gets_it) in [(from, false), (to, true)] {
        let place = Place::account(id);
        let revision = place.read::<Account>(&*ports.state).await?.map(|(_, revision)| revision);
        let mut account = store::account(&*ports.state, id).await?;
        let own = account.merchant_numbers.entry(provider.clone()).or_default();
        let what = if gets_it {
            own.insert(number.clone());
            format!("merchant number {number} of {provider} moved here from {from}")
        } else {
            own.remove(number);
            format!("merchant number {number} of {provider} moved to {to}")
        };
        writes.extend(puts(&account, revision)?);
        writes.push(journal(&place, revision.unwrap_or(0) + 1, *now, Order::First, what)?);
    }
    Ok(ports.state.transact(&writes).await?)
}
