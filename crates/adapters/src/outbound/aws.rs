//! What all clients of AWS share: time limits, retries by the SDK alone, and errors as ports have them.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use percent_encoding::percent_decode_str;
use store::{PortError, PortErrorKind};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(3);
/// How long one attempt may take; a part of a file is uploaded within it.
const ATTEMPT: Duration = Duration::from_secs(20);
/// How long all attempts together may take.
const OPERATION: Duration = Duration::from_secs(65);
/// How long the next piece of an object may take.
pub(super) const PIECE: Duration = Duration::from_secs(20);
/// How long an idle connection is kept. An older one may have died while the function was frozen.
const IDLE: Duration = Duration::from_secs(10);

/// Region and credentials as the environment has them, with time limits; the SDK alone tries again.
pub async fn config() -> SdkConfig {
    loader().load().await
}

/// The same before anything of the environment is read.
pub fn loader() -> ConfigLoader {
    let http = aws_smithy_http_client::Builder::new()
        .pool_idle_timeout(IDLE)
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build();
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(3))
}

/// The error of a service of AWS, without the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsError {
    /// The service's own code, such as `ThrottlingException`; `Timeout`, `NoAnswer` and `NotSent` are ours.
    pub code: String,
    message: String,
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl Error for AwsError {}

/// The code and HTTP status that a service answered with; `None` when it did not answer.
pub(super) fn answered<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<(&str, u16)> {
    let status = error.raw_response()?.status().as_u16();
    Some((error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default(), status))
}

/// The error of a port for a call that failed.
pub(super) fn failed<E>(what: impl Into<String>, error: &SdkError<E>) -> PortError
where
    E: ProvideErrorMetadata,
{
    let (kind, source) = match error {
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            let code = answer.err().code().unwrap_or("Unnamed").to_owned();
            let message = answer.err().message().unwrap_or("no reason given").to_owned();
            (kind_of(&code, status), AwsError { code, message })
        }
        SdkError::TimeoutError(_) => (PortErrorKind::Unavailable, own("Timeout", "no answer in time")),
        SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            (PortErrorKind::Unavailable, own("NoAnswer", "the service could not be reached"))
        }
        _ => (PortErrorKind::Refused, own("NotSent", "the request could not be made; are region and credentials set?")),
    };
    PortError::new(kind, what, source)
}

/// Decodes a key as S3 writes it into events and lists: a blank is `+`, and every unusual byte `%XX`. `None` when it is not UTF-8.
pub(crate) fn form_decoded(key: &str) -> Option<String> {
    let key = key.replace('+', " ");
    Some(percent_decode_str(&key).decode_utf8().ok()?.into_owned())
}

fn own(code: &str, message: &str) -> AwsError {
    AwsError { code: code.to_owned(), message: message.to_owned() }
}

/// What a service's code means to the caller of a port.
fn kind_of(code: &str, status: u16) -> PortErrorKind {
    match (code, status) {
        ("NoSuchKey" | "NoSuchVersion" | "NotFound", _) => PortErrorKind::NotFound,
        (
            "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "ThrottlingException"
            | "SlowDown"
            | "RequestTimeout"
            | "ConditionalRequestConflict"
            | "TransactionInProgressException",
            _,
        )
        | (_, 429 | 500..) => PortErrorKind::Unavailable,
        _ => PortErrorKind::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_again_and_what_is_wrong_is_not() {
        let retryable = |code, status| PortError::new(kind_of(code, status), "x", "y").is_retryable();
        for (code, status) in [
            ("ThrottlingException", 400),
            ("ProvisionedThroughputExceededException", 400),
            ("SlowDown", 503),
            ("InternalError", 500),
            ("ConditionalRequestConflict", 409),
        ] {
            assert!(retryable(code, status), "{code}");
        }
        for (code, status) in
            [("AccessDenied", 403), ("NoSuchBucket", 404), ("ResourceNotFoundException", 400), ("NoSuchKey", 404)]
        {
            assert!(!retryable(code, status), "{code}");
        }
    }
}
