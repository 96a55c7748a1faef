//! The work that no upload starts: sync of transactions, matching, and building the lake.

use jiff::{SignedDuration, Timestamp};
use pipeline::lake::{self, BuildLake};
use pipeline::matching::match_account::{self, MatchAccount};
use pipeline::transactions::sync::{self, SyncTransactions};
use pipeline::{Ports, StepError};

use super::{LEASE, ROUNDS_MAX, Run, Task};
use crate::faults::Script;
use crate::scenario::beginning;
use crate::violation::Violation;
use crate::world::Worker;

/// A mirror begins this long before the beginning.
const MIRRORED: SignedDuration = SignedDuration::from_hours(2 * 24);

/// After this many rounds nothing is disturbed any more.
const DISTURBED_ROUNDS: usize = 4;

impl Run<'_> {
    /// Syncs the mirror, matches all lines and builds the lake, until one worker has done all of it.
    ///
    /// Scenarios without late transactions skip this.
    pub(super) fn look_after(&mut self) -> Result<(), Violation> {
        if self.scenario.late.is_empty() {
            return Ok(());
        }
        for round in 0..ROUNDS_MAX {
            self.world.clock.advance(self.again);
            let is_disturbed = self.is_lossy && self.scripts.is_some() && round < DISTURBED_ROUNDS;
            let workers = 1 + if is_disturbed { self.order.below(2) } else { 0 };
            let tasks: Vec<(Worker, Task)> = (0..workers)
                .map(|_| {
                    let drawn = self.order.below(u64::MAX);
                    let script = if is_disturbed { Script::random(drawn, 12, true) } else { Script::quiet() };
                    self.looking_after(script)
                })
                .collect();
            if self.interleave(tasks)?.contains(&true) {
                return Ok(());
            }
        }
        Err(Violation("L4: mirror, matches and lake never end".to_owned()))
    }

    /// One process that matches the lines of every account.
    pub(super) fn matching(&mut self) -> (Worker, Task) {
        self.workers += 1;
        let worker = Worker::new(&self.world, self.workers, Script::quiet());
        let (ports, now, scratch) = (worker.ports(), self.world.clock.now(), self.scratch.to_owned());
        let accounts = self.scenario.accounts.clone();
        let task = async move {
            for account in accounts {
                match_account::run(&ports, &MatchAccount { account, now, scratch: scratch.clone() }).await?;
            }
            Ok(None)
        };
        (worker, Box::pin(task))
    }

    /// One process that builds the lake of the last account.
    pub(super) fn building(&mut self) -> (Worker, Task) {
        self.workers += 1;
        let worker = Worker::new(&self.world, self.workers, Script::quiet());
        let (ports, now, scratch) = (worker.ports(), self.world.clock.now(), self.scratch.to_owned());
        let account = self.scenario.accounts.last().cloned();
        let task = async move {
            if let Some(account) = account {
                build(&ports, BuildLake { account, now, lease: LEASE, scratch, all: false }).await?;
            }
            Ok(None)
        };
        (worker, Box::pin(task))
    }

    /// One process that syncs, matches and builds for every account.
    fn looking_after(&mut self, script: Script) -> (Worker, Task) {
        self.workers += 1;
        let worker = Worker::new(&self.world, self.workers, script);
        let (ports, dintero) = (worker.ports(), worker.dintero());
        let (accounts, now) = (self.scenario.accounts.clone(), self.world.clock.now());
        let (from, scratch) = (beginning().saturating_sub(MIRRORED).ok(), self.scratch.to_owned());
        let task = async move {
            for account in accounts {
                let (account, deadline, scratch) = (account.clone(), Timestamp::MAX, scratch.clone());
                let matching = MatchAccount { account: account.clone(), now, scratch: scratch.clone() };
                let command = SyncTransactions { account, from, now, deadline, scratch };
                if let Some(until) = sync::run(&ports, &dintero, &command).await?.go_on_at {
                    return Err(StepError::Later { what: "the sync".to_owned(), until });
                }
                match_account::run(&ports, &matching).await?;
                let MatchAccount { account, now, scratch } = matching;
                build(&ports, BuildLake { account, now, lease: LEASE, scratch, all: false }).await?;
            }
            Ok(None)
        };
        (worker, Box::pin(task))
    }
}

async fn build(ports: &Ports, command: BuildLake) -> Result<(), StepError> {
    match lake::run(ports, &command).await?.is_unfinished {
        true => Err(StepError::Busy { what: "The lake".to_owned(), until: command.now }),
        false => Ok(()),
    }
}
