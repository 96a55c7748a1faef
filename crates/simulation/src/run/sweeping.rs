//! The sweep, every quarter of an hour: nothing else resumes work whose message was lost.

use std::sync::{Arc, Mutex};

use pipeline::messages::{ReportReady, Uploaded};
use pipeline::operate::process;
use pipeline::operate::sweep::{self, Found, Sweep, Unfinished};
use pipeline::posting::post::PostReport;
use store::keys::{Key, LandingKey};
use store::{ObjectItem, Place};

use super::{LEASE, POSTING_ROUNDS_MAX, ROUNDS_MAX, Run, Task};
use crate::faults::Script;
use crate::poll::to_end;
use crate::scenario::Upload;
use crate::violation::Violation;
use crate::world::{Worker, locked, taken};

impl Run<'_> {
    /// Whether the message of an upload is lost for good, so that the sweep must find the upload. A message is never lost once
    /// its report is committed, because only the message leads to the posting.
    pub(super) fn is_lost(&mut self, upload: &Upload) -> bool {
        let is_open = self.state_of(upload).is_none_or(|word| word == "CLAIMED");
        is_open && self.is_lossy && self.scripts.is_some() && self.order.below(4) == 0
    }

    /// Sweeps until everything that was uploaded so far has ended, except postings.
    pub(super) fn sweep(&mut self, phase: u8) -> Result<(), Violation> {
        for _ in 0..ROUNDS_MAX {
            if let Some(open) = self.sweep_once(phase, false)?
                && open.is_empty()
            {
                return Ok(());
            }
            self.world.clock.advance(sweep::EVERY);
        }
        Err(Violation("L3: the sweep never ends".to_owned()))
    }

    /// Sweeps until every event has ended; only sweeps resume postings here.
    pub(super) fn post_by_sweeps(&mut self) -> Result<(), Violation> {
        for _ in 0..POSTING_ROUNDS_MAX {
            if self.open_events().is_empty() && self.is_planned() {
                return Ok(());
            }
            self.world.clock.advance(sweep::EVERY);
            self.sweep_once(u8::MAX, true)?;
        }
        Err(Violation(format!("L2: sweeps never end these events: {:?}", self.open_events())))
    }

    /// Makes a sweep and delivers the messages that it sends; gives what it found open, if it ended.
    fn sweep_once(&mut self, phase: u8, posts: bool) -> Result<Option<Vec<Unfinished>>, Violation> {
        let (task, found) = self.sweeping(posts);
        let swept = self.interleave(vec![task])?.contains(&true);
        let read = |message: String| serde_json::from_str(&message).ok();
        let sent: Vec<Uploaded> = taken(&self.world.to_parse).into_iter().filter_map(read).collect();
        let reports = taken(&self.world.to_reconcile).into_iter();
        let reports = reports.filter_map(|message| serde_json::from_str::<ReportReady>(&message).ok());
        let arrived: Vec<Upload> =
            self.scenario.uploads.iter().filter(|upload| upload.phase <= phase).cloned().collect();
        let is_of = |upload: &Upload, found: &Uploaded| {
            upload.version == found.version && found.key.parse().is_ok_and(|key: LandingKey| key == upload.landing)
        };
        if swept {
            for upload in arrived.iter().filter(|upload| self.is_unread(upload)) {
                if !sent.iter().any(|sent| is_of(upload, sent)) {
                    let name = &upload.landing.name;
                    return Err(Violation(format!("L3: no message about {name} was sent within a quarter of an hour")));
                }
            }
        }
        self.deliver_all(
            arrived.iter().filter(|upload| sent.iter().any(|sent| is_of(upload, sent))).cloned().collect(),
        )?;
        let following: Vec<(Worker, Task)> = reports.map(|report| self.following(report)).collect();
        self.interleave(following)?;
        let mut open = std::mem::take(&mut *locked(&found)).open;
        open.retain(|open| arrived.iter().any(|upload| is_of(upload, &open.upload)));
        Ok(swept.then_some(open))
    }

    fn is_unread(&self, upload: &Upload) -> bool {
        let place = Place::object(&Key::Landing(upload.landing.clone()).to_string(), &upload.version);
        matches!(to_end(place.read::<ObjectItem>(&self.world.state)), Ok(None))
    }

    /// One sweep over all accounts, and where it leaves what it found.
    fn sweeping(&mut self, posts: bool) -> ((Worker, Task), Arc<Mutex<Found>>) {
        let script = self.scripts.as_mut().map_or_else(Script::quiet, |scripts| scripts(self.workers));
        // In quiet runs the number of a worker says which message it carries.
        self.workers += usize::from(self.is_lossy);
        let worker = Worker::new(&self.world, self.workers, script);
        let (ports, queues) = (worker.ports(), worker.queues());
        let command = Sweep {
            account: None,
            now: self.world.clock.now(),
            patience: jiff::SignedDuration::ZERO,
            is_thorough: true,
            posts,
            asks_for_missing: false,
            scratch: self.scratch.to_owned(),
        };
        let found = Arc::new(Mutex::default());
        let left = Arc::clone(&found);
        let task = async move {
            let (_, swept) = sweep::run(&ports, &queues, &command).await?;
            *locked(&left) = swept;
            Ok(None)
        };
        ((worker, Box::pin(task)), found)
    }

    /// One process that writes and posts a committed report.
    fn following(&mut self, report: ReportReady) -> (Worker, Task) {
        let worker = self.worker();
        let (ports, dintero) = (worker.ports(), worker.dintero());
        let ReportReady { account, report } = report;
        let scratch = self.scratch.to_owned();
        let command = PostReport { account, report, now: self.world.clock.now(), lease: LEASE, scratch };
        let task = async move {
            let (_, posted) = process::after_commit(&ports, Some(&dintero), &command).await?;
            posted.map(|_| None)
        };
        (worker, Box::pin(task))
    }
}
