//! A person releases a corrected report, which is then delivered again.

use pipeline::StepError;
use pipeline::intake::release::{self, ReleaseReport};
use store::{ObjectItem, Place, Release};

use super::{ROUNDS_MAX, Run, Task};
use crate::scenario::Upload;
use crate::violation::Violation;
use crate::world::{Worker, locked};

impl Run<'_> {
    /// Whether the corrected report is committed.
    pub(super) fn is_corrected(&self) -> bool {
        let correction = self.scenario.correction.as_ref();
        correction.is_some_and(|correction| self.state_of(&correction.upload).as_deref() == Some("COMMITTED"))
    }

    /// Releases the corrected report, however far postings have come, and delivers it again.
    pub(super) fn release(&mut self) -> Result<(), Violation> {
        let Some(correction) = &self.scenario.correction else { return Ok(()) };
        let upload = &correction.upload;
        for _ in 0..ROUNDS_MAX {
            if self.state_of(upload).as_deref() != Some("QUARANTINED(SettlementConflict)") {
                return self.take_again(upload);
            }
            locked(&self.world.watch).allow(&correction.events);
            let releasing = self.releasing(upload);
            self.interleave(vec![releasing])?;
            self.world.clock.advance(self.again);
        }
        Err(Violation("L1: a report can never be released".to_owned()))
    }

    fn take_again(&mut self, upload: &Upload) -> Result<(), Violation> {
        if self.state_of(upload).as_deref() != Some("RELEASED") {
            return Ok(());
        }
        self.deliver_all(vec![upload.clone()])?;
        self.sweep(upload.phase)
    }

    fn releasing(&mut self, upload: &Upload) -> (Worker, Task) {
        let worker = self.worker();
        let (ports, now) = (worker.ports(), self.world.clock.now());
        let (account, provider, name) = (&upload.landing.account, &upload.landing.provider, &upload.landing.name);
        let object = Place::object(&format!("landing/{account}/{provider}/{name}"), &upload.version);
        let account = account.clone();
        let task = async move {
            let report = object.read::<ObjectItem>(&*ports.state).await?.and_then(|(item, _)| item.report);
            let report = report.ok_or_else(|| StepError::Refused("The object has no report".to_owned()))?;
            let release = Release { by: "revisor".to_owned(), why: "gebyr rettet".to_owned() };
            release::run(&ports, &ReleaseReport { account, report, release, now }).await?;
            Ok(None)
        };
        (worker, Box::pin(task))
    }
}
