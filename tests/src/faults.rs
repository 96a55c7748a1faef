//! Ports that fail at a chosen call, before or after the call had its effect.

use std::io::Write;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use pipeline::Ports;
use store::keys::Key;
use store::{Item, ObjectMeta, Objects, Page, PortError, PortErrorKind, Put, PutNew, Query, State, VersionPage};

/// When a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The worker ends before the call and makes no other.
    Before,
    /// The call has its effect, and the worker ends before it has the answer.
    After,
    /// This one call is refused; the worker lives on.
    Refused,
}

/// What others do while a worker is held up.
type Meanwhile = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Counts the calls of all ports and disturbs one of them.
pub struct Plan {
    calls: AtomicUsize,
    fails_at: Option<(usize, Fault)>,
    held_up_at: Option<usize>,
    meanwhile: Mutex<Option<Meanwhile>>,
}

impl Plan {
    /// A plan that fails the call of that number, counted from 0, or none.
    pub fn new(fails_at: Option<(usize, Fault)>) -> Arc<Self> {
        Arc::new(Plan { calls: AtomicUsize::new(0), fails_at, held_up_at: None, meanwhile: Mutex::new(None) })
    }

    /// A plan that holds the worker up before the call of that number until `meanwhile` has happened.
    pub fn held_up(at: usize, meanwhile: impl Future<Output = ()> + Send + 'static) -> Arc<Self> {
        let meanwhile: Meanwhile = Box::pin(meanwhile);
        let calls = AtomicUsize::new(0);
        Arc::new(Plan { calls, fails_at: None, held_up_at: Some(at), meanwhile: Mutex::new(Some(meanwhile)) })
    }

    /// How many calls were made.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    async fn call<T>(&self, call: impl Future<Output = Result<T, PortError>>) -> Result<T, PortError> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        if self.held_up_at == Some(number) {
            let meanwhile = self.meanwhile.lock().expect("one worker").take();
            if let Some(meanwhile) = meanwhile {
                meanwhile.await;
            }
        }
        let lost = || Err(PortError::new(PortErrorKind::Unavailable, "Cannot go on", "the worker ended here"));
        match self.fails_at {
            Some((at, Fault::Before | Fault::Refused)) if at == number => lost(),
            Some((at, Fault::Before | Fault::After)) if at < number => lost(),
            Some((at, Fault::After)) if at == number => {
                call.await?;
                lost()
            }
            _ => call.await,
        }
    }
}

/// The same ports with the plan's fault in them.
pub fn faulty(ports: &Ports, plan: &Arc<Plan>) -> Ports {
    Ports {
        objects: Arc::new(Faulty { inner: Arc::clone(&ports.objects), plan: Arc::clone(plan) }),
        state: Arc::new(Faulty { inner: Arc::clone(&ports.state), plan: Arc::clone(plan) }),
        packing: ports.packing,
    }
}

struct Faulty<P: ?Sized> {
    inner: Arc<P>,
    plan: Arc<Plan>,
}

#[async_trait]
impl Objects for Faulty<dyn Objects> {
    async fn head(&self, key: &Key) -> Result<Option<ObjectMeta>, PortError> {
        self.plan.call(self.inner.head(key)).await
    }

    async fn fetch(&self, key: &Key, version: &str, into: &mut (dyn Write + Send)) -> Result<u64, PortError> {
        self.plan.call(self.inner.fetch(key, version, into)).await
    }

    async fn upload(&self, key: &Key, file: &Path) -> Result<ObjectMeta, PortError> {
        self.plan.call(self.inner.upload(key, file)).await
    }

    async fn upload_if(&self, key: &Key, file: &Path, before: Option<&ObjectMeta>) -> Result<PutNew, PortError> {
        self.plan.call(self.inner.upload_if(key, file, before)).await
    }

    async fn versions(&self, prefix: &str, cursor: Option<&str>) -> Result<VersionPage, PortError> {
        self.plan.call(self.inner.versions(prefix, cursor)).await
    }

    async fn put_new(&self, key: &Key, bytes: &[u8]) -> Result<PutNew, PortError> {
        self.plan.call(self.inner.put_new(key, bytes)).await
    }
}

#[async_trait]
impl State for Faulty<dyn State> {
    async fn get(&self, partition: &str, sort: &str) -> Result<Option<Item>, PortError> {
        self.plan.call(self.inner.get(partition, sort)).await
    }

    async fn query(&self, query: &Query) -> Result<Page, PortError> {
        self.plan.call(self.inner.query(query)).await
    }

    async fn transact(&self, writes: &[Put]) -> Result<(), PortError> {
        self.plan.call(self.inner.transact(writes)).await
    }
}
