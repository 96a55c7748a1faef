//! The HTTP client for Dintero: each request once, on a connection of its own.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dintero::{Method, NoResponse, Request, Sent};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, Url, redirect, retry};
use rustls::{ClientConfig, RootCertStore};
use store::{HttpClient, PortError, PortErrorKind};

/// Characters of a reason that are shown at most.
const REASON_CHARS_MAX: usize = 200;

/// How long a request may take, and how much an answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpLimits {
    /// Until there is a connection.
    pub connect: Duration,
    /// Until the whole answer is here.
    pub whole: Duration,
    /// Bytes of an answer's body.
    pub body_bytes_max: usize,
}

impl Default for HttpLimits {
    fn default() -> Self {
        HttpLimits { connect: Duration::from_secs(3), whole: Duration::from_secs(20), body_bytes_max: 32 << 20 }
    }
}

/// Sends requests over HTTPS, each once and on a connection of its own; without TLS to this machine alone.
///
/// A connection kept for later may be dead without a sign of it, and a request sent again may be done twice. Proxies that the
/// environment names are not used: a token goes to its host and to nobody else.
#[derive(Debug)]
pub struct Reqwest {
    client: Client,
    limits: HttpLimits,
}

impl Reqwest {
    /// A client within those limits.
    ///
    /// # Errors
    /// When there is no TLS.
    pub fn new(limits: HttpLimits) -> Result<Self, PortError> {
        Ok(Reqwest { client: client(limits)?, limits })
    }

    async fn answer(&self, mut response: Response) -> Result<dintero::Response, (Sent, String)> {
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(seconds);
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|error| self.lost(&error))? {
            if body.len() + part.len() > self.limits.body_bytes_max {
                return Err((Sent::Perhaps, format!("the answer has more than {} bytes", self.limits.body_bytes_max)));
            }
            body.extend_from_slice(&part);
        }
        Ok(dintero::Response { status, retry_after, body })
    }

    /// What an error means, in words of which none are the request's.
    fn lost(&self, error: &reqwest::Error) -> (Sent, String) {
        let innermost = {
            let mut cause: &dyn Error = error;
            while let Some(source) = cause.source() {
                cause = source;
            }
            // Without a source the error's own text would name the address.
            if error.source().is_none() { String::new() } else { format!(": {cause}") }
        };
        let (sent, what) = if error.is_dns() {
            (Sent::No, "the host was not found".to_owned())
        } else if error.is_connect() && error.is_timeout() {
            return (Sent::No, format!("no connection within {:?}", self.limits.connect));
        } else if error.is_connect() {
            (Sent::No, "no connection".to_owned())
        } else if error.is_timeout() {
            return (Sent::Perhaps, format!("no whole answer within {:?}", self.limits.whole));
        } else {
            (Sent::Perhaps, "the connection was lost".to_owned())
        };
        let innermost = innermost.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX);
        (sent, what.chars().chain(innermost).collect())
    }
}

/// A client within those limits. The reader of an answer counts its bytes.
pub(crate) fn client(limits: HttpLimits) -> Result<Client, PortError> {
    let refused =
        |error: Box<dyn Error + Send + Sync>| PortError::new(PortErrorKind::Refused, "Cannot prepare HTTPS", error);
    // The roots come with the program: the smallest of machines have none.
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(error.into()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .retry(retry::never())
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .pool_max_idle_per_host(0)
        .connect_timeout(limits.connect)
        .timeout(limits.whole)
        .user_agent(concat!("avstem/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| refused(error.into()))
}

#[async_trait]
impl HttpClient for Reqwest {
    async fn send(&self, request: &Request) -> Result<dintero::Response, NoResponse> {
        let not_sent =
            |host: &str, reason: &str| NoResponse { sent: Sent::No, host: host.to_owned(), reason: reason.to_owned() };
        let url = Url::parse(&request.url).map_err(|_| not_sent("nowhere", "the address cannot be read"))?;
        let host = url.host_str().unwrap_or("nowhere").to_owned();
        if !may_be_sent_to(&url) {
            return Err(not_sent(&host, "the address is neither HTTPS nor of this machine"));
        }
        let mut authorization = HeaderValue::from_str(request.authorization.reveal())
            .map_err(|_| not_sent(&host, "the token cannot stand in a header"))?;
        authorization.set_sensitive(true);
        let outgoing = match request.method {
            Method::Get => self.client.get(url),
            Method::Post => self.client.post(url),
        };
        let mut outgoing = outgoing.header(ACCEPT, "application/json").header(AUTHORIZATION, authorization);
        if let Some(body) = &request.body {
            outgoing = outgoing.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        if request.not_after.is_some_and(|limit| Timestamp::now() > limit) {
            return Err(not_sent(&host, "the time to send it has passed"));
        }
        let answer = match outgoing.send().await {
            Ok(response) => self.answer(response).await,
            Err(error) => Err(self.lost(&error)),
        };
        answer.map_err(|(sent, reason)| NoResponse { sent, host, reason })
    }
}

/// A token goes over HTTPS, or stays on this machine.
fn may_be_sent_to(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let local = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    let nobody = url.username().is_empty() && url.password().is_none();
    nobody && (url.scheme() == "https" || (url.scheme() == "http" && local))
}

/// A whole number of seconds; a day and hour are not used by the API.
fn seconds(value: &HeaderValue) -> Option<SignedDuration> {
    let text = value.to_str().ok()?.trim();
    let seconds: u32 = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())??;
    Some(SignedDuration::from_secs(i64::from(seconds)))
}
