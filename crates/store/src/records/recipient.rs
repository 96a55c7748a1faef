//! The recipients of an account's mails.

use std::collections::BTreeSet;
use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use settlement::{AccountId, Address, HeaderText, Rhythm, hexadecimal};
use sha2::Sha256;

use super::Record;
use crate::place::Place;
use crate::ports::Query;

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] = &[Record {
    name: "recipient",
    place: "`RECIPIENT#<account>`, `<address>`",
    question: "who is told of an account by mail, how often, and whether the address is confirmed",
}];

/// Who reads at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecipientKind {
    /// A person: paper and workbook, and what is wrong.
    Person,
    /// A program that takes documents in: paper alone, without a foot, and nothing else.
    Inbox,
}

/// A recipient of an account's mails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipientItem {
    /// The address.
    pub address: Address,
    /// The name of the reader.
    pub name: Option<HeaderText>,
    /// What kind of reader.
    pub kind: RecipientKind,
    /// Language, as in an account.
    pub language: String,
    /// How often.
    pub rhythms: BTreeSet<Rhythm>,
    /// Payouts from this day on are mailed.
    pub from: Date,
    /// Counts how often the address was added after it was removed, from 1.
    pub generation: u32,
    /// SHA-256 of the token that confirms.
    pub token_hash: String,
    /// When it was added.
    pub added_at: Timestamp,
    /// When the reader confirmed.
    pub confirmed_at: Option<Timestamp>,
    /// When it was removed.
    pub removed_at: Option<Timestamp>,
}

impl RecipientItem {
    /// Whether anything confidential may be sent there.
    pub fn is_confirmed(&self) -> bool {
        self.confirmed_at.is_some() && self.removed_at.is_none()
    }
}

/// What tokens are made with; whoever has it can confirm any address.
#[derive(Clone)]
pub struct TokenSecret(Vec<u8>);

impl TokenSecret {
    /// A secret of those bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        TokenSecret(bytes.into())
    }

    /// What only a reader at the address can know: 32 hexadecimal digits (HMAC-SHA-256, cut to 128 bits).
    pub fn token(&self, account: &AccountId, address: &Address, generation: u32) -> String {
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        for part in ["confirm", account.as_str(), address.as_str(), &generation.to_string()] {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part.as_bytes());
        }
        hexadecimal(&mac.finalize().into_bytes()).chars().take(32).collect()
    }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSecret")
    }
}

impl Place {
    /// The record of a recipient.
    pub fn recipient(account: &AccountId, address: &Address) -> Self {
        Place::new(format!("RECIPIENT#{account}"), address.as_str())
    }
}

impl Query {
    /// All recipients of an account, those that were removed among them.
    pub fn recipients(account: &AccountId) -> Self {
        Query::all(format!("RECIPIENT#{account}"))
    }
}
