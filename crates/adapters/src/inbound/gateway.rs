//! Requests of API Gateway and function URLs, and the responses to them.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use aws_lambda_events::encodings::Body;
use aws_lambda_events::event::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use hyper::header::{HeaderName, HeaderValue};
use lambda_runtime::{LambdaEvent, service_fn};

use crate::inbound::backoffice::{Backoffice, HEADERS, Request, Response, Route};
use crate::inbound::lambda::{Invocation, invocation_of};
use crate::traces;

/// The request of an event. Its claims are those of the token that the gateway has verified; an event of a function URL has none.
pub fn read(event: &ApiGatewayV2httpRequest, trace_id: Option<String>) -> Request {
    let context = &event.request_context;
    let jwt = context.authorizer.as_ref().and_then(|authorizer| authorizer.jwt.as_ref());
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Request {
        method: context.http.method.to_string(),
        path: event.raw_path.clone().unwrap_or_default(),
        query: event.query_string_parameters.iter().map(owned).collect(),
        claims: jwt.map(|jwt| jwt.claims.clone().into_iter().collect::<BTreeMap<String, String>>()),
        trace_id,
    }
}

/// A response as the gateway takes it.
pub fn write(response: &Response) -> ApiGatewayV2httpResponse {
    let mut written = ApiGatewayV2httpResponse::default();
    written.status_code = i64::from(response.status);
    for (name, value) in HEADERS.iter().chain(&response.headers) {
        written.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    written.body = Some(Body::Text(response.body.to_string()));
    written
}

/// Answers a caller.
pub async fn answer(
    backoffice: &Backoffice,
    event: &ApiGatewayV2httpRequest,
    invocation: &Invocation,
) -> ApiGatewayV2httpResponse {
    let answer = |trace_id: Option<String>| async {
        let request = read(event, trace_id.or_else(|| invocation.trace_id.clone()));
        let response = backoffice.answer(&request).await;
        traces::answered(&tracing::Span::current(), response.status);
        response
    };
    let response = backoffice.function.log.within(None, || span(event), answer).await;
    backoffice.function.log.flush(invocation.deadline).await;
    write(&response)
}

/// The span of a request, in words that are known here, because a caller may send any path and method.
fn span(event: &ApiGatewayV2httpRequest) -> tracing::Span {
    let path = event.raw_path.as_deref().unwrap_or_default();
    let route = Route::ALL.iter().map(|route| route.path()).find(|route| *route == path);
    let methods = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"];
    let method = methods.into_iter().find(|method| *method == event.request_context.http.method.as_str());
    traces::request(method.unwrap_or("_OTHER"), route)
}

/// Answers callers as long as the process lives.
///
/// # Errors
/// When Lambda cannot be reached.
pub async fn serve(backoffice: Arc<Backoffice>) -> Result<(), Box<dyn Error + Send + Sync>> {
    lambda_runtime::run(service_fn(|event: LambdaEvent<ApiGatewayV2httpRequest>| {
        let backoffice = Arc::clone(&backoffice);
        async move {
            let LambdaEvent { payload, context } = event;
            let invocation = invocation_of(context)?;
            Ok::<_, Box<dyn Error + Send + Sync>>(answer(&backoffice, &payload, &invocation).await)
        }
    }))
    .await
}
