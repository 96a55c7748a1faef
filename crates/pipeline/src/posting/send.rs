//! Sending one batch: read what stands there, write down what is sent, send it once, note what the answer says.

use std::collections::BTreeMap;

use dintero::{Outcome, Signs};
use jiff::{SignedDuration, Timestamp};
use settlement::{Defect, MajorUnits, SettlementEvent, Transaction, exponent, is_seeded};
use store::{Expect, Order, Place, PlannedEvent, PortErrorKind, journal, mark_settlement_dirty};

use crate::transactions::client::AccountClient;
use crate::{Ports, StepError};
use store::{BatchItem, EventState};

/// The longest that Dintero works at a request, as assumed: after twice this time a lost request does not arrive any more.
const SERVER_SECONDS_MAX: i64 = 30;

/// What is not known after so many attempts is left to a person.
const ATTEMPTS_MAX: u32 = 12;

/// Seconds to wait after the first attempt that led nowhere; doubled each time.
const BACK_OFF_SECONDS: i64 = 30;
const BACK_OFF_SECONDS_MAX: i64 = 3_600;

/// Nobody is made to wait for longer than this.
const WAIT_MAX: SignedDuration = SignedDuration::from_hours(6);

/// How the signs of refunds and fees are written.
const SIGNS: Signs = Signs::Magnitudes;

/// A batch in the hands of one worker, for as long as its lease.
pub(super) struct Sender<'a> {
    pub(super) ports: &'a Ports,
    pub(super) client: &'a AccountClient<'a>,
    pub(super) place: Place,
    pub(super) item: BatchItem,
    pub(super) revision: u64,
    pub(super) now: Timestamp,
    pub(super) lease_until: Timestamp,
    /// Until then Dintero wants nothing of the account: it asked to wait, or takes no token, or is not there.
    pub(super) pause: Option<Timestamp>,
}

/// What came of sending some events of a batch.
enum Sent {
    /// All have an answer of their own.
    Taken,
    /// The request was refused as it is.
    Refused(u16, String),
    /// No more can be done now.
    Stopped,
}

