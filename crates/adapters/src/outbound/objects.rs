//! Files by key.

mod directory;

pub use directory::Directory;
pub use pipeline::memory::MemoryObjects;
