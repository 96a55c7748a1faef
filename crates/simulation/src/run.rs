//! One run of a scenario: messages are delivered until they are acknowledged, postings are resumed until they have ended,
//! and then the end state is checked.

mod held_up;
mod look_after;
pub(crate) mod mailing;
mod releasing;
mod sweeping;

use std::collections::BTreeSet;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use formats::Limits;
use jiff::SignedDuration;
use pipeline::StepError;
use pipeline::intake::parse::ParseReport;
use pipeline::operate::process;
use pipeline::posting::post::{self, PostAccount};
use settlement::{AccountId, ReportId};
use store::{BatchItem, EventState, OutboxItem, Place, PlannedEvent, ReportItem, ReportState, SettlementItem};

pub use self::held_up::HeldUp;
use crate::end_state;
use crate::faults::Script;
use crate::generate::Seed;
use crate::in_force;
use crate::poll::to_end;
use crate::scenario::{Scenario, Upload};
use crate::violation::Violation;
use crate::watch::name_of;
use crate::world::{SECRET_MARK, Worker, World, locked};
use sandbox::{BUYER_MARK, TOKEN_MARK};

/// How long the lease of a report or a batch lasts.
const LEASE: SignedDuration = SignedDuration::from_mins(5);

/// An unacknowledged message comes again after this time.
const AGAIN: SignedDuration = SignedDuration::from_mins(6);

/// Everything must end within this many rounds.
const ROUNDS_MAX: usize = 80;

/// Some workers look at a posting sooner than that, while it may still arrive.
const SOON: [SignedDuration; 2] = [SignedDuration::from_secs(10), SignedDuration::from_secs(45)];

/// A posting is retried for hours before it is left to a person.
const POSTING_ROUNDS_MAX: usize = 3 * ROUNDS_MAX;

/// The order in which messages come once each, one after the other.
pub(crate) const QUIET_ORDER: u64 = 0;

/// The bit of an order that leaves postings to sweeps alone.
const SWEPT: u64 = 2;

/// What a run that violated no rule did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ran {
    /// Calls of all workers until everything had ended for the first time.
    pub calls: usize,
    /// Those of them that were not reads.
    pub effects: usize,
    /// Hash of everything that happened.
    pub trace: u64,
}

/// Gives the script of the next worker, from the number of workers before it.
pub type Scripts<'a> = &'a mut dyn FnMut(usize) -> Script;

type Task = Pin<Box<dyn Future<Output = Result<Option<(AccountId, ReportId)>, StepError>> + Send>>;

/// A run of a scenario.
pub struct Run<'a> {
    world: Arc<World>,
    scenario: &'a Scenario,
    scratch: &'a Path,
    /// The scripts of workers; without them nothing is disturbed any more.
    scripts: Option<Scripts<'a>>,
    order: Seed,
    /// Whether messages are lost and delivered twice.
    is_lossy: bool,
    /// Whether only sweeps resume postings.
    is_swept: bool,
    /// Messages come again, and postings are resumed, after this time.
    again: SignedDuration,
    workers: usize,
    calls: usize,
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("workers", &self.workers).field("calls", &self.calls).finish()
    }
}

impl<'a> Run<'a> {
    /// A run from the beginning of a scenario; `order` decides which worker makes the next call.
    pub fn new(scenario: &'a Scenario, scratch: &'a Path, order: u64, scripts: Scripts<'a>) -> Self {
        let world = Arc::new(scenario.world.fork());
        let is_lossy = order != QUIET_ORDER;
        let is_swept = order & SWEPT != 0;
        let (scripts, order) = (Some(scripts), Seed(order));
        Run { world, scenario, scratch, scripts, order, is_lossy, is_swept, again: AGAIN, workers: 0, calls: 0 }
    }

    /// The run in which everything is tried again before a posting is sure to have arrived.
    #[must_use]
    pub fn hasty(self) -> Self {
        let [soon, _] = SOON;
        Run { again: soon, ..self }
    }

