//! The queues of a world; a send is a call like any other, and can be disturbed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::SignedDuration;
use pipeline::operate::sweep::Queues;
use store::{PortError, Queue};

use super::{Worker, World, locked};
use crate::faults::Effect;

/// One queue, to which a worker sends.
struct Sends {
    worker: Worker,
    to: fn(&World) -> &Mutex<VecDeque<String>>,
}

#[async_trait]
impl Queue for Sends {
    async fn send(&self, message: &str, _delay: SignedDuration) -> Result<(), PortError> {
        let worker = &self.worker;
        let put = async {
            locked((self.to)(&worker.world)).push_back(message.to_owned());
            Ok(())
        };
        worker.call(Effect::Write, "queue", put).await
    }
}

impl Worker {
    /// The queues to which it sends.
    pub fn queues(&self) -> Queues {
        let queue = |to| -> Arc<dyn Queue> { Arc::new(Sends { worker: self.clone(), to }) };
        Queues { parse: queue(|world| &world.to_parse), reconcile: queue(|world| &world.to_reconcile) }
    }
}

/// Takes all messages out of a queue.
pub(crate) fn taken(queue: &Mutex<VecDeque<String>>) -> Vec<String> {
    locked(queue).drain(..).collect()
}
