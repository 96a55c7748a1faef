//! Texts as digests of sixteen bytes.

use sha2::{Digest as _, Sha256};

/// The first sixteen bytes of the SHA-256 of some texts: small, of one size, and no two texts are known that share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Digest([u64; 2]);

impl Digest {
    /// The digest of the parts in this order. Each part is hashed with its length, so that "a", "bc" and "ab", "c"
    /// differ.
    pub(crate) fn of(parts: &[&str]) -> Digest {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.len().to_le_bytes());
            hash.update(part.as_bytes());
        }
        let mut bytes = hash.finalize().into_iter();
        let mut word = || bytes.by_ref().take(8).fold(0_u64, |word, byte| word << 8 | u64::from(byte));
        Digest([word(), word()])
    }

    /// Its first bits as a number. Sorted digests have sorted numbers, and all numbers are about equally frequent.
    pub(crate) fn first_bits(self, bits: u32) -> usize {
        let Digest([first, _]) = self;
        // With 0 bits the shift is by 64, which `checked_shr` refuses; the number is then 0.
        first.checked_shr(u64::BITS.saturating_sub(bits)).unwrap_or(0) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_hashed_with_their_lengths_into_two_words() {
        let digests = [&["a", "bc"][..], &["ab", "c"], &["abc"], &["a", "b", "c"], &[]].map(Digest::of);
        for (place, digest) in digests.iter().enumerate() {
            assert!(!digests[..place].contains(digest), "{place}");
            assert_ne!(digest.0[0], digest.0[1]);
        }
        assert_eq!(Digest::of(&["a"]), Digest::of(&["a"]));
    }

    #[test]
    fn first_bits_are_in_the_order_of_digests() {
        let mut digests: Vec<Digest> = (0..1_000).map(|number| Digest::of(&[&number.to_string()])).collect();
        digests.sort_unstable();
        for bits in [0, 1, 5, 8] {
            let numbers: Vec<usize> = digests.iter().map(|digest| digest.first_bits(bits)).collect();
            assert!(numbers.is_sorted(), "{bits}");
            assert_eq!((numbers[0], numbers[999]), (0, (1 << bits) - 1), "{bits}");
        }
    }
}