    /// The run in which only sweeps resume postings.
    #[must_use]
    pub fn swept(self) -> Self {
        Run { is_swept: true, ..self }
    }

    /// Makes the run, and repeats everything once at its end, which must have no effect.
    ///
    /// # Errors
    /// With the first rule that did not hold.
    pub fn make(mut self) -> Result<Ran, Violation> {
        self.deliver()?;
        self.release()?;
        self.post()?;
        let (calls, effects) = (self.calls, self.world.effects());
        self.look_after()?;
        for late in &self.scenario.late {
            locked(&self.world.sandbox).add_transaction(late.clone());
        }
        self.look_after()?;
        self.mail()?;
        self.check_end()?;
        self.check_mails()?;
        let before = self.effects();
        // Everything once more, which must have no effect.
        self.scripts = None;
        self.deliver()?;
        self.release()?;
        self.post()?;
        self.look_after()?;
        self.mail()?;
        let after = self.effects();
        if after != before {
            let new = |after: &[String], before: &[String]| -> Vec<String> {
                after.iter().filter(|effect| !before.contains(effect)).cloned().collect()
            };
            let (events, keys) = (new(&after.0, &before.0), new(&after.1, &before.1));
            return Err(Violation(format!("L7: repeating everything had an effect: {events:?} {keys:?}")));
        }
        let trace = locked(&self.world.watch).trace();
        Ok(Ran { calls, effects, trace })
    }

    /// Delivers every message until it is acknowledged: several at once, and some of them twice.
    fn deliver(&mut self) -> Result<(), Violation> {
        let last = self.scenario.uploads.iter().map(|upload| upload.phase).max().unwrap_or_default();
        for phase in 0..=last {
            let arrived = self.scenario.uploads.iter().filter(|upload| upload.phase == phase);
            let mut arrived: Vec<Upload> = arrived.cloned().collect();
            if self.is_lossy && self.scripts.is_some() {
                // A notification can be lost; only the sweep finds its object then.
                arrived.retain(|_| self.order.below(6) != 0);
            }
            self.deliver_all(arrived)?;
            self.sweep(phase)?;
            let words: Vec<Option<String>> = self.scenario.uploads.iter().map(|upload| self.state_of(upload)).collect();
            if words.iter().flatten().any(|word| word == "CRASHED") {
                // Later phases need what was given up.
                return Ok(());
            }
        }
        Ok(())
    }

    fn deliver_all(&mut self, mut waiting: Vec<Upload>) -> Result<(), Violation> {
        for _ in 0..ROUNDS_MAX {
            if waiting.is_empty() {
                return Ok(());
            }
            let mut again = Vec::new();
            while !waiting.is_empty() {
                let most = if self.is_lossy { 3 } else { 1 };
                let together = usize::try_from(1 + self.order.below(most)).unwrap_or(1).min(waiting.len());
                let mut together: Vec<Upload> = waiting.drain(..together).collect();
                if self.is_lossy && self.scripts.is_some() && self.order.below(4) == 0 {
                    together.extend(together.first().cloned());
                }
                let tasks: Vec<(Worker, Task)> = together.iter().map(|upload| self.message(upload)).collect();
                let ended = self.interleave(tasks)?;
                if self.is_lossy && self.scripts.is_some() && self.order.below(3) == 0 {
                    // Postings are resumed at any time between messages.
                    let mut others = Vec::new();
                    if !self.is_swept {
                        others.push(self.resuming());
                    }
                    others.push(self.mailing());
                    self.interleave(others)?;
                }
                let mut left: Vec<Upload> = Vec::new();
                for (upload, acknowledged) in together.into_iter().zip(ended) {
                    if !acknowledged && !self.is_lost(&upload) {
                        left.push(upload);
                    }
                }
                again.extend(left);
            }
            waiting = again;
            self.world.clock.advance(self.again);
        }
        Err(Violation(format!("L1: {} messages are never acknowledged", waiting.len())))
    }

