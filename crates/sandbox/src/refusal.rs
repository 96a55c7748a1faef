//! Answers that refuse, with the documented body of an error.

use dintero::Response;
use serde_json::json;

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Refusal { status, code, message: message.into() }
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Refusal::new(400, "BAD_REQUEST", message)
    }

    pub(super) fn unauthorised() -> Self {
        Refusal::new(401, "UNAUTHORIZED", "Invalid or missing credentials")
    }

    pub(super) fn forbidden() -> Self {
        Refusal::new(403, "FORBIDDEN", "The client has no right to this account")
    }

    pub(super) fn answer(self) -> Response {
        let body = json!({ "error": { "code": self.code, "message": self.message } });
        Response { status: self.status, retry_after: None, body: body.to_string().into_bytes() }
    }
}
