//! Ports that let others go first, as a seed decides: workers on one thread then interleave in many ways.

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use pipeline::Ports;
use store::keys::Key;
use store::{Item, ObjectMeta, Objects, Page, PortError, Put, PutNew, Query, State, VersionPage};

use crate::generate::Seed;

/// The same ports for one of several workers.
pub fn interleaved(ports: &Ports, seed: u64) -> Ports {
    let seed = Arc::new(Mutex::new(Seed(seed)));
    Ports {
        objects: Arc::new(Interleaved { inner: Arc::clone(&ports.objects), seed: Arc::clone(&seed) }),
        state: Arc::new(Interleaved { inner: Arc::clone(&ports.state), seed }),
        packing: ports.packing,
    }
}

struct Interleaved<P: ?Sized> {
    inner: Arc<P>,
    seed: Arc<Mutex<Seed>>,
}

impl<P: ?Sized> Interleaved<P> {
    async fn wait(&self) {
        let times = self.seed.lock().unwrap().below(4);
        for _ in 0..times {
            tokio::task::yield_now().await;
        }
    }
}

#[async_trait]
impl Objects for Interleaved<dyn Objects> {
    async fn head(&self, key: &Key) -> Result<Option<ObjectMeta>, PortError> {
        self.wait().await;
        self.inner.head(key).await
    }

    async fn fetch(&self, key: &Key, version: &str, into: &mut (dyn Write + Send)) -> Result<u64, PortError> {
        self.wait().await;
        self.inner.fetch(key, version, into).await
    }

    async fn upload(&self, key: &Key, file: &Path) -> Result<ObjectMeta, PortError> {
        self.wait().await;
        self.inner.upload(key, file).await
    }

    async fn upload_if(&self, key: &Key, file: &Path, before: Option<&ObjectMeta>) -> Result<PutNew, PortError> {
        self.wait().await;
        self.inner.upload_if(key, file, before).await
    }

    async fn versions(&self, prefix: &str, cursor: Option<&str>) -> Result<VersionPage, PortError> {
        self.wait().await;
        self.inner.versions(prefix, cursor).await
    }

    async fn put_new(&self, key: &Key, bytes: &[u8]) -> Result<PutNew, PortError> {
        self.wait().await;
        self.inner.put_new(key, bytes).await
    }
}

#[async_trait]
impl State for Interleaved<dyn State> {
    async fn get(&self, partition: &str, sort: &str) -> Result<Option<Item>, PortError> {
        self.wait().await;
        self.inner.get(partition, sort).await
    }

    async fn query(&self, query: &Query) -> Result<Page, PortError> {
        self.wait().await;
        self.inner.query(query).await
    }

    async fn transact(&self, writes: &[Put]) -> Result<(), PortError> {
        self.wait().await;
        self.inner.transact(writes).await
    }
}
