//! Whose a merchant number is.

use serde::{Deserialize, Serialize};
use settlement::AccountId;

use super::Record;
use crate::place::Place;

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] = &[Record {
    name: "merchant",
    place: "`MERCHANT#<provider>#<number>`, `MERCHANT`",
    question: "which account a merchant number belongs to",
}];

/// Which account owns a merchant number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerchantItem {
    /// The owner.
    pub account: AccountId,
}

impl Place {
    /// The record of who owns a merchant number.
    pub fn merchant(provider: &str, number: &str) -> Self {
        Place::new(format!("MERCHANT#{provider}#{number}"), "MERCHANT")
    }
}
