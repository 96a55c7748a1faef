//! Recipients: who is told of an account by mail. Nothing confidential goes to an address before whoever reads there has
//! confirmed it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use settlement::{AccountId, Address, HeaderText, Rhythm, hexadecimal};
use sha2::{Digest, Sha256};
use store::{Expect, Order, Place, Query, RecipientItem, RecipientKind, TokenSecret, journal};

use crate::{Ports, StepError};

fn hash_of(token: &str) -> String {
    hexadecimal(&Sha256::digest(token.as_bytes()))
}

/// Tell somebody of an account by mail.
#[derive(Debug, Clone)]
pub struct AddRecipient {
    /// The account.
    pub account: AccountId,
    /// Where.
    pub address: Address,
    /// Who reads there.
    pub name: Option<HeaderText>,
    /// What kind of reader; a person where nothing is said of a new one.
    pub kind: Option<RecipientKind>,
    /// Language; the account's where nothing is said of a new one.
    pub language: Option<String>,
    /// How often; at each payout where nothing is said of a new one.
    pub rhythms: Option<BTreeSet<Rhythm>>,
    /// Payouts from this day on are told; from today where nothing is said of a new one.
    pub from: Option<Date>,
    /// The time.
    pub now: Timestamp,
}

/// Adds a recipient, who has to confirm, or changes of a known one what the command names. Running it again changes nothing.
///
/// # Errors
/// When the state cannot answer.
pub async fn add(ports: &Ports, secret: &TokenSecret, command: &AddRecipient) -> Result<RecipientItem, StepError> {
    let AddRecipient { account, address, name, kind, language, rhythms, from, now } = command.clone();
    let place = Place::recipient(&account, &address);
    let known = place.read::<RecipientItem>(&*ports.state).await?;
    let revision = known.as_ref().map(|(_, revision)| *revision);
    let zone = crate::current::zone::zone_of(ports, &account).await?;
    let current = known.as_ref().map(|(item, _)| item).filter(|item| item.removed_at.is_none());
    let language = match (language, current) {
        (Some(language), _) => language,
        (None, Some(current)) => current.language.clone(),
        (None, None) => store::account(&*ports.state, &account).await?.language,
    };
    let generation = match (current, &known) {
        (Some(current), _) => current.generation,
        (None, Some((removed, _))) => removed.generation + 1,
        (None, None) => 1,
    };
    let today = now.to_zoned(zone).date();
    let item = RecipientItem {
        name: name.or_else(|| current.and_then(|current| current.name.clone())),
        kind: kind.or(current.map(|current| current.kind)).unwrap_or(RecipientKind::Person),
        language,
        rhythms: rhythms
            .or_else(|| current.map(|current| current.rhythms.clone()))
            .unwrap_or_else(|| BTreeSet::from([Rhythm::EachPayout])),
        from: from.or(current.map(|current| current.from)).unwrap_or(today),
        generation,
        token_hash: hash_of(&secret.token(&account, &address, generation)),
        added_at: current.map_or(now, |current| current.added_at),
        confirmed_at: current.and_then(|current| current.confirmed_at),
        removed_at: None,
        address,
    };
    if current == Some(&item) {
        return Ok(item);
    }
    let what = if current.is_some() { "changed" } else { "added, to confirm" };
    let writes = [
        place.put(&item, revision.map_or(Expect::Absent, Expect::Revision))?,
        journal(&place, revision.unwrap_or(0) + 1, now, Order::First, what.to_owned())?,
    ];
    ports.state.transact(&writes).await?;
    Ok(item)
}

/// Takes a recipient's word that the address is theirs. `false` when they had confirmed before.
///
/// # Errors
/// `Refused` when the token is not the one that was sent there last, or nobody waits for it.
pub async fn confirm(
    ports: &Ports,
    account: &AccountId,
    address: &Address,
    token: &str,
    now: Timestamp,
) -> Result<bool, StepError> {
    let place = Place::recipient(account, address);
    let known = place.read::<RecipientItem>(&*ports.state).await?;
    let current = known.filter(|(item, _)| item.removed_at.is_none() && item.token_hash == hash_of(token.trim()));
    let Some((item, revision)) = current else {
        let message = format!(
            "The code does not confirm {address} for account {account}. Take it from the last mail that was sent there, \
             or add the recipient again"
        );
        return Err(StepError::Refused(message));
    };
    if item.confirmed_at.is_some() {
        return Ok(false);
    }
    let item = RecipientItem { confirmed_at: Some(now), ..item };
    let writes = [
        place.put(&item, Expect::Revision(revision))?,
        journal(&place, revision + 1, now, Order::First, "confirmed".to_owned())?,
    ];
    ports.state.transact(&writes).await?;
    Ok(true)
}

/// Sends nothing more to an address, whatever is planned. `false` when nobody was there.
///
/// # Errors
/// When the state cannot answer.
pub async fn remove(ports: &Ports, account: &AccountId, address: &Address, now: Timestamp) -> Result<bool, StepError> {
    let place = Place::recipient(account, address);
    let Some((item, revision)) = place.read::<RecipientItem>(&*ports.state).await? else { return Ok(false) };
    if item.removed_at.is_some() {
        return Ok(false);
    }
    let item = RecipientItem { removed_at: Some(now), ..item };
    let writes = [
        place.put(&item, Expect::Revision(revision))?,
        journal(&place, revision + 1, now, Order::First, "removed".to_owned())?,
    ];
    ports.state.transact(&writes).await?;
    Ok(true)
}

/// All recipients of an account, those that were removed left out.
///
/// # Errors
/// When the state cannot answer.
pub async fn list(ports: &Ports, account: &AccountId) -> Result<Vec<RecipientItem>, StepError> {
    let items = store::all(&*ports.state, Query::recipients(account)).await?;
    let all: Vec<RecipientItem> = items.iter().map(store::decode).collect::<Result<_, _>>()?;
    Ok(all.into_iter().filter(|item| item.removed_at.is_none()).collect())
}
