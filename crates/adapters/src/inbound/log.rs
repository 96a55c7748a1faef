//! The log of a function: events of `tracing`, each one JSON object on a line of its own.
//!
//! A line has the fields of [`Fields`] and fixed words; numbers for CloudWatch are lines in its embedded metric format. A field that is
//! not listed is never written, and no text of a file, a key or an error has a field.

use std::fmt;
use std::future::Future;
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use pipeline::StepError;
use pipeline::transactions::client::Clock;
use serde_json::{Map, Value, json};
use store::PortError;
use tracing::dispatcher::{self, Dispatch};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Span, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, SubscriberExt};

use crate::fields::{Fields, LINES};
use crate::inbound::metric::{self, Metric, NAMESPACE, NUMBERS};
use crate::outbound::aws::AwsError;
use crate::traces::{self, Traces};

/// Where the lines of a function go, and its spans where a collector takes them.
///
/// Each log is a subscriber of its own: nothing is shared by the whole process.
pub struct Log {
    lines: Lines,
    traces: Traces,
    dispatch: Dispatch,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("function", &self.lines.0.function).finish_non_exhaustive()
    }
}

impl Log {
    /// A log of the function of that name; a function on AWS writes to standard output.
    pub fn new(function: &'static str, clock: Clock, out: impl Write + Send + 'static) -> Self {
        let lines = Lines(Arc::new(Output { function, stack: OnceLock::new(), clock, out: Mutex::new(Box::new(out)) }));
        Log::of(lines, Traces::default())
    }

    /// From now on numbers are those of the stack of that name; the first name counts.
    pub fn tell_stack(&self, stack: String) {
        let _ = self.lines.0.stack.set(stack);
    }

    /// The same log, with spans beside the lines.
    #[must_use]
    pub fn traced(self, traces: Traces) -> Self {
        Log::of(self.lines, traces)
    }

    fn of(lines: Lines, traces: Traces) -> Self {
        let ours = filter_fn(|metadata| metadata.is_event() && [LINES, NUMBERS].contains(&metadata.target()));
        let ours = ours.with_max_level_hint(LevelFilter::INFO);
        let written = tracing_subscriber::registry().with(lines.clone().with_filter(ours));
        let dispatch = match traces.layer() {
            None => Dispatch::new(written),
            Some(spans) => Dispatch::new(written.with(spans)),
        };
        Log { lines, traces, dispatch }
    }

    /// Does some work within a span.
    pub async fn within<W: Future>(
        &self,
        header: Option<&str>,
        begin: impl FnOnce() -> Span,
        work: impl FnOnce(Option<String>) -> W,
    ) -> W::Output {
        self.traces.within(&self.dispatch, header, begin, work).await
    }

    /// Sends the spans of a call of the function, before its answer is given. A collector that does not take them costs a line and at
    /// most half of the time that is left.
    pub async fn flush(&self, deadline: Timestamp) {
        let left = Duration::try_from(deadline.duration_since((self.lines.0.clock)())).unwrap_or_default();
        if let Err(kind) = self.traces.flush(left / 2).await {
            let fields = Fields { kind: Some(kind.to_owned()), ..Fields::default() };
            self.warn("spans could not be handed over", &fields);
        }
    }

    /// Writes that something went as it should.
    pub fn info(&self, msg: &'static str, fields: &Fields) {
        self.say(Level::INFO, msg, fields);
    }

    /// Writes that somebody may have to look at something.
    pub fn warn(&self, msg: &'static str, fields: &Fields) {
        self.say(Level::WARN, msg, fields);
    }

    /// Writes that something did not work.
    pub fn error(&self, msg: &'static str, fields: &Fields) {
        self.say(Level::ERROR, msg, fields);
    }

    /// Writes a line about the work at hand, and gives its span the same fields.
    pub fn say(&self, level: Level, msg: &'static str, fields: &Fields) {
        traces::mark(fields);
        dispatcher::with_default(&self.dispatch, || fields.event(level, msg));
    }

    /// Writes a warning about one of many things. The span does not get its fields, because a span has each field once.
    pub fn warn_of_one(&self, msg: &'static str, fields: &Fields) {
        dispatcher::with_default(&self.dispatch, || fields.event(Level::WARN, msg));
    }

    /// Writes numbers in the form that CloudWatch reads from a log. Stack and function are the only dimensions: each value of an
    /// account or an id would be a metric of its own.
    pub fn count(&self, numbers: &[(Metric, usize)]) {
        if !numbers.is_empty() {
            dispatcher::with_default(&self.dispatch, || metric::event(numbers));
        }
    }
}

/// The layer that writes events as lines.
#[derive(Clone)]
struct Lines(Arc<Output>);

