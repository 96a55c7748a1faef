//! A world in memory: objects, state, mails, queues and a stand-in for Dintero, and workers that can end at any call.

mod mailing;
mod queues;

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use async_trait::async_trait;
use dintero::{Credentials, Hosts, Method, NoResponse, Request, Response, Secret};
use jiff::Timestamp;
use pipeline::transactions::client::{Dintero, Environment};
use pipeline::{Packing, Ports};
use settlement::AccountId;
use store::keys::Key;
use store::memory::{MemoryObjects, MemoryState};
use store::{
    HttpClient, Item, ObjectMeta, Objects, Page, PortError, PortErrorKind, Put, PutNew, Query, Secrets, State,
    VersionPage,
};

pub(crate) use self::mailing::{Mailbox, REFUSED_AT};
pub(crate) use self::queues::taken;
use crate::faults::{Effect, Mode, Script};
use crate::watch::Watch;
use sandbox::Clock;
use sandbox::{Fault, RequestKind, Sandbox};

/// Everything outside the workers.
#[derive(Debug)]
pub struct World {
    /// Files.
    pub objects: MemoryObjects,
    /// Records.
    pub state: MemoryState,
    /// Dintero.
    pub sandbox: Mutex<Sandbox>,
    /// The time.
    pub clock: Clock,
    /// The rules that are checked after every call.
    pub watch: Mutex<Watch>,
    /// Messages to the step that parses.
    pub(crate) to_parse: Mutex<VecDeque<String>>,
    /// Messages to the step that reconciles.
    pub(crate) to_reconcile: Mutex<VecDeque<String>>,
    /// Mails.
    pub(crate) mailbox: Mutex<Mailbox>,
    /// Writes that take effect after their sender has given them up, with the number of the call at which they do.
    late: Mutex<Vec<(usize, Vec<Put>)>>,
    /// Calls of all workers so far.
    calls: AtomicUsize,
    /// Those of them that are not reads.
    effects: AtomicUsize,
}

/// A late write takes effect this many calls later.
const LATE_CALLS: usize = 7;

/// Locks a mutex; one thread holds all locks here, so that none is ever poisoned.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// An empty world at that time.
    pub fn new(now: Timestamp, sandbox: Sandbox, watch: Watch) -> Self {
        World {
            objects: MemoryObjects::default(),
            state: MemoryState::default(),
            sandbox: Mutex::new(sandbox),
            clock: Clock::at(now),
            watch: Mutex::new(watch),
            to_parse: Mutex::default(),
            to_reconcile: Mutex::default(),
            mailbox: Mutex::default(),
            late: Mutex::default(),
            calls: AtomicUsize::new(0),
            effects: AtomicUsize::new(0),
        }
    }

    /// A copy of the world, from which another run starts.
    #[must_use]
    pub fn fork(&self) -> Self {
        World {
            objects: self.objects.clone(),
            state: self.state.clone(),
            sandbox: Mutex::new(locked(&self.sandbox).clone()),
            clock: Clock::at(self.clock.now()),
            watch: Mutex::new(locked(&self.watch).clone()),
            to_parse: Mutex::new(locked(&self.to_parse).clone()),
            to_reconcile: Mutex::new(locked(&self.to_reconcile).clone()),
            mailbox: Mutex::new(locked(&self.mailbox).clone()),
            late: Mutex::new(locked(&self.late).clone()),
            calls: AtomicUsize::new(self.calls.load(Ordering::Relaxed)),
            effects: AtomicUsize::new(self.effects.load(Ordering::Relaxed)),
        }
    }

    /// Applies the late writes that are due.
    async fn apply_late(&self, until: usize) {
        let due: Vec<Vec<Put>> = {
            let mut late = locked(&self.late);
            let (due, rest) = late.drain(..).partition(|(at, _)| *at <= until);
            *late = rest;
            let due: Vec<(usize, Vec<Put>)> = due;
            due.into_iter().map(|(_, writes)| writes).collect()
        };
        for writes in due {
            let before = self.records_of(&writes).await;
            // A write that lost a race in the meantime has no effect.
            if self.state.transact(&writes).await.is_ok() {
                locked(&self.watch).written(&before, &writes, self.clock.now());
            }
        }
    }

    /// Applies every late write and posting.
    pub async fn settle(&self) {
        self.apply_late(usize::MAX).await;
        locked(&self.sandbox).pass(self.clock.now());
        locked(&self.watch).posted(&locked(&self.sandbox));
    }

    /// Calls so far that were not reads.
    pub fn effects(&self) -> usize {
        self.effects.load(Ordering::Relaxed)
    }

    /// Calls of all workers so far.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    async fn records_of(&self, writes: &[Put]) -> BTreeMap<(String, String), Item> {
        let mut found = BTreeMap::new();
        for put in writes {
            if let Ok(Some(item)) = self.state.get(&put.partition, &put.sort).await {
                found.insert((put.partition.clone(), put.sort.clone()), item);
            }
        }
        found
    }
}

