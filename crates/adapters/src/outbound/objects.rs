//! Files by key.

mod directory;
#[cfg(feature = "aws")]
mod s3;

pub use directory::Directory;
pub use pipeline::memory::MemoryObjects;
#[cfg(feature = "aws")]
pub use s3::S3;
