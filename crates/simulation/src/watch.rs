//! The rules that must hold after every call, whoever makes it, checked from outside the steps.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use dintero::{NoResponse, Request, Response, Sent};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use settlement::{AccountId, SettlementEvent};
use store::{BatchItem, EventState, Item, OutboxItem, Put, ReportItem, ReportState, decode};

use crate::faults::{Effect, Mode};
use sandbox::{RequestKind, Sandbox};

/// A posting of unknown outcome may still arrive within this time.
const ARRIVES_WITHIN: SignedDuration = SignedDuration::from_secs(60);

/// What identifies a settlement event at Dintero: transaction, settlement, event of the transaction.
pub type EventName = (String, String, Option<String>);

/// What the checks remember between calls.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// The settlement events that Dintero may ever have, with the amounts that they may have.
    allowed: BTreeMap<EventName, Vec<[i64; 4]>>,
    /// The first rule that did not hold.
    pub violation: Option<String>,
    /// Transactions that each worker has read, and when any worker last read them.
    read_by: BTreeSet<(usize, String)>,
    last_read: BTreeMap<String, Timestamp>,
    /// Transactions and settlements with a posting of unknown outcome, and since when.
    open: BTreeMap<(String, String), Timestamp>,
    events_seen: usize,
    trace: DefaultTrace,
}

/// A hash of everything that happened.
#[derive(Debug, Clone, Default)]
struct DefaultTrace(DefaultHasher);

impl Watch {
    /// A watch over a Dintero that may only ever have these events.
    pub fn new(allowed: &BTreeMap<EventName, [i64; 4]>) -> Self {
        let mut watch = Watch::default();
        watch.allow(allowed);
        watch
    }

    /// Allows these events from now on as well, also with other amounts for events that are allowed already.
    pub(crate) fn allow(&mut self, events: &BTreeMap<EventName, [i64; 4]>) {
        for (name, money) in events {
            self.allowed.entry(name.clone()).or_default().push(*money);
        }
    }

    /// A hash of all calls so far; equal runs have equal hashes.
    pub fn trace(&self) -> u64 {
        self.trace.0.finish()
    }

    fn violated(&mut self, what: impl FnOnce() -> String) {
        if self.violation.is_none() {
            self.violation = Some(what());
        }
    }

    pub(crate) fn traced(&mut self, worker: usize, effect: Effect, what: &str, mode: Option<&Mode>) {
        (worker, format!("{effect:?} {mode:?}"), what).hash(&mut self.trace.0);
    }

    /// I1, I5: what is written keeps the sums, and states only move forward.
    pub(crate) fn written(&mut self, before: &BTreeMap<(String, String), Item>, writes: &[Put], at: Timestamp) {
        for put in writes {
            let known = before.get(&(put.partition.clone(), put.sort.clone()));
            let what = || format!("{} {}", put.partition, put.sort);
            match put.partition.split('#').next() {
                Some("REPORT") => self.report_written(known, writes, put, at, &what()),
                Some("BATCH") => self.batch_written(known, put, at, &what()),
                Some("OUTBOX") => self.outbox_written(put, &what()),
                _ => {}
            }
            (put.partition.as_str(), put.sort.as_str(), put.body.to_string()).hash(&mut self.trace.0);
        }
    }

    fn report_written(&mut self, known: Option<&Item>, writes: &[Put], put: &Put, at: Timestamp, what: &str) {
        let Ok(now) = serde_json::from_value::<ReportItem>(put.body.clone()) else { return };
        let was = known.and_then(|known| decode::<ReportItem>(known).ok());
        let is_claim = matches!(now.state, ReportState::Claimed { .. });
        let (under, is_claimed) = match was.as_ref().map(|was| &was.state) {
            Some(ReportState::Claimed { lease_until }) => (was.as_ref().map(|was| was.attempts), *lease_until > at),
            _ => (None, false),
        };
        // A claim is written together with the record of the object; a report written alone gives a claim back or takes it over.
        let takes = is_claim && writes.len() > 1;
        if takes && is_claimed {
            self.violated(|| format!("I5: {what} is claimed while another worker reads it"));
        }
        if !is_claim && now.state != ReportState::Released && under != Some(now.attempts) {
            self.violated(|| format!("I5: {what} becomes {} under a claim that is over", now.state.word()));
        }
        let ended = |state: &ReportState| matches!(state, ReportState::Committed | ReportState::Duplicate);
        if let Some(was) = was.filter(|was| ended(&was.state) && was.state != now.state) {
            self.violated(|| format!("I5: {what} was {} and became {}", was.state.word(), now.state.word()));
        }
    }