/// One process that runs a step and may end at any call.
#[derive(Debug, Clone)]
pub struct Worker {
    world: Arc<World>,
    life: Arc<Life>,
}

#[derive(Debug)]
struct Life {
    number: usize,
    script: Mutex<Script>,
    dead: AtomicBool,
}

impl Worker {
    /// A worker whose calls the script disturbs.
    pub fn new(world: &Arc<World>, number: usize, script: Script) -> Self {
        let life = Life { number, script: Mutex::new(script), dead: AtomicBool::new(false) };
        Worker { world: Arc::clone(world), life: Arc::new(life) }
    }

    /// The ports that it calls.
    pub fn ports(&self) -> Ports {
        // Files live for a moment here, and packing would take most of the time.
        Ports { objects: Arc::new(self.clone()), state: Arc::new(self.clone()), packing: Packing::None }
    }

    /// Its client of Dintero: every worker is a new process without a token.
    pub fn dintero(&self) -> Dintero {
        let clock = self.world.clock.clone();
        let (http, secrets) = (Arc::new(self.clone()), Arc::new(self.clone()));
        Dintero::new(http, secrets, Hosts::default(), Environment::Test, Arc::new(move || clock.now()))
    }

    /// Whether it has ended in the middle of a step.
    pub fn is_dead(&self) -> bool {
        self.life.dead.load(Ordering::Relaxed)
    }

    /// How many calls it has made.
    pub fn calls(&self) -> usize {
        locked(&self.life.script).calls()
    }

    /// Waits for its turn, and tells how the call is disturbed.
    async fn turn(&self, effect: Effect, what: &str) -> Option<Mode> {
        let mut waited = false;
        poll_fn(|_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }).await;
        let call = self.world.calls.fetch_add(1, Ordering::Relaxed);
        let effects = match effect {
            Effect::Read => self.world.effects.load(Ordering::Relaxed),
            Effect::Write | Effect::Http(_) | Effect::Mail => self.world.effects.fetch_add(1, Ordering::Relaxed),
        };
        self.world.apply_late(call).await;
        let mode = locked(&self.life.script).next(call, effects, effect);
        locked(&self.world.watch).traced(self.life.number, effect, what, mode.as_ref());
        mode
    }

    /// Ends the worker: nothing that it was about to do happens.
    async fn die<T>(&self) -> T {
        self.life.dead.store(true, Ordering::Relaxed);
        std::future::pending().await
    }

    async fn call<T>(
        &self,
        effect: Effect,
        what: &str,
        does: impl Future<Output = Result<T, PortError>>,
    ) -> Result<T, PortError> {
        let lost = || Err(PortError::new(PortErrorKind::Unavailable, format!("Cannot reach {what}"), "no answer"));
        match self.turn(effect, what).await {
            None => does.await,
            Some(Mode::Before) => self.die().await,
            Some(Mode::After) => {
                does.await?;
                self.die().await
            }
            Some(Mode::Lost) => {
                does.await?;
                lost()
            }
            Some(Mode::Late | Mode::Refused | Mode::Api(_)) => lost(),
        }
    }
}

#[async_trait]
impl Objects for Worker {
    async fn head(&self, key: &Key) -> Result<Option<ObjectMeta>, PortError> {
        self.call(Effect::Read, "objects", self.world.objects.head(key)).await
    }

    async fn fetch(&self, key: &Key, version: &str, into: &mut (dyn Write + Send)) -> Result<u64, PortError> {
        self.call(Effect::Read, "objects", self.world.objects.fetch(key, version, into)).await
    }

    async fn upload(&self, key: &Key, file: &Path) -> Result<ObjectMeta, PortError> {
        self.call(Effect::Write, "objects", self.world.objects.upload(key, file)).await
    }

