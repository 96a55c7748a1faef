//! A message that can never be carried out.

use serde::{Deserialize, Serialize};
use settlement::hexadecimal;
use sha2::{Digest, Sha256};

use super::Record;
use crate::place::Place;

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] = &[Record {
    name: "refused message",
    place: "`REFUSED#<sha256>`, `MESSAGE`",
    question: "which message can never be carried out, and why",
}];

/// A message that was refused, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedItem {
    /// What it said, as far as it is kept, with everything unusual written as an escape.
    pub text: String,
    /// Why it was refused.
    pub why: String,
}

impl Place {
    /// The record of a message that was refused, named by the hash of its text: nothing of the text is in a key.
    pub fn refused(text: &str) -> Self {
        Place::new(format!("REFUSED#{}", hexadecimal(&Sha256::digest(text))), "MESSAGE")
    }
}
