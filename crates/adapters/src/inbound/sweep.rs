//! The function `sweep`: on a schedule, it finds what was left unfinished and sends its messages again.

use jiff::SignedDuration;
use pipeline::StepError;
use pipeline::operate::sweep::{self, Queues, Sweep};
use settlement::AccountId;

use crate::fields::Fields;
use crate::inbound::function::{Again, Function};
use crate::inbound::lambda::{Invocation, Scheduled};
use crate::inbound::log::kind_of;
use crate::inbound::metric::Metric;

/// Sweeps all accounts.
pub struct Sweeper {
    /// What it has as every function has it.
    pub function: Function,
    /// The queues of `parse-report` and `reconcile-settlements`.
    pub queues: Queues,
    /// Whether `reconcile-settlements` posts.
    pub posts: bool,
}

#[async_trait::async_trait]
impl Scheduled for Sweeper {
    fn step(&self) -> &'static str {
        "sweep"
    }

    fn function(&self) -> &Function {
        &self.function
    }

    async fn carry_out(&self, invocation: &Invocation) -> Result<(), Again> {
        let began = self.function.now();
        let fields = Fields { step: Some(self.step()), trace_id: invocation.trace_id.clone(), ..Fields::default() };
        let command = Sweep {
            account: None,
            now: began,
            patience: SignedDuration::ZERO,
            is_thorough: false,
            posts: self.posts,
            asks_for_missing: true,
            scratch: self.function.scratch.clone(),
        };
        let (plan, found) = match sweep::run(&self.function.ports, &self.queues, &command).await {
            Ok(swept) => swept,
            Err(error) => return Err(self.again(&error, &fields)),
        };
        for (account, missing) in &found.missing {
            let (account, provider) = (Some(account.to_string()), Some(missing.provider.clone()));
            let fields = Fields { account, provider, ..fields.clone() };
            self.function.log.warn_of_one("a report is missed", &fields);
        }
        for upload in &plan.parse {
            let account = upload.key.split('/').next().and_then(|account| account.parse::<AccountId>().ok());
            let fields = Fields { account: account.map(|account| account.to_string()), ..fields.clone() };
            self.function.log.warn_of_one("an upload was left and is taken up", &fields);
        }
        for report in &plan.reconcile {
            let (account, report_id) = (Some(report.account.to_string()), Some(report.report.to_string()));
            let fields = Fields { account, report_id, ..fields.clone() };
            self.function.log.warn_of_one("a report was left and is taken up", &fields);
        }
        let duration_ms = self.function.millis_since(began);
        self.function.log.info("everything was looked over", &Fields { duration_ms, ..fields });
        let seconds = |age: SignedDuration| usize::try_from(age.as_secs()).unwrap_or_default();
        self.function.log.count(&[
            (Metric::Sweeps, 1),
            (Metric::TakenUp, plan.parse.len() + plan.reconcile.len()),
            (Metric::OldestUnprocessedObjectAge, seconds(plan.unprocessed_for)),
            (Metric::OldestCommittedUnpostedAge, seconds(plan.unposted_for)),
            (Metric::ExpectedReportMissing, found.missing.len()),
        ]);
        Ok(())
    }
}

impl Sweeper {
    fn again(&self, error: &StepError, fields: &Fields) -> Again {
        let fields = Fields { kind: Some(kind_of(error)), ..fields.clone() };
        self.function.log.error("not everything could be looked over", &fields);
        Again
    }
}
