//! Posting, from the upload to what stands at the stand-in for Dintero: each event once in effect, whatever is answered.

mod again;
mod answers;
mod matching;
mod mirrored;
mod newer;
mod permitted;
mod planned;
mod racing;
mod swept;
mod waits;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use adapters::inbound::function::Function;
use adapters::inbound::reconcile_settlements::ReconcileSettlements;
use async_trait::async_trait;
use dintero::{Credentials, Hosts, NoResponse, Request, Response, Secret};
use formats::Limits;
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use pipeline::current::accounts::{AddMerchant, add_merchant};
use pipeline::intake::parse::ParseReport;
use pipeline::operate::process::{self, Processed};
use pipeline::posting::post::{self, PostAccount, PostReport, Posted};
use pipeline::transactions::client::{Dintero, Environment};
use pipeline::{Packing, Ports, StepError};
use sandbox::{Clock, Fault, InProcess, MadeEvent, MadeTransaction, RequestKind, Sandbox, Seen};
use serde_json::Value;
use settlement::{AccountId, SettlementEvent, TransactionEventKind};
use simulation::SECRET_MARK;
use store::keys::{Key, LandingKey};
use store::memory::{MemoryObjects, MemoryQueue, MemoryState};
use store::{HttpClient, PlannedEvent, PortError, Secrets};
use tempfile::TempDir;
use tests::generate::{Line, Report, Settlement, portal_csv};

const LEASE: SignedDuration = SignedDuration::from_mins(5);

/// An account that posts, its files, its records, and the Dintero it speaks with.
struct World {
    objects: Arc<MemoryObjects>,
    state: Arc<MemoryState>,
    ports: Ports,
    sandbox: Arc<Mutex<Sandbox>>,
    wire: Arc<Wire>,
    vault: Arc<Vault>,
    dintero: Dintero,
    clock: Clock,
    account: AccountId,
    scratch: TempDir,
}

/// A process that speaks with Dintero, without a token.
fn dintero_of(wire: &Arc<Wire>, vault: &Arc<Vault>, clock: &Clock) -> Dintero {
    let clock = clock.clone();
    Dintero::new(wire.clone(), vault.clone(), Hosts::default(), Environment::Test, Arc::new(move || clock.now()))
}

impl World {
    async fn new() -> Self {
        let (objects, state) = (Arc::<MemoryObjects>::default(), Arc::<MemoryState>::default());
        let ports = Ports { objects: objects.clone(), state: state.clone(), packing: Packing::None };
        let (account, clock): (AccountId, _) = ("T00000001".parse().unwrap(), Clock::at(beginning()));
        let (provider, number, now) = ("vipps".to_owned(), "123456".to_owned(), clock.now());
        add_merchant(&ports, &AddMerchant { account: account.clone(), provider, number, now }).await.unwrap();
        post::set_posting(&ports, &account, true, now).await.unwrap();
        let vault = Arc::new(Vault::default());
        vault.rotate("1");
        let mut sandbox = Sandbox::default();
        sandbox.add_client(&account, "client", &vault.current());
        let sandbox = Arc::new(Mutex::new(sandbox));
        let inner = InProcess::new(sandbox.clone(), clock.clone());
        let wire =
            Arc::new(Wire { inner, sandbox: sandbox.clone(), change: Mutex::default(), meanwhile: Mutex::default() });
        let dintero = dintero_of(&wire, &vault, &clock);
        let scratch = tempfile::tempdir().unwrap();
        World { objects, state, ports, sandbox, wire, vault, dintero, clock, account, scratch }
    }

    /// A world where a report of one settlement with so many sales has arrived and is known to Dintero.
    async fn with_sales(sales: u64) -> (Self, ParseReport) {
        let world = World::new().await;
        let report = report(vec![settlement(1, sales)]);
        world.pays(&report);
        let upload = world.upload("a.csv", portal_csv(&report));
        (world, upload)
    }

