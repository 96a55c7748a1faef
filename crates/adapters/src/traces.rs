//! The spans of a function: one for each message or request, and one for each call to a service within it. Without a collector no span
//! is made.
//!
//! Spans are made only while a message is carried out, and kept in memory until [`Traces::flush`]: no thread, and nothing that all of
//! the process shares. An attribute is a field that a line may have, or one of [`CALLS`]; everything else is dropped.

use std::collections::BTreeSet;
use std::future::Future;
use std::mem;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceState, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_aws::trace::XrayIdGenerator;
use opentelemetry_aws::trace::xray_propagator::{span_context_from_str, span_context_to_string};
use opentelemetry_otlp::{RetryPolicy, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    Sampler, SdkTracerProvider, Span as OwnSpan, SpanData, SpanEvents, SpanExporter as _, SpanProcessor,
};
use serde_json::Value;
use store::{PortError, PortErrorKind};
use tracing::dispatcher::{self, Dispatch};
use tracing::instrument::WithSubscriber;
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, Metadata, Span, Subscriber, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::fields::Fields;
use crate::outbound::http::{HttpLimits, client};

/// The attribute of a message of SQS that says which trace it belongs to, as X-Ray writes it.
pub const TRACE_HEADER: &str = "AWSTraceHeader";

/// How long handing spans over may take at most.
pub const FLUSH: Duration = Duration::from_secs(1);

/// How many spans of one call of a function are kept. Later ones are dropped, apart from the span of the message itself.
const SPANS_MAX: usize = 4_096;

/// The target of our own spans.
const TARGET: &str = "avstem";

/// What names an operation of the SDK; no other of its spans has it.
const OPERATION: &str = "rpc.method";

/// Attributes beside the fields of lines: what was called, and what it answered.
pub const CALLS: &[&str] = &[
    "http.request.method",
    "http.response.status_code",
    "http.route",
    OPERATION,
    "rpc.service",
    "rpc.system",
    "server.address",
];

static ALLOWED: LazyLock<BTreeSet<&str>> = LazyLock::new(|| Fields::NAMES.iter().chain(CALLS).copied().collect());

/// Where spans go.
#[derive(Debug, Clone, Default)]
pub struct Traces(Option<Arc<On>>);

#[derive(Debug)]
struct On {
    provider: SdkTracerProvider,
    kept: Kept,
    exporter: SpanExporter,
}

impl Traces {
    /// Spans of a function to a collector that takes OTLP over HTTP, at its address without `/v1/traces`.
    ///
    /// # Errors
    /// When there is no TLS, or the address cannot be read.
    pub fn to(function: &'static str, url: &str) -> Result<Self, PortError> {
        // Longer than `flush` waits, so that a collector that does not answer is always a `Timeout`.
        let whole = 2 * FLUSH;
        let limits = HttpLimits { connect: whole, whole, ..HttpLimits::default() };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client(limits)?)
            .with_endpoint(format!("{}/v1/traces", url.trim_end_matches('/')))
            .with_retry_policy(RetryPolicy::disabled())
            .with_timeout(whole);
        let mut exporter =
            exporter.build().map_err(|error| PortError::new(PortErrorKind::Refused, "Cannot prepare traces", error))?;
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        // Nothing of the environment is in it: that names the account of AWS, and what anybody likes.
        exporter.set_resource(&Resource::builder_empty().with_service_name(function).with_attribute(version).build());
        let kept = Kept::default();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(kept.clone())
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
            .with_id_generator(XrayIdGenerator::default())
            .with_resource(Resource::builder_empty().build())
            .build();
        Ok(Traces(Some(Arc::new(On { provider, kept, exporter }))))
    }

    /// The layer that makes the spans; `None` where there is no collector.
    pub(crate) fn layer<S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync>(&self) -> Option<impl Layer<S> + use<S>> {
        let on = self.0.as_ref()?;
        let layer = tracing_opentelemetry::layer()
            .with_tracer(on.provider.tracer(TARGET))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_target(false)
            .with_level(false);
        Some(layer.with_filter(filter_fn(is_made).with_max_level_hint(LevelFilter::DEBUG)))
    }

    /// Does some work within a span, which continues the trace that a header names. The work is told the id of the trace; where
    /// there is none, it is done as it is.
    pub(crate) async fn within<W: Future>(
        &self,
        dispatch: &Dispatch,
        header: Option<&str>,
        begin: impl FnOnce() -> Span,
        work: impl FnOnce(Option<String>) -> W,
    ) -> W::Output {
        if self.0.is_none() {
            return work(None).await;
        }
        let (span, trace_id) = dispatcher::with_default(dispatch, || {
            let span = begin();
            if let Some(parent) = header.and_then(parent) {
                // It was not started, so that it takes any parent.
                let _ = span.set_parent(Context::new().with_remote_span_context(parent));
            }
            let trace_id = span.context().span().span_context().trace_id();
            (span, trace_id.to_string())
        });
        work(Some(trace_id)).instrument(span).with_subscriber(dispatch.clone()).await
    }

    /// Hands over what was kept, or forgets it when that takes longer.
    ///
    /// # Errors
    /// In a word, why spans are lost.
    pub async fn flush(&self, within: Duration) -> Result<(), &'static str> {
        let Some(on) = &self.0 else { return Ok(()) };
        let Batch { spans, is_cut } = mem::take(&mut *on.kept.lock());
        if spans.is_empty() {
            return Ok(());
        }
        match tokio::time::timeout(within.min(FLUSH), on.exporter.export(spans)).await {
            Err(_) => Err("Timeout"),
            Ok(Err(_)) => Err("NoAnswer"),
            Ok(Ok(())) if is_cut => Err("TooMany"),
            Ok(Ok(())) => Ok(()),
        }
    }
}

