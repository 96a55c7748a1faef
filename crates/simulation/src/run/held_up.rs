//! A worker that is held up while the world goes on without it, and then wakes.

use std::task::{Context, Waker};

use super::{Run, Violation, now};
use crate::scenario::Upload;
use crate::told;
use crate::world::locked;

/// What the worker is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldUp {
    /// It reads a report, until its lease is over; another reads it then.
    Reading,
    /// It goes on with postings, and so does another.
    Posting,
    /// It matches; a report comes and is matched by others.
    Matching,
    /// It builds the lake; a report comes.
    Building,
}

impl Run<'_> {
    /// Holds a worker up behind so many of its calls; gives whether it makes as many.
    pub(crate) fn held_up(mut self, at: HeldUp, calls: usize) -> Result<bool, Violation> {
        let mut uploads: Vec<Upload> =
            self.scenario.uploads.iter().filter(|upload| upload.phase == 1).cloned().collect();
        // Its account has another report before it.
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
            HeldUp::Posting => self.going_on(),
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
                let other = self.going_on();
                self.interleave(vec![other])?;
            }
            HeldUp::Matching => {
                self.deliver_all(late)?;
                self.look_after()?;
            }
            HeldUp::Building => self.deliver_all(late)?,
        }
        match now(task) {
            Err(error) if !error.is_retryable() => return Err(Violation(format!("a step failed for good: {error}"))),
            _ => {}
        }
        if let Some(violation) = locked(&self.world.watch).violation.take() {
            return Err(Violation(violation));
        }
        match at {
            HeldUp::Reading | HeldUp::Posting => {}
            HeldUp::Matching => told::check(&self.world, self.scenario, false, self.scratch)?,
            HeldUp::Building => {
                // Behind the lease of whoever was held up.
                self.world.clock.advance(self.again);
                let (_, next) = self.building();
                now(next).map_err(|error| Violation(format!("L5: the lake cannot be built: {error}")))?;
                self.scenario
                    .accounts
                    .last()
                    .map_or(Ok(()), |account| told::check_lake(&self.world, account, self.scratch))?;
            }
        }
        Ok(true)
    }
}