impl Sender<'_> {
    /// Takes the batch up and brings it as far as it goes now; says until when nothing more is to be sent at all.
    pub(super) async fn run(mut self) -> Result<(BatchItem, Option<Timestamp>), StepError> {
        self.take_up().await?;
        if !self.reads_back().await? {
            return Ok((self.item, self.pause));
        }
        let planned = self.events_that(|state| *state == EventState::Planned);
        if !planned.is_empty() && self.send(planned).await? == Stop::Yes {
            return Ok((self.item, self.pause));
        }
        let waits = self.item.events.iter().filter_map(|event| match event.state {
            EventState::Unknown { until, .. } => Some(until),
            _ => None,
        });
        // Whether it arrived can be read long before it may be sent again.
        let not_before = waits.max().map(|until| until.min(self.back_off()));
        self.let_go(not_before, "worked through".to_owned()).await?;
        Ok((self.item, None))
    }

    async fn take_up(&mut self) -> Result<(), StepError> {
        let settled = self.settled_by(self.item.lease_until.unwrap_or(self.now));
        for event in &mut self.item.events {
            if event.state == EventState::InFlight {
                let why = "the worker that sent it ended before its answer came".to_owned();
                event.state = EventState::Unknown { until: settled, why };
            }
        }
        if is_seeded(Defect::BatchRemadeOnRetry) {
            self.item.events.retain(|event| !event.state.is_ended());
        }
        self.item.attempt += 1;
        if self.item.attempt > ATTEMPTS_MAX {
            for event in &mut self.item.events {
                if let EventState::Unknown { why, .. } = &event.state {
                    let why = format!("it was read back {ATTEMPTS_MAX} times without an end: {why}");
                    event.state = EventState::Human { why };
                }
            }
        }
        self.item.lease_until = Some(self.lease_until);
        self.item.not_before = None;
        self.save(format!("taken up, attempt {}", self.item.attempt)).await
    }

    /// After this time, whoever sends until `end` has its answer.
    fn settled_by(&self, end: Timestamp) -> Timestamp {
        if is_seeded(Defect::UnknownNotWaitedFor) {
            return self.now;
        }
        end.saturating_add(SignedDuration::from_secs(2 * SERVER_SECONDS_MAX)).unwrap_or(end)
    }

    /// Holds every event that has not ended against what stands at Dintero.
    async fn read_back(&mut self) -> Result<(), StepError> {
        let open = self.events_that(|state| !state.is_ended());
        if open.is_empty() || is_seeded(Defect::NoPreflight) {
            return Ok(());
        }
        let mut ids: Vec<&str> = self.chosen(&open).map(|event| event.transaction.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        let found = self.client.transactions_by_id(&ids).await?;
        let found: BTreeMap<&str, &Transaction> = found.iter().map(|found| (found.id.as_str(), found)).collect();
        let (now, later) = (self.now, self.back_off());
        for event in self.item.events.iter_mut().filter(|event| !event.state.is_ended()) {
            let state = match found.get(event.transaction.as_str()) {
                // It was there when it was matched; an answer without it says nothing of its events, and shortens no wait.
                None => {
                    let until = match event.state {
                        EventState::Unknown { until, .. } => until.max(later),
                        _ => later,
                    };
                    let why = "Dintero's answer lacks its transaction".to_owned();
                    Some(EventState::Unknown { until, why })
                }
                Some(transaction) => state_at_dintero(&event.event, transaction),
            };
            event.state = match (state, &event.state) {
                (Some(state), _) => state,
                (None, EventState::Unknown { until, .. }) if now < *until => continue,
                (None, _) => EventState::Planned,
            };
        }
        self.save("read what stands at Dintero".to_owned()).await
    }

    /// Sends events; one that makes a whole request be refused is found by parting it, and set apart.
    async fn send(&mut self, planned: Vec<usize>) -> Result<Stop, StepError> {
        let mut groups = vec![planned];
        while let Some(mut group) = groups.pop() {
            let (mut status, mut message) = match self.send_together(&group).await? {
                Sent::Taken => continue,
                Sent::Stopped => return Ok(Stop::Yes),
                Sent::Refused(status, message) => (status, message),
            };
            if is_seeded(Defect::RefusalFailsBatch) {
                self.set_all(&group, &EventState::Refused { status, message });
                continue;
            }
            let mut aside = Vec::new();
            let mut alone = group.len() == 1;
            while !alone {
                group.retain(|place| self.is_planned(*place));
                if group.is_empty() {
                    break;
                }
                let mut rest = group.split_off(first_part(group.len()));
                if rest.len() % 2 == 1 && is_seeded(Defect::BisectLosesOne) {
                    rest.pop();
                }
                alone = group.len() == 1;
                match self.send_together(&group).await? {
                    Sent::Stopped => return Ok(Stop::Yes),
                    Sent::Refused(found, said) => {
                        (status, message) = (found, said);
                        aside.extend(rest);
                    }
                    Sent::Taken => {
                        group = rest;
                        alone = false;
                    }
                }
            }
            if let [place] = group[..] {
                self.set(place, EventState::Refused { status, message });
                self.save("one event is refused".to_owned()).await?;
            }
            aside.retain(|place| self.is_planned(*place));
            if !aside.is_empty() {
                groups.push(aside);
            }
        }
        Ok(Stop::No)
    }

    /// One request: written down first, sent once, its answer noted.
    async fn send_together(&mut self, group: &[usize]) -> Result<Sent, StepError> {
        let events: Vec<(&str, &SettlementEvent)> =
            self.chosen(group).map(|event| (event.transaction.as_str(), &event.event)).collect();
        let body = dintero::body(events, SIGNS);
        self.item.body = Some(body.clone());
        self.set_all(group, &EventState::InFlight);
        if is_seeded(Defect::PostedBeforePost) {
            self.set_all(group, &EventState::Posted { found: false });
        }
        self.save(format!("sending, events: {}", group.len())).await?;
        let outcome = self.client.add_settlement_events(&body, self.lease_until).await;
        self.note(group, outcome).await
    }

    async fn note(&mut self, group: &[usize], outcome: Outcome) -> Result<Sent, StepError> {
        let (wait, why) = match outcome {
            Outcome::Applied(listed) => return self.note_applied(group, &listed).await,
            Outcome::Refused { status, message } => {
                self.set_all(group, &EventState::Planned);
                self.save(format!("refused: {message}")).await?;
                // Whether a part of it was done nevertheless is not documented.
                if group.len() > 1 && !self.reads_back().await? {
                    return Ok(Sent::Stopped);
                }
                return Ok(Sent::Refused(status, message));
            }
            Outcome::Conflict(message) => {
                self.set_all(group, &EventState::Planned);
                self.save(format!("conflict: {message}")).await?;
                if !self.reads_back().await? {
                    return Ok(Sent::Stopped);
                }
                let [place] = group else { return Ok(Sent::Refused(409, message)) };
                if self.is_planned(*place) {
                    let why = format!("Dintero says that it conflicts ({message}), and has no such event");
                    self.set(*place, EventState::Human { why });
                    self.save("conflict read back".to_owned()).await?;
                }
                return Ok(Sent::Taken);
            }
            Outcome::Unknown(why) => {
                let until = self.settled_by(self.lease_until);
                self.set_all(group, &EventState::Unknown { until, why: why.clone() });
                let wait = until.min(self.back_off());
                self.let_go(Some(wait), format!("outcome unknown: {why}")).await?;
                return Ok(Sent::Stopped);
            }
            Outcome::Later(after) => {
                self.set_all(group, &EventState::Planned);
                let until = self.now.saturating_add(after.min(WAIT_MAX)).unwrap_or(self.now);
                (until, format!("asked to wait {} s", after.as_secs()))
            }
            Outcome::NotSent(why) => (self.unsent(group), format!("not sent: {why}")),
            Outcome::Unauthorised => (self.unsent(group), "the token is refused, a new one as well".to_owned()),
            Outcome::Forbidden(message) => {
                (self.unsent(group), format!("the API client may not post settlement events ({message})"))
            }
        };
        self.pause = Some(wait);
        self.let_go(Some(wait), why).await?;
        Ok(Sent::Stopped)
    }

    /// Reads back within an attempt; the batch is let go when that cannot be done.
    async fn reads_back(&mut self) -> Result<bool, StepError> {
        match self.read_back().await {
            Ok(()) => Ok(true),
            Err(StepError::Port(error)) if error.kind != PortErrorKind::Conflict => {
                let wait = self.back_off();
                self.pause = (error.kind == PortErrorKind::Refused).then_some(wait);
                self.let_go(Some(wait), format!("could not be read back: {error}")).await?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Transactions are recognised by their ids, wherever they stand in the answer.
    async fn note_applied(&mut self, group: &[usize], listed: &[Transaction]) -> Result<Sent, StepError> {
        let until = self.settled_by(self.lease_until);
        let mut missing = 0;
        for (number, place) in group.iter().enumerate() {
            let Some(event) = self.item.events.get_mut(*place) else { continue };
            let by_position = is_seeded(Defect::PostedByPosition) && number < listed.len();
            if by_position || listed.iter().any(|transaction| transaction.id == event.transaction) {
                event.state = EventState::Posted { found: false };
            } else {
                missing += 1;
                let why = "the answer does not list its transaction".to_owned();
                event.state = EventState::Unknown { until, why };
            }
        }
        let posted = group.len() - missing;
        self.save(format!("events posted: {posted}, not in the answer: {missing}")).await?;
        Ok(Sent::Taken)
    }

    fn unsent(&mut self, group: &[usize]) -> Timestamp {
        self.set_all(group, &EventState::Planned);
        self.back_off()
    }

    /// When to come back: later each time, and not all batches at once.
    fn back_off(&self) -> Timestamp {
        let doubled = BACK_OFF_SECONDS.saturating_mul(1 << self.item.attempt.min(16));
        let seconds = doubled.min(BACK_OFF_SECONDS_MAX);
        let spread = self.place.sort.bytes().fold(0_i64, |sum, byte| (sum * 31 + i64::from(byte)) % 1_000);
        let seconds = seconds / 2 + seconds * spread / 2_000;
        self.now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(self.now)
    }

    async fn let_go(&mut self, not_before: Option<Timestamp>, what: String) -> Result<(), StepError> {
        self.item.lease_until = None;
        self.item.not_before = not_before;
        self.save(what).await
    }

    /// Writes the batch with its journal entry, unless another worker has taken it over.
    async fn save(&mut self, what: String) -> Result<(), StepError> {
        let entry = journal(&self.place, self.revision + 1, self.now, Order::Posting, what)?;
        let unfenced = is_seeded(Defect::BatchUnfenced);
        let expect = if unfenced { Expect::Any } else { Expect::Revision(self.revision) };
        let writes = [self.place.put(&self.item, expect)?, entry, mark_settlement_dirty(&self.item.settlement)?];
        self.ports.state.transact(&writes).await?;
        self.revision += 1;
        Ok(())
    }

    fn events_that(&self, holds: impl Fn(&EventState) -> bool) -> Vec<usize> {
        let events = self.item.events.iter().enumerate();
        events.filter(|(_, event)| holds(&event.state)).map(|(place, _)| place).collect()
    }

    fn chosen<'s>(&'s self, places: &'s [usize]) -> impl Iterator<Item = &'s PlannedEvent> {
        places.iter().filter_map(|place| self.item.events.get(*place))
    }

    fn is_planned(&self, place: usize) -> bool {
        self.item.events.get(place).is_some_and(|event| event.state == EventState::Planned)
    }

    fn set(&mut self, place: usize, state: EventState) {
        if let Some(event) = self.item.events.get_mut(place) {
            event.state = state;
        }
    }

    fn set_all(&mut self, places: &[usize], state: &EventState) {
        places.iter().for_each(|place| self.set(*place, state.clone()));
    }
}

/// How many of a refused group are tried first. A part that is refused costs a reading as well, so that it is the smaller
/// one.
fn first_part(len: usize) -> usize {
    (len * 2 / 5).max(1)
}

/// Whether the worker has to leave the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Yes,
    No,
}

/// What an event is, when its settlement stands at the transaction already, whoever put it there.
pub(crate) fn state_at_dintero(event: &SettlementEvent, transaction: &Transaction) -> Option<EventState> {
    let of_settlement = |found: &&SettlementEvent| {
        found.settlement_id == event.settlement_id || found.provider_reference == event.provider_reference
    };
    let found: Vec<&SettlementEvent> = transaction.all_settlement_events().filter(of_settlement).collect();
    let same_event: Vec<&SettlementEvent> = match &event.event_correlation_id {
        Some(id) => found.iter().copied().filter(|found| found.event_correlation_id.as_ref() == Some(id)).collect(),
        None => found.clone(),
    };
    let seen = if same_event.is_empty() { found } else { same_event };
    if seen.is_empty() {
        return None;
    }
    let sum = |minor: fn(&SettlementEvent) -> i64| seen.iter().map(|found| i128::from(minor(found))).sum::<i128>();
    let sums = [
        sum(|found| found.amount_minor),
        sum(|found| found.capture_minor),
        sum(|found| found.refund_minor),
        sum(|found| found.fee_minor),
    ];
    if sums == event.money().map(i128::from) {
        return Some(EventState::Posted { found: true });
    }
    let decimals = exponent("dintero", transaction.currency);
    let shown = |money: [i128; 4]| {
        let shown = money.map(|minor| i64::try_from(minor).map(|minor| MajorUnits::new(minor, decimals).to_string()));
        let [amount, capture, refund, fee] = shown.map(|shown| shown.unwrap_or_else(|_| "beyond counting".to_owned()));
        format!("{amount} (capture {capture}, refund {refund}, fee {fee})")
    };
    let (found, expected) = (shown(sums), shown(event.money().map(i128::from)));
    Some(EventState::Human { why: format!("Dintero has this settlement at it with {found}, expected {expected}") })
}
