//! HTTP requests and responses as values, and secrets that are never shown.

#[cfg(test)]
mod tests;

use std::fmt;

use jiff::{SignedDuration, Timestamp};

/// A text that no log, error or debug output may contain.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// The HTTP methods in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
}

/// A request to be sent once. The client neither repeats it by itself nor follows a redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The URL.
    pub url: String,
    /// Value of the header `Authorization`.
    pub authorization: Secret,
    /// A body of JSON.
    pub body: Option<String>,
    /// The last moment at which it may be sent. Another worker may take over after it.
    pub not_after: Option<Timestamp>,
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The time of the header `Retry-After`.
    pub retry_after: Option<SignedDuration>,
    /// The body.
    pub body: Vec<u8>,
}

/// Whether a request without a response may have had an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It had none: there was no connection.
    No,
    /// It may have had one: it may have arrived.
    Perhaps,
}

/// No response arrived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("No answer from {host}: {reason}")]
pub struct NoResponse {
    /// Whether the request may have arrived.
    pub sent: Sent,
    /// The host of the request, never the whole URL.
    pub host: String,
    /// What failed.
    pub reason: String,
}
