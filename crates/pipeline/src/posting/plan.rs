//! Planning: the lines of a settlement become settlement events, and the events batches in the outbox.

mod late;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use settlement::{
    AccountId, Currency, Defect, Fees, LineKind, LineRecord, MajorUnits, ReportId, SettleKey, SettlementEvent,
    exponent, is_seeded,
};
use store::{Expect, Order, Place, PortErrorKind, Put, TRANSACT_WRITES_MAX, journal, mark_settlement_dirty};
use tables::{MatchRow, MatchRows};
use tempfile::NamedTempFile;

use self::late::LateLines;
use crate::current::events::batches_of;
use crate::current::lines::{fetch_lines, name_of};
use crate::current::match_rows;
use crate::current::versions::{ExactSettlement, exact_settlements, in_force};
use crate::transactions::client::AccountClient;
use crate::{Ports, StepError};
use store::{BatchItem, ChangedEvent, EVENTS_MAX, EventState, OutboxItem, PlannedEvent, UnmatchedLine, event_id};

/// Lines without a transaction that are kept with their reasons; the rest are counted.
const UNMATCHED_SHOWN_MAX: usize = 100;

/// Tell Dintero what that report's settlements paid out.
#[derive(Debug, Clone)]
pub struct PostReport {
    /// The account it was accepted for.
    pub account: AccountId,
    /// The report.
    pub report: ReportId,
    /// The time.
    pub now: Timestamp,
    /// How long no other worker may send the same batch.
    pub lease: SignedDuration,
    /// A directory for temporary files.
    pub scratch: PathBuf,
}

/// An event that was planned before with other money than `now_minor`.
fn changed(planned: &PlannedEvent, now_minor: i64) -> ChangedEvent {
    ChangedEvent { transaction: planned.transaction.clone(), before_minor: planned.event.amount_minor, now_minor }
}

/// Plans what a report's exact settlements are to tell Dintero, those that no later version has taken the place of.
/// Running it again plans only what was not matched before.
pub(super) async fn plan(
    ports: &Ports,
    client: &AccountClient<'_>,
    command: &PostReport,
) -> Result<Vec<OutboxItem>, StepError> {
    let (settlements, _) = exact_settlements(ports, &command.account, command.report, &command.scratch).await?;
    let mut undone = Vec::new();
    let mut outboxes = Vec::new();
    for exact in settlements {
        let current = in_force(ports, &exact.key).await?;
        if current.is_none_or(|current| current.version != exact.version.version) {
            continue;
        }
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
    let settlements: Vec<&ExactSettlement> = undone.iter().map(|(exact, _)| exact).collect();
    let rows = MatchedRows::fetch(ports, client, command, &settlements).await?;
    let mut plans: Vec<Plan> = undone.iter().map(|(exact, known)| Plan::after(exact, known.as_ref())).collect();
    gather(&mut plans, &settlements, &lines, rows)?;
    for (plan, (exact, known)) in plans.into_iter().zip(undone) {
        outboxes.push(plan.store(ports, &exact, known, command.now).await?);
    }
    Ok(outboxes)
}

/// Gathers the lines of settlements, and what their notices add, in one reading.
fn gather(
    plans: &mut [Plan],
    settlements: &[&ExactSettlement],
    lines: &NamedTempFile,
    mut rows: MatchedRows<'_>,
) -> Result<(), StepError> {
    let places: HashMap<_, usize> =
        settlements.iter().enumerate().map(|(place, exact)| (exact.name(), place)).collect();
    for line in tables::read_lines(File::open(lines.path())?)? {
        let line = line?;
        let Some(row) = rows.next(&line)? else { continue };
        let place = places.get(&name_of(&line)).copied();
        if let Some((exact, plan)) = place.and_then(|place| settlements.get(place).zip(plans.get_mut(place))) {
            plan.add(&line, exact, rows.of(&line, row, exact));
        }
    }
    for (exact, plan) in settlements.iter().zip(plans) {
        // Fees, and what is paid out elsewhere: nothing that Dintero keeps at a transaction.
        exact.added.iter().for_each(|line| plan.add(line, exact, LineIs::Nothing));
    }
    Ok(())
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
    late: LateLines,
}

/// The events of the lines beside those of before.
#[derive(Default)]
struct Compared<'a> {
    /// Those to be planned.
    events: Vec<PlannedEvent>,
    /// Amount of all, in minor units.
    events_minor: i128,
    /// Those that were sent, or may have been, with other money.
    changed: Vec<ChangedEvent>,
    /// Those of before with other money, sent or not.
    differing: Vec<&'a PlannedEvent>,
}

