//! A mailer that sends through Amazon SES, with one attempt for each mail.
//!
//! SES takes an equal mail for a second mail, so that nothing is tried again here. Events of the configuration set tell what became of a
//! mail. They are noted in the trace of the mail, and so is the answer to the request.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_ses::Client;
use aws_sdk_ses::config::Builder;
use aws_sdk_ses::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ses::primitives::Blob;
use aws_sdk_ses::types::{MessageTag, RawMessage};
use jiff::Timestamp;
use settlement::MailId;
use store::{
    Envelope, MailEvent, Mailer, NotSent, NotSentKind, PortError, PortErrorKind, RecordError, State, note_mail_event,
    sent_message_id,
};

use crate::outbound::Clock;

/// How long SES may take to answer.
const ATTEMPT: Duration = Duration::from_secs(10);

/// The tag that events about a mail name it by.
pub const MAIL_ID_TAG: &str = "mail_id";

/// Sends through one configuration set.
pub struct Ses {
    client: Client,
    configuration_set: String,
    /// Where the traces of mails are.
    state: Arc<dyn State>,
    clock: Clock,
}

impl std::fmt::Debug for Ses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ses").field("configuration_set", &self.configuration_set).finish_non_exhaustive()
    }
}

impl Ses {
    /// Mails through the configuration set of that name, with their traces in the state.
    pub fn new(config: &SdkConfig, configuration_set: &str, state: Arc<dyn State>, clock: Clock) -> Self {
        let config = Builder::from(config).retry_config(RetryConfig::disabled()).build();
        Ses { client: Client::from_conf(config), configuration_set: configuration_set.to_owned(), state, clock }
    }
}

#[async_trait]
impl Mailer for Ses {
    async fn send(&self, envelope: &Envelope<'_>, message: &[u8]) -> Result<String, NotSent> {
        let Some(left) = left_until(envelope.not_after, (self.clock)()) else {
            return Err(NotSent { kind: NotSentKind::Later, why: "the time to send it has passed".to_owned() });
        };
        let unmade = |_| NotSent { kind: NotSentKind::Refused, why: "SES takes no such mail".to_owned() };
        let tag = MessageTag::builder().name(MAIL_ID_TAG).value(envelope.id.as_str()).build().map_err(unmade)?;
        let raw = RawMessage::builder().data(Blob::new(message)).build().map_err(unmade)?;
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(left).operation_timeout(left).build();
        let sent = self
            .client
            .send_raw_email()
            .source(envelope.from.as_str())
            // The one recipient, whatever the head of the message says.
            .destinations(envelope.to.as_str())
            .raw_message(raw)
            .configuration_set_name(&self.configuration_set)
            .tags(tag)
            .customize()
            .config_override(Builder::new().timeout_config(timeouts))
            .send()
            .await
            .map_err(|error| not_sent(&error))?;
        let message_id = sent.message_id().to_owned();
        if message_id.is_empty() {
            return Err(NotSent { kind: NotSentKind::Unknown, why: "SES named no message".to_owned() });
        }
        // The mail has left. If this note fails, the events of the mail or the caller record it.
        let _ = note_mail_event(&*self.state, envelope.id, &message_id, MailEvent::Sent, (self.clock)()).await;
        Ok(message_id)
    }

    async fn sent(&self, id: &MailId) -> Result<Option<String>, PortError> {
        sent_message_id(&*self.state, id).await.map_err(|error| match error {
            RecordError::Port(error) => error,
            other => PortError::new(PortErrorKind::Refused, format!("Cannot read the trace of mail {id}"), other),
        })
    }
}

/// How long an attempt may take; `None` after the time from which another worker may take the mail.
fn left_until(not_after: Timestamp, now: Timestamp) -> Option<Duration> {
    let left = not_after.duration_since(now);
    left.is_positive().then(|| ATTEMPT.min(left.unsigned_abs()))
}

