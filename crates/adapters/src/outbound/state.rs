//! Records with conditions.

mod memory;
mod sqlite;

pub use memory::MemoryState;
pub use sqlite::Sqlite;

use pipeline::ports::{Put, TRANSACT_WRITES_MAX};
use pipeline::{PortError, PortErrorKind};

/// Refuses what DynamoDB would refuse too: too many writes, or two to one record.
fn check_transaction(writes: &[Put]) -> Result<(), PortError> {
    let refused = |why: &str| Err(PortError::new(PortErrorKind::Refused, "Cannot write to the state", why));
    if writes.len() > TRANSACT_WRITES_MAX {
        return refused("more writes than a transaction may hold");
    }
    let mut places: Vec<(&str, &str)> = writes.iter().map(|put| (put.partition.as_str(), put.sort.as_str())).collect();
    places.sort_unstable();
    if places.windows(2).any(|pair| pair.first() == pair.last()) {
        return refused("two writes to one record");
    }
    Ok(())
}

fn conflict(put: &Put) -> PortError {
    let what = format!("Cannot write {} {}", put.partition, put.sort);
    PortError::new(PortErrorKind::Conflict, what, "the record is not as it was read")
}
