//! How AWS Lambda calls a function: with a batch of messages, of which some may have to come again, or by a schedule.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Context, LambdaEvent, service_fn};
use serde::de::IgnoredAny;

use crate::fields::Fields;
use crate::inbound::function::{Again, Function};
use crate::inbound::metric::Metric;
use crate::traces::{self, TRACE_HEADER};

/// The least time in which work is begun.
const TIME_MIN: SignedDuration = SignedDuration::from_secs(5);

/// How long a claim lasts after the deadline: by then everything that the worker sent has arrived.
const LEASE_AFTER: SignedDuration = SignedDuration::from_secs(10);

/// A call of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The time at which Lambda ends the process.
    pub deadline: Timestamp,
    /// The trace that it belongs to, or X-Ray's id of the call where there is no trace.
    pub trace_id: Option<String>,
}

impl Invocation {
    /// How long a claim that is made now lasts.
    pub fn lease(&self, now: Timestamp) -> SignedDuration {
        self.deadline.duration_since(now).max(SignedDuration::ZERO) + LEASE_AFTER
    }

    /// Whether there is time enough to begin something at that time.
    pub fn has_time(&self, then: Timestamp) -> bool {
        self.deadline.duration_since(then) >= TIME_MIN
    }

    /// The same as part of a trace.
    fn of_trace(&self, trace_id: Option<String>) -> Self {
        Invocation { trace_id: trace_id.or_else(|| self.trace_id.clone()), ..self.clone() }
    }

    /// The fields of a line about one of its messages.
    pub fn fields(&self, step: &'static str, attempt: u32) -> Fields {
        let (trace_id, step) = (self.trace_id.clone(), Some(step));
        Fields { trace_id, step, attempt: Some(attempt), ..Fields::default() }
    }
}

/// Carries out one message after the other.
#[async_trait]
pub trait Worker: Send + Sync {
    /// The name of its step in lines and spans.
    fn step(&self) -> &'static str;

    /// What it has as every function has it.
    fn function(&self) -> &Function;

    /// Carries out a message that was delivered `attempt` times.
    ///
    /// # Errors
    /// When it is to come again; why is in the log.
    async fn carry_out(&self, body: &str, attempt: u32, invocation: &Invocation) -> Result<(), Again>;
}

/// Does what a schedule calls for.
#[async_trait]
pub trait Scheduled: Send + Sync {
    /// The name of its step in lines and spans.
    fn step(&self) -> &'static str;

    /// What it has as every function has it.
    fn function(&self) -> &Function;

    /// Does it once.
    ///
    /// # Errors
    /// When it is to be called again; why is in the log.
    async fn carry_out(&self, invocation: &Invocation) -> Result<(), Again>;
}

/// Carries out a batch of messages and names those that are to come again.
///
/// # Errors
/// When a message has no id, so that it could not be named: the whole batch comes again then.
pub async fn batch(
    worker: &dyn Worker,
    event: &SqsEvent,
    invocation: &Invocation,
) -> Result<SqsBatchResponse, &'static str> {
    let function = worker.function();
    let mut again = Vec::new();
    for message in &event.records {
        let id = message.message_id.clone().filter(|id| !id.is_empty()).ok_or("a message has no id")?;
        let header = message.attributes.get(TRACE_HEADER).map(String::as_str);
        let begin = || traces::message(worker.step());
        let carry_out = |trace_id| one(worker, message, invocation.of_trace(trace_id));
        if function.log.within(header, begin, carry_out).await.is_err() {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id;
            again.push(failure);
        }
    }
    function.log.count(&[(Metric::FailedMessages, again.len())]);
    function.log.flush(invocation.deadline).await;
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = again;
    Ok(response)
}

async fn one(worker: &dyn Worker, message: &SqsMessage, invocation: Invocation) -> Result<(), Again> {
    let (function, attempt) = (worker.function(), attempt_of(message));
    let done = if invocation.has_time(function.now()) {
        worker.carry_out(message.body.as_deref().unwrap_or_default(), attempt, &invocation).await
    } else {
        let fields = invocation.fields("begin", attempt);
        function.log.warn("no time is left to begin with a message", &fields);
        Err(Again)
    };
    if done.is_err() {
        traces::failed(&tracing::Span::current());
    }
    done
}

/// Does what a schedule calls for.
///
/// # Errors
/// When it is to be called again.
pub async fn call(worker: &dyn Scheduled, invocation: &Invocation) -> Result<(), Again> {
    let carry_out = |trace_id| async {
        let done = worker.carry_out(&invocation.of_trace(trace_id)).await;
        if done.is_err() {
            traces::failed(&tracing::Span::current());
        }
        done
    };
    let log = &worker.function().log;
    let done = log.within(None, || traces::scheduled(worker.step()), carry_out).await;
    log.flush(invocation.deadline).await;
    done
}

fn attempt_of(message: &SqsMessage) -> u32 {
    message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// Takes batches from Lambda as long as the process lives.
///
/// # Errors
/// When Lambda cannot be reached.
pub async fn serve(worker: Arc<dyn Worker>) -> Result<(), Box<dyn Error + Send + Sync>> {
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| {
        let worker = Arc::clone(&worker);
        async move {
            let LambdaEvent { payload, context } = event;
            let invocation = invocation_of(context)?;
            Ok::<_, Box<dyn Error + Send + Sync>>(batch(&*worker, &payload, &invocation).await?)
        }
    }))
    .await
}

/// Takes the calls of a schedule as long as the process lives. The payload of a call is not read.
///
/// # Errors
/// When Lambda cannot be reached.
pub async fn serve_schedule(worker: Arc<dyn Scheduled>) -> Result<(), Box<dyn Error + Send + Sync>> {
    lambda_runtime::run(service_fn(|event: LambdaEvent<IgnoredAny>| {
        let worker = Arc::clone(&worker);
        async move {
            let invocation = invocation_of(event.context)?;
            Ok::<_, Box<dyn Error + Send + Sync>>(call(&*worker, &invocation).await?)
        }
    }))
    .await
}

pub(super) fn invocation_of(context: Context) -> Result<Invocation, &'static str> {
    let deadline = i64::try_from(context.deadline).ok();
    let deadline = deadline.and_then(|deadline| Timestamp::from_millisecond(deadline).ok());
    let deadline = deadline.ok_or("Lambda named no deadline")?;
    Ok(Invocation { deadline, trace_id: context.xray_trace_id })
}