/// What a line is to Dintero.
#[derive(Debug, Clone)]
enum LineIs {
    /// Money of that transaction.
    Event(String),
    /// Nothing that Dintero keeps at a transaction, or that another payer tells of.
    Nothing,
    /// Money of a transaction that cannot be told.
    Unmatched(String),
}

/// What the lines of a report were matched with, row by row beside the lines themselves.
struct MatchedRows<'a> {
    rows: MatchRows,
    settlements: BTreeSet<(String, String, Currency)>,
    client: &'a AccountClient<'a>,
}

impl<'a> MatchedRows<'a> {
    async fn fetch(
        ports: &Ports,
        client: &'a AccountClient<'a>,
        command: &PostReport,
        wanted: &[&ExactSettlement],
    ) -> Result<Self, StepError> {
        let PostReport { account, report, now, scratch, .. } = command;
        let item = match_rows::known(ports, account, *report).await?;
        let Some(item) = item.filter(|item| wanted.iter().all(|exact| item.settlements.contains(&exact.key))) else {
            let what = format!("The lines of report {}", report.short());
            return Err(StepError::Busy { what, until: *now });
        };
        let file = NamedTempFile::new_in(scratch)?;
        match_rows::fetch(ports, account, &item, &file).await?;
        let rows = tables::read_matches(File::open(file.path())?)?;
        let name = |key: SettleKey| (key.merchant_number.into(), key.settlement_id.into(), key.currency);
        Ok(MatchedRows { rows, settlements: item.settlements.into_iter().map(name).collect(), client })
    }

    /// The row of a line, when its settlement is in force: rows have the order of the lines.
    fn next(&mut self, line: &LineRecord) -> Result<Option<MatchRow>, StepError> {
        let name = (line.merchant_number.clone(), line.settlement_id.clone(), line.currency);
        if !self.settlements.contains(&name) {
            return Ok(None);
        }
        let row = self.rows.next().transpose()?;
        let is_of_line = |row: &MatchRow| {
            (row.line_no, row.currency) == (line.line_no, line.currency)
                && (&row.settlement_id, &row.merchant_number) == (&line.settlement_id, &line.merchant_number)
        };
        row.filter(is_of_line).map(Some).ok_or_else(|| {
            let message = format!(
                "Line {} of settlement {} is not where its report was matched. Run `avstem match` again",
                line.line_no, line.settlement_id
            );
            StepError::Refused(message)
        })
    }

    fn of(&self, line: &LineRecord, row: MatchRow, exact: &ExactSettlement) -> LineIs {
        let elsewhere = |added: &&LineRecord| added.kind == LineKind::Adjustment;
        let mut elsewhere = exact.added.iter().filter(elsewhere);
        if line.provider_method.is_some() && elsewhere.any(|added| added.provider_method == line.provider_method) {
            return LineIs::Nothing;
        }
        match (row.state.as_str(), row.transaction_id) {
            ("not_a_transaction", _) => LineIs::Nothing,
            ("matched", Some(transaction)) if self.client.owns(&transaction) => LineIs::Event(transaction),
            ("matched", Some(transaction)) => {
                LineIs::Unmatched(format!("transaction {transaction} is of another account"))
            }
            _ => LineIs::Unmatched(row.reason),
        }
    }
}

impl Plan {
    /// A plan that follows the outbox of an earlier planning, when there is one.
    fn after(exact: &ExactSettlement, known: Option<&(OutboxItem, u64)>) -> Self {
        let same_version = known.filter(|(item, _)| item.version == exact.version.version);
        Plan { late: same_version.map(|(item, _)| LateLines::of(item)).unwrap_or_default(), ..Plan::default() }
    }

