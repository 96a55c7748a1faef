//! Ids of reports, providers, merchants and settlements.
//!
//! A report's id is made of its content. The others are words of a provider, and they become part of object keys,
//! record keys and paths: their types hold only words that are safe there.

#[cfg(test)]
mod tests;

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::card::mask_cards;
use crate::hex::{hexadecimal, parse_hex};
use crate::provider::Provider;

/// SHA-256 of a report's bytes. The same bytes under any name are the same report.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReportId([u8; 32]);

impl ReportId {
    /// The id of a report whose bytes have this SHA-256.
    pub fn from_sha256(sha256: [u8; 32]) -> Self {
        ReportId(sha256)
    }

    /// The first twelve hexadecimal digits, enough for a person to tell reports apart.
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
    }
}

impl fmt::Display for ReportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hexadecimal(&self.0))
    }
}

impl fmt::Debug for ReportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<ReportId> for String {
    fn from(id: ReportId) -> String {
        id.to_string()
    }
}

impl TryFrom<String> for ReportId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        parse_hex(&text).map(ReportId).ok_or_else(|| format!("Not a report id: {text}"))
    }
}

/// An id of a provider has no more characters.
const ID_CHARS_MAX: usize = 64;

/// An error shows no more characters of what it found.
const FOUND_CHARS_MAX: usize = 80;

/// The words that a type of id holds.
struct Grammar {
    what: &'static str,
    expected: &'static str,
    holds: fn(&[u8]) -> bool,
}

/// Nothing in such a word separates keys, leads out of a folder, or is read as anything but itself.
fn is_key_word(word: &[u8]) -> bool {
    let known = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    word.first().is_some_and(u8::is_ascii_alphanumeric)
        && word.len() <= ID_CHARS_MAX
        && word.iter().all(known)
        && !word.windows(2).any(|pair| pair == b"..")
}

fn is_provider_word(word: &[u8]) -> bool {
    let known = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    is_key_word(word) && word.iter().all(known)
}

const KEY_WORD: &str =
    "at most 64 letters of A to Z, digits, '-', '_' and '.', the first a letter or a digit, without '..'";

/// The text is no id of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Found {what} {found:?}, expected {expected}")]
pub struct BadId {
    what: &'static str,
    found: String,
    expected: &'static str,
}

impl Grammar {
    fn check(&self, text: &str) -> Result<(), BadId> {
        if (self.holds)(text.as_bytes()) {
            return Ok(());
        }
        let found = mask_cards(text).chars().take(FOUND_CHARS_MAX).collect();
        Err(BadId { what: self.what, found, expected: self.expected })
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident: $grammar:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                $grammar.check(text).map(|()| $name(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;

            fn try_from(text: String) -> Result<Self, BadId> {
                $grammar.check(&text).map(|()| $name(text))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, text: &str) -> bool {
                self.0 == text
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, text: &&str) -> bool {
                self.0 == *text
            }
        }

        impl PartialEq<String> for $name {
            fn eq(&self, text: &String) -> bool {
                self.0 == *text
            }
        }

        impl PartialEq<$name> for String {
            fn eq(&self, id: &$name) -> bool {
                *self == id.0
            }
        }
    )*};
}

ids! {
    /// A provider's number of a merchant or sales unit, as its files write it.
    MerchantNumber: Grammar { what: "merchant number", expected: KEY_WORD, holds: is_key_word };
    /// A provider's id of a settlement, unique only within a merchant number and a currency.
    SettlementId: Grammar { what: "settlement id", expected: KEY_WORD, holds: is_key_word };
    /// The id of a provider, as in [`Provider::id`].
    ProviderId: Grammar {
        what: "provider",
        expected: "at most 64 lower-case letters of a to z, digits and '-', the first a letter or a digit",
        holds: is_provider_word,
    };
}

impl From<&Provider> for ProviderId {
    fn from(provider: &Provider) -> Self {
        ProviderId(provider.id.to_owned())
    }
}
