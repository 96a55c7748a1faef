//! What a run reports when something is wrong.

/// A rule that did not hold, by its number and with what was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Violation(pub String);