    fn add(&mut self, line: &LineRecord, exact: &ExactSettlement, is: LineIs) {
        let terms = &line.terms;
        let fee = match exact.version.settlement.fees {
            // What is invoiced is not taken off the payout.
            Fees::Invoiced => 0,
            Fees::Deducted | Fees::Unknown => i128::from(terms.fee_minor) + i128::from(terms.fee_vat_minor),
        };
        let rest = [terms.chargeback_minor, terms.reserve_minor, terms.adjustment_minor];
        let rest: i128 = rest.into_iter().map(i128::from).sum();
        let net = i128::from(terms.capture_minor) + i128::from(terms.refund_minor) - fee + rest;
        self.net += net;
        let money = [i128::from(terms.capture_minor), -i128::from(terms.refund_minor), fee];
        self.late.add(line, net, money, &is);
        let why = match is {
            LineIs::Event(transaction) => {
                let (lines, sums) = self.events.entry(transaction).or_default();
                *lines += 1;
                sums.iter_mut().zip(money).for_each(|(sum, minor)| *sum += minor);
                self.not_postable += rest;
                return;
            }
            LineIs::Nothing => {
                self.not_postable += net;
                return;
            }
            LineIs::Unmatched(why) => why,
        };
        self.unmatched_net += net;
        self.unmatched_lines += 1;
        if self.unmatched.len() < UNMATCHED_SHOWN_MAX {
            let (line_no, order_reference) = (line.line_no, line.order_reference.clone());
            let net_minor = i64::try_from(net).unwrap_or(i64::MAX);
            self.unmatched.push(UnmatchedLine { line_no, order_reference, net_minor, why });
        }
    }

    /// Holds the events of the lines against those that were planned or told before.
    fn compare<'a>(
        &self,
        exact: &ExactSettlement,
        planned: impl Iterator<Item = &'a PlannedEvent>,
    ) -> Result<Compared<'a>, StepError> {
        let planned = planned.filter(|event| event.state != EventState::Superseded);
        let mut planned: BTreeMap<&str, &PlannedEvent> = planned.map(|event| (event.id.as_str(), event)).collect();
        let mut compared = Compared::default();
        for (transaction, (lines, sums)) in &self.events {
            let event = event_of(&exact.key, *sums)?;
            let id = event_id(&exact.key, transaction, None);
            let now_minor = event.amount_minor;
            compared.events_minor += i128::from(now_minor);
            let state = first_state(&exact.key, &event);
            let plan = PlannedEvent { id, transaction: transaction.clone(), event, lines: *lines, state };
            let Some(planned) = planned.remove(plan.id.as_str()) else {
                compared.events.push(plan);
                continue;
            };
            if planned.event.money() == plan.event.money() {
                continue;
            }
            compared.differing.push(planned);
            if planned.state == EventState::Planned || is_seeded(Defect::ChangedEventPosted) {
                compared.events.push(plan);
            } else {
                compared.changed.push(changed(planned, now_minor));
            }
        }
        // What no line speaks of any more was told for nothing.
        let sent = planned.values().filter(|planned| planned.state != EventState::Planned);
        compared.changed.extend(sent.map(|planned| changed(planned, 0)));
        compared.differing.extend(planned.into_values());
        Ok(compared)
    }

    /// Writes the batches, then the outbox that names them: what it does not name is never sent.
    ///
    /// Where the same version was planned before and an event differs now, only transactions are read otherwise than
    /// before, and nothing that was planned moves; [`LateLines::plan`] says what becomes of the lines that had none.
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
        let planned = || earlier.iter().flat_map(|(_, batch, _)| &batch.events);
        let Compared { mut events, events_minor, changed, differing } = self.compare(exact, planned())?;
        let same_version = known.as_ref().filter(|(item, _)| item.version == exact.version.version);
        let mut item = match same_version {
            Some((item, _)) if !differing.is_empty() || !item.changed.is_empty() => {
                let lines_of = |transaction: &str| self.events.get(transaction).map_or(0, |(lines, _)| *lines);
                let (late, item) = self.late.plan(&exact.key, item, planned(), lines_of)?;
                events = late;
                item
            }
            _ => {
                supersede(ports, exact, &earlier, &differing, now).await?;
                OutboxItem {
                    settlement: exact.key.clone(),
                    version: exact.version.version,
                    batches: known.as_ref().map(|(item, _)| item.batches.clone()).unwrap_or_default(),
                    lines_minor: counted(self.net)?,
                    events_minor: counted(events_minor)?,
                    not_postable_minor: counted(self.not_postable)?,
                    unmatched_minor: if is_seeded(Defect::OutboxWithoutUnmatched) {
                        0
                    } else {
                        counted(self.unmatched_net)?
                    },
                    unmatched_lines: self.unmatched_lines,
                    unmatched: self.unmatched,
                    changed,
                }
            }
        };
        events.sort_by(|a, b| a.id.cmp(&b.id));
        let made = make_batches(exact, &events);
        write_batches(ports, exact, &made).await?;
        item.batches.extend(made.into_iter().map(|(id, _)| id));
        if known.as_ref().is_some_and(|(known, _)| *known == item) || is_seeded(Defect::OutboxUnwritten) {
            return Ok(item);
        }
        let place = Place::outbox(&exact.key);
        let what = format!(
            "planned version {}; events: {}, lines without a transaction: {}, events changed: {}",
            item.version,
            events.len(),
            item.unmatched_lines,
            item.changed.len()
        );
        let revision = known.map(|(_, revision)| revision);
        let expect = revision.map_or(Expect::Absent, Expect::Revision);
        let entry = journal(&place, revision.unwrap_or(0) + 1, now, Order::Posting, what)?;
        ports.state.transact(&[place.put(&item, expect)?, entry, mark_settlement_dirty(&exact.key)?]).await?;
        Ok(item)
    }
}

