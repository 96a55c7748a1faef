//! What a function says of itself: one JSON object a line, of fields that are listed here, numbers for CloudWatch, and spans where a
//! collector takes them.
//!
//! No text of a file, a key or an error has a field: what is said is fixed words, numbers, and ids that passed their grammar.

use std::fmt;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use pipeline::StepError;
use serde::Serialize;
use serde_json::{Map, Value, json};
use store::PortError;

use crate::outbound::aws::AwsError;
use crate::traces::{self, Traces};

/// The namespace of all numbers.
pub const NAMESPACE: &str = "avstem";

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It went as it should.
    Info,
    /// Somebody may have to look at it.
    Warn,
    /// It did not work.
    Error,
}

/// What a line is about, and what a span has of it; what is not known is left out.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Fields {
    /// The trace, or X-Ray's id of the request where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report_id: Option<String>,
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail_id: Option<String>,
    /// The provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<&'static str>,
    /// How often the message was delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// How long it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<i64>,
    /// What it came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// What was wrong with the report, or with the step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

impl Fields {
    /// The name of the field that joins lines with spans.
    pub const TRACE_ID: &str = "trace_id";

    /// What is known, by name.
    pub fn known(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(known)) => known,
            _ => Map::new(),
        }
    }

    /// The names of all fields.
    pub fn names() -> Vec<String> {
        let text = || Some(String::new());
        let all = Fields {
            trace_id: text(),
            report_id: text(),
            account: text(),
            mail_id: text(),
            provider: text(),
            step: Some(""),
            attempt: Some(0),
            duration_ms: Some(0),
            outcome: text(),
            kind: text(),
        };
        all.known().into_iter().map(|(name, _)| name).collect()
    }
}

/// Numbers that alarms and the dashboard are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Reports that count.
    AcceptedReports,
    /// Reports that brought nothing new.
    DuplicateReports,
    /// Reports that cannot be trusted.
    QuarantinedReports,
    /// Files that are no readable report.
    RejectedReports,
    /// Files that ended their reader again and again.
    CrashedReports,
    /// Messages and uploads that can never be carried out.
    RefusedMessages,
    /// Messages that show that something is set up wrongly.
    Misconfigurations,
    /// Messages that come again.
    FailedMessages,
    /// Settlement events that stand at Dintero.
    PostedEvents,
    /// Settlement events of which nobody knows whether they arrived.
    UnknownEvents,
    /// Settlement events that wait for a person.
    HumanEvents,
    /// Settlement events that Dintero refused.
    RefusedEvents,
    /// Lines without a transaction at Dintero.
    UnmatchedLines,
    /// Months of which a new revision was made.
    SummarisedMonths,
    /// Mails that were sent.
    MailSent,
    /// Mails that are not taken for now, and sent later.
    MailWaiting,
    /// Mails of which nobody knows whether they left.
    MailUnknown,
    /// Mails that wait for a person.
    MailHuman,
    /// Mails that were not taken, and never will be.
    MailRefused,
    /// Mails that a recipient's own service did not take.
    Bounce,
    /// Mails that a recipient called unwanted.
    Complaint,
    /// Sweeps that came to their end.
    Sweeps,
    /// Uploads and reports that nobody went on with, and somebody was told of.
    TakenUp,
    /// For how many seconds the oldest upload has not been read to its end.
    OldestUnprocessedObjectAge,
    /// For how many seconds the oldest report has counted without all that follows.
    OldestCommittedUnpostedAge,
    /// Providers that owe an account a report.
    ExpectedReportMissing,
}

impl Metric {
    /// Every number.
    pub const ALL: &'static [Metric] = &[
        Metric::AcceptedReports,
        Metric::DuplicateReports,
        Metric::QuarantinedReports,
        Metric::RejectedReports,
        Metric::CrashedReports,
        Metric::RefusedMessages,
        Metric::Misconfigurations,
        Metric::FailedMessages,
        Metric::PostedEvents,
        Metric::UnknownEvents,
        Metric::HumanEvents,
        Metric::RefusedEvents,
        Metric::UnmatchedLines,
        Metric::SummarisedMonths,
        Metric::MailSent,
        Metric::MailWaiting,
        Metric::MailUnknown,
        Metric::MailHuman,
        Metric::MailRefused,
        Metric::Bounce,
        Metric::Complaint,
        Metric::Sweeps,
        Metric::TakenUp,
        Metric::OldestUnprocessedObjectAge,
        Metric::OldestCommittedUnpostedAge,
        Metric::ExpectedReportMissing,
    ];

    /// What CloudWatch shows it in.
    fn unit(self) -> &'static str {
        match self {
            Metric::OldestUnprocessedObjectAge | Metric::OldestCommittedUnpostedAge => "Seconds",
            _ => "Count",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Where a function's lines go.
pub struct Log {
    function: &'static str,
    out: Mutex<Box<dyn Write + Send>>,
    traces: Traces,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("function", &self.function).finish_non_exhaustive()
    }
}

