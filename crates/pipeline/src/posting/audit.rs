//! Audit: what is recorded of a month's payouts, held against itself and against what stands at Dintero.

use jiff::civil::Date;
use settlement::{AccountId, MajorUnits, SettleKey, Transaction, exponent};
use store::{EventState, OutboxItem, Place, SettlementItem};

use super::send::state_at_dintero;
use crate::current::events::{batches_of, outboxes};
use crate::transactions::client::Dintero;
use crate::{Ports, StepError};

/// What was looked at, and what differs.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Audit {
    /// Settlements of the month that were planned to be posted.
    pub settlements: usize,
    /// Events that stand at Dintero as recorded.
    pub confirmed: usize,
    /// What differs, in words.
    pub differences: Vec<(SettleKey, String)>,
}

/// Audits the settlements paid out in the month of a day; only reads.
///
/// # Errors
/// When a port fails or Dintero does not answer.
pub async fn run(ports: &Ports, dintero: &Dintero, account: &AccountId, month: Date) -> Result<Audit, StepError> {
    let client = dintero.account(account)?;
    let mut audit = Audit::default();
    for outbox in outboxes(ports, account).await? {
        let key = &outbox.settlement;
        let record = Place::settlement(key).read::<SettlementItem>(&*ports.state).await?;
        let version = record.and_then(|(item, _)| item.versions.into_iter().find(|v| v.version == outbox.version));
        let Some(version) = version else { continue };
        let paid_on = version.settlement.head.payout_on;
        if (paid_on.year(), paid_on.month()) != (month.year(), month.month()) {
            continue;
        }
        audit.settlements += 1;
        audit.differences.extend(conservation(&outbox));
        for (id, batch, _) in batches_of(ports, key).await? {
            if !outbox.batches.contains(&id) {
                continue;
            }
            let mut ids: Vec<&str> = batch.events.iter().map(|event| event.transaction.as_str()).collect();
            ids.sort_unstable();
            ids.dedup();
            let found = client.transactions_by_id(&ids).await?;
            for event in batch.events.iter().filter(|event| event.state != EventState::Superseded) {
                let transaction = found.iter().find(|found| found.id == event.transaction);
                let at_dintero = transaction.and_then(|found| state_at_dintero(&event.event, found));
                if let Some(changed) = outbox.changed.iter().find(|changed| changed.transaction == event.transaction) {
                    match transaction.map(|found| amount_minor(found, key)) {
                        Some(found) if found == i128::from(changed.now_minor) => audit.confirmed += 1,
                        _ => {
                            let decimals = exponent(&key.provider, key.currency);
                            let now = MajorUnits::new(changed.now_minor, decimals);
                            let what = format!("{}: the lines say {now} now, Dintero does not", event.transaction);
                            audit.differences.push((key.clone(), what));
                        }
                    }
                    continue;
                }
                match (&event.state, at_dintero) {
                    (EventState::Posted { .. }, Some(EventState::Posted { .. })) => audit.confirmed += 1,
                    (EventState::Posted { .. }, at_dintero) => {
                        let what = match at_dintero {
                            Some(EventState::Human { why }) => why,
                            _ => "Dintero has no such event".to_owned(),
                        };
                        let what = format!("{}: recorded as posted, and {what}", event.transaction);
                        audit.differences.push((key.clone(), what));
                    }
                    (state, Some(EventState::Posted { .. })) => {
                        let what = format!("{}: stands at Dintero, recorded as {}", event.transaction, state.word());
                        audit.differences.push((key.clone(), what));
                    }
                    _ => {}
                }
            }
        }
    }
    Ok(audit)
}

/// What Dintero has of a settlement at a transaction, in minor units.
fn amount_minor(transaction: &Transaction, key: &SettleKey) -> i128 {
    let of_settlement = transaction.all_settlement_events().filter(|event| event.settlement_id == key.settlement_id);
    of_settlement.map(|event| i128::from(event.amount_minor)).sum()
}

/// Events, what is not postable and what is unmatched must sum to the lines.
fn conservation(outbox: &OutboxItem) -> Option<(SettleKey, String)> {
    let parts = [outbox.events_minor, outbox.not_postable_minor, outbox.unmatched_minor];
    let sum: i128 = parts.into_iter().map(i128::from).sum();
    let difference = sum - i128::from(outbox.lines_minor);
    if difference == 0 {
        return None;
    }
    let decimals = exponent(&outbox.settlement.provider, outbox.settlement.currency);
    let difference = MajorUnits::new(i64::try_from(difference).unwrap_or(i64::MAX), decimals);
    Some((outbox.settlement.clone(), format!("what is posted and what is not differ from the lines by {difference}")))
}
