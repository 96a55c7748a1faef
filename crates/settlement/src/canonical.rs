//! The canonical row and the settlement hash: one content has one hash in any file, order or encoding.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::currency::Currency;
use crate::defect::{Defect, is_seeded};
use crate::ids::{hexadecimal, parse_hex};
use crate::line::LineKind;
use crate::terms::Terms;

/// What makes two rows the same: never times, names or methods, which differ between files of one content.
#[derive(Debug, Clone, Copy)]
pub struct CanonicalRow<'a> {
    /// The provider's id; empty where it gives none, and then equal rows count by their number.
    pub provider_transaction_id: &'a str,
    /// What the row is about.
    pub kind: LineKind,
    /// The merchant's order reference.
    pub order_reference: &'a str,
    /// Currency of the amounts.
    pub currency: Currency,
    /// The signed money.
    pub terms: Terms,
}

/// Sixteen bytes of a row's SHA-256, after eight that only tell the transaction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowDigest {
    /// Equal for two rows of the same transaction; zero for a row without an id.
    pub transaction: u64,
    /// Equal for two rows of the same content: most significant half first.
    pub content: [u64; 2],
}

impl CanonicalRow<'_> {
    /// The digest of the row; `scratch` is reused memory.
    ///
    /// A term of zero is left out, so that a term added later leaves every hash as it is.
    pub fn digest(&self, scratch: &mut Vec<u8>) -> RowDigest {
        scratch.clear();
        for text in [self.provider_transaction_id, self.order_reference] {
            push_varint(scratch, text.len() as u64);
            scratch.extend_from_slice(text.as_bytes());
        }
        scratch.extend_from_slice(self.currency.as_str().as_bytes());
        scratch.push(self.kind.code());
        for (tag, (_, minor)) in (0_u8..).zip(self.terms.named()) {
            if minor != 0 {
                scratch.push(tag);
                // Zigzag: the sign in the lowest bit.
                push_varint(scratch, (minor.cast_unsigned() << 1) ^ (minor >> 63).cast_unsigned());
            }
        }
        let hash: [u8; 32] = Sha256::digest(&scratch).into();
        let (halves, _) = hash.as_chunks::<8>();
        let [upper, lower, ..] = *halves else { return RowDigest::default() };
        RowDigest { transaction: self.transaction(), content: [u64::from_be_bytes(upper), u64::from_be_bytes(lower)] }
    }

    /// FNV-1a over id and kind: a short standard hash is enough, since a collision only holds a file.
    fn transaction(&self) -> u64 {
        if self.provider_transaction_id.is_empty() {
            return 0;
        }
        let bytes = self.provider_transaction_id.bytes().chain([self.kind.code()]);
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }
}

/// Adds a number in seven bits a byte, lowest first, so that small ones are short: most rows then fit one block of
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

/// Makes a [`SettlementHash`] from currency, payout and row digests in ascending order.
#[derive(Debug, Clone)]
pub struct SettlementHasher(Sha256);

impl SettlementHasher {
    /// Begins with the currency and the stated payout in minor units.
    pub fn new(currency: Currency, payout_minor: Option<i64>) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(b"avstem settlement 1\n");
        if !is_seeded(Defect::HashWithoutCurrency) {
            hasher.update(currency.as_str());
        }
        match payout_minor {
            Some(minor) => {
                hasher.update([1]);
                hasher.update(minor.to_be_bytes());
            }
            None => hasher.update([0]),
        }
        SettlementHasher(hasher)
    }

    /// Adds the next row; rows must come in ascending order of their digest.
    pub fn row(&mut self, digest: RowDigest) {
        let [upper, lower] = digest.content;
        let mut bytes = [0; 24];
        let (parts, _) = bytes.as_chunks_mut::<8>();
        for (part, value) in parts.iter_mut().zip([digest.transaction, upper, lower]) {
            *part = value.to_be_bytes();
        }
        self.0.update(bytes);
    }

    /// The hash of all rows added.
    pub fn finish(self) -> SettlementHash {
        SettlementHash(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<'a>() -> CanonicalRow<'a> {
        CanonicalRow {
            provider_transaction_id: "5001145476",
            kind: LineKind::Sale,
            order_reference: "356",
            currency: Currency::NOK,
            terms: Terms { capture_minor: 1_500, fee_minor: 26, ..Terms::default() },
        }
    }

    #[test]
    fn every_part_of_a_row_changes_its_digest() {
        let mut scratch = Vec::new();
        let base = row().digest(&mut scratch);
        let terms = Terms { capture_minor: 1_500, fee_vat_minor: 26, ..Terms::default() };
        let others = [
            CanonicalRow { provider_transaction_id: "5001145477", ..row() },
            CanonicalRow { order_reference: "357", ..row() },
            CanonicalRow { kind: LineKind::Adjustment, ..row() },
            CanonicalRow { currency: "SEK".parse().unwrap(), ..row() },
            CanonicalRow { terms, ..row() },
            // The same letters cut at another place.
            CanonicalRow { provider_transaction_id: "500114547", order_reference: "6356", ..row() },
        ];
        for other in others {
            assert_ne!(other.digest(&mut scratch).content, base.content, "{other:?}");
        }
    }

    #[test]
    fn the_same_transaction_is_recognised_with_other_money() {
        let mut scratch = Vec::new();
        let other = CanonicalRow { terms: Terms { capture_minor: 1, ..Terms::default() }, ..row() };
        assert_eq!(row().digest(&mut scratch).transaction, other.digest(&mut scratch).transaction);
        let nameless = CanonicalRow { provider_transaction_id: "", ..row() };
        assert_eq!(nameless.digest(&mut scratch).transaction, 0);
    }

    #[test]
    fn currency_and_payout_belong_to_the_settlement_hash() {
        let hash = |currency: &str, payout| SettlementHasher::new(currency.parse().unwrap(), payout).finish();
        let all = [hash("NOK", None), hash("NOK", Some(0)), hash("NOK", Some(1)), hash("SEK", None)];
        for (i, a) in all.iter().enumerate() {
            for b in &all[i + 1..] {
                assert_ne!(a, b);
            }
        }
        let text = all[0].to_string();
        assert_eq!(SettlementHash::try_from(text), Ok(all[0]));
    }
}
