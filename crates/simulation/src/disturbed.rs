//! Ports over any store, disturbed by the same scripts as a [`Worker`](crate::Worker).
//!
//! A worker of the simulated world stops for good where it ends. Here the code under test runs on, so every call after
//! the end fails instead.

use std::future::poll_fn;
use std::io::Write;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use async_trait::async_trait;
use pipeline::Ports;
use store::keys::Key;
use store::{Item, ObjectMeta, Objects, Page, PortError, PortErrorKind, Put, PutNew, Query, State, VersionPage};

use crate::faults::{Effect, Mode, Script};
use crate::generate::Seed;
use crate::world::locked;

/// What others do while a worker is held up.
type Meanwhile = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One process that calls ports: it counts the calls of all its ports and disturbs some of them.
pub struct Disturbed {
    script: Mutex<Script>,
    effects: AtomicUsize,
    has_ended: AtomicBool,
    held_up: Mutex<Option<(usize, Meanwhile)>>,
    turns: Option<Mutex<Seed>>,
}

impl Disturbed {
    /// A process whose calls the script disturbs.
    pub fn by(script: Script) -> Arc<Self> {
        Arc::new(Disturbed {
            script: Mutex::new(script),
            effects: AtomicUsize::new(0),
            has_ended: AtomicBool::new(false),
            held_up: Mutex::new(None),
            turns: None,
        })
    }

    /// A process that waits before the call of that number, counted from 0, until `meanwhile` has happened.
    pub fn held_up(at: usize, meanwhile: impl Future<Output = ()> + Send + 'static) -> Arc<Self> {
        let disturbed = Disturbed::by(Script::quiet());
        *locked(&disturbed.held_up) = Some((at, Box::pin(meanwhile)));
        disturbed
    }

    /// A process that lets others run before its calls, as often as the seed decides, so that processes on one thread
    /// interleave.
    pub fn by_turns(seed: u64) -> Arc<Self> {
        let mut disturbed = Disturbed::by(Script::quiet());
        if let Some(disturbed) = Arc::get_mut(&mut disturbed) {
            disturbed.turns = Some(Mutex::new(Seed(seed)));
        }
        disturbed
    }

    /// How many calls were made.
    pub fn calls(&self) -> usize {
        locked(&self.script).calls()
    }

    /// These ports as this process sees them.
    pub fn ports(self: &Arc<Self>, ports: &Ports) -> Ports {
        Ports {
            objects: Arc::new(Through { inner: Arc::clone(&ports.objects), process: Arc::clone(self) }),
            state: Arc::new(Through { inner: Arc::clone(&ports.state), process: Arc::clone(self) }),
            packing: ports.packing,
        }
    }

    async fn call<T>(&self, effect: Effect, call: impl Future<Output = Result<T, PortError>>) -> Result<T, PortError> {
        let times = self.turns.as_ref().map_or(0, |seed| locked(seed).below(4));
        for _ in 0..times {
            others_first().await;
        }
        let effects = match effect {
            Effect::Read => self.effects.load(Ordering::Relaxed),
            Effect::Write | Effect::Http(_) | Effect::Mail => self.effects.fetch_add(1, Ordering::Relaxed),
        };
        let (number, mode) = {
            let mut script = locked(&self.script);
            let number = script.calls();
            (number, script.next(number, effects, effect))
        };
        let held_up = locked(&self.held_up).take_if(|(at, _)| *at == number);
        if let Some((_, meanwhile)) = held_up {
            meanwhile.await;
        }
        let failed = |why: &str| Err(PortError::new(PortErrorKind::Unavailable, "Cannot go on", why));
        if self.has_ended.load(Ordering::Relaxed) {
            return failed("the worker ended before");
        }
        if matches!(mode, Some(Mode::Before | Mode::After)) {
            self.has_ended.store(true, Ordering::Relaxed);
        }
        match mode {
            None => call.await,
            Some(Mode::Before) => failed("the worker ends here"),
            Some(Mode::Refused | Mode::Api(_)) => failed("no answer"),
            // Nothing comes later than the answer here: late is lost.
            Some(Mode::After | Mode::Lost | Mode::Late) => {
                call.await?;
                failed("no answer")
            }
        }
    }
}

/// Lets every other task of this thread run once.
async fn others_first() {
    let mut has_waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

struct Through<P: ?Sized> {
    inner: Arc<P>,
    process: Arc<Disturbed>,
}

#[async_trait]
impl Objects for Through<dyn Objects> {
    async fn head(&self, key: &Key) -> Result<Option<ObjectMeta>, PortError> {
        self.process.call(Effect::Read, self.inner.head(key)).await
    }

    async fn fetch(&self, key: &Key, version: &str, into: &mut (dyn Write + Send)) -> Result<u64, PortError> {
        self.process.call(Effect::Read, self.inner.fetch(key, version, into)).await
    }

    async fn upload(&self, key: &Key, file: &Path) -> Result<ObjectMeta, PortError> {
        self.process.call(Effect::Write, self.inner.upload(key, file)).await
    }

    async fn upload_if(&self, key: &Key, file: &Path, before: Option<&ObjectMeta>) -> Result<PutNew, PortError> {
        self.process.call(Effect::Write, self.inner.upload_if(key, file, before)).await
    }

    async fn versions(&self, prefix: &str, cursor: Option<&str>) -> Result<VersionPage, PortError> {
        self.process.call(Effect::Read, self.inner.versions(prefix, cursor)).await
    }

    async fn put_new(&self, key: &Key, bytes: &[u8]) -> Result<PutNew, PortError> {
        self.process.call(Effect::Write, self.inner.put_new(key, bytes)).await
    }
}

#[async_trait]
impl State for Through<dyn State> {
    async fn get(&self, partition: &str, sort: &str) -> Result<Option<Item>, PortError> {
        self.process.call(Effect::Read, self.inner.get(partition, sort)).await
    }

    async fn query(&self, query: &Query) -> Result<Page, PortError> {
        self.process.call(Effect::Read, self.inner.query(query)).await
    }

    async fn transact(&self, writes: &[Put]) -> Result<(), PortError> {
        self.process.call(Effect::Write, self.inner.transact(writes)).await
    }
}
