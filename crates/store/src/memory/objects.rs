//! Objects in memory.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::error::{PortError, PortErrorKind};
use crate::keys::Key;
use crate::ports::{ListedVersion, ObjectMeta, Objects, PutNew, VersionPage};

/// A page ends at the first key after so many versions.
const PAGE_VERSIONS_MIN: usize = 100;

/// Every version of every object, in the order they were put.
#[derive(Debug, Default)]
pub struct MemoryObjects {
    versions: Mutex<BTreeMap<String, Vec<Arc<[u8]>>>>,
    /// When versions were put, of which that is known: key and number.
    put_at: Mutex<BTreeMap<(String, String), Timestamp>>,
}

impl Clone for MemoryObjects {
    fn clone(&self) -> Self {
        let versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let put_at = self.put_at.lock().unwrap_or_else(PoisonError::into_inner).clone();
        MemoryObjects { versions: Mutex::new(versions), put_at: Mutex::new(put_at) }
    }
}

impl MemoryObjects {
    /// Puts bytes as the newest version.
    pub fn put_version(&self, key: &Key, bytes: Vec<u8>) -> ObjectMeta {
        self.put(key, bytes)
    }

    /// Puts bytes as the newest version, at a time that a listing shows.
    pub fn put_version_at(&self, key: &Key, bytes: Vec<u8>, at: Timestamp) -> ObjectMeta {
        let meta = self.put(key, bytes);
        let name = (meta.key.clone(), meta.version.clone());
        self.put_at.lock().unwrap_or_else(PoisonError::into_inner).insert(name, at);
        meta
    }

    /// Every key, in order.
    pub fn keys(&self) -> Vec<String> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// The newest version of the object with that key.
    pub fn newest(&self, key: &str) -> Option<Arc<[u8]>> {
        let objects = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        objects.get(key).and_then(|versions| versions.last()).cloned()
    }

    /// The first object with more than one version whose key begins with none of `but`.
    pub fn rewritten(&self, but: &[&str]) -> Option<String> {
        let objects = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        let is_let = |key: &str| but.iter().any(|prefix| key.starts_with(prefix));
        let rewritten = objects.iter().find(|(key, versions)| versions.len() > 1 && !is_let(key));
        rewritten.map(|(key, _)| key.clone())
    }

    fn put(&self, key: &Key, bytes: Vec<u8>) -> ObjectMeta {
        let mut objects = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        let versions = objects.entry(key.to_string()).or_default();
        versions.push(bytes.into());
        meta(key, versions)
    }

    fn put_if(&self, key: &Key, bytes: Vec<u8>, before: Option<&ObjectMeta>) -> PutNew {
        let mut objects = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = objects.get(&key.to_string()).map(|versions| meta(key, versions).version);
        if newest.as_deref() != before.map(|before| before.version.as_str()) {
            return PutNew::Exists;
        }
        let versions = objects.entry(key.to_string()).or_default();
        versions.push(bytes.into());
        PutNew::Created(meta(key, versions))
    }
}

fn meta(key: &Key, versions: &[Arc<[u8]>]) -> ObjectMeta {
    ObjectMeta {
        key: key.to_string(),
        version: versions.len().to_string(),
        size_bytes: versions.last().map_or(0, |bytes| bytes.len() as u64),
    }
}

#[expect(clippy::disallowed_methods, reason = "the port is handed a local file")]
fn read(key: &Key, file: &Path) -> Result<Vec<u8>, PortError> {
    std::fs::read(file).map_err(|error| PortError::new(PortErrorKind::Unavailable, format!("Cannot put {key}"), error))
}

#[async_trait]
impl Objects for MemoryObjects {
    async fn head(&self, key: &Key) -> Result<Option<ObjectMeta>, PortError> {
        let objects = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(objects.get(&key.to_string()).map(|versions| meta(key, versions)))
    }

    async fn fetch(&self, key: &Key, version: &str, into: &mut (dyn Write + Send)) -> Result<u64, PortError> {
        let objects = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        let number = version.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let bytes = objects.get(&key.to_string()).zip(number).and_then(|(versions, number)| versions.get(number));
        let Some(bytes) = bytes else {
            let what = format!("Cannot get {key}");
            return Err(PortError::new(PortErrorKind::NotFound, what, "no such object or version"));
        };
        into.write_all(bytes)
            .map_err(|error| PortError::new(PortErrorKind::Unavailable, format!("Cannot copy {key}"), error))?;
        Ok(bytes.len() as u64)
    }

    async fn upload(&self, key: &Key, file: &Path) -> Result<ObjectMeta, PortError> {
        Ok(self.put(key, read(key, file)?))
    }

    async fn upload_if(&self, key: &Key, file: &Path, before: Option<&ObjectMeta>) -> Result<PutNew, PortError> {
        Ok(self.put_if(key, read(key, file)?, before))
    }

    async fn versions(&self, prefix: &str, cursor: Option<&str>) -> Result<VersionPage, PortError> {
        let objects = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        let mut page = VersionPage::default();
        let is_later = |key: &&String| cursor.is_none_or(|cursor| key.as_str() > cursor);
        for (key, versions) in objects.iter().filter(|(key, _)| key.starts_with(prefix) && is_later(key)) {
            if page.versions.len() >= PAGE_VERSIONS_MIN {
                page.cursor = page.versions.last().map(|last| last.key.clone());
                break;
            }
            for number in 1..=versions.len() {
                let (key, version) = (key.clone(), number.to_string());
                let put_at = self.put_at.lock().unwrap_or_else(PoisonError::into_inner);
                let at = put_at.get(&(key.clone(), version.clone())).copied();
                page.versions.push(ListedVersion { key, version, at });
            }
        }
        Ok(page)
    }

    async fn put_new(&self, key: &Key, bytes: &[u8]) -> Result<PutNew, PortError> {
        Ok(self.put_if(key, bytes.to_vec(), None))
    }
}