    /// Lets Dintero know the payments that a report settles, without what it settles.
    fn pays(&self, report: &Report) {
        let mut made: BTreeMap<&str, MadeTransaction> = BTreeMap::new();
        for line in report.settlements.iter().flat_map(|settlement| &settlement.lines) {
            let at = line.captured_on.at(11, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
            let (kind, amount) = match line.refund_minor {
                0 => (TransactionEventKind::Capture, line.capture_minor),
                refund => (TransactionEventKind::Refund, -refund),
            };
            let event = MadeEvent::new(kind, amount, at)
                .known_as("vipps:transactionInfo.transactionId", &line.transaction.to_string());
            let known = made.remove(line.order.as_str());
            let new = || MadeTransaction::new(&id_of(&line.order), &line.order, "vipps", "NOK", amount);
            made.insert(&line.order, known.unwrap_or_else(new).with(event));
        }
        made.into_values().for_each(|transaction| self.sandbox().add_transaction(transaction));
    }

    fn upload(&self, name: &str, bytes: Vec<u8>) -> ParseReport {
        let landing = LandingKey::new(self.account.clone(), "vipps", name).unwrap();
        let version = self.objects.put_version(&Key::Landing(landing.clone()), bytes).version;
        let (now, scratch) = (self.clock.now(), self.scratch.path().to_owned());
        ParseReport { landing, version, now, lease: LEASE, scratch, limits: Limits::default(), adopts_merchants: false }
    }

    /// Takes an upload the whole way, at the time of the clock.
    async fn go(&self, upload: &ParseReport) -> Result<Processed, StepError> {
        let command = ParseReport { now: self.clock.now(), ..upload.clone() };
        process::process_upload(&self.ports, Some(&self.dintero), &command).await
    }

    async fn take(&self, upload: &ParseReport) -> Posted {
        self.go(upload).await.unwrap().posted.unwrap()
    }

    async fn go_on(&self) -> Posted {
        let scratch = self.scratch.path().to_owned();
        let command = PostAccount { account: self.account.clone(), now: self.clock.now(), lease: LEASE, scratch };
        post::go_on(&self.ports, &self.dintero, &command).await.unwrap()
    }

    /// Goes on as often as it asks for, at the times it asks for, until all events have ended.
    async fn finish(&self) -> Posted {
        for _ in 0..40 {
            let posted = self.go_on().await;
            match posted.not_before {
                Some(at) => self.clock.set(at.max(self.clock.now())),
                None => return posted,
            }
        }
        panic!("events never end");
    }

    /// The function that matches and posts, with ports of its own.
    fn worker(&self, ports: Ports, own: Arc<MemoryQueue>) -> ReconcileSettlements {
        let clock = self.clock.clone();
        ReconcileSettlements {
            function: Function::new(
                "reconcile-settlements",
                ports,
                self.scratch.path().to_owned(),
                Arc::new(move || clock.now()),
                std::io::sink(),
            ),
            dintero: Some(Arc::new(dintero_of(&self.wire, &self.vault, &self.clock))),
            own,
            mails: None,
        }
    }

    fn command(&self, gone: &Processed) -> PostReport {
        let (account, report) = (self.account.clone(), gone.outcome.report.unwrap());
        PostReport { account, report, now: self.clock.now(), lease: LEASE, scratch: self.scratch.path().to_owned() }
    }

    fn sandbox(&self) -> std::sync::MutexGuard<'_, Sandbox> {
        self.sandbox.lock().unwrap()
    }

    fn disturb(&self, which: RequestKind, fault: Fault) {
        self.sandbox().disturb(which, fault);
    }

    fn posts(&self) -> usize {
        self.sandbox().requests(RequestKind::SettlementEvents)
    }

    /// The bodies of all postings that arrived.
    fn bodies(&self) -> Vec<String> {
        let posts = |seen: &&Seen| seen.kind == RequestKind::SettlementEvents;
        self.sandbox().seen().iter().filter(posts).map(|seen| seen.body.clone().unwrap()).collect()
    }

    /// What stands at Dintero: transaction, settlement and money of every event, as often as it was added.
    fn standing(&self) -> Vec<(String, String, [i64; 4])> {
        let event = |(id, event): (&str, &SettlementEvent)| (id.to_owned(), event.settlement_id.clone(), event.money());
        let mut found: Vec<_> = self.sandbox().settlement_events().map(event).collect();
        found.sort();
        found
    }
}

/// The way to the sandbox, where an answer can be changed and others can come between.
struct Wire {
    inner: InProcess,
    sandbox: Arc<Mutex<Sandbox>>,
    change: Mutex<Option<Change>>,
    meanwhile: Mutex<Option<Meanwhile>>,
}

