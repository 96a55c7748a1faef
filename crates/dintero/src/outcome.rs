//! The outcome of posting settlement events: done, certainly not done, or not known.

use jiff::SignedDuration;
use settlement::{Defect, Transaction, is_seeded};

use crate::error::error_message;
use crate::http::{NoResponse, Response, Sent};
use crate::transactions::transactions;

/// The outcome of a posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was accepted. The response lists these transactions, in any order.
    Applied(Vec<Transaction>),
    /// It was never sent.
    NotSent(String),
    /// The token was refused; nothing was done.
    Unauthorised,
    /// The client lacks the right; nothing was done.
    Forbidden(String),
    /// The request was refused. A reading must show whether any part of it was done.
    Refused {
        /// The status of the response.
        status: u16,
        /// Its message.
        message: String,
    },
    /// It conflicts with what Dintero has. A reading must show with what.
    Conflict(String),
    /// It was not accepted now; it may be sent again after this time.
    Later(SignedDuration),
    /// It may have been done. A reading must show whether it was.
    Unknown(String),
}

/// The time to wait when Dintero asks to wait and names no time.
pub const PAUSE: SignedDuration = SignedDuration::from_secs(60);

/// The outcome that a response, or its absence, means.
pub fn outcome(result: &Result<Response, NoResponse>) -> Outcome {
    let answer = match result {
        Ok(answer) => answer,
        Err(error) => {
            return match error.sent {
                Sent::No => Outcome::NotSent(error.to_string()),
                Sent::Perhaps => Outcome::Unknown(error.to_string()),
            };
        }
    };
    match (answer.status, answer.retry_after) {
        (200..300, _) => match transactions(answer) {
            Ok(listed) => Outcome::Applied(listed),
            Err(unreadable) => Outcome::Unknown(unreadable.to_string()),
        },
        (401, _) => Outcome::Unauthorised,
        (403, _) => Outcome::Forbidden(error_message(answer)),
        (409, _) => Outcome::Conflict(error_message(answer)),
        (429, after) => Outcome::Later(after.unwrap_or(PAUSE)),
        (503, Some(after)) => Outcome::Later(after),
        (status @ 500.., _) if is_seeded(Defect::ServerErrorIsRefusal) => {
            Outcome::Refused { status, message: error_message(answer) }
        }
        (status @ 400..500, _) => Outcome::Refused { status, message: error_message(answer) },
        _ => Outcome::Unknown(error_message(answer)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry_after: Option<i64>, body: &str) -> Outcome {
        let retry_after = retry_after.map(SignedDuration::from_secs);
        outcome(&Ok(Response { status, retry_after, body: body.as_bytes().to_vec() }))
    }

    #[test]
    fn every_response_is_done_not_done_or_unknown() {
        assert_eq!(answer(200, None, "[]"), Outcome::Applied(Vec::new()));
        assert!(matches!(answer(200, None, "<html>"), Outcome::Unknown(_)));
        assert!(matches!(answer(302, None, ""), Outcome::Unknown(_)));
        assert_eq!(answer(401, None, ""), Outcome::Unauthorised);
        assert!(matches!(answer(403, None, ""), Outcome::Forbidden(_)));
        assert!(matches!(answer(409, None, ""), Outcome::Conflict(_)));
        assert_eq!(answer(429, Some(120), ""), Outcome::Later(SignedDuration::from_secs(120)));
        assert_eq!(answer(503, Some(7), ""), Outcome::Later(SignedDuration::from_secs(7)));
        for status in [500, 502, 503, 504, 599] {
            assert!(matches!(answer(status, None, ""), Outcome::Unknown(_)), "{status}");
        }
        let body = r#"{"error":{"code":"BAD","message":"no such\u0007 transaction"}}"#;
        let message = "status 422, BAD: no such transaction".to_owned();
        assert_eq!(answer(422, None, body), Outcome::Refused { status: 422, message });
        let lost = |sent| outcome(&Err(NoResponse { sent, host: "h".into(), reason: "r".into() }));
        assert!(matches!(lost(Sent::No), Outcome::NotSent(_)));
        assert!(matches!(lost(Sent::Perhaps), Outcome::Unknown(_)));
    }
}
