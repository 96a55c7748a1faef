//! Records with conditions.

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use crate::error::{PortError, PortErrorKind};

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

    /// The error of a write whose condition does not hold.
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
    /// Since when no worker of before is left, where the store can know it: leases that were granted earlier are nobody's.
    fn alone_since(&self) -> Option<Timestamp> {
        None
    }

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
