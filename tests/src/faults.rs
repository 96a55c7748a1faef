//! Ports that fail at a chosen call, before or after the call had its effect.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use pipeline::keys::Key;
use pipeline::ports::{Item, ObjectMeta, Page, Put, PutNew, Query};
use pipeline::{Objects, PortError, PortErrorKind, Ports, State};

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

/// Counts the calls of all ports and fails one of them.
#[derive(Debug)]
pub struct Plan {
    calls: AtomicUsize,
    fails_at: Option<(usize, Fault)>,
}

impl Plan {
    /// A plan that fails the call of that number, counted from 0, or none.
    pub fn new(fails_at: Option<(usize, Fault)>) -> Arc<Self> {
        Arc::new(Plan { calls: AtomicUsize::new(0), fails_at })
    }

    /// How many calls were made.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    async fn call<T>(&self, call: impl Future<Output = Result<T, PortError>>) -> Result<T, PortError> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
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

    async fn upload_new(&self, key: &Key, file: &Path) -> Result<PutNew, PortError> {
        self.plan.call(self.inner.upload_new(key, file)).await
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
