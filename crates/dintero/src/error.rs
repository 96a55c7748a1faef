//! Answers that are no answer: the documented body of an error, and bodies that cannot be read.

#[cfg(test)]
mod tests;

use serde::Deserialize;

use crate::http::Answer;

/// Characters of a message that are shown at most.
const MESSAGE_CHARS_MAX: usize = 200;

/// An answer is not of the documented shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Found an answer {status} that cannot be read: {reason}")]
pub struct Unreadable {
    /// Its status.
    pub status: u16,
    /// What is wrong with it.
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

/// What the body of an error says, in one line without control characters; the status alone when it says nothing.
pub fn error_message(answer: &Answer) -> String {
    let said = match serde_json::from_slice::<ErrorBody>(&answer.body) {
        Ok(ErrorBody { error: ErrorWords { code: Some(code), message } }) => format!("{code}: {message}"),
        Ok(ErrorBody { error: ErrorWords { code: None, message } }) => message,
        Err(_) => return format!("status {}", answer.status),
    };
    let said: String = said.chars().filter(|c| !c.is_control()).take(MESSAGE_CHARS_MAX).collect();
    format!("status {}, {said}", answer.status)
}

/// Reads a body of JSON.
pub(crate) fn read<'a, T: Deserialize<'a>>(answer: &'a Answer) -> Result<T, Unreadable> {
    if !(200..300).contains(&answer.status) {
        return Err(Unreadable { status: answer.status, reason: error_message(answer) });
    }
    serde_json::from_slice(&answer.body).map_err(|error| {
        // The error names line and column, never the text itself.
        Unreadable { status: answer.status, reason: format!("not the documented JSON, {:?} error", error.classify()) }
    })
}
