//! HTTP as API Gateway and function URLs hand it to a function: their events in, their answers out.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use aws_lambda_events::encodings::Body;
use aws_lambda_events::event::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use hyper::header::{HeaderName, HeaderValue};
use lambda_runtime::{LambdaEvent, service_fn};

use crate::inbound::backoffice::{Asked, Backoffice, HEADERS, Route, Told};
use crate::inbound::lambda::{Invocation, invocation_of};
use crate::traces;

/// What an event asks for. Claims are those of the token that the gateway has verified: an event of a function URL has none.
pub fn asked(event: &ApiGatewayV2httpRequest, trace_id: Option<String>) -> Asked {
    let context = &event.request_context;
    let jwt = context.authorizer.as_ref().and_then(|authorizer| authorizer.jwt.as_ref());
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Asked {
        method: context.http.method.to_string(),
        path: event.raw_path.clone().unwrap_or_default(),
        query: event.query_string_parameters.iter().map(owned).collect(),
        claims: jwt.map(|jwt| jwt.claims.clone().into_iter().collect::<BTreeMap<String, String>>()),
        trace_id,
    }
}

/// An answer as the gateway takes it.
pub fn told(told: &Told) -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = i64::from(told.status);
    for (name, value) in HEADERS.iter().chain(&told.headers) {
        response.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response.body = Some(Body::Text(told.body.to_string()));
    response
}

/// Answers a caller.
pub async fn answer(
    backoffice: &Backoffice,
    event: &ApiGatewayV2httpRequest,
    invocation: &Invocation,
) -> ApiGatewayV2httpResponse {
    let answer = |trace_id: Option<String>| async {
        let asked = asked(event, trace_id.or_else(|| invocation.trace_id.clone()));
        let told = backoffice.answer(&asked).await;
        traces::answered(&tracing::Span::current(), told.status);
        told
    };
    let answer = backoffice.function.log.within(None, || request(event), answer).await;
    backoffice.function.log.flush(invocation.deadline).await;
    told(&answer)
}

/// The span of a request, of words that are known here: a path and a method may be anything that somebody thinks of.
fn request(event: &ApiGatewayV2httpRequest) -> tracing::Span {
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
