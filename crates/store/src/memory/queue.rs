//! A queue in memory.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use jiff::SignedDuration;

use crate::error::PortError;
use crate::ports::Queue;

/// Messages in the order they were sent, each with its delay.
#[derive(Debug, Default)]
pub struct MemoryQueue {
    messages: Mutex<VecDeque<(String, SignedDuration)>>,
}

impl MemoryQueue {
    /// Takes the first message.
    pub fn take(&self) -> Option<(String, SignedDuration)> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn send(&self, message: &str, delay: SignedDuration) -> Result<(), PortError> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).push_back((message.to_owned(), delay));
        Ok(())
    }
}