struct Output {
    function: &'static str,
    stack: OnceLock<String>,
    clock: Clock,
    out: Mutex<Box<dyn Write + Send>>,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let now = (self.0.clock)();
        let mut line = Map::new();
        let mut put = |name: &str, value: Value| line.insert(name.to_owned(), value);
        put("ts", json!(now.to_string()));
        put("fn", json!(self.0.function));
        let Values(values) = Values::of(event);
        if event.metadata().target() == NUMBERS {
            let listed = Metric::ALL.iter().map(|metric| (metric.to_string(), metric.unit()));
            let known: Vec<_> = listed.filter(|(name, _)| values.contains_key(name)).collect();
            let metrics: Vec<Value> = known.iter().map(|(name, unit)| json!({ "Name": name, "Unit": unit })).collect();
            let stack = self.0.stack.get();
            let dimensions = if stack.is_some() { json!([["stack", "fn"]]) } else { json!([["fn"]]) };
            if let Some(stack) = stack {
                put("stack", json!(stack));
            }
            let directive = json!([{ "Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": metrics }]);
            put("_aws", json!({ "Timestamp": now.as_millisecond(), "CloudWatchMetrics": directive }));
            for (name, _) in known {
                put(&name, json!(values.get(&name)));
            }
        } else {
            put("level", json!(event.metadata().level().as_str().to_lowercase()));
            put("msg", json!(values.get("msg")));
            put("version", json!(env!("CARGO_PKG_VERSION")));
            for (name, value) in Fields::NAMES.iter().filter_map(|name| Some((name, values.get(*name)?))) {
                put(name, value.clone());
            }
        }
        let line = format!("{}\n", Value::Object(line));
        let mut out = self.0.out.lock().unwrap_or_else(PoisonError::into_inner);
        // There is no other place to report that the log cannot be written.
        let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    }
}

/// The values of an event by name.
#[derive(Default)]
struct Values(Map<String, Value>);

impl Values {
    fn of(event: &Event<'_>) -> Self {
        let mut values = Values::default();
        event.record(&mut values);
        values
    }

    fn put(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Values {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    /// No field is of another type, and the `Debug` form of a value may hold anything.
    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

/// The reason why a step failed, in fixed words and the error code of a service.
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

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn log() -> (Log, impl Fn() -> String) {
        let written = Written::default();
        let clock: Clock = Arc::new(|| "2026-11-01T06:00:00.5Z".parse().unwrap());
        let log = Log::new("sweep", clock, written.clone());
        (log, move || String::from_utf8(std::mem::take(&mut *written.0.lock().unwrap())).unwrap())
    }

    fn all() -> Fields {
        let text = |text: &str| Some(text.to_owned());
        Fields {
            trace_id: text("1-abc"),
            report_id: text("ab12"),
            account: text("T00000001"),
            mail_id: text("cd34"),
            provider: text("vipps"),
            step: Some("parse"),
            attempt: Some(2),
            duration_ms: Some(-1),
            outcome: text("ACCEPTED"),
            kind: text("Unavailable \"x\""),
        }
    }

    #[test]
    fn a_line_has_its_fields_in_one_order_and_what_is_not_known_is_left_out() {
        let (log, written) = log();
        log.info("a report was parsed", &all());
        let version = env!("CARGO_PKG_VERSION");
        let begin = r#"{"ts":"2026-11-01T06:00:00.5Z","fn":"sweep","level":"#;
        let whole = r#""trace_id":"1-abc","report_id":"ab12","account":"T00000001","mail_id":"cd34","provider":"vipps","step":"parse","attempt":2,"duration_ms":-1,"outcome":"ACCEPTED","kind":"Unavailable \"x\"""#;
        assert_eq!(
            written(),
            format!("{begin}\"info\",\"msg\":\"a report was parsed\",\"version\":\"{version}\",{whole}}}\n")
        );
        let fields = Fields { attempt: Some(1), ..Fields::default() };
        for (level, word) in [(Level::INFO, "info"), (Level::WARN, "warn"), (Level::ERROR, "error")] {
            log.say(level, "x", &fields);
            let line = format!("{begin}\"{word}\",\"msg\":\"x\",\"version\":\"{version}\",\"attempt\":1}}\n");
            assert_eq!(written(), line);
        }
    }

    #[test]
    fn numbers_are_a_line_that_cloudwatch_reads() {
        let (log, written) = log();
        log.count(&[]);
        assert_eq!(written(), "");
        log.count(&[(Metric::Sweeps, 1), (Metric::OldestUnprocessedObjectAge, 0)]);
        let aws = r#"{"Timestamp":1793512800500,"CloudWatchMetrics":[{"Namespace":"avstem","Dimensions":[["fn"]],"Metrics":[{"Name":"Sweeps","Unit":"Count"},{"Name":"OldestUnprocessedObjectAge","Unit":"Seconds"}]}]}"#;
        let begin = r#"{"ts":"2026-11-01T06:00:00.5Z","fn":"sweep","_aws":"#;
        assert_eq!(written(), format!("{begin}{aws},\"Sweeps\":1,\"OldestUnprocessedObjectAge\":0}}\n"));
    }

    #[test]
    fn numbers_of_a_stack_are_its_own() {
        let (log, written) = log();
        log.tell_stack("avstem-test".to_owned());
        log.count(&[(Metric::Sweeps, 1)]);
        let line: Value = serde_json::from_str(&written()).unwrap();
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["stack", "fn"]]));
        assert_eq!((&line["stack"], &line["fn"]), (&json!("avstem-test"), &json!("sweep")));
        // A line that has no numbers is as it was.
        log.info("x", &Fields::default());
        assert!(!written().contains("stack"));
    }

    /// An event of another crate is no line, and a field that is not listed is not written, whoever makes the event.
    #[test]
    fn only_listed_events_and_fields_are_written() {
        let (log, written) = log();
        dispatcher::with_default(&log.dispatch, || {
            tracing::error!(target: "hyper", account = "canary", "canary");
            tracing::error!(target: LINES, canary = "canary", account = "T00000001", kind = ?"canary", msg = "x");
            tracing::info!(target: NUMBERS, Canary = 1_u64, Sweeps = 1_u64);
        });
        let lines = written();
        assert!(!lines.to_lowercase().contains("canary") && lines.lines().count() == 2, "{lines}");
        assert!(lines.contains(r#""account":"T00000001"}"#) && lines.contains(r#""Sweeps":1}"#), "{lines}");
    }
}
