//! Mails.

mod eml;

pub use eml::EmlFolder;
pub use pipeline::memory::MemoryMailer;
