//! Files by key.

mod directory;
#[cfg(feature = "aws")]
mod s3;

pub use directory::Directory;
#[cfg(feature = "aws")]
pub use s3::S3;
pub use store::memory::MemoryObjects;
