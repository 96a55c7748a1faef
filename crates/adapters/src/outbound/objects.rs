//! Files by key.

mod directory;
mod memory;

pub use directory::Directory;
pub use memory::MemoryObjects;
