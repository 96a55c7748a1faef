//! A worker that stops in the middle of a step while others run on, and then continues.

use std::task::{Context, Waker};

use super::Run;
use crate::end_state;
use crate::poll::to_end;
use crate::scenario::Upload;
use crate::violation::Violation;
use crate::world::locked;

/// The step in which a worker is held up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldUp {
    /// It reads a report; its lease ends, and another worker reads the report.
    Reading,
    /// It resumes postings, and so does another.
    Posting,
    /// It matches; another report arrives and is matched by others.
    Matching,
    /// It builds the lake; another report arrives.
    Building,
}

impl Run<'_> {
    /// Stops a worker after `calls` calls, lets others run, and lets it run on; `false` when it makes fewer calls.
    pub(crate) fn held_up(mut self, at: HeldUp, calls: usize) -> Result<bool, Violation> {
        let mut uploads: Vec<Upload> =
            self.scenario.uploads.iter().filter(|upload| upload.phase == 1).cloned().collect();
        // Another report of its account comes first.
        let second = uploads.iter().rposition(|upload| upload.landing.name == "b.csv");
        let late: Vec<Upload> = second.map(|place| uploads.remove(place)).into_iter().collect();
        self.deliver_all(uploads)?;
        if at == HeldUp::Matching {
            self.look_after()?;
        }
        self.world.clock.advance(self.again);
        let (_, mut task) = match at {
            HeldUp::Reading => {
                let Some(upload) = late.first() else { return Ok(false) };
                self.message(upload)
            }
            HeldUp::Posting => self.resuming(),
            HeldUp::Matching => self.matching(),
            HeldUp::Building => self.building(),
        };
        for _ in 0..calls {
            if task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                return Ok(false);
            }
        }
        match at {
            HeldUp::Reading => {
                self.world.clock.advance(self.again);
                self.deliver_all(late)?;
            }
            HeldUp::Posting => {
                let other = self.resuming();
                self.interleave(vec![other])?;
            }
            HeldUp::Matching => {
                self.deliver_all(late)?;
                self.look_after()?;
            }
            HeldUp::Building => self.deliver_all(late)?,
        }
        match to_end(task) {
            Err(error) if !error.is_retryable() => return Err(Violation(format!("a step failed for good: {error}"))),
            _ => {}
        }
        if let Some(violation) = locked(&self.world.watch).violation.take() {
            return Err(Violation(violation));
        }
        match at {
            HeldUp::Reading | HeldUp::Posting => {}
            HeldUp::Matching => end_state::check(&self.world, self.scenario, false, self.scratch)?,
            HeldUp::Building => {
                // By now the lease of the worker that was held up has ended.
                self.world.clock.advance(self.again);
                let (_, next) = self.building();
                to_end(next).map_err(|error| Violation(format!("L5: the lake cannot be built: {error}")))?;
                self.scenario
                    .accounts
                    .last()
                    .map_or(Ok(()), |account| end_state::check_lake(&self.world, account, self.scratch))?;
            }
        }
        Ok(true)
    }
}
