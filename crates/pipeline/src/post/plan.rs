//! Planning: the lines of a settlement become settlement events, and the events batches in the outbox.

use std::collections::BTreeMap;
use std::fs::File;

use dintero::TransactionFilter;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use settlement::{Fees, LineRecord, MajorUnits, SettleKey, Settlement, SettlementEvent, exponent};
use tempfile::NamedTempFile;

use super::batch::{BatchItem, EVENTS_MAX, EventState, PlannedEvent, event_id};
use super::find::{Finder, Found};
use super::{PostReport, batches_of};
use crate::StepError;
use crate::client::AccountClient;
use crate::items::{Order, Place, journal};
use crate::ports::{Expect, PortErrorKind, Ports, Put, TRANSACT_WRITES_MAX};
use crate::reconcile::{ExactSettlement, exact_settlements};
use crate::standing::fetch_lines;

/// Lines without a transaction that are kept with their reasons; the rest are counted.
const UNMATCHED_SHOWN_MAX: usize = 100;

/// Transactions are looked for this long around the days of the lines.
const AROUND: SignedDuration = SignedDuration::from_hours(48);

/// What is to be posted of one version of a settlement, and what is not. Amounts are minor units.
///
/// Events, what is not postable and what is unmatched sum to the lines, always.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxItem {
    /// The settlement.
    pub settlement: SettleKey,
    /// The version.
    pub version: u32,
    /// Its batches in the order they were made; others are leftovers of a planning that was cut off.
    pub batches: Vec<String>,
    /// Net of all lines, the fees of which are left out when they are invoiced.
    pub lines_minor: i64,
    /// Net of the lines that became events, now or in an earlier version.
    pub events_minor: i64,
    /// Net of fees alone, chargebacks, reserves and adjustments.
    pub not_postable_minor: i64,
    /// Net of the lines without a transaction.
    pub unmatched_minor: i64,
    /// How many lines have no transaction.
    pub unmatched_lines: u64,
    /// The first of them.
    pub unmatched: Vec<UnmatchedLine>,
    /// Events that an earlier version had with other money: a person has to set them right.
    pub changed: Vec<ChangedEvent>,
}

/// A line whose transaction cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmatchedLine {
    /// Line or row in the report.
    pub line_no: i64,
    /// The order it names.
    pub order_reference: Option<String>,
    /// Its net amount.
    pub net_minor: i64,
    /// Why there is no transaction for it.
    pub why: String,
}

/// An event that was planned before with other money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedEvent {
    /// The transaction.
    pub transaction: String,
    /// What was planned or posted.
    pub before_minor: i64,
    /// What the lines say now.
    pub now_minor: i64,
}

/// Plans what a report's exact settlements are to tell Dintero. Running it again plans only what was not matched before.
pub(super) async fn plan(
    ports: &Ports,
    client: &AccountClient<'_>,
    command: &PostReport,
) -> Result<Vec<OutboxItem>, StepError> {
    let (settlements, _) = exact_settlements(ports, &command.account, command.report, &command.scratch).await?;
    let mut undone = Vec::new();
    let mut outboxes = Vec::new();
    for exact in settlements {
        let place = Place::outbox(&exact.key);
        let known = place.read::<OutboxItem>(&*ports.state).await?;
        match known {
            Some((item, _)) if item.version > exact.version.version => {}
            Some((item, _)) if item.version == exact.version.version && item.unmatched_lines == 0 => {
                outboxes.push(item);
            }
            _ => undone.push((exact, known)),
        }
    }
    if undone.is_empty() {
        return Ok(outboxes);
    }
    let lines = NamedTempFile::new_in(&command.scratch)?;
    fetch_lines(ports, &command.account, command.report, &lines).await?;
    let finder = transactions_around(client, &lines).await?;
    for (exact, known) in undone {
        let mut plan = Plan::default();
        for line in tables::read_lines(File::open(lines.path())?)? {
            let line = line?;
            if exact.has(&line) {
                plan.add(&exact.version.settlement, &line, &finder, client);
            }
        }
        for line in &exact.added {
            plan.add(&exact.version.settlement, line, &finder, client);
        }
        outboxes.push(plan.store(ports, &exact, known, command.now).await?);
    }
    Ok(outboxes)
}

/// Reads the transactions that were captured or refunded around the days of the lines.
async fn transactions_around(client: &AccountClient<'_>, lines: &NamedTempFile) -> Result<Finder, StepError> {
    let mut times: Option<(Timestamp, Timestamp)> = None;
    for line in tables::read_lines(File::open(lines.path())?)? {
        let line = line?;
        let noon = |day: jiff::civil::Date| day.at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).ok();
        let at = line.captured_at_us.and_then(|us| Timestamp::from_microsecond(us).ok());
        let at = at.or_else(|| Some(noon(line.captured_on.or(line.provider_date)?)?.timestamp()));
        if let Some(at) = at {
            times = Some(times.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
        }
    }
    let mut finder = Finder::default();
    if let Some((first, last)) = times {
        let from = first.saturating_sub(AROUND).unwrap_or(first);
        let to = last.saturating_add(AROUND).unwrap_or(last);
        for filter in [TransactionFilter::CapturedBetween(from, to), TransactionFilter::RefundedBetween(from, to)] {
            client.transactions(&filter, |transaction| finder.add(transaction)).await?;
        }
    }
    Ok(finder)
}

