//! The function `parse-report`: each uploaded report is parsed, and a committed one goes to the next function.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use pipeline::intake::parse::{self, Outcome, ParseReport};
use pipeline::messages::ReportReady;
use pipeline::operate::process::ready_report;
use pipeline::{Limits, StepError};
use settlement::{Kind, Verdict};
use store::Queue;
use store::keys::LandingKey;
use tracing::Level;

use crate::fields::Fields;
use crate::inbound::events::{Notification, Record};
use crate::inbound::function::{Again, Function, send};
use crate::inbound::lambda::{Invocation, Worker};
use crate::inbound::metric::Metric;

/// The pauses before the second and later attempts within one delivery.
pub const PAUSES: &[SignedDuration] =
    &[SignedDuration::from_millis(250), SignedDuration::from_secs(1), SignedDuration::from_secs(4)];

/// Parses the reports that messages about the landing bucket name.
pub struct ParseReports {
    /// What it has as every function has it.
    pub function: Function,
    /// The queue of `reconcile-settlements`.
    pub next: Arc<dyn Queue>,
    /// Name of the bucket that reports land in.
    pub bucket: String,
    /// Bounds on a file.
    pub limits: Limits,
    /// The pauses before the second and later attempts within one delivery, usually [`PAUSES`].
    pub pauses: &'static [SignedDuration],
}

#[async_trait]
impl Worker for ParseReports {
    fn step(&self) -> &'static str {
        "parse"
    }

    fn function(&self) -> &Function {
        &self.function
    }

    async fn carry_out(&self, body: &str, attempt: u32, invocation: &Invocation) -> Result<(), Again> {
        let fields = invocation.fields(self.step(), attempt);
        match Notification::read(body, &self.bucket) {
            Some(Notification::Test) => {
                self.function.log.info("S3 tried out the queue", &fields);
                Ok(())
            }
            Some(Notification::Records(records)) => {
                let mut done = Ok(());
                for record in records {
                    // The others are carried out even when one has to come again: they have no second effect.
                    done = self.record(record, &fields, invocation).await.and(done);
                }
                done
            }
            None => self.refuse(body, "it is no message of S3 about objects", &fields).await,
        }
    }
}

impl ParseReports {
    async fn record(&self, record: Record, fields: &Fields, invocation: &Invocation) -> Result<(), Again> {
        match record {
            Record::Ignored => {
                self.function.log.info("an event that is no upload", fields);
                Ok(())
            }
            Record::Refused(key, why) => self.refuse(&key, &why, fields).await,
            Record::Misconfigured(what) => {
                let fields = Fields { kind: Some("Misconfigured".to_owned()), ..fields.clone() };
                self.function.log.error(what, &fields);
                self.function.log.count(&[(Metric::Misconfigurations, 1)]);
                Err(Again)
            }
            Record::Due(landing, version) => self.parse(landing, version, fields, invocation).await,
        }
    }

    async fn parse(
        &self,
        landing: LandingKey,
        version: String,
        fields: &Fields,
        invocation: &Invocation,
    ) -> Result<(), Again> {
        let now = self.function.now();
        let account = landing.account.clone();
        let fields = Fields {
            account: Some(account.to_string()),
            provider: Some(landing.provider.to_string()),
            ..fields.clone()
        };
        let command = ParseReport {
            landing,
            version,
            now,
            lease: invocation.lease(now),
            scratch: self.function.scratch.clone(),
            limits: self.limits.clone(),
            adopts_merchants: false,
        };
        let outcome = match self.run(command, invocation).await {
            Ok(outcome) => outcome,
            Err(error) => return Err(self.again(&error, &fields)),
        };
        self.tell(now, &outcome, &fields);
        let Some(report) = ready_report(&outcome) else { return Ok(()) };
        let sent = send(&*self.next, &ReportReady { account, report }, SignedDuration::ZERO).await;
        sent.map_err(|error| self.again(&error, &fields))
    }

    /// Parses a report. Uploads that come together may conflict for a moment, and a failed message is not delivered again for half an
    /// hour, so that an error that may pass is tried again at once.
    async fn run(&self, mut command: ParseReport, invocation: &Invocation) -> Result<Outcome, StepError> {
        for pause in self.pauses {
            match parse::run(&self.function.ports, &command).await {
                Err(error) if error.is_retryable() && invocation.has_time(self.function.now() + *pause) => {
                    tokio::time::sleep(pause.unsigned_abs()).await;
                }
                ended => return ended,
            }
            command.now = self.function.now();
            command.lease = invocation.lease(command.now);
        }
        parse::run(&self.function.ports, &command).await
    }

    fn tell(&self, began: Timestamp, outcome: &Outcome, fields: &Fields) {
        let kind = outcome.judgement.kind();
        let (level, metric) = match (outcome.verdict, kind) {
            (_, Some(Kind::Crashed)) => (Level::ERROR, Metric::CrashedReports),
            (Verdict::Accepted, _) => (Level::INFO, Metric::AcceptedReports),
            (Verdict::Duplicate, _) => (Level::INFO, Metric::DuplicateReports),
            (Verdict::Quarantined, _) => (Level::WARN, Metric::QuarantinedReports),
            (Verdict::Rejected, _) => (Level::WARN, Metric::RejectedReports),
        };
        let fields = Fields {
            report_id: outcome.report.map(|report| report.to_string()),
            duration_ms: self.function.millis_since(began),
            outcome: Some(outcome.verdict.to_string()),
            kind: kind.map(|kind| kind.to_string()),
            ..fields.clone()
        };
        self.function.log.say(level, "a report was parsed", &fields);
        self.function.log.count(&[(metric, 1)]);
    }

    async fn refuse(&self, text: &str, why: &str, fields: &Fields) -> Result<(), Again> {
        let refused = Fields { outcome: Some(Verdict::Rejected.to_string()), ..fields.clone() };
        self.function.refuse(text, why, &refused).await.map_err(|error| self.again(&error, fields))
    }

    fn again(&self, error: &StepError, fields: &Fields) -> Again {
        self.function.again("a report could not be parsed now", error, fields)
    }
}
