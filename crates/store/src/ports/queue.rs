//! Messages for the next step.

use async_trait::async_trait;
use jiff::SignedDuration;

use crate::error::PortError;

/// Hands messages to the next step: SQS, or memory.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Puts a message that comes out after `delay`, or a little later, more than once, and in any order.
    ///
    /// # Errors
    /// `Unavailable` when the queue cannot be reached.
    async fn send(&self, message: &str, delay: SignedDuration) -> Result<(), PortError>;
}
