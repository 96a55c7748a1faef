//! Texts as sixteen bytes.

use sha2::{Digest as _, Sha256};

/// The first sixteen bytes of a SHA-256 over parts: small, of one size, and nobody can make two texts that share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Digest([u64; 2]);

impl Digest {
    /// The digest of the parts in their order; each ends where it ends, so that "a", "bc" is not "ab", "c".
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_kept_apart_and_both_words_count() {
        let digests = [&["a", "bc"][..], &["ab", "c"], &["abc"], &["a", "b", "c"], &[]].map(Digest::of);
        for (place, digest) in digests.iter().enumerate() {
            assert!(!digests[..place].contains(digest), "{place}");
            assert_ne!(digest.0[0], digest.0[1]);
        }
        assert_eq!(Digest::of(&["a"]), Digest::of(&["a"]));
    }
}