    fn message(&mut self, upload: &Upload) -> (Worker, Task) {
        let worker = self.worker();
        let command = ParseReport {
            landing: upload.landing.clone(),
            version: upload.version.clone(),
            now: self.world.clock.now(),
            lease: LEASE,
            scratch: self.scratch.to_owned(),
            limits: Limits::default(),
            adopts_merchants: false,
        };
        let (ports, dintero) = (worker.ports(), worker.dintero());
        let account = upload.landing.account.clone();
        let task = async move {
            let gone = process::process_upload(&ports, Some(&dintero), &command).await?;
            gone.posted?;
            Ok(gone.outcome.report.map(|report| (account, report)))
        };
        (worker, Box::pin(task))
    }

    fn worker(&mut self) -> Worker {
        let script = self.scripts.as_mut().map_or_else(Script::quiet, |scripts| scripts(self.workers));
        self.workers += 1;
        Worker::new(&self.world, self.workers, script)
    }

    /// Runs workers by turns until each has ended or died; tells which have ended.
    fn interleave(&mut self, tasks: Vec<(Worker, Task)>) -> Result<Vec<bool>, Violation> {
        let mut done = vec![false; tasks.len()];
        let mut live: Vec<(usize, Worker, Task)> =
            tasks.into_iter().enumerate().map(|(number, (worker, task))| (number, worker, task)).collect();
        while !live.is_empty() {
            let place = usize::try_from(self.order.below(live.len() as u64)).unwrap_or_default();
            let Some((number, worker, task)) = live.get_mut(place) else { break };
            let number = *number;
            let polled = task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if let Some(violation) = locked(&self.world.watch).violation.take() {
                return Err(Violation(violation));
            }
            let ended = match polled {
                Poll::Pending => worker.is_dead(),
                Poll::Ready(Ok(report)) => {
                    self.check_acknowledged(report)?;
                    if let Some(done) = done.get_mut(number) {
                        *done = true;
                    }
                    true
                }
                // A wrong command stays wrong, whoever retries it.
                Poll::Ready(Err(error)) if !error.is_retryable() && !is_refused_by_port(&error) => {
                    return Err(Violation(format!("a step failed for good: {error}")));
                }
                Poll::Ready(Err(_)) => true,
            };
            if ended {
                self.calls += live.swap_remove(place).1.calls();
            }
        }
        Ok(done)
    }

    /// I10: a report is acknowledged only once it has ended.
    fn check_acknowledged(&self, report: Option<(AccountId, ReportId)>) -> Result<(), Violation> {
        let Some((account, report)) = report else { return Ok(()) };
        let item = to_end(Place::report(report, &account).read::<ReportItem>(&self.world.state)).ok().flatten();
        if item.is_none_or(|(item, _)| matches!(item.state, ReportState::Claimed { .. })) {
            return Err(Violation(format!("I10: report {} is acknowledged while a worker reads it", report.short())));
        }
        Ok(())
    }

    /// Resumes all outboxes until every event has ended; sometimes two workers do so at once.
    fn post(&mut self) -> Result<(), Violation> {
        if self.is_swept {
            return self.post_by_sweeps();
        }
        for _ in 0..POSTING_ROUNDS_MAX {
            if self.open_events().is_empty() && self.is_planned() {
                return Ok(());
            }
            let mut workers = 1;
            let mut pause = self.again;
            if self.is_lossy {
                workers += self.order.below(3) / 2;
                let drawn = usize::try_from(self.order.below(4)).unwrap_or_default();
                pause = SOON.into_iter().nth(drawn).unwrap_or(self.again);
            }
            self.world.clock.advance(pause);
            let tasks: Vec<(Worker, Task)> = (0..workers).map(|_| self.resuming()).collect();
            self.interleave(tasks)?;
        }
        Err(Violation(format!("L2: events never end: {:?}", self.open_events())))
    }

