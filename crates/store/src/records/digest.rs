//! Which digest a recipient had last.

use settlement::{AccountId, Address, Rhythm};

use super::Record;
use crate::place::Place;

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] = &[Record {
    name: "digests",
    place: "`DIGEST#<account>`, `<address>/<rhythm>`",
    question: "which digest a recipient had last",
}];

impl Place {
    /// The record of the last digest of a recipient.
    pub fn digests(account: &AccountId, recipient: &Address, rhythm: Rhythm) -> Self {
        Place::new(format!("DIGEST#{account}"), format!("{recipient}/{}", rhythm.as_str()))
    }
}
