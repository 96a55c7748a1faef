//! Records with conditions.

#[cfg(feature = "aws")]
mod dynamodb;
mod sqlite;

#[cfg(feature = "aws")]
pub use dynamodb::DynamoDb;
pub use sqlite::Sqlite;
pub use store::memory::MemoryState;
