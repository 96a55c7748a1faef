//! What of settlements is posted, and whether an account posts.

use settlement::{AccountId, SettleKey};
use store::{BatchItem, Item, OutboxItem, Place, PlannedEvent, Query, SwitchItem, batch_id};

use crate::{Ports, StepError};

/// Why an account does not post; `None` when it does.
///
/// # Errors
/// When the state cannot answer.
pub async fn switched_off(ports: &Ports, account: &AccountId) -> Result<Option<String>, StepError> {
    let switch = Place::switch().read::<SwitchItem>(&*ports.state).await?;
    if let Some((SwitchItem { stopped_by: Some(by) }, _)) = switch {
        return Ok(Some(format!("all posting was stopped by {by}")));
    }
    let posts = store::account(&*ports.state, account).await?.posts;
    Ok((!posts).then(|| format!("posting is off for account {account}")))
}

/// All outboxes of an account.
///
/// # Errors
/// When the state cannot answer.
pub async fn outboxes(ports: &Ports, account: &AccountId) -> Result<Vec<OutboxItem>, StepError> {
    let items = store::all(&*ports.state, Query::outboxes(account)).await?;
    Ok(items.iter().map(store::decode).collect::<Result<_, _>>()?)
}

/// All batches of a settlement with their ids and revisions, those of a planning that was cut off among them.
///
/// # Errors
/// When the state cannot answer.
pub async fn batches_of(ports: &Ports, key: &SettleKey) -> Result<Vec<(String, BatchItem, u64)>, StepError> {
    let items = store::all(&*ports.state, Query::batches(key)).await?;
    let batch = |item: &Item| Ok((batch_id(item).to_owned(), store::decode(item)?, item.revision));
    items.iter().map(batch).collect()
}

/// Whether settlement events of a transaction wait to be posted.
///
/// # Errors
/// When the state cannot answer.
pub async fn waiting_for(ports: &Ports, account: &AccountId, transaction: &str) -> Result<bool, StepError> {
    for outbox in outboxes(ports, account).await? {
        for (id, batch, _) in batches_of(ports, &outbox.settlement).await? {
            let waits = |event: &PlannedEvent| event.transaction == transaction && !event.state.is_ended();
            if outbox.batches.contains(&id) && batch.events.iter().any(waits) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
