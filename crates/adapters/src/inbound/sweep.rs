//! What the schedule calls: everything is looked over, and whatever nobody goes on with is told once more.

use std::path::PathBuf;

use jiff::SignedDuration;
use pipeline::operate::sweep::{self, Queues, Sweep};
use pipeline::transactions::client::Clock;
use pipeline::{Ports, StepError};
use settlement::AccountId;

use crate::inbound::lambda::{Again, Invocation, Scheduled};
use crate::inbound::log::{Fields, Level, Log, Metric, kind_of};

/// Looks over all accounts.
pub struct Sweeper {
    /// What the step uses.
    pub ports: Ports,
    /// To the steps that parse and reconcile.
    pub queues: Queues,
    /// Whether the step that reconciles posts.
    pub posts: bool,
    /// A directory for temporary files.
    pub scratch: PathBuf,
    /// Where its lines go.
    pub log: Log,
    /// Tells the time.
    pub clock: Clock,
}

#[async_trait::async_trait]
impl Scheduled for Sweeper {
    fn step(&self) -> &'static str {
        "sweep"
    }

    fn log(&self) -> &Log {
        &self.log
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    async fn carry_out(&self, invocation: &Invocation) -> Result<(), Again> {
        let began = (self.clock)();
        let fields = Fields { step: Some(self.step()), trace_id: invocation.trace_id.clone(), ..Fields::default() };
        let command = Sweep {
            account: None,
            now: began,
            patience: SignedDuration::ZERO,
            is_thorough: false,
            posts: self.posts,
            asks_for_missing: true,
            scratch: self.scratch.clone(),
        };
        let (plan, found) = match sweep::run(&self.ports, &self.queues, &command).await {
            Ok(swept) => swept,
            Err(error) => return Err(self.again(&error, &fields)),
        };
        let now = (self.clock)();
        for (account, missing) in &found.missing {
            let (account, provider) = (Some(account.to_string()), Some(missing.provider.clone()));
            let fields = Fields { account, provider, ..fields.clone() };
            self.log.mention(now, Level::Warn, "a report is missed", &fields);
        }
        for upload in &plan.parse {
            let account = upload.key.split('/').next().and_then(|account| account.parse::<AccountId>().ok());
            let fields = Fields { account: account.map(|account| account.to_string()), ..fields.clone() };
            self.log.mention(now, Level::Warn, "an upload was left and is taken up", &fields);
        }
        for report in &plan.reconcile {
            let (account, report_id) = (Some(report.account.to_string()), Some(report.report.to_string()));
            let fields = Fields { account, report_id, ..fields.clone() };
            self.log.mention(now, Level::Warn, "a report was left and is taken up", &fields);
        }
        let duration_ms = i64::try_from(now.duration_since(began).as_millis()).ok();
        self.log.say(now, Level::Info, "everything was looked over", &Fields { duration_ms, ..fields });
        let seconds = |age: SignedDuration| usize::try_from(age.as_secs()).unwrap_or_default();
        self.log.count(
            now,
            &[
                (Metric::Sweeps, 1),
                (Metric::TakenUp, plan.parse.len() + plan.reconcile.len()),
                (Metric::OldestUnprocessedObjectAge, seconds(plan.unprocessed_for)),
                (Metric::OldestCommittedUnpostedAge, seconds(plan.unposted_for)),
                (Metric::ExpectedReportMissing, found.missing.len()),
            ],
        );
        Ok(())
    }
}

impl Sweeper {
    fn again(&self, error: &StepError, fields: &Fields) -> Again {
        let fields = Fields { kind: Some(kind_of(error)), ..fields.clone() };
        self.log.say((self.clock)(), Level::Error, "not everything could be looked over", &fields);
        Again
    }
}