/// What is gathered of one settlement.
#[derive(Default)]
struct Plan {
    events: BTreeMap<String, (u64, [i128; 3])>,
    net: i128,
    not_postable: i128,
    unmatched_net: i128,
    unmatched_lines: u64,
    unmatched: Vec<UnmatchedLine>,
}

impl Plan {
    fn add(&mut self, settlement: &Settlement, line: &LineRecord, finder: &Finder, client: &AccountClient<'_>) {
        let terms = &line.terms;
        let fee = match settlement.fees {
            // What is invoiced is not taken off the payout.
            Fees::Invoiced => 0,
            Fees::Deducted | Fees::Unknown => i128::from(terms.fee_minor) + i128::from(terms.fee_vat_minor),
        };
        let rest = [terms.chargeback_minor, terms.reserve_minor, terms.adjustment_minor];
        let rest: i128 = rest.into_iter().map(i128::from).sum();
        let net = i128::from(terms.capture_minor) + i128::from(terms.refund_minor) - fee + rest;
        self.net += net;
        let why = match finder.find(line) {
            Found::Transaction(transaction) if client.owns(&transaction.id) => {
                let (lines, sums) = self.events.entry(transaction.id.clone()).or_default();
                *lines += 1;
                let money = [i128::from(terms.capture_minor), -i128::from(terms.refund_minor), fee];
                sums.iter_mut().zip(money).for_each(|(sum, minor)| *sum += minor);
                self.not_postable += rest;
                return;
            }
            Found::NotPostable => {
                self.not_postable += net;
                return;
            }
            Found::Transaction(transaction) => format!("transaction {} is of another account", transaction.id),
            Found::Unmatched(why) => why,
        };
        self.unmatched_net += net;
        self.unmatched_lines += 1;
        if self.unmatched.len() < UNMATCHED_SHOWN_MAX {
            let (line_no, order_reference) = (line.line_no, line.order_reference.clone());
            let net_minor = i64::try_from(net).unwrap_or(i64::MAX);
            self.unmatched.push(UnmatchedLine { line_no, order_reference, net_minor, why });
        }
    }

    /// Writes the batches, then the outbox that names them: what it does not name is never sent.
    async fn store(
        self,
        ports: &Ports,
        exact: &ExactSettlement,
        known: Option<(OutboxItem, u64)>,
        now: Timestamp,
    ) -> Result<OutboxItem, StepError> {
        let listed = |id: &String| known.as_ref().is_some_and(|(item, _)| item.batches.contains(id));
        let mut earlier = batches_of(ports, &exact.key).await?;
        earlier.retain(|(id, _, _)| listed(id));
        let mut before: BTreeMap<&str, &PlannedEvent> =
            earlier.iter().flat_map(|(_, batch, _)| &batch.events).map(|event| (event.id.as_str(), event)).collect();
        let mut events = Vec::new();
        let mut changed = Vec::new();
        let mut events_minor = 0_i128;
        for (transaction, (lines, sums)) in &self.events {
            let event = event_of(exact, *sums)?;
            let id = event_id(&exact.key, transaction, None);
            events_minor += i128::from(event.amount_minor);
            match before.remove(id.as_str()) {
                None => {
                    let (transaction, state) = (transaction.clone(), first_state(exact));
                    events.push(PlannedEvent { id, transaction, event, lines: *lines, state });
                }
                Some(planned) if planned.event.money() == event.money() => {}
                Some(planned) => changed.push(ChangedEvent {
                    transaction: transaction.clone(),
                    before_minor: planned.event.amount_minor,
                    now_minor: event.amount_minor,
                }),
            }
        }
        // What no line speaks of any more was told for nothing.
        changed.extend(before.values().map(|planned| ChangedEvent {
            transaction: planned.transaction.clone(),
            before_minor: planned.event.amount_minor,
            now_minor: 0,
        }));
        supersede(ports, exact, &earlier, &changed, now).await?;
        events.sort_by(|a, b| a.id.cmp(&b.id));
        let made = make_batches(exact, &events);
        write_batches(ports, exact, &made).await?;
        let (earlier_item, revision) = known.map_or((None, None), |(item, revision)| (Some(item), Some(revision)));
        let mut batches = earlier_item.as_ref().map(|item| item.batches.clone()).unwrap_or_default();
        batches.extend(made.into_iter().map(|(id, _)| id));
        let item = OutboxItem {
            settlement: exact.key.clone(),
            version: exact.version.version,
            batches,
            lines_minor: counted(self.net)?,
            events_minor: counted(events_minor)?,
            not_postable_minor: counted(self.not_postable)?,
            unmatched_minor: counted(self.unmatched_net)?,
            unmatched_lines: self.unmatched_lines,
            unmatched: self.unmatched,
            changed,
        };
        if earlier_item.as_ref() == Some(&item) {
            return Ok(item);
        }
        let place = Place::outbox(&exact.key);
        let what = format!(
            "planned {} events of version {}; {} lines without a transaction, {} events changed",
            events.len(),
            item.version,
            item.unmatched_lines,
            item.changed.len()
        );
        let expect = revision.map_or(Expect::Absent, Expect::Revision);
        let entry = journal(&place, revision.unwrap_or(0) + 1, now, Order::Posting, what);
        ports.state.transact(&[place.put(&item, expect), entry]).await?;
        Ok(item)
    }
}

