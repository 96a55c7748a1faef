//! Messages from one step to the next.

#[cfg(feature = "aws")]
mod sqs;

pub use pipeline::memory::MemoryQueue;
#[cfg(feature = "aws")]
pub use sqs::Sqs;
