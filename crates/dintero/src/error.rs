//! Responses with an error: the documented body of an error, and bodies that cannot be read.

#[cfg(test)]
mod tests;

use serde::Deserialize;

use crate::http::Response;

/// An error shows no more characters of Dintero's message.
const MESSAGE_CHARS_MAX: usize = 200;

/// A response does not have the documented form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Found an answer {status} that cannot be read: {reason}")]
pub struct Unreadable {
    /// The status of the response.
    pub status: u16,
    /// What is wrong with the response, without any of its text.
    pub reason: String,
}

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorWords,
}

#[derive(Deserialize)]
struct ErrorWords {
    code: Option<String>,
    message: String,
}

/// The status and the message of an error, in one line without control characters; the status alone when there is no
/// message.
pub fn error_message(answer: &Response) -> String {
    let said = match serde_json::from_slice::<ErrorBody>(&answer.body) {
        Ok(ErrorBody { error: ErrorWords { code: Some(code), message } }) => format!("{code}: {message}"),
        Ok(ErrorBody { error: ErrorWords { code: None, message } }) => message,
        Err(_) => return format!("status {}", answer.status),
    };
    let said: String = said.chars().filter(|c| !c.is_control()).take(MESSAGE_CHARS_MAX).collect();
    format!("status {}, {said}", answer.status)
}

/// Reads a body of JSON.
pub(crate) fn read<'a, T: Deserialize<'a>>(answer: &'a Response) -> Result<T, Unreadable> {
    if !(200..300).contains(&answer.status) {
        return Err(Unreadable { status: answer.status, reason: error_message(answer) });
    }
    serde_json::from_slice(&answer.body).map_err(|error| {
        // The error's own text could quote the body.
        Unreadable { status: answer.status, reason: format!("not the documented JSON, {:?} error", error.classify()) }
    })
}
