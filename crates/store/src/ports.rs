//! The ports: what the steps need of the outside world. Each has one contract test that every adapter passes.

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
pub use documents::mail::{Address, HeaderText, MailId, Mailbox, WebAddress};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use settlement::AccountId;
use tables::Packing;

use crate::keys::Key;

/// Everything a step may use.
#[derive(Clone)]
pub struct Ports {
    /// Files.
    pub objects: Arc<dyn Objects>,
    /// Small records with conditions.
    pub state: Arc<dyn State>,
    /// How tables are packed that are stored for long.
    pub packing: Packing,
}

/// What a port's failure means to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortErrorKind {
    /// What was asked for is not there.
    NotFound,
    /// A condition did not hold: somebody else was first.
    Conflict,
    /// The service could not be reached or refused for now.
    Unavailable,
    /// The request itself is wrong or not permitted.
    Refused,
}

/// A port failed: a kind for the program, what for the reader, the source for the log.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {source}")]
pub struct PortError {
    /// What it means.
    pub kind: PortErrorKind,
    /// What was tried.
    pub what: String,
    /// What the service said.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl PortError {
    /// A failure of that kind.
    pub fn new(
        kind: PortErrorKind,
        what: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        PortError { kind, what: what.into(), source: source.into() }
    }

    /// Whether trying again later can help.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, PortErrorKind::Unavailable | PortErrorKind::Conflict)
    }
}

/// Sends one request and gives its answer: HTTP, or a stand-in.
#[async_trait]
pub trait HttpClient: Send + Sync {
    /// Sends it once, as it is: no second try, no redirect followed.
    ///
    /// # Errors
    /// When no answer came; says whether the request may have arrived.
    async fn send(&self, request: &dintero::Request) -> Result<dintero::Answer, dintero::NoAnswer>;
}

/// Gives the credentials of accounts.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// The API client of an account; `fresh` when what was given before was refused.
    ///
    /// # Errors
    /// `NotFound` when the account has none, `Unavailable` when they cannot be read.
    async fn credentials(&self, account: &AccountId, fresh: bool) -> Result<dintero::Credentials, PortError>;
}

/// What a mail goes with, beside its bytes.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// Names the mail: a mailer tells by it whether the mail was sent.
    pub id: &'a MailId,
    /// When the mail was made.
    pub at: Timestamp,
    /// Who sends it.
    pub from: &'a Address,
    /// The one recipient.
    pub to: &'a Address,
    /// Behind this time it MUST NOT be sent any more: another worker may have taken it up.
    pub not_after: Timestamp,
}

/// Why a mail has no message id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSentKind {
    /// It was surely not sent, and may be later: throttled, not reached, too late.
    Later,
    /// It was surely not sent, and never will be as it is.
    Refused,
    /// Nobody knows: it may have been sent, or may still be.
    Unknown,
}

/// A mail was not sent, or nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct NotSent {
    /// What it means.
    pub kind: NotSentKind,
    /// What happened, for a person; never an address.
    pub why: String,
}

/// Sends mails: SES, files in a directory, or memory.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Sends a mail once, as it is, to one recipient; gives the id that the service knows it by.
    ///
    /// # Errors
    /// MUST be `Unknown` whenever the mail may have left, and never tried again here.
    async fn send(&self, envelope: &Envelope<'_>, message: &[u8]) -> Result<String, NotSent>;

    /// The id of a mail that is known to have been sent; `None` when there is no trace of it, yet.
    ///
    /// # Errors
    /// `Unavailable` when nobody can tell.
    async fn sent(&self, id: &MailId) -> Result<Option<String>, PortError>;
}

/// Hands messages to the next step: SQS, or memory.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Puts a message that comes out behind `delay`, or a little later, more than once, and in any order.
    ///
    /// # Errors
    /// `Unavailable` when the queue cannot be reached.
    async fn send(&self, message: &str, delay: SignedDuration) -> Result<(), PortError>;
}

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

/// A record: found by partition and sort key, changed only at the revision that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// What the record is about.
    pub partition: String,
    /// Which of the partition's records it is.
    pub sort: String,
    /// Counts its changes from 1.
    pub revision: u64,
    /// Version of the body's layout.
    pub schema: u32,
    /// The record itself.
    pub body: Value,
}

/// What must hold for a write to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// No record is there.
    Absent,
    /// The record is at this revision.
    Revision(u64),
    /// Anything; for records whose every writer writes the same.
    Any,
}

