//! The function `reconcile-settlements`: a message about a committed report writes its documents and posts its settlement events; a
//! message about a mirror of transactions brings the mirror up to date.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use pipeline::StepError;
use pipeline::messages::{MailCheck, MirrorOutdated, ReportReady};
use pipeline::posting::post::{self, PostReport, Posted};
use pipeline::reports::dintero_report::{self, WriteReports};
use pipeline::transactions::client::Dintero;
use pipeline::transactions::sync::{self, SyncTransactions};
use settlement::AccountId;
use store::Queue;

use crate::fields::Fields;
use crate::inbound::function::{Again, Function, send};
use crate::inbound::lambda::{Invocation, Worker};
use crate::inbound::metric::Metric;

/// Writes the documents of reports and posts their settlement events.
pub struct ReconcileSettlements {
    /// What it has as every function has it.
    pub function: Function,
    /// Dintero's API. Without it only documents are written.
    pub dintero: Option<Arc<Dintero>>,
    /// The queue of this function, for messages that have to wait.
    pub own: Arc<dyn Queue>,
    /// The queue of `email-summary`, when recipients are to be told of a payout at once.
    pub mails: Option<Arc<dyn Queue>>,
}

#[async_trait]
impl Worker for ReconcileSettlements {
    fn step(&self) -> &'static str {
        "reconcile"
    }

    fn function(&self) -> &Function {
        &self.function
    }

    async fn carry_out(&self, body: &str, attempt: u32, invocation: &Invocation) -> Result<(), Again> {
        let began = self.function.now();
        let fields = invocation.fields(self.step(), attempt);
        if let Ok(mirror) = serde_json::from_str::<MirrorOutdated>(body) {
            let fields = Fields { account: Some(mirror.account.to_string()), step: Some("sync"), ..fields };
            let reads = self.read_on(mirror, began, &fields, invocation).await;
            return self.leave(reads, body, &fields).await;
        }
        let Ok(message) = serde_json::from_str::<ReportReady>(body) else {
            let refused = self.function.refuse(body, "it names no report", &fields).await;
            return refused.map_err(|error| self.again(&error, &fields));
        };
        let fields = Fields {
            account: Some(message.account.to_string()),
            report_id: Some(message.report.to_string()),
            ..fields
        };
        let reconciled = self.reconcile(&message, began, &fields, invocation).await;
        self.leave(reconciled, body, &fields).await
    }
}

impl ReconcileSettlements {
    /// Ends a message, or sends it again for the time at which the work goes on.
    async fn leave(
        &self,
        done: Result<Option<Timestamp>, StepError>,
        body: &str,
        fields: &Fields,
    ) -> Result<(), Again> {
        let until = match done {
            Ok(None) => return Ok(()),
            Ok(Some(until)) => until,
            // It is no failure that Dintero or another worker asks to wait: the message waits in the queue.
            Err(StepError::Later { until, .. } | StepError::Busy { until, .. }) => until,
            Err(error) => return Err(self.again(&error, fields)),
        };
        let now = self.function.now();
        let delay = until.duration_since(now).max(SignedDuration::from_secs(1));
        self.function.log.info("a message waits to be gone on with", fields);
        self.own.send(body, delay).await.map_err(|error| self.again(&error.into(), fields))
    }

    /// Brings a mirror up to date. Gives the time at which to go on when days are left.
    async fn read_on(
        &self,
        mirror: MirrorOutdated,
        began: Timestamp,
        fields: &Fields,
        invocation: &Invocation,
    ) -> Result<Option<Timestamp>, StepError> {
        let Some(dintero) = &self.dintero else { return Ok(None) };
        let now = self.function.now();
        // The last day that is begun may take as long as all the days before it.
        let deadline = now + invocation.deadline.duration_since(now) / 2;
        let (account, scratch) = (mirror.account, self.function.scratch.clone());
        let command = SyncTransactions { account, from: None, now, deadline, scratch };
        let synced = sync::run(&self.function.ports, dintero, &command).await?;
        let outcome = if synced.go_on_at.is_some() { "SYNCED_IN_PART" } else { "SYNCED" };
        let fields = Fields {
            duration_ms: self.function.millis_since(began),
            outcome: Some(outcome.to_owned()),
            ..fields.clone()
        };
        self.function.log.info("a mirror was read on", &fields);
        Ok(synced.go_on_at)
    }

    /// Writes, matches and posts a report. Gives the time at which to go on when something has to wait.
    async fn reconcile(
        &self,
        message: &ReportReady,
        began: Timestamp,
        fields: &Fields,
        invocation: &Invocation,
    ) -> Result<Option<Timestamp>, StepError> {
        let ReportReady { account, report } = message.clone();
        let scratch = self.function.scratch.clone();
        let command = WriteReports { account: account.clone(), report, scratch: scratch.clone() };
        let reconciled = dintero_report::write_reports(&self.function.ports, &command).await?;
        if !reconciled.written.is_empty() {
            self.tell(&account).await?;
        }
        let posted = match &self.dintero {
            None => Posted::default(),
            Some(dintero) => {
                let now = self.function.now();
                let command = PostReport { account, report, now, lease: invocation.lease(now), scratch };
                post::run(&self.function.ports, dintero, &command).await?
            }
        };
        let outcome = match (&posted.off, reconciled.written.is_empty()) {
            (_, true) => "WITHHELD",
            (None, false) if self.dintero.is_some() => "POSTED",
            _ => "WRITTEN",
        };
        let fields = Fields {
            duration_ms: self.function.millis_since(began),
            outcome: Some(outcome.to_owned()),
            ..fields.clone()
        };
        self.function.log.info("a report was reconciled", &fields);
        let unmatched: u64 = posted.outboxes.iter().map(|outbox| outbox.unmatched_lines).sum();
        self.function.log.count(&[
            (Metric::PostedEvents, posted.count("POSTED")),
            (Metric::UnknownEvents, posted.count("UNKNOWN")),
            (Metric::HumanEvents, posted.count("HUMAN")),
            (Metric::RefusedEvents, posted.count("REFUSED")),
            (Metric::UnmatchedLines, usize::try_from(unmatched).unwrap_or(usize::MAX)),
        ]);
        Ok(posted.not_before)
    }

    /// Asks for the mails about a payout, once its documents are there to go with them. A second message sends no mail twice.
    async fn tell(&self, account: &AccountId) -> Result<(), StepError> {
        let Some(mails) = &self.mails else { return Ok(()) };
        let message = MailCheck { account: account.clone(), months: false, until: None };
        send(&**mails, &message, SignedDuration::ZERO).await
    }

    fn again(&self, error: &StepError, fields: &Fields) -> Again {
        self.function.again("a message could not be carried out now", error, fields)
    }
}
