//! Messages about uploads: each report is parsed, and what may flow on is handed to the next step.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use pipeline::intake::parse::{self, Outcome, ParseReport};
use pipeline::intake::refuse;
use pipeline::messages::ReportReady;
use pipeline::operate::process::ready_report;
use pipeline::transactions::client::Clock;
use pipeline::{Limits, Ports, StepError};
use settlement::{Kind, Verdict};
use store::Queue;
use store::keys::LandingKey;

use crate::inbound::events::{Notification, Record};
use crate::inbound::lambda::{Again, Invocation, Worker};
use crate::inbound::log::{Fields, Level, Log, Metric, kind_of};

/// Before each attempt that follows another within one delivery.
pub const PAUSES: &[SignedDuration] =
    &[SignedDuration::from_millis(250), SignedDuration::from_secs(1), SignedDuration::from_secs(4)];

/// Parses what messages of the landing bucket name.
pub struct ParseReports {
    /// What the step uses.
    pub ports: Ports,
    /// To the step that reconciles.
    pub next: Arc<dyn Queue>,
    /// Name of the bucket that reports land in.
    pub bucket: String,
    /// A directory for temporary files.
    pub scratch: PathBuf,
    /// Bounds on a file.
    pub limits: Limits,
    /// Before each attempt that follows another within one delivery, usually [`PAUSES`].
    pub pauses: &'static [SignedDuration],
    /// Where its lines go.
    pub log: Log,
    /// Tells the time.
    pub clock: Clock,
}

#[async_trait]
impl Worker for ParseReports {
    fn step(&self) -> &'static str {
        "parse"
    }

    fn log(&self) -> &Log {
        &self.log
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    async fn carry_out(&self, body: &str, attempt: u32, invocation: &Invocation) -> Result<(), Again> {
        let fields = invocation.fields(self.step(), attempt);
        match Notification::read(body, &self.bucket) {
            Some(Notification::Test) => {
                self.log.say((self.clock)(), Level::Info, "S3 tried out the queue", &fields);
                Ok(())
            }
            Some(Notification::Records(records)) => {
                let mut done = Ok(());
                for record in records {
                    // One that has to come again keeps the others from nothing: they come again without effect.
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
        let now = (self.clock)();
        match record {
            Record::Ignored => {
                self.log.say(now, Level::Info, "an event that is no upload", fields);
                Ok(())
            }
            Record::Refused(key, why) => self.refuse(&key, &why, fields).await,
            Record::Misconfigured(what) => {
                let fields = Fields { kind: Some("Misconfigured".to_owned()), ..fields.clone() };
                self.log.say(now, Level::Error, what, &fields);
                self.log.count(now, &[(Metric::Misconfigurations, 1)]);
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
        let now = (self.clock)();
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
            scratch: self.scratch.clone(),
            limits: self.limits.clone(),
            adopts_merchants: false,
        };
        let outcome = match self.run(command, invocation).await {
            Ok(outcome) => outcome,
            Err(error) => return Err(self.again(&error, &fields)),
        };
        self.tell(now, &outcome, &fields);
        let Some(report) = ready_report(&outcome) else { return Ok(()) };
        let message = serde_json::to_string(&ReportReady { account, report }).unwrap_or_default();
        match self.next.send(&message, SignedDuration::ZERO).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.again(&error.into(), &fields)),
        }
    }

    /// Reads a report. Uploads that come together may stand in each other's way for a moment, and a message that fails is not
    /// delivered again for half an hour, so that what may pass is tried again at once.
    async fn run(&self, mut command: ParseReport, invocation: &Invocation) -> Result<Outcome, StepError> {
        for pause in self.pauses {
            match parse::run(&self.ports, &command).await {
                Err(error) if error.is_retryable() && invocation.has_time((self.clock)() + *pause) => {
                    tokio::time::sleep(pause.unsigned_abs()).await;
                }
                ended => return ended,
            }
            command.now = (self.clock)();
            command.lease = invocation.lease(command.now);
        }
        parse::run(&self.ports, &command).await
    }

    fn tell(&self, began: Timestamp, outcome: &Outcome, fields: &Fields) {
        let now = (self.clock)();
        let kind = outcome.judgement.kind();
        let (level, metric) = match (outcome.verdict, kind) {
            (_, Some(Kind::Crashed)) => (Level::Error, Metric::CrashedReports),
            (Verdict::Accepted, _) => (Level::Info, Metric::AcceptedReports),
            (Verdict::Duplicate, _) => (Level::Info, Metric::DuplicateReports),
            (Verdict::Quarantined, _) => (Level::Warn, Metric::QuarantinedReports),
            (Verdict::Rejected, _) => (Level::Warn, Metric::RejectedReports),
        };
        let fields = Fields {
            report_id: outcome.report.map(|report| report.to_string()),
            duration_ms: i64::try_from(now.duration_since(began).as_millis()).ok(),
            outcome: Some(outcome.verdict.to_string()),
            kind: kind.map(|kind| kind.to_string()),
            ..fields.clone()
        };
        self.log.say(now, level, "a report was parsed", &fields);
        self.log.count(now, &[(metric, 1)]);
    }

    async fn refuse(&self, text: &str, why: &str, fields: &Fields) -> Result<(), Again> {
        let now = (self.clock)();
        if let Err(error) = refuse::run(&self.ports, text, why, now).await {
            return Err(self.again(&error, fields));
        }
        let fields = Fields { outcome: Some(Verdict::Rejected.to_string()), ..fields.clone() };
        self.log.say(now, Level::Warn, "a message was refused and recorded", &fields);
        self.log.count(now, &[(Metric::RefusedMessages, 1)]);
        Ok(())
    }

    /// What cannot be helped by waiting comes again as well: it ends in the queue for what failed, where it is seen.
    fn again(&self, error: &StepError, fields: &Fields) -> Again {
        let level = if error.is_retryable() { Level::Warn } else { Level::Error };
        let fields = Fields { kind: Some(kind_of(error)), ..fields.clone() };
        self.log.say((self.clock)(), level, "a report could not be parsed now", &fields);
        Again
    }
}