/// A write with its condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Put {
    /// What the record is about.
    pub partition: String,
    /// Which of the partition's records it is.
    pub sort: String,
    /// Version of the body's layout.
    pub schema: u32,
    /// The record itself.
    pub body: Value,
    /// What must hold.
    pub expect: Expect,
}

impl Put {
    /// Refuses what no store takes: too many writes, or two to one record.
    ///
    /// # Errors
    /// `Refused` then.
    pub fn check_all(writes: &[Put]) -> Result<(), PortError> {
        let refused = |why: &str| Err(PortError::new(PortErrorKind::Refused, "Cannot write to the state", why));
        if writes.len() > TRANSACT_WRITES_MAX {
            return refused("more writes than a transaction may hold");
        }
        let place = |put: &Put| (put.partition.clone(), put.sort.clone());
        let mut places: Vec<(String, String)> = writes.iter().map(place).collect();
        places.sort_unstable();
        if places.windows(2).any(|pair| pair.first() == pair.last()) {
            return refused("two writes to one record");
        }
        Ok(())
    }

    /// Refuses to take the place of a record that a newer release has written: it may say what this one cannot.
    ///
    /// # Errors
    /// `Refused` then.
    pub fn check_layout(&self, found: u32) -> Result<(), PortError> {
        if found <= self.schema {
            return Ok(());
        }
        let what = format!("Cannot write {} {}", self.partition, self.sort);
        let why = format!(
            "its layout is version {found}, this program knows {}. It may be of a newer version of avstem",
            self.schema
        );
        Err(PortError::new(PortErrorKind::Refused, what, why))
    }

    /// What is said when the condition of this write does not hold.
    pub fn conflict(&self) -> PortError {
        let what = format!("Cannot write {} {}", self.partition, self.sort);
        PortError::new(PortErrorKind::Conflict, what, "the record is not as it was read")
    }
}

/// A range of one partition in the order of its sort keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The partition.
    pub partition: String,
    /// First sort key, taken in; empty for the very first.
    pub from: String,
    /// Sort keys begin with this.
    pub prefix: String,
    /// From the last to the first instead.
    pub backwards: bool,
    /// At most so many records in one page.
    pub limit: usize,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

impl Query {
    /// All records of a partition from the first on.
    pub fn all(partition: impl Into<String>) -> Self {
        Query {
            partition: partition.into(),
            from: String::new(),
            prefix: String::new(),
            backwards: false,
            limit: 1_000,
            cursor: None,
        }
    }
}

/// One page of a query.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// The records.
    pub items: Vec<Item>,
    /// Where to go on; `None` at the end.
    pub cursor: Option<String>,
}

/// A transaction holds at most this many writes.
pub const TRANSACT_WRITES_MAX: usize = 100;

/// Records with conditions: DynamoDB, SQLite, or memory.
#[async_trait]
pub trait State: Send + Sync {
    /// The record, as last written.
    ///
    /// # Errors
    /// `Unavailable` when the store cannot answer.
    async fn get(&self, partition: &str, sort: &str) -> Result<Option<Item>, PortError>;

    /// A page of records.
    ///
    /// # Errors
    /// `Unavailable` when the store cannot answer.
    async fn query(&self, query: &Query) -> Result<Page, PortError>;

    /// Writes all or nothing; no two writes may be to one record.
    ///
    /// # Errors
    /// MUST be `Conflict`, with nothing written, when any condition does not hold, and `Refused` as [`Put::check_layout`] says
    /// when a record is of a newer layout, whatever is expected of it; `Refused` beyond [`TRANSACT_WRITES_MAX`] writes.
    async fn transact(&self, writes: &[Put]) -> Result<(), PortError>;

    /// Writes one record under its condition.
    ///
    /// # Errors
    /// As [`State::transact`].
    async fn put_if(&self, write: &Put) -> Result<(), PortError> {
        self.transact(std::slice::from_ref(write)).await
    }

    /// Writes many records in parts; repeating the call gives the same records.
    ///
    /// # Errors
    /// As [`State::transact`]; some parts may have been written.
    async fn put_many(&self, writes: &[Put]) -> Result<(), PortError> {
        for part in writes.chunks(TRANSACT_WRITES_MAX) {
            self.transact(part).await?;
        }
        Ok(())
    }
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ports")
    }
}