fn counted(minor: i128) -> Result<i64, StepError> {
    i64::try_from(minor)
        .map_err(|_| StepError::Refused("The events of a settlement sum beyond all counting".to_owned()))
}

fn event_of(key: &SettleKey, [capture, refund, fee]: [i128; 3]) -> Result<SettlementEvent, StepError> {
    let settlement_id = &key.settlement_id;
    Ok(SettlementEvent {
        provider_reference: settlement_id.to_string(),
        settlement_id: settlement_id.to_string(),
        event_correlation_id: None,
        amount_minor: counted(capture - refund - fee)?,
        capture_minor: counted(capture)?,
        refund_minor: counted(refund)?,
        fee_minor: counted(fee)?,
    })
}

/// Events that an earlier version planned with other money are not sent any more: those that were never sent make room
/// for the new ones, and a person sets right the others.
async fn supersede(
    ports: &Ports,
    exact: &ExactSettlement,
    earlier: &[(String, BatchItem, u64)],
    differing: &[&PlannedEvent],
    now: Timestamp,
) -> Result<(), StepError> {
    let version = exact.version.version;
    let differing: BTreeSet<&str> = differing.iter().map(|event| event.id.as_str()).collect();
    for (id, batch, revision) in earlier {
        let mut batch = batch.clone();
        let mut held = 0;
        for event in batch.events.iter_mut().filter(|event| !event.state.is_ended()) {
            if !differing.contains(event.id.as_str()) {
                continue;
            }
            event.state = match event.state {
                EventState::Planned => EventState::Superseded,
                _ => EventState::Human {
                    why: format!("it was {} when version {version} came with another amount", event.state.word()),
                },
            };
            held += 1;
        }
        if held == 0 {
            continue;
        }
        if let Some(until) = batch.lease_until.filter(|until| *until > now) {
            return Err(StepError::Busy { what: format!("Batch {}", id.get(..12).unwrap_or(id)), until });
        }
        let place = Place::batch(&exact.key, id);
        let what = format!("{held} events superseded by version {version}");
        let entry = journal(&place, revision + 1, now, Order::Posting, what)?;
        let mark = mark_settlement_dirty(&exact.key)?;
        ports.state.transact(&[place.put(&batch, Expect::Revision(*revision))?, entry, mark]).await?;
    }
    Ok(())
}

/// Dintero's minor units must be the provider's, since nothing is converted here, and what is given back of a fee has no
/// documented form.
fn first_state(key: &SettleKey, event: &SettlementEvent) -> EventState {
    let SettleKey { provider, currency, .. } = key;
    let (theirs, ours) = (exponent("dintero", *currency), exponent(provider, *currency));
    let [_, parts @ ..] = event.money();
    if theirs != ours {
        return EventState::Human {
            why: format!("{provider} counts {currency} with {ours} decimals, Dintero {theirs}"),
        };
    }
    if parts.iter().any(|minor| *minor < 0) {
        let [capture, refund, fee] = parts.map(|minor| MajorUnits::new(minor, ours));
        let why = format!("capture {capture}, refund {refund} and fee {fee} cannot be told as amounts not below zero");
        return EventState::Human { why };
    }
    EventState::Planned
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
        (BatchItem::id_of(item.version, events), item)
    };
    events.chunks(EVENTS_MAX).map(batch).collect()
}

/// A batch that is there already is of an earlier planning that was cut off, and the same to the byte: its id says so.
async fn write_batches(ports: &Ports, exact: &ExactSettlement, made: &[(String, BatchItem)]) -> Result<(), StepError> {
    let writes: Vec<Put> = made
        .iter()
        .map(|(id, item)| Place::batch(&exact.key, id).put(item, Expect::Absent))
        .collect::<Result<_, _>>()?;
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