/// The next answer to that kind of request reads otherwise.
type Change = (RequestKind, fn(&mut Value));

/// What others do while the answer to the first posting is on its way.
type Meanwhile = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Wire {
    /// The next answer to that kind of request reads otherwise.
    fn change(&self, which: RequestKind, change: fn(&mut Value)) {
        *self.change.lock().unwrap() = Some((which, change));
    }

    fn meanwhile(&self, meanwhile: impl Future<Output = ()> + Send + 'static) {
        *self.meanwhile.lock().unwrap() = Some(Box::pin(meanwhile));
    }
}

#[async_trait]
impl HttpClient for Wire {
    async fn send(&self, request: &Request) -> Result<Response, NoResponse> {
        let mut answer = self.inner.send(request).await?;
        let kind = self.sandbox.lock().unwrap().seen().last().map(|seen| seen.kind);
        if kind == Some(RequestKind::SettlementEvents) {
            let meanwhile = self.meanwhile.lock().unwrap().take();
            if let Some(meanwhile) = meanwhile {
                meanwhile.await;
            }
        }
        let mut change = self.change.lock().unwrap();
        if let Some((_, change)) = change.take_if(|(which, _)| Some(*which) == kind) {
            let mut body: Value = serde_json::from_slice(&answer.body).unwrap();
            change(&mut body);
            answer.body = body.to_string().into_bytes();
        }
        Ok(answer)
    }
}

/// Credentials that are kept, and read anew when they are asked for fresh.
#[derive(Default)]
struct Vault {
    current: Mutex<String>,
    kept: Mutex<Option<String>>,
    read_anew: Mutex<usize>,
}

impl Vault {
    fn rotate(&self, secret: &str) {
        *self.current.lock().unwrap() = format!("{SECRET_MARK}-{secret}");
    }

    fn current(&self) -> String {
        self.current.lock().unwrap().clone()
    }
}

#[async_trait]
impl Secrets for Vault {
    async fn credentials(&self, _account: &AccountId, fresh: bool) -> Result<Credentials, PortError> {
        let mut kept = self.kept.lock().unwrap();
        if fresh {
            *self.read_anew.lock().unwrap() += 1;
            *kept = None;
        }
        let secret = kept.get_or_insert_with(|| self.current()).clone();
        Ok(Credentials { client_id: "client".to_owned(), client_secret: Secret::new(secret) })
    }
}

fn beginning() -> Timestamp {
    "2026-11-03T06:00:00Z".parse().unwrap()
}

/// The transaction of an order.
fn id_of(order: &str) -> String {
    format!("T00000001.{}", order.replace('-', ""))
}

fn report(settlements: Vec<Settlement>) -> Report {
    Report { merchant: 123_456, settlements }
}

/// A settlement of sales, each of an order of its own.
fn settlement(number: u64, sales: u64) -> Settlement {
    let lines = (0..sales).map(|place| sale(number, place, 10_000 + i64::try_from(place).unwrap())).collect();
    Settlement { id: 2_000_000 + number, payout_on: date(2026, 11, 2), lines }
}

fn sale(number: u64, place: u64, capture_minor: i64) -> Line {
    Line {
        transaction: 5_600_000_000 + number * 100_000 + place,
        order: format!("BUTIKK-{number}-{place:04}"),
        captured_on: date(2026, 10, 30),
        capture_minor,
        refund_minor: 0,
        fee_minor: capture_minor * 175 / 10_000,
    }
}

/// A refund of a sale, as a line of that number.
fn refund(of: &Line, number: u64, place: u64, minor: i64) -> Line {
    let transaction = sale(number, place, 0).transaction;
    Line { transaction, capture_minor: 0, refund_minor: -minor, fee_minor: 0, ..of.clone() }
}

fn words(events: &[PlannedEvent]) -> BTreeMap<&'static str, usize> {
    events.iter().fold(BTreeMap::new(), |mut words, event| {
        *words.entry(event.state.word()).or_default() += 1;
        words
    })
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// Nothing is sent before the batch is due; then it comes to its end.
async fn nothing_before(world: &World, due: Timestamp) {
    let posts = world.posts();
    while world.clock.now() < due {
        world.go_on().await;
        assert_eq!(world.posts(), posts, "at {}", world.clock.now());
        world.clock.set((world.clock.now() + seconds(20)).min(due));
    }
}