fn counted(minor: i128) -> Result<i64, StepError> {
    i64::try_from(minor)
        .map_err(|_| StepError::Refused("The events of a settlement sum beyond all counting".to_owned()))
}

fn event_of(exact: &ExactSettlement, [capture, refund, fee]: [i128; 3]) -> Result<SettlementEvent, StepError> {
    let settlement_id = exact.key.settlement_id.clone();
    Ok(SettlementEvent {
        provider_reference: settlement_id.clone(),
        settlement_id,
        event_correlation_id: None,
        amount_minor: counted(capture - refund - fee)?,
        capture_minor: counted(capture)?,
        refund_minor: counted(refund)?,
        fee_minor: counted(fee)?,
    })
}

/// Events that an earlier version planned with other money are not sent any more; a person sets right what was.
async fn supersede(
    ports: &Ports,
    exact: &ExactSettlement,
    earlier: &[(String, BatchItem, u64)],
    changed: &[ChangedEvent],
    now: Timestamp,
) -> Result<(), StepError> {
    for (id, batch, revision) in earlier {
        let mut batch = batch.clone();
        let mut held = 0;
        for event in batch.events.iter_mut().filter(|event| !event.state.is_ended()) {
            let Some(other) = changed.iter().find(|changed| changed.transaction == event.transaction) else { continue };
            let why = format!(
                "version {} of the settlement says {}, this event {}; it was {}",
                exact.version.version,
                MajorUnits::new(other.now_minor, exponent(&exact.key.provider, exact.key.currency)),
                MajorUnits::new(other.before_minor, exponent(&exact.key.provider, exact.key.currency)),
                event.state.word()
            );
            event.state = EventState::Human { why };
            held += 1;
        }
        if held == 0 {
            continue;
        }
        if let Some(until) = batch.lease_until.filter(|until| *until > now) {
            return Err(StepError::Busy { report: id.clone(), until });
        }
        let place = Place::batch(&exact.key, id);
        let what = format!("{held} events superseded by version {}", exact.version.version);
        let entry = journal(&place, revision + 1, now, Order::Posting, what);
        ports.state.transact(&[place.put(&batch, Expect::Revision(*revision)), entry]).await?;
    }
    Ok(())
}

/// Dintero's minor units must be the provider's: nothing is converted here.
fn first_state(exact: &ExactSettlement) -> EventState {
    let SettleKey { provider, currency, .. } = &exact.key;
    let (theirs, ours) = (exponent("dintero", *currency), exponent(provider, *currency));
    if theirs == ours {
        return EventState::Planned;
    }
    let why = format!("{provider} counts {currency} with {ours} decimals, Dintero with {theirs}");
    EventState::Human { why }
}

/// As many batches as are needed; which events share one does not depend on anything but the events.
fn make_batches(exact: &ExactSettlement, events: &[PlannedEvent]) -> Vec<(String, BatchItem)> {
    let batch = |events: &[PlannedEvent]| {
        let item = BatchItem {
            settlement: exact.key.clone(),
            version: exact.version.version,
            events: events.to_vec(),
            attempt: 0,
            lease_until: None,
            not_before: None,
            body: None,
        };
        (BatchItem::id_of(events), item)
    };
    events.chunks(EVENTS_MAX).map(batch).collect()
}

/// A batch that is there already is of an earlier planning that was cut off, and the same to the byte: its id says so.
async fn write_batches(ports: &Ports, exact: &ExactSettlement, made: &[(String, BatchItem)]) -> Result<(), StepError> {
    let writes: Vec<Put> =
        made.iter().map(|(id, item)| Place::batch(&exact.key, id).put(item, Expect::Absent)).collect();
    // Items of a hundred events each are large; a transaction takes few of them.
    for part in writes.chunks(TRANSACT_WRITES_MAX / 10) {
        match ports.state.transact(part).await {
            Err(error) if error.kind == PortErrorKind::Conflict => {}
            other => {
                other?;
                continue;
            }
        }
        for write in part {
            match ports.state.put_if(write).await {
                Err(error) if error.kind == PortErrorKind::Conflict => {}
                other => other?,
            }
        }
    }
    Ok(())
}
