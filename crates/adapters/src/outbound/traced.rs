//! An HTTP client that makes a span of each request.

use async_trait::async_trait;
use dintero::{Method, NoResponse, Request, Response};
use reqwest::Url;
use store::HttpClient;
use tracing::Instrument;

use crate::traces;

/// Sends each request within a span of its own. Outside of a span it only sends.
#[derive(Debug)]
pub struct Traced<C>(pub C);

#[async_trait]
impl<C: HttpClient> HttpClient for Traced<C> {
    async fn send(&self, request: &Request) -> Result<Response, NoResponse> {
        if tracing::Span::current().is_none() {
            return self.0.send(request).await;
        }
        let method = match request.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        let url = Url::parse(&request.url).ok();
        let span = traces::call(method, url.as_ref().and_then(Url::host_str).unwrap_or("nowhere"));
        let answer = self.0.send(request).instrument(span.clone()).await;
        match &answer {
            Ok(Response { status, .. }) => traces::answered(&span, *status),
            Err(_) => traces::failed(&span),
        }
        answer
    }
}