/// What an error means for the mail; SES's own text may hold addresses, and is left out.
fn not_sent<E>(error: &SdkError<E>) -> NotSent
where
    E: ProvideErrorMetadata,
{
    let (kind, why) = match error {
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            let asks_to_wait = answer.raw().headers().get("retry-after").is_some();
            let code = answer.err().code().unwrap_or_default();
            let kind = kind_of(code, answer.err().message().unwrap_or_default(), status, asks_to_wait);
            let code: String = code.chars().filter(char::is_ascii_alphanumeric).take(60).collect();
            (kind, format!("SES answered {status} {code}"))
        }
        SdkError::ConstructionFailure(_) => (NotSentKind::Later, "the request could not be made".to_owned()),
        SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
            Some(error) if error.is_user() || never_connected(error) => {
                (NotSentKind::Later, "there is no connection to SES".to_owned())
            }
            _ => (NotSentKind::Unknown, "the connection to SES was lost".to_owned()),
        },
        SdkError::TimeoutError(_) => (NotSentKind::Unknown, "SES did not answer in time".to_owned()),
        _ => (NotSentKind::Unknown, "the answer of SES cannot be read".to_owned()),
    };
    NotSent { kind, why: why.trim_end().to_owned() }
}

/// Whether no byte of the request can have left.
fn never_connected(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<hyper_util::client::legacy::Error>().is_some_and(|error| error.is_connect()) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// What an answer means for the mail. Only what is wrong with the mail itself is final: rights, identities and quotas are put right by a
/// person, and the mail leaves then.
fn kind_of(code: &str, message: &str, status: u16, asks_to_wait: bool) -> NotSentKind {
    match (code, status) {
        (_, 429) => NotSentKind::Later,
        (_, 503) if asks_to_wait => NotSentKind::Later,
        (_, 400..=499) => match code {
            "MessageRejected" if message.starts_with("Email address is not verified") => NotSentKind::Later,
            "MessageRejected" | "InvalidParameterValue" | "InvalidParameterCombination" | "ValidationError" => {
                NotSentKind::Refused
            }
            _ => NotSentKind::Later,
        },
        // It may have been taken before whatever failed did.
        _ => NotSentKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wrong_with_the_mail_is_final_and_only_what_surely_failed_comes_again() {
        let unverified = "Email address is not verified. The following identities failed the check";
        for (code, message, status, asks_to_wait, kind) in [
            ("MessageRejected", "Message contains illegal characters", 400, false, NotSentKind::Refused),
            ("MessageRejected", unverified, 400, false, NotSentKind::Later),
            ("InvalidParameterValue", "Missing final '@domain'", 400, false, NotSentKind::Refused),
            ("Throttling", "Maximum sending rate exceeded.", 400, false, NotSentKind::Later),
            ("Throttling", "Daily message quota exceeded.", 454, false, NotSentKind::Later),
            ("AccessDenied", "", 403, false, NotSentKind::Later),
            ("ConfigurationSetDoesNotExist", "", 400, false, NotSentKind::Later),
            ("AccountSendingPausedException", "", 400, false, NotSentKind::Later),
            ("", "", 429, false, NotSentKind::Later),
            ("ServiceUnavailable", "", 503, true, NotSentKind::Later),
            ("ServiceUnavailable", "", 503, false, NotSentKind::Unknown),
            ("InternalFailure", "", 500, false, NotSentKind::Unknown),
            ("", "", 502, true, NotSentKind::Unknown),
            ("", "", 302, false, NotSentKind::Unknown),
        ] {
            assert_eq!(kind_of(code, message, status, asks_to_wait), kind, "{code} {status}");
        }
    }

    #[test]
    fn an_attempt_ends_with_the_lease() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-11-01T06:00:00Z");
        for (not_after, left) in [
            ("2026-11-01T06:05:00Z", Some(10_000)),
            ("2026-11-01T06:00:01.5Z", Some(1_500)),
            ("2026-11-01T06:00:00Z", None),
            ("2026-11-01T05:59:59Z", None),
        ] {
            assert_eq!(left_until(at(not_after), now), left.map(Duration::from_millis), "{not_after}");
        }
    }
}