    /// One process that resumes the postings of every account.
    fn resuming(&mut self) -> (Worker, Task) {
        let worker = self.worker();
        let (ports, dintero) = (worker.ports(), worker.dintero());
        let (accounts, now) = (self.scenario.accounts.clone(), self.world.clock.now());
        let scratch = self.scratch.to_owned();
        let task = async move {
            for account in accounts {
                let command = PostAccount { account, now, lease: LEASE, scratch: scratch.clone() };
                post::go_on(&ports, &dintero, &command).await?;
            }
            Ok(None)
        };
        (worker, Box::pin(task))
    }

    /// Whether every settlement in force has an outbox, and each of its events is in a batch.
    fn is_planned(&self) -> bool {
        let records = self.world.state.all();
        let of = |partition: &'static str| records.iter().filter(move |item| item.partition.starts_with(partition));
        let committed = of("REPORT#").filter_map(|item| store::decode::<ReportItem>(item).ok());
        let committed: Vec<ReportId> =
            committed.filter(|item| item.state == ReportState::Committed).map(|item| item.report).collect();
        let settlements = of("SETTLEMENT#").filter_map(|item| store::decode::<SettlementItem>(item).ok());
        let versions = settlements.flat_map(|item| item.versions);
        let in_force = versions.filter(|version| committed.contains(&version.report));
        let in_force: BTreeSet<String> =
            in_force.map(|version| version.settlement.head.settlement_id.to_string()).collect();
        let planned: BTreeSet<(String, String)> = self
            .batches()
            .into_iter()
            .flat_map(|batch| batch.events)
            .map(|planned| (planned.transaction, planned.event.settlement_id))
            .collect();
        let expected = self.scenario.expected(self.is_corrected());
        let mut expected = expected.into_iter().filter(|(_, settlement, _)| in_force.contains(settlement));
        expected.all(|(transaction, settlement, _)| planned.contains(&(transaction, settlement)))
            && of("OUTBOX#").count() == in_force.len()
    }

    /// The batches that an outbox names; other batches are left over from a plan that was cut off, and are never sent.
    fn batches(&self) -> Vec<BatchItem> {
        let listed = self.listed_batches();
        let records = self.world.state.all();
        let batches = records.iter().filter(|item| item.partition.starts_with("BATCH#"));
        let batches = batches.filter(|item| listed.iter().any(|id| item.sort.ends_with(id.as_str())));
        batches.filter_map(|item| store::decode(item).ok()).collect()
    }

    fn open_events(&self) -> Vec<String> {
        let open = self.batches().into_iter().flat_map(|batch| batch.events);
        open.filter(|event| !event.state.is_ended()).map(|event| event.transaction).collect()
    }

    fn listed_batches(&self) -> Vec<String> {
        let records = self.world.state.all();
        let outboxes = records.iter().filter(|item| item.partition.starts_with("OUTBOX#"));
        outboxes.filter_map(|item| store::decode::<OutboxItem>(item).ok()).flat_map(|item| item.batches).collect()
    }

    /// Every effect outside the records: events at Dintero, mails, and objects, except the problems that each reading of a held
    /// report stores.
    fn effects(&self) -> (Vec<String>, Vec<String>) {
        let sandbox = locked(&self.world.sandbox);
        let mut events: Vec<String> =
            sandbox.settlement_events().map(|(id, event)| format!("{id} {event:?}")).collect();
        events.extend(locked(&self.world.mailbox).sent().map(|mail| format!("mail {mail}")));
        let mut keys = self.world.objects.keys();
        keys.retain(|key| !key.contains("/held/"));
        (events, keys)
    }

