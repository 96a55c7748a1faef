//! One request over HTTP.

use async_trait::async_trait;

/// Sends one request and gives its answer: HTTP, or a stand-in.
#[async_trait]
pub trait HttpClient: Send + Sync {
    /// Sends it once, as it is: no second try, no redirect followed.
    ///
    /// # Errors
    /// When no answer came; says whether the request may have arrived.
    async fn send(&self, request: &dintero::Request) -> Result<dintero::Response, dintero::NoResponse>;
}
