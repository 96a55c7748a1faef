//! The ports in memory: what every other implementation is held against, and what a simulation runs on.

mod mailer;
mod objects;
mod queue;
mod state;

pub use mailer::{MemoryMailer, SentMail};
pub use objects::MemoryObjects;
pub use queue::MemoryQueue;
pub use state::MemoryState;