    fn batch_written(&mut self, known: Option<&Item>, put: &Put, at: Timestamp, what: &str) {
        let Ok(now) = serde_json::from_value::<BatchItem>(put.body.clone()) else { return };
        if now.events.is_empty() || now.events.len() > store::EVENTS_MAX {
            self.violated(|| format!("I11: {what} has {} events", now.events.len()));
        }
        if now.attempt > 0 && now.lease_until.or(now.not_before).is_none() && !now.is_ended() {
            self.violated(|| format!("L2: {what} is given back as if nothing were left to be sent"));
        }
        let Some(was) = known.and_then(|known| decode::<BatchItem>(known).ok()) else { return };
        if now.attempt > was.attempt && was.lease_until.is_some_and(|until| until > at) {
            self.violated(|| format!("I5: {what} is taken up while another worker has it"));
        }
        let same = was.events.iter().map(|event| (&event.id, event.event.money()));
        if !same.eq(now.events.iter().map(|event| (&event.id, event.event.money()))) {
            self.violated(|| format!("I5: {what} has other events than it was made of"));
        }
        if now.attempt < was.attempt {
            self.violated(|| format!("I5: {what} goes back from attempt {} to {}", was.attempt, now.attempt));
        }
        for (was, now) in was.events.iter().zip(&now.events) {
            let posted = matches!(was.state, EventState::Posted { .. });
            if posted && was.state != now.state {
                self.violated(|| format!("I5: {} was POSTED and became {}", was.transaction, now.state.word()));
            }
        }
    }

    fn outbox_written(&mut self, put: &Put, what: &str) {
        let Ok(item) = serde_json::from_value::<OutboxItem>(put.body.clone()) else { return };
        let sum = item.events_minor + item.not_postable_minor + item.unmatched_minor;
        if sum != item.lines_minor {
            self.violated(|| format!("I1: {what} has lines of {} and parts of {sum}", item.lines_minor));
        }
    }

    /// I6, I7, I11: what is about to be posted is recorded, and its transactions were read before.
    pub(crate) fn posting(&mut self, worker: usize, request: &Request, now: Timestamp, records: &[Item]) {
        let body = request.body.as_deref().unwrap_or_default();
        let of = |kind: &'static str| records.iter().filter(move |item| item.partition.starts_with(kind));
        let outboxes: Vec<OutboxItem> = of("OUTBOX#").filter_map(|item| decode(item).ok()).collect();
        let written = of("BATCH#").any(|item| {
            let Ok(batch) = decode::<BatchItem>(item) else { return false };
            let named = |outbox: &OutboxItem| outbox.batches.iter().any(|id| item.sort.ends_with(id.as_str()));
            batch.body.as_deref() == Some(body)
                && batch.events.iter().any(|event| event.state == EventState::InFlight)
                && outboxes.iter().any(|outbox| outbox.settlement == batch.settlement && named(outbox))
        });
        if !written {
            self.violated(|| "I6: a posting was sent that is not recorded as being sent".to_owned());
        }
        let posted = posted_in(body);
        let transactions: BTreeSet<&String> = posted.iter().map(|(transaction, _)| transaction).collect();
        if !(1..=100).contains(&transactions.len()) {
            self.violated(|| format!("I11: a posting has {} transactions", transactions.len()));
        }
        for (transaction, settlement) in posted {
            if !self.read_by.contains(&(worker, transaction.clone())) {
                self.violated(|| format!("I7: {transaction} is posted by a worker that did not read it before"));
            }
            let name = (transaction.clone(), settlement);
            if let Some(since) = self.open.get(&name).copied() {
                let arrived = since.saturating_add(ARRIVES_WITHIN).unwrap_or(since);
                let was_read_since = self.last_read.get(&transaction).is_some_and(|read| *read >= arrived);
                if now < arrived || !was_read_since {
                    self.violated(|| format!("I7: {transaction} is posted again while an earlier posting may arrive"));
                }
            }
            self.open.insert(name, now);
        }
    }