    async fn upload_if(&self, key: &Key, file: &Path, before: Option<&ObjectMeta>) -> Result<PutNew, PortError> {
        self.call(Effect::Write, "objects", self.world.objects.upload_if(key, file, before)).await
    }

    async fn versions(&self, prefix: &str, cursor: Option<&str>) -> Result<VersionPage, PortError> {
        self.call(Effect::Read, "objects", self.world.objects.versions(prefix, cursor)).await
    }

    async fn put_new(&self, key: &Key, bytes: &[u8]) -> Result<PutNew, PortError> {
        self.call(Effect::Write, "objects", self.world.objects.put_new(key, bytes)).await
    }
}

#[async_trait]
impl State for Worker {
    async fn get(&self, partition: &str, sort: &str) -> Result<Option<Item>, PortError> {
        self.call(Effect::Read, "state", self.world.state.get(partition, sort)).await
    }

    async fn query(&self, query: &Query) -> Result<Page, PortError> {
        self.call(Effect::Read, "state", self.world.state.query(query)).await
    }

    async fn transact(&self, writes: &[Put]) -> Result<(), PortError> {
        let lost = || Err(PortError::new(PortErrorKind::Unavailable, "Cannot reach state", "no answer"));
        let place = writes.first().map_or("", |put| put.partition.as_str());
        let mode = self.turn(Effect::Write, place).await;
        match mode {
            Some(Mode::Before) => return self.die().await,
            Some(Mode::Refused | Mode::Api(_)) => return lost(),
            Some(Mode::Late) => {
                let at = self.world.calls.load(Ordering::Relaxed) + LATE_CALLS;
                locked(&self.world.late).push((at, writes.to_vec()));
                return lost();
            }
            None | Some(Mode::After | Mode::Lost) => {}
        }
        let before = self.world.records_of(writes).await;
        let result = self.world.state.transact(writes).await;
        if result.is_ok() {
            locked(&self.world.watch).written(&before, writes, self.world.clock.now());
        }
        match mode {
            Some(Mode::After) => self.die().await,
            Some(Mode::Lost) if result.is_ok() => lost(),
            _ => result,
        }
    }
}

#[async_trait]
impl HttpClient for Worker {
    async fn send(&self, request: &Request) -> Result<Response, NoResponse> {
        let kind = kind_of(request);
        let mode = self.turn(Effect::Http(kind), "dintero").await;
        let now = self.world.clock.now();
        if request.not_after.is_some_and(|limit| now > limit) {
            return Err(pipeline::transactions::client::too_late("dintero"));
        }
        if mode == Some(Mode::Before) {
            return self.die().await;
        }
        if kind == RequestKind::SettlementEvents {
            let records = self.world.state.all();
            locked(&self.world.watch).posting(self.life.number, request, now, &records);
        }
        let fault = match &mode {
            Some(Mode::Lost) => Some(Fault::LostAfterApply),
            Some(Mode::Late) => Some(Fault::LateApply { seconds: 30 }),
            Some(Mode::Refused) => Some(Fault::ServerError(500)),
            Some(Mode::Api(fault)) => Some(fault.clone()),
            _ => None,
        };
        let answer = {
            let mut sandbox = locked(&self.world.sandbox);
            locked(&self.world.watch).asking(request, sandbox.account_of(request));
            if let Some(fault) = fault {
                sandbox.disturb(kind, fault);
            }
            let answer = sandbox.answer(request, now);
            locked(&self.world.watch).posted(&sandbox);
            answer
        };
        if mode == Some(Mode::After) {
            return self.die().await;
        }
        locked(&self.world.watch).answered(self.life.number, kind, request, &answer, now);
        answer
    }
}

#[async_trait]
impl Secrets for Worker {
    async fn credentials(&self, account: &AccountId, _fresh: bool) -> Result<Credentials, PortError> {
        let client_secret = Secret::new(format!("{SECRET_MARK}-{account}"));
        Ok(Credentials { client_id: format!("client-{account}"), client_secret })
    }
}

/// Is part of every secret of the world, so that a test can search for it where no secret may be.
pub const SECRET_MARK: &str = "simulated-secret";

fn kind_of(request: &Request) -> RequestKind {
    match request.method {
        Method::Post if request.url.ends_with("/auth/token") => RequestKind::Token,
        Method::Post => RequestKind::SettlementEvents,
        Method::Get if request.url.contains("/settlements") => RequestKind::Settlements,
        Method::Get => RequestKind::Transactions,
    }
}
