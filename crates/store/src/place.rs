//! Where records lie, and how they are read and written: one record, or a range of them page by page.

use std::vec::IntoIter;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::RecordError;
use crate::ports::{Expect, Item, Put, Query, State};

/// Version of the layouts of all records.
pub const ITEM_SCHEMA: u32 = 1;

/// No record may be larger than this: a third is left to the 400 KiB that DynamoDB takes.
pub const ITEM_BYTES_MAX: usize = 300_000;

/// Where a record lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Partition key.
    pub partition: String,
    /// Sort key.
    pub sort: String,
}

impl Place {
    /// The place with that partition and sort key.
    pub fn new(partition: impl Into<String>, sort: impl Into<String>) -> Self {
        Place { partition: partition.into(), sort: sort.into() }
    }

    /// Reads the record with its revision.
    ///
    /// # Errors
    /// When the state cannot answer or the record is not of its layout.
    pub async fn read<T: DeserializeOwned>(&self, state: &dyn State) -> Result<Option<(T, u64)>, RecordError> {
        let item = state.get(&self.partition, &self.sort).await?;
        item.map(|item| Ok((decode(&item)?, item.revision))).transpose()
    }

    /// A write of the record.
    ///
    /// # Errors
    /// When the body cannot be spelt as JSON, such as a map whose keys are no strings.
    pub fn put(&self, body: &impl Serialize, expect: Expect) -> Result<Put, RecordError> {
        let body = serde_json::to_value(body).map_err(|error| RecordError::Unwritable {
            record: format!("{} {}", self.partition, self.sort),
            reason: error.to_string(),
        })?;
        Ok(Put { partition: self.partition.clone(), sort: self.sort.clone(), schema: ITEM_SCHEMA, body, expect })
    }
}

/// The body of a record.
///
/// # Errors
/// When it is of a newer layout or not readable.
pub fn decode<T: DeserializeOwned>(item: &Item) -> Result<T, RecordError> {
    if item.schema > ITEM_SCHEMA {
        let reason = format!("its layout is version {}, this program knows {ITEM_SCHEMA}", item.schema);
        return Err(unreadable(item, reason));
    }
    T::deserialize(&item.body).map_err(|error| unreadable(item, error.to_string()))
}

/// The error of a record whose place or body says what it must not.
pub fn unreadable(item: &Item, reason: impl Into<String>) -> RecordError {
    RecordError::Unreadable { record: format!("{} {}", item.partition, item.sort), reason: reason.into() }
}

/// Reads the records of a query page by page.
pub struct Pager<'a> {
    state: &'a dyn State,
    query: Option<Query>,
    page: IntoIter<Item>,
}

impl<'a> Pager<'a> {
    /// Begins at the start of the query; nothing is read yet.
    pub fn new(state: &'a dyn State, query: Query) -> Self {
        Pager { state, query: Some(query), page: Vec::new().into_iter() }
    }

    /// The next record; `None` after the last one.
    ///
    /// # Errors
    /// When the state cannot answer.
    pub async fn next(&mut self) -> Result<Option<Item>, RecordError> {
        loop {
            if let Some(item) = self.page.next() {
                return Ok(Some(item));
            }
            let Some(query) = self.query.take() else { return Ok(None) };
            let page = self.state.query(&query).await?;
            self.page = page.items.into_iter();
            self.query = page.cursor.map(|cursor| Query { cursor: Some(cursor), ..query });
        }
    }

    /// All records that are left, in memory at once.
    ///
    /// # Errors
    /// When the state cannot answer.
    pub async fn all(mut self) -> Result<Vec<Item>, RecordError> {
        let mut found = Vec::new();
        while let Some(item) = self.next().await? {
            found.push(item);
        }
        Ok(found)
    }
}

/// All records of a query, in memory at once.
///
/// # Errors
/// When the state cannot answer.
pub async fn all(state: &dyn State, query: Query) -> Result<Vec<Item>, RecordError> {
    Pager::new(state, query).all().await
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Written as `null`, it would take the place of the record that is there.
    #[test]
    fn a_record_that_cannot_be_spelt_as_json_is_never_written() {
        let body = BTreeMap::from([((1, 2), "a map whose keys are no strings")]);
        let error = Place::new("TEST#1", "A").put(&body, Expect::Any).unwrap_err();
        assert!(matches!(&error, RecordError::Unwritable { record, .. } if record == "TEST#1 A"), "{error}");
    }
}
