//! Files by key.

use std::io::Write;
use std::path::Path;
use std::vec::IntoIter;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::error::PortError;
use crate::keys::Key;

/// A file at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Its key as text, bucket first.
    pub key: String,
    /// Names this content of the key for ever.
    pub version: String,
    /// Size.
    pub size_bytes: u64,
}

/// A version of an object, as a listing has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedVersion {
    /// Key as text, bucket first.
    pub key: String,
    /// The version.
    pub version: String,
    /// When it was put; `None` where the store does not keep it.
    pub at: Option<Timestamp>,
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VersionPage {
    /// The versions.
    pub versions: Vec<ListedVersion>,
    /// Where to go on; `None` at the end.
    pub cursor: Option<String>,
}

/// What became of a conditional put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutNew {
    /// The object is there now.
    Created(ObjectMeta),
    /// Another object was there before and is untouched.
    Exists,
}

/// Files by key: S3, a directory, or memory.
#[async_trait]
pub trait Objects: Send + Sync {
    /// The newest version of an object; `None` when there is none.
    ///
    /// # Errors
    /// `Unavailable` when the store cannot answer.
    async fn head(&self, key: &Key) -> Result<Option<ObjectMeta>, PortError>;

    /// Copies exactly that version of an object into `into`, piece by piece, and gives its size.
    ///
    /// # Errors
    /// MUST be `NotFound` when object or version are gone, whatever other versions exist.
    async fn fetch(&self, key: &Key, version: &str, into: &mut (dyn Write + Send)) -> Result<u64, PortError>;

    /// Puts a local file as the newest version of an object; earlier versions stay.
    ///
    /// # Errors
    /// `Unavailable` when the file cannot be read or the store cannot answer.
    async fn upload(&self, key: &Key, file: &Path) -> Result<ObjectMeta, PortError>;

    /// Puts a local file only when the newest version is the one that was seen `before`; `None` when there was none.
    ///
    /// # Errors
    /// As [`Objects::upload`]; another object is an answer, not an error.
    async fn upload_if(&self, key: &Key, file: &Path, before: Option<&ObjectMeta>) -> Result<PutNew, PortError>;

    /// Puts a local file only when no object has that key.
    ///
    /// # Errors
    /// As [`Objects::upload`]; an existing object is an answer, not an error.
    async fn upload_new(&self, key: &Key, file: &Path) -> Result<PutNew, PortError> {
        self.upload_if(key, file, None).await
    }

    /// Lists every version of every object whose key begins with `prefix`, in the order of keys.
    ///
    /// # Errors
    /// `Unavailable` when the store cannot answer.
    async fn versions(&self, prefix: &str, cursor: Option<&str>) -> Result<VersionPage, PortError>;

    /// Puts bytes only when no object has that key.
    ///
    /// # Errors
    /// As [`Objects::upload`]; an existing object is an answer, not an error.
    async fn put_new(&self, key: &Key, bytes: &[u8]) -> Result<PutNew, PortError>;
}

/// Every version of every object whose key begins alike, page by page.
pub struct ObjectPager<'a> {
    objects: &'a dyn Objects,
    prefix: String,
    /// Where to go on; `None` once the last page is read.
    next: Option<Option<String>>,
    page: IntoIter<ListedVersion>,
}

impl<'a> ObjectPager<'a> {
    /// Begins at the first key; nothing is read yet.
    pub fn new(objects: &'a dyn Objects, prefix: impl Into<String>) -> Self {
        ObjectPager { objects, prefix: prefix.into(), next: Some(None), page: Vec::new().into_iter() }
    }

    /// The next version; `None` after the last one.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn next(&mut self) -> Result<Option<ListedVersion>, PortError> {
        loop {
            if let Some(listed) = self.page.next() {
                return Ok(Some(listed));
            }
            let Some(cursor) = self.next.take() else { return Ok(None) };
            let page = self.objects.versions(&self.prefix, cursor.as_deref()).await?;
            self.page = page.versions.into_iter();
            self.next = page.cursor.map(Some);
        }
    }
}
