//! The canonical row and the settlement hash: the same content has the same hash in any file, order or encoding.
//!
//! Most rows fit one block of SHA-256. [`RowDigester`] therefore pads rows itself and calls
//! `sha2::block_api::compress256`, the function below `sha2::Sha256`. The RustCrypto crates discourage this low-level
//! API: it neither pads nor buffers, and it may change between releases. It is used for speed alone: hashing rows is a
//! large part of reading a report, and a buffer per row costs about as much as hashing a short row. A test compares
//! every digest with `Sha256::digest` of the same bytes.

#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::block_api::compress256;
use sha2::{Digest, Sha256};

use crate::currency::Currency;
use crate::hex::{hexadecimal, parse_hex};
use crate::line::LineKind;
use crate::terms::Terms;

/// The parts of a row that make it the same row in every file. Times, names and methods differ between files and are
/// left out.
#[derive(Debug, Clone, Copy)]
pub struct CanonicalRow<'a> {
    /// The provider's id of the transaction; empty where it gives none.
    pub provider_transaction_id: &'a str,
    /// Kind of the row.
    pub kind: LineKind,
    /// The merchant's order reference.
    pub order_reference: &'a str,
    /// Currency of the amounts.
    pub currency: Currency,
    /// The signed money.
    pub terms: Terms,
}

/// A hash of the row's transaction and the first sixteen bytes of the SHA-256 of its canonical bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowDigest {
    /// Equal for two rows of the same transaction; zero for a row without an id.
    pub transaction: u64,
    /// Equal for two rows of the same content; the most significant half comes first.
    pub content: [u64; 2],
}

impl CanonicalRow<'_> {
    /// Adds the canonical bytes of the row.
    ///
    /// A term of zero is left out, so that a term added later leaves every hash as it is.
    #[inline]
    fn spell(&self, bytes: &mut Vec<u8>) {
        for text in [self.provider_transaction_id, self.order_reference] {
            push_varint(bytes, text.len() as u64);
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes.extend_from_slice(self.currency.as_str().as_bytes());
        bytes.push(self.kind.code());
        for (tag, (_, minor)) in (0_u8..).zip(self.terms.named()) {
            if minor != 0 {
                bytes.push(tag);
                // Zigzag: the sign in the lowest bit.
                push_varint(bytes, (minor.cast_unsigned() << 1) ^ (minor >> 63).cast_unsigned());
            }
        }
    }

    /// FNV-1a over id and kind. A short hash is enough, since a collision can only hold a file.
    fn transaction(&self) -> u64 {
        if self.provider_transaction_id.is_empty() {
            return 0;
        }
        let bytes = self.provider_transaction_id.bytes().chain([self.kind.code()]);
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }
}

/// The initial hash value of SHA-256 (FIPS 180-4, 5.3.3).
const SHA256_BEGIN: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
const BLOCK_BYTES: usize = 64;
/// Rows are hashed when this many bytes are written: few enough to stay in the first-level cache.
const SPELT_BYTES: usize = 16 * 1024;

/// Makes the digests of many rows. It writes the bytes of many rows first and then hashes all of them, so that the
/// processor works on several rows at once.
#[derive(Debug, Clone, Default)]
pub struct RowDigester {
    /// The canonical bytes of the rows, each padded to whole blocks as SHA-256 requires.
    bytes: Vec<u8>,
    /// The hash of each row's transaction and the place where the row ends.
    rows: Vec<(u64, usize)>,
}

impl RowDigester {
    /// Calls `take` with the digest of each row in order.
    pub fn digest<'a>(&mut self, rows: impl Iterator<Item = CanonicalRow<'a>>, mut take: impl FnMut(RowDigest)) {
        for row in rows {
            self.spell(&row);
            if self.bytes.len() >= SPELT_BYTES {
                self.hash(&mut take);
            }
        }
        self.hash(&mut take);
    }

    #[inline]
    fn spell(&mut self, row: &CanonicalRow<'_>) {
        let start = self.bytes.len();
        row.spell(&mut self.bytes);
        let length = self.bytes.len() - start;
        self.bytes.push(0x80);
        let padded = (length + 1 + size_of::<u64>()).next_multiple_of(BLOCK_BYTES);
        self.bytes.extend_from_slice(&[0; BLOCK_BYTES]);
        self.bytes.truncate(start + padded - size_of::<u64>());
        self.bytes.extend_from_slice(&(length as u64 * 8).to_be_bytes());
        self.rows.push((row.transaction(), self.bytes.len()));
    }

    fn hash(&mut self, take: &mut impl FnMut(RowDigest)) {
        let mut start = 0;
        for (transaction, end) in self.rows.drain(..) {
            let (blocks, _) = self.bytes.get(start..end).unwrap_or_default().as_chunks::<BLOCK_BYTES>();
            let mut state = SHA256_BEGIN;
            compress256(&mut state, blocks);
            let half = |upper: u32, lower: u32| u64::from(upper) << 32 | u64::from(lower);
            let [a, b, c, d, ..] = state;
            take(RowDigest { transaction, content: [half(a, b), half(c, d)] });
            start = end;
        }
        self.bytes.clear();
    }
}

/// Appends `value` in seven bits a byte, the lowest first. Small numbers are short, so that most rows fit one block of
/// SHA-256.
#[inline]
pub fn push_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// SHA-256 of a settlement's canonical content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SettlementHash([u8; 32]);

impl fmt::Display for SettlementHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hexadecimal(&self.0))
    }
}

impl fmt::Debug for SettlementHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<SettlementHash> for String {
    fn from(hash: SettlementHash) -> String {
        hash.to_string()
    }
}

impl TryFrom<String> for SettlementHash {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        parse_hex(&text).map(SettlementHash).ok_or_else(|| format!("Not a settlement hash: {text}"))
    }
}

/// The number of digests that [`SettlementHasher::rows`] hashes at a time; callers pass this many or a multiple.
pub const DIGESTS_TOGETHER: usize = 64;

/// Makes a [`SettlementHash`] of the currency, the payout and the row digests in ascending order.
#[derive(Debug, Clone)]
pub struct SettlementHasher(Sha256);

impl SettlementHasher {
    /// A hasher for a settlement with this currency and this stated payout in minor units.
    pub fn new(currency: Currency, payout_minor: Option<i64>) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(b"avstem settlement 1\n");
        hasher.update(currency.as_str());
        match payout_minor {
            Some(minor) => {
                hasher.update([1]);
                hasher.update(minor.to_be_bytes());
            }
            None => hasher.update([0]),
        }
        SettlementHasher(hasher)
    }

    /// Adds the next rows. The caller passes all rows in ascending order of their digests.
    pub fn rows(&mut self, digests: &[RowDigest]) {
        // One call for each digest costs as much as hashing it.
        for digests in digests.chunks(DIGESTS_TOGETHER) {
            let mut bytes = [[[0; 8]; 3]; DIGESTS_TOGETHER];
            for (slots, RowDigest { transaction, content: [upper, lower] }) in bytes.iter_mut().zip(digests) {
                *slots = [transaction, upper, lower].map(|value| value.to_be_bytes());
            }
            self.0.update(bytes.get(..digests.len()).unwrap_or_default().as_flattened().as_flattened());
        }
    }

    /// The hash of the settlement.
    pub fn finish(self) -> SettlementHash {
        SettlementHash(self.0.finalize().into())
    }
}
