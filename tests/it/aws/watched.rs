//! Ports that tell what was done through them, in the words of a role's permissions.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use store::keys::Key;
use store::{Item, ObjectMeta, Objects, Page, PortError, Put, PutNew, Query, State, VersionPage};

/// What a step reads and writes, by the names that its role is given.
#[derive(Default)]
pub(crate) struct Kept(Mutex<BTreeSet<(&'static str, String)>>);

impl Kept {
    /// Everything that was done, and to what.
    pub(crate) fn all(&self) -> BTreeSet<(&'static str, String)> {
        self.0.lock().unwrap().clone()
    }

    fn keep(&self, action: &'static str, place: String) {
        self.0.lock().unwrap().insert((action, place));
    }
}

/// A port, and who keeps what is done through it.
pub(crate) struct Watched<T: ?Sized>(pub(crate) Arc<T>, pub(crate) Arc<Kept>);

#[async_trait]
impl State for Watched<dyn State> {
    async fn get(&self, partition: &str, sort: &str) -> Result<Option<Item>, PortError> {
        self.1.keep("dynamodb:GetItem", format!("{partition} of Table"));
        self.0.get(partition, sort).await
    }

    async fn query(&self, query: &Query) -> Result<Page, PortError> {
        self.1.keep("dynamodb:Query", format!("{} of Table", query.partition));
        self.0.query(query).await
    }

    async fn transact(&self, writes: &[Put]) -> Result<(), PortError> {
        for put in writes {
            self.1.keep("dynamodb:UpdateItem", format!("{} of Table", put.partition));
        }
        self.0.transact(writes).await
    }
}

/// The bucket of a key, as the template calls it, and the rest of the key.
fn in_bucket(key: &str) -> String {
    let (part, rest) = key.split_once('/').unwrap();
    let (first, others) = part.split_at(1);
    format!("{}{others}Bucket/{rest}", first.to_uppercase())
}

#[async_trait]
impl Objects for Watched<dyn Objects> {
    async fn head(&self, key: &Key) -> Result<Option<ObjectMeta>, PortError> {
        self.1.keep("s3:GetObject", in_bucket(&key.to_string()));
        self.0.head(key).await
    }

    async fn fetch(&self, key: &Key, version: &str, into: &mut (dyn std::io::Write + Send)) -> Result<u64, PortError> {
        self.1.keep("s3:GetObjectVersion", in_bucket(&key.to_string()));
        self.0.fetch(key, version, into).await
    }

    async fn upload(&self, key: &Key, file: &Path) -> Result<ObjectMeta, PortError> {
        self.1.keep("s3:PutObject", in_bucket(&key.to_string()));
        self.0.upload(key, file).await
    }

    async fn upload_if(&self, key: &Key, file: &Path, before: Option<&ObjectMeta>) -> Result<PutNew, PortError> {
        self.1.keep("s3:PutObject", in_bucket(&key.to_string()));
        self.0.upload_if(key, file, before).await
    }

    async fn versions(&self, prefix: &str, cursor: Option<&str>) -> Result<VersionPage, PortError> {
        let bucket = in_bucket(prefix);
        self.1.keep("s3:ListBucketVersions", bucket.split('/').next().unwrap().to_owned());
        self.0.versions(prefix, cursor).await
    }

    async fn put_new(&self, key: &Key, bytes: &[u8]) -> Result<PutNew, PortError> {
        self.1.keep("s3:PutObject", in_bucket(&key.to_string()));
        self.0.put_new(key, bytes).await
    }
}