/// The spans of one call of a function.
#[derive(Debug, Default)]
struct Batch {
    spans: Vec<SpanData>,
    is_cut: bool,
}

/// Keeps spans that have ended, with what they may say and nothing else.
#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Batch>>);

impl Kept {
    fn lock(&self) -> std::sync::MutexGuard<'_, Batch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SpanProcessor for Kept {
    fn on_start(&self, _: &mut OwnSpan, _: &Context) {}

    fn on_end(&self, mut span: SpanData) {
        let mut batch = self.lock();
        // It ends last, and without it no other span would belong anywhere.
        let is_whole = span.parent_span_is_remote || span.parent_span_id == SpanId::INVALID;
        if batch.spans.len() >= SPANS_MAX && !is_whole {
            batch.is_cut = true;
            return;
        }
        span.attributes.retain(|attribute| ALLOWED.contains(attribute.key.as_str()));
        span.events = SpanEvents::default();
        if span.attributes.iter().any(|attribute| attribute.key.as_str() == OPERATION) {
            span.span_kind = SpanKind::Client;
        }
        batch.spans.push(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Our own spans, and of the SDK those that name an operation; no event of anybody's.
fn is_made(metadata: &Metadata<'_>) -> bool {
    let of_sdk = || metadata.target().starts_with("aws_sdk_") && metadata.fields().field(OPERATION).is_some();
    metadata.is_span() && (metadata.target() == TARGET || of_sdk())
}

/// A step that a message asks for.
pub fn message(step: &'static str) -> Span {
    tracing::info_span!(target: TARGET, "message", otel.name = step, otel.kind = "consumer")
}

/// A step that a schedule asks for.
pub fn scheduled(step: &'static str) -> Span {
    tracing::info_span!(target: TARGET, "scheduled", otel.name = step, otel.kind = "internal")
}

/// A request that somebody else makes.
pub fn request(method: &'static str, route: Option<&'static str>) -> Span {
    let name = route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}"));
    tracing::info_span!(
        target: TARGET, "request", otel.name = name, otel.kind = "server",
        http.request.method = method, http.route = route, http.response.status_code = field::Empty,
    )
}

/// A request to another service. The span has only the host of its address, because a path names an account.
pub fn call(method: &'static str, host: &str) -> Span {
    tracing::info_span!(
        target: TARGET, "call", otel.name = format!("{method} {host}"), otel.kind = "client",
        http.request.method = method, server.address = host, http.response.status_code = field::Empty,
    )
}

/// Notes what was answered to the request of a span.
pub fn answered(span: &Span, status: u16) {
    span.record("http.response.status_code", status);
}

/// Marks a span as failed; its fields say why.
pub fn failed(span: &Span) {
    span.set_status(Status::error(""));
}

/// Gives the span that is under way the fields of a line about it.
pub fn mark(fields: &Fields) {
    let span = Span::current();
    if span.is_none() {
        return;
    }
    for (name, value) in fields.known() {
        match value {
            // It is the span's own already.
            _ if name == Fields::TRACE_ID => {}
            Value::String(text) => span.set_attribute(name, text),
            Value::Number(number) => span.set_attribute(name, number.as_i64().unwrap_or_default()),
            _ => {}
        }
    }
}

/// The header by which a message continues the trace of its sender; `None` where there is no trace.
pub fn header() -> Option<String> {
    let context = Span::current().context();
    span_context_to_string(context.span().span_context())
}

/// The span that a header names. Only ids are taken from it: anything else would be in every later span of the trace.
fn parent(header: &str) -> Option<SpanContext> {
    let named = span_context_from_str(header)?;
    let (trace, span, flags) = (named.trace_id(), named.span_id(), named.trace_flags());
    let parent = SpanContext::new(trace, span, flags, true, TraceState::default());
    parent.is_valid().then_some(parent)
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// The subscriber of a function that makes these spans and writes no lines.
    fn dispatch(traces: &Traces) -> Dispatch {
        match traces.layer() {
            None => Dispatch::new(tracing_subscriber::registry()),
            Some(spans) => Dispatch::new(tracing_subscriber::registry().with(spans)),
        }
    }

    const TRACE: &str = "6921a1f0a006649127e371903a2de979";
    const HEADER: &str = "Root=1-6921a1f0-a006649127e371903a2de979;Parent=53995c3f42cd8ad8;Sampled=1";

    #[test]
    fn a_header_is_read_as_it_is_written() {
        let read = parent(HEADER).unwrap();
        assert_eq!((read.trace_id().to_string().as_str(), read.is_sampled()), (TRACE, true));
        assert_eq!(span_context_to_string(&read).unwrap(), HEADER);
        let silent = HEADER.replace("Sampled=1", "Sampled=0");
        let read = parent(&silent).unwrap();
        assert!(!read.is_sampled());
        assert_eq!(span_context_to_string(&read).unwrap(), silent);
    }

    #[test]
    fn of_a_header_ids_alone_are_taken_and_what_is_none_names_nothing() {
        let more = format!("{HEADER};Lineage=1:abc:0;Name=Kari");
        assert_eq!(span_context_to_string(&parent(&more).unwrap()).unwrap(), HEADER);
        let others = [
            "",
            "Root=",
            "Parent=53995c3f42cd8ad8;Sampled=1",
            "Root=1-6921a1f0-a006649127e371903a2de979",
            "Root=1-00000000-000000000000000000000000;Parent=53995c3f42cd8ad8",
            "Root=1-6921a1f0-a006649127e371903a2de979;Parent=0000000000000000",
            "Root=1-ærlig-a006649127e371903a2de979;Parent=53995c3f42cd8ad8",
            "00-6921a1f0a006649127e371903a2de979-53995c3f42cd8ad8-01",
        ];
        for other in others {
            assert!(parent(other).is_none(), "{other}");
        }
    }

    #[tokio::test]
    async fn a_trace_is_continued_or_begun_and_its_id_is_told() {
        let traces = Traces::to("parse-report", "http://127.0.0.1:1").unwrap();
        let begin = || message("parse");
        let told =
            traces.within(&dispatch(&traces), Some(HEADER), begin, |trace_id| async { (trace_id, header()) }).await;
        assert_eq!(told.0.as_deref(), Some(TRACE));
        let sent = told.1.unwrap();
        assert!(sent.starts_with(&HEADER[..40]) && sent.ends_with(";Sampled=1") && sent != HEADER, "{sent}");
        let (own, sent) = traces
            .within(&dispatch(&traces), None, begin, |trace_id| async { (trace_id.unwrap(), header().unwrap()) })
            .await;
        assert_eq!(sent.split(';').next(), Some(format!("Root=1-{}-{}", &own[..8], &own[8..]).as_str()));
        assert_eq!(traces.0.unwrap().kept.lock().spans.len(), 2);
    }

    #[tokio::test]
    async fn a_trace_that_is_not_sampled_is_continued_without_spans() {
        let traces = Traces::to("parse-report", "http://127.0.0.1:1").unwrap();
        let silent = HEADER.replace("Sampled=1", "Sampled=0");
        let sent = traces
            .within(&dispatch(&traces), Some(&silent), || message("parse"), |_| async { header() })
            .await
            .unwrap();
        assert!(sent.starts_with(&HEADER[..40]) && sent.ends_with(";Sampled=0"), "{sent}");
        assert!(traces.0.unwrap().kept.lock().spans.is_empty());
    }

    #[tokio::test]
    async fn without_a_collector_there_is_nothing() {
        let none = Traces::default();
        let told =
            none.within(&dispatch(&none), Some(HEADER), || message("parse"), |id| async { (id, header()) }).await;
        assert_eq!(told, (None, None));
        assert_eq!(none.flush(FLUSH).await, Ok(()));
    }

    #[tokio::test]
    async fn what_is_kept_is_bounded_and_lost_with_a_word() {
        // Nobody listens there.
        let traces = Traces::to("sweep", "http://127.0.0.1:1").unwrap();
        let calls = |_| async {
            for _ in 0..=SPANS_MAX {
                drop(call("GET", "api.dintero.com"));
            }
        };
        traces.within(&dispatch(&traces), Some(HEADER), || message("reconcile"), calls).await;
        let kept = || {
            let batch = traces.0.as_ref().unwrap().kept.lock();
            (batch.spans.len(), batch.is_cut, batch.spans.last().map(|span| span.name.clone()))
        };
        assert_eq!(kept(), (SPANS_MAX + 1, true, Some("reconcile".into())));
        assert_eq!(traces.flush(FLUSH).await, Err("NoAnswer"));
        assert_eq!(kept(), (0, false, None));
    }
}