    fn check_end(&mut self) -> Result<(), Violation> {
        to_end(self.world.settle());
        if let Some(violation) = locked(&self.world.watch).violation.take() {
            return Err(Violation(violation));
        }
        let words: Vec<Option<String>> = self.scenario.uploads.iter().map(|upload| self.state_of(upload)).collect();
        // A report that killed its readers too often is given up, and nothing that depends on it happens.
        let given_up = words.iter().flatten().any(|word| word == "CRASHED");
        for (upload, word) in self.scenario.uploads.iter().zip(words).filter(|_| !given_up) {
            let ends = self.scenario.ends_of(upload);
            if !word.as_deref().is_some_and(|word| ends.contains(&word)) {
                let name = &upload.landing.name;
                return Err(Violation(format!("L1: {name} ended as {word:?}, expected {ends:?}")));
            }
        }
        let is_corrected = self.is_corrected();
        for event in self.batches().iter().flat_map(|batch| &batch.events) {
            let refused = matches!(event.state, EventState::Refused { .. });
            let is_right = match event.state {
                EventState::Human { .. } => true,
                EventState::Superseded => is_corrected,
                EventState::Posted { .. } | EventState::Refused { .. } => {
                    refused == self.scenario.refused.contains(&event.transaction)
                }
                _ => false,
            };
            if !is_right {
                return Err(Violation(format!("L2: {} ended as {:?}", event.transaction, event.state)));
            }
        }
        in_force::check_once(&self.world.state.all())?;
        if !given_up {
            end_state::check(&self.world, self.scenario, is_corrected, self.scratch)?;
        }
        if !given_up {
            self.check_posted(is_corrected)?;
        }
        for key in self.world.objects.keys().iter().filter(|key| key.starts_with("mirror/")) {
            let bytes = self.world.objects.newest(key).unwrap_or_default();
            if String::from_utf8_lossy(&bytes).contains(BUYER_MARK) {
                return Err(Violation(format!("I12: {BUYER_MARK} is in {key}")));
            }
        }
        for item in self.world.state.all() {
            let text = item.body.to_string();
            for mark in [SECRET_MARK, "KANARI", BUYER_MARK, TOKEN_MARK] {
                if text.contains(mark) {
                    return Err(Violation(format!("I12: {mark} is in {} {}", item.partition, item.sort)));
                }
            }
        }
        match self.world.objects.rewritten(&["landing/", "mirror/", "lake/v1/"]) {
            Some(key) => Err(Violation(format!("I5: object {key} was written twice"))),
            None => Ok(()),
        }
    }

    /// L2: every event in force is at Dintero, except events that a correction changed while they were being posted: these are
    /// left to a person.
    fn check_posted(&self, is_corrected: bool) -> Result<(), Violation> {
        let sandbox = locked(&self.world.sandbox);
        let posted: BTreeSet<_> = sandbox.settlement_events().map(|(id, event)| name_of(id, event)).collect();
        let batches = self.batches();
        let correction = self.scenario.correction.as_ref().filter(|_| is_corrected);
        for name in self.scenario.expected(is_corrected).difference(&posted) {
            let is_it = |event: &&PlannedEvent| name_of(&event.transaction, &event.event) == *name;
            let states: Vec<_> =
                batches.iter().flat_map(|batch| &batch.events).filter(is_it).map(|event| &event.state).collect();
            let is_left = states.iter().any(|state| matches!(state, EventState::Human { .. }));
            if !(is_left && correction.is_some_and(|correction| correction.events.contains_key(name))) {
                return Err(Violation(format!("L2: {name:?} never arrived at Dintero; recorded as {states:?}")));
            }
        }
        Ok(())
    }

    fn state_of(&self, upload: &Upload) -> Option<String> {
        let key = format!("landing/{}/{}/{}", upload.landing.account, upload.landing.provider, upload.landing.name);
        let object = to_end(Place::object(&key, &upload.version).read::<store::ObjectItem>(&self.world.state));
        let report = object.ok()??.0.report?;
        let item = to_end(Place::report(report, &upload.landing.account).read::<ReportItem>(&self.world.state));
        Some(item.ok()??.0.state.word())
    }
}

/// Whether a store refused the call, which is not the fault of the step.
fn is_refused_by_port(error: &StepError) -> bool {
    matches!(error, StepError::Port(error) if error.kind == store::PortErrorKind::Refused)
}
