//! Requests and answers of HTTP, and what may not be shown of them.

#[cfg(test)]
mod tests;

use std::fmt;

use jiff::{SignedDuration, Timestamp};

/// Something that nobody may read in a log, an error or a debug text.
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

/// The methods in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Act.
    Post,
}

/// A request to be sent once, as it is: never again by itself, never to where a redirect leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: String,
    /// Value of the header `Authorization`.
    pub authorization: Secret,
    /// A body of JSON.
    pub body: Option<String>,
    /// Behind this moment it must not be sent any more: somebody else may have taken over by then.
    pub not_after: Option<Timestamp>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// How long to wait, by the header `Retry-After`.
    pub retry_after: Option<SignedDuration>,
    /// The body.
    pub body: Vec<u8>,
}

/// Whether a request without an answer may have had its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// No byte of it left: there was no connection.
    No,
    /// It may have arrived.
    Perhaps,
}

/// No answer came back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("No answer from {host}: {reason}")]
pub struct NoAnswer {
    /// Whether the request may have arrived.
    pub sent: Sent,
    /// Whom it was for; never the whole address.
    pub host: String,
    /// What went wrong.
    pub reason: String,
}
