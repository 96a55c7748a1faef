//! The state in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::error::PortError;
use crate::ports::{Expect, Item, Page, Put, Query, State};

/// Records in the order of their keys.
#[derive(Debug, Default)]
pub struct MemoryState {
    records: Mutex<BTreeMap<(String, String), Item>>,
}

impl Clone for MemoryState {
    fn clone(&self) -> Self {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner).clone();
        MemoryState { records: Mutex::new(records) }
    }
}

impl MemoryState {
    /// Every record, in the order of keys.
    pub fn all(&self) -> Vec<Item> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

#[async_trait]
impl State for MemoryState {
    async fn get(&self, partition: &str, sort: &str) -> Result<Option<Item>, PortError> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(records.get(&(partition.to_owned(), sort.to_owned())).cloned())
    }

    async fn query(&self, query: &Query) -> Result<Page, PortError> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let within = |item: &&Item| {
            let cursor = query.cursor.as_deref();
            item.sort.starts_with(&query.prefix)
                && item.sort >= query.from
                && cursor.is_none_or(|cursor| if query.backwards { *item.sort < *cursor } else { *item.sort > *cursor })
        };
        let partition = (query.partition.clone(), String::new())..;
        let own = records.range(partition).take_while(|((partition, _), _)| *partition == query.partition);
        let mut found: Vec<Item> = own.map(|(_, item)| item).filter(within).cloned().collect();
        if query.backwards {
            found.reverse();
        }
        let more = found.len() > query.limit;
        found.truncate(query.limit);
        let cursor = found.last().filter(|_| more).map(|item| item.sort.clone());
        Ok(Page { items: found, cursor })
    }

    async fn transact(&self, writes: &[Put]) -> Result<(), PortError> {
        Put::check_all(writes)?;
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let place = |put: &Put| (put.partition.clone(), put.sort.clone());
        for put in writes {
            let found = records.get(&place(put));
            put.check_layout(found.map_or(0, |item| item.schema))?;
            let revision = found.map(|item| item.revision);
            let holds = match put.expect {
                Expect::Any => true,
                Expect::Absent => revision.is_none(),
                Expect::Revision(expected) => revision == Some(expected),
            };
            if !holds {
                return Err(put.conflict());
            }
        }
        for put in writes {
            let revision = records.get(&place(put)).map_or(0, |item| item.revision) + 1;
            let Put { partition, sort, schema, body, .. } = put.clone();
            records.insert(place(put), Item { partition, sort, revision, schema, body });
        }
        Ok(())
    }
}
