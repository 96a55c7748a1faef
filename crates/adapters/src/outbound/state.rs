//! Records with conditions.

mod sqlite;

pub use pipeline::memory::MemoryState;
pub use sqlite::Sqlite;