    /// I9: a request with the token of an account names only transactions of that account.
    pub(crate) fn asking(&mut self, request: &Request, account: Option<&AccountId>) {
        let Some(account) = account else { return };
        let posted = posted_in(request.body.as_deref().unwrap_or_default());
        let ids = asked_for(request).map(str::to_owned).chain(posted.into_iter().map(|(transaction, _)| transaction));
        let is_own = |id: &String| id.split('.').next() == Some(account.as_str());
        if let Some(foreign) = ids.into_iter().find(|id| !is_own(id)) {
            self.violated(|| format!("I9: {foreign} is asked for with a token of {account}"));
        }
    }

    /// Remembers what a response shows.
    pub(crate) fn answered(
        &mut self,
        worker: usize,
        kind: RequestKind,
        request: &Request,
        answer: &Result<Response, NoResponse>,
        now: Timestamp,
    ) {
        match (kind, answer) {
            (RequestKind::Transactions, Ok(answer)) if answer.status == 200 => {
                for id in asked_for(request) {
                    self.read_by.insert((worker, id.to_owned()));
                    self.last_read.insert(id.to_owned(), now);
                }
            }
            (RequestKind::SettlementEvents, answer) if !leaves_open(answer) => {
                for name in posted_in(request.body.as_deref().unwrap_or_default()) {
                    self.open.remove(&name);
                }
            }
            _ => {}
        }
    }

    /// I2, I3, I4: each settlement event is at Dintero once, with the amounts of a version in force.
    pub(crate) fn posted(&mut self, sandbox: &Sandbox) {
        let events: Vec<(&str, &SettlementEvent)> = sandbox.settlement_events().collect();
        if events.len() == self.events_seen {
            return;
        }
        self.events_seen = events.len();
        let mut seen = BTreeSet::new();
        for (transaction, event) in events {
            let name = name_of(transaction, event);
            match self.allowed.get(&name) {
                Some(money) if money.contains(&event.money()) => {}
                Some(money) => {
                    let money = money.clone();
                    self.violated(|| format!("I3: {name:?} has {:?}, expected {money:?}", event.money()));
                }
                None => self.violated(|| format!("I4: {name:?} must not be at Dintero")),
            }
            if !seen.insert(name.clone()) {
                self.violated(|| format!("I2: {name:?} is at Dintero twice"));
            }
        }
    }
}

/// What identifies a settlement event.
pub(crate) fn name_of(transaction: &str, event: &SettlementEvent) -> EventName {
    (transaction.to_owned(), event.settlement_id.clone(), event.event_correlation_id.clone())
}

/// Transactions that are asked for by their ids.
fn asked_for(request: &Request) -> impl Iterator<Item = &str> {
    request.url.split(['?', '&']).filter_map(|part| part.strip_prefix("id="))
}

/// Transactions and settlements of a posting's body.
fn posted_in(body: &str) -> Vec<(String, String)> {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let mut found = Vec::new();
    for transaction in body.get("transactions").and_then(Value::as_array).into_iter().flatten() {
        let id = transaction.get("id").and_then(Value::as_str).unwrap_or_default();
        let events = transaction.pointer("/settlements/events").and_then(Value::as_array);
        for event in events.into_iter().flatten() {
            let settlement = event.get("settlement_id").and_then(Value::as_str).unwrap_or_default();
            found.push((id.to_owned(), settlement.to_owned()));
        }
    }
    found
}

/// Whether an answer does not tell what was done.
fn leaves_open(answer: &Result<Response, NoResponse>) -> bool {
    match answer {
        Ok(answer) => answer.status < 200 || (300..400).contains(&answer.status) || answer.status >= 500,
        Err(error) => error.sent == Sent::Perhaps,
    }
}
