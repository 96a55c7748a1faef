//! What every function has: the ports, a directory, the time and a log.

use std::io::Write;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use pipeline::intake::refuse;
use pipeline::transactions::client::Clock;
use pipeline::{Ports, StepError};
use serde::Serialize;
use store::{PortError, PortErrorKind, Queue};
use tracing::Level;

use crate::fields::Fields;
use crate::inbound::log::{Log, kind_of};
use crate::inbound::metric::Metric;
use crate::traces::Traces;

/// A message, or a call, that is to come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is to be tried again; the lines of the function say why")]
pub struct Again;

/// What every function has.
pub struct Function {
    /// What the steps use.
    pub ports: Ports,
    /// A directory for temporary files.
    pub scratch: PathBuf,
    /// Tells the time.
    pub clock: Clock,
    /// Where its lines go.
    pub log: Log,
}

impl Function {
    /// The function of that name, with a log that goes to `out`.
    pub fn new(
        name: &'static str,
        ports: Ports,
        scratch: PathBuf,
        clock: Clock,
        out: impl Write + Send + 'static,
    ) -> Self {
        let log = Log::new(name, clock.clone(), out);
        Function { ports, scratch, clock, log }
    }

    /// The same function, with the name of its stack beside its numbers.
    #[must_use]
    pub fn of_stack(self, stack: String) -> Self {
        self.log.tell_stack(stack);
        self
    }

    /// The same function, with spans beside its lines.
    #[must_use]
    pub fn traced(self, traces: Traces) -> Self {
        Function { log: self.log.traced(traces), ..self }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Milliseconds since then, as lines give them.
    pub fn millis_since(&self, began: Timestamp) -> Option<i64> {
        i64::try_from(self.now().duration_since(began).as_millis()).ok()
    }

    /// Says why a message comes again. An error that waiting does not help comes again too: it ends in the queue of failed messages,
    /// where a person sees it.
    pub fn again(&self, msg: &'static str, error: &StepError, fields: &Fields) -> Again {
        let level = if error.is_retryable() { Level::WARN } else { Level::ERROR };
        let fields = Fields { kind: Some(kind_of(error)), ..fields.clone() };
        self.log.say(level, msg, &fields);
        Again
    }

    /// Records a message or a key that can never be carried out.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub async fn refuse(&self, text: &str, why: &str, fields: &Fields) -> Result<(), StepError> {
        refuse::run(&self.ports, text, why, self.now()).await?;
        self.log.warn("a message was refused and recorded", fields);
        self.log.count(&[(Metric::RefusedMessages, 1)]);
        Ok(())
    }
}

/// Sends a message to a queue.
///
/// # Errors
/// When the message cannot be written as JSON, or the queue does not take it.
pub async fn send<M: Serialize>(queue: &dyn Queue, message: &M, delay: SignedDuration) -> Result<(), StepError> {
    let body = serde_json::to_string(message)
        .map_err(|error| PortError::new(PortErrorKind::Refused, "Cannot write a message as JSON", error))?;
    Ok(queue.send(&body, delay).await?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::outbound::queue::MemoryQueue;

    #[tokio::test]
    async fn a_message_that_cannot_be_written_is_an_error_and_is_not_sent() {
        let queue = MemoryQueue::default();
        let no_json = BTreeMap::from([((1, 2), 3)]);
        let error = send(&queue, &no_json, SignedDuration::ZERO).await.unwrap_err();
        assert!(!error.is_retryable() && error.to_string().contains("Cannot write a message as JSON"), "{error}");
        assert!(queue.take().is_none());
        send(&queue, &[1], SignedDuration::ZERO).await.unwrap();
        assert_eq!(queue.take().unwrap().0, "[1]");
    }
}
