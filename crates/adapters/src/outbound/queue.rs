//! Messages from one step to the next.

#[cfg(feature = "aws")]
mod sqs;

#[cfg(feature = "aws")]
pub use sqs::Sqs;
pub use store::memory::MemoryQueue;
