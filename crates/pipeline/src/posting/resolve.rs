//! Resolve: a person says what is right about an event that nothing else can decide.

use jiff::Timestamp;
use settlement::SettleKey;
use store::{Expect, Order, Place, journal, mark_settlement_dirty};

use crate::current::events::batches_of;
use crate::{Ports, StepError};
use store::{EventState, OutboxItem};

/// What a person found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It stands at Dintero as it should, or was set right there by hand.
    Posted,
    /// It does not stand there and is to be sent again.
    Again,
}

/// Decide about the events of a transaction in a settlement.
#[derive(Debug, Clone)]
pub struct Resolve {
    /// The settlement.
    pub settlement: SettleKey,
    /// The transaction.
    pub transaction: String,
    /// What was found.
    pub decision: Decision,
    /// Who found it.
    pub by: String,
    /// The time.
    pub now: Timestamp,
}

/// Decides the events that wait for a person, and gives their number.
///
/// # Errors
/// When no event of the transaction waits for a person, a worker has the batch, or the state cannot answer.
pub async fn resolve(ports: &Ports, command: &Resolve) -> Result<usize, StepError> {
    let outbox = Place::outbox(&command.settlement).read::<OutboxItem>(&*ports.state).await?;
    let is_changed = |outbox: &OutboxItem| outbox.changed.iter().any(|event| event.transaction == command.transaction);
    if command.decision == Decision::Again && outbox.as_ref().is_some_and(|(outbox, _)| is_changed(outbox)) {
        let message = format!(
            "The lines of the settlement have another amount for {} than its event: set it right at Dintero by hand, then \
             resolve it as posted",
            command.transaction
        );
        return Err(StepError::Refused(message));
    }
    let mut decided = 0;
    for (id, mut item, revision) in batches_of(ports, &command.settlement).await? {
        let waits = item.events.iter_mut().filter(|event| {
            event.transaction == command.transaction
                && matches!(event.state, EventState::Human { .. } | EventState::Refused { .. })
        });
        let mut here = 0;
        for event in waits {
            here += 1;
            event.state = match command.decision {
                Decision::Posted => EventState::Posted { found: true },
                Decision::Again => EventState::Planned,
            };
        }
        if here == 0 {
            continue;
        }
        if let Some(until) = item.lease_until.filter(|until| *until > command.now) {
            return Err(StepError::Busy { what: format!("Batch {}", id.get(..12).unwrap_or(&id)), until });
        }
        item.attempt = 0;
        item.not_before = None;
        let place = Place::batch(&command.settlement, &id);
        let word = match command.decision {
            Decision::Posted => "as posted",
            Decision::Again => "to be sent again",
        };
        let what = format!("{} resolved {word} by {}", command.transaction, command.by);
        let entry = journal(&place, revision + 1, command.now, Order::Posting, what)?;
        let mark = mark_settlement_dirty(&command.settlement)?;
        ports.state.transact(&[place.put(&item, Expect::Revision(revision))?, entry, mark]).await?;
        decided += here;
    }
    if decided == 0 {
        let message = format!("No event of transaction {} waits for a person in this settlement", command.transaction);
        return Err(StepError::Refused(message));
    }
    Ok(decided)
}