impl Log {
    /// Lines of a function to anywhere; a function's own go to standard output.
    pub fn new(function: &'static str, out: impl Write + Send + 'static) -> Self {
        Log { function, out: Mutex::new(Box::new(out)), traces: Traces::default() }
    }

    /// The same, with spans beside the lines.
    #[must_use]
    pub fn traced(self, traces: Traces) -> Self {
        Log { traces, ..self }
    }

    /// Where its spans go.
    pub fn traces(&self) -> &Traces {
        &self.traces
    }

    /// Hands over the spans of a call of the function, before the answer to it goes out. A collector that does not take them costs
    /// a line and a moment: at most half of the time that is left.
    pub async fn flush(&self, now: Timestamp, deadline: Timestamp) {
        let left = Duration::try_from(deadline.duration_since(now)).unwrap_or_default();
        if let Err(kind) = self.traces.flush(left / 2).await {
            let fields = Fields { kind: Some(kind.to_owned()), ..Fields::default() };
            self.say(now, Level::Warn, "spans could not be handed over", &fields);
        }
    }

    /// Says something of what is under way, in a line and by its span.
    pub fn say(&self, now: Timestamp, level: Level, msg: &'static str, fields: &Fields) {
        traces::mark(fields);
        self.mention(now, level, msg, fields);
    }

    /// Says something of one of many, in a line alone: a span has each attribute once.
    pub fn mention(&self, now: Timestamp, level: Level, msg: &'static str, fields: &Fields) {
        let mut line = self.line(now);
        line.insert("level".to_owned(), json!(level));
        line.insert("msg".to_owned(), json!(msg));
        line.insert("version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
        line.extend(fields.known());
        self.write(line);
    }

    /// Counts something, in the form that CloudWatch reads from a log. Only the function is a dimension: a value for each
    /// account or id would be a metric of its own.
    pub fn count(&self, now: Timestamp, numbers: &[(Metric, usize)]) {
        let metrics: Vec<Value> =
            numbers.iter().map(|(metric, _)| json!({ "Name": metric.to_string(), "Unit": metric.unit() })).collect();
        if metrics.is_empty() {
            return;
        }
        let mut line = self.line(now);
        let directive = json!([{ "Namespace": NAMESPACE, "Dimensions": [["fn"]], "Metrics": metrics }]);
        line.insert("_aws".to_owned(), json!({ "Timestamp": now.as_millisecond(), "CloudWatchMetrics": directive }));
        line.extend(numbers.iter().map(|(metric, number)| (metric.to_string(), json!(number))));
        self.write(line);
    }

    fn line(&self, now: Timestamp) -> Map<String, Value> {
        let pairs = [("ts", json!(now.to_string())), ("fn", json!(self.function))];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn write(&self, line: Map<String, Value>) {
        let line = format!("{}\n", Value::Object(line));
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody is left to be told of a log that cannot be written.
        let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    }
}

/// Why a step failed, in fixed words and a service's own.
pub fn kind_of(error: &StepError) -> String {
    match error {
        StepError::Port(PortError { kind, source, .. }) => match source.downcast_ref::<AwsError>() {
            Some(error) => format!("{kind:?} {}", error.code),
            None => format!("{kind:?}"),
        },
        StepError::Disk(error) => format!("Disk {:?}", error.kind()),
        StepError::Table(_) => "Table".to_owned(),
        StepError::Sink(_) => "Sink".to_owned(),
        StepError::Bridge(_) => "Bridge".to_owned(),
        StepError::Document(_) => "Document".to_owned(),
        StepError::Busy { .. } => "Busy".to_owned(),
        StepError::Later { .. } => "Later".to_owned(),
        StepError::Record(_) => "Record".to_owned(),
        StepError::NotCommitted(_) => "NotCommitted".to_owned(),
        StepError::Refused(_) => "Refused".to_owned(),
    }
}
