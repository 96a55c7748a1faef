//! The state in one SQLite file.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row, TransactionBehavior, params};
use store::{Expect, Item, Page, PortError, PortErrorKind, Put, Query, State};

const CREATE: &str = "CREATE TABLE IF NOT EXISTS item (
    partition TEXT NOT NULL,
    sort TEXT NOT NULL,
    revision INTEGER NOT NULL,
    schema INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (partition, sort)
) WITHOUT ROWID";

const PUT: &str = "INSERT INTO item (partition, sort, revision, schema, body) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (partition, sort) DO UPDATE SET revision = ?3, schema = ?4, body = ?5";

/// A database file, used by one process or several.
#[derive(Debug)]
pub struct Sqlite {
    connection: Mutex<Connection>,
    alone_since: Option<Timestamp>,
}

impl Sqlite {
    /// Opens the database, making it when it is not there.
    ///
    /// # Errors
    /// When the file cannot be opened or is no such database.
    pub fn open(path: &Path) -> Result<Self, PortError> {
        let open = || {
            let connection = Connection::open(path)?;
            connection.busy_timeout(Duration::from_secs(10))?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.execute(CREATE, [])?;
            Ok(connection)
        };
        let connection = open().map_err(|error| failed(&format!("open the state {}", path.display()), error))?;
        Ok(Sqlite { connection: Mutex::new(connection), alone_since: None })
    }

    /// The same database, whose workers of before that time are all gone.
    #[must_use]
    pub fn alone_since(self, since: Option<Timestamp>) -> Self {
        Sqlite { alone_since: since, ..self }
    }

    /// Opens a database that is there, to read from it only.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open_to_read(path: &Path) -> Result<Self, PortError> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .map_err(|error| failed(&format!("open the state {}", path.display()), error))?;
        Ok(Sqlite { connection: Mutex::new(connection), alone_since: None })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl State for Sqlite {
    fn alone_since(&self) -> Option<Timestamp> {
        self.alone_since
    }

    async fn get(&self, partition: &str, sort: &str) -> Result<Option<Item>, PortError> {
        self.connection()
            .query_row("SELECT * FROM item WHERE partition = ?1 AND sort = ?2", [partition, sort], item)
            .optional()
            .map_err(|error| failed("read from the state", error))
    }

    async fn query(&self, query: &Query) -> Result<Page, PortError> {
        let (compare, order) = if query.backwards { ("<", "DESC") } else { (">", "ASC") };
        let sql = format!(
            "SELECT * FROM item WHERE partition = ?1 AND sort >= ?2 AND substr(sort, 1, length(?3)) = ?3
             AND (?4 IS NULL OR sort {compare} ?4) ORDER BY sort {order} LIMIT ?5"
        );
        let read = || {
            let connection = self.connection();
            let mut statement = connection.prepare(&sql)?;
            let limit = i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1);
            let rows =
                statement.query_map(params![query.partition, query.from, query.prefix, query.cursor, limit], item)?;
            rows.collect::<Result<Vec<Item>, rusqlite::Error>>()
        };
        let mut items = read().map_err(|error| failed("read from the state", error))?;
        let more = items.len() > query.limit;
        items.truncate(query.limit);
        let cursor = items.last().filter(|_| more).map(|item| item.sort.clone());
        Ok(Page { items, cursor })
    }

    async fn transact(&self, writes: &[Put]) -> Result<(), PortError> {
        Put::check_all(writes)?;
        let unable = |error| failed("write to the state", error);
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(unable)?;
        for put in writes {
            let found: Option<(i64, u32)> = transaction
                .query_row(
                    "SELECT revision, schema FROM item WHERE partition = ?1 AND sort = ?2",
                    [&put.partition, &put.sort],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()
                .map_err(unable)?;
            put.check_layout(found.map_or(0, |(_, schema)| schema))?;
            let revision = found.map(|(revision, _)| revision);
            let holds = match put.expect {
                Expect::Any => true,
                Expect::Absent => revision.is_none(),
                Expect::Revision(expected) => revision == i64::try_from(expected).ok(),
            };
            if !holds {
                // Dropping the transaction rolls it back.
                return Err(put.conflict());
            }
            let next = revision.unwrap_or(0) + 1;
            let row = params![put.partition, put.sort, next, put.schema, put.body.to_string()];
            transaction.execute(PUT, row).map_err(unable)?;
        }
        transaction.commit().map_err(unable)
    }
}

fn item(row: &Row<'_>) -> rusqlite::Result<Item> {
    let revision: i64 = row.get(2)?;
    let body: String = row.get(4)?;
    let body = serde_json::from_str(&body)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(4, rusqlite::types::Type::Text, Box::new(error)))?;
    Ok(Item {
        partition: row.get(0)?,
        sort: row.get(1)?,
        revision: u64::try_from(revision).unwrap_or(0),
        schema: row.get(3)?,
        body,
    })
}

fn failed(what: &str, error: rusqlite::Error) -> PortError {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::DiskFull) => PortErrorKind::Unavailable,
        _ => PortErrorKind::Refused,
    };
    PortError::new(kind, format!("Cannot {what}"), error)
}
