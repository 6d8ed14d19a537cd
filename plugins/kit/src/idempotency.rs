//! Idempotency keys that outside systems have less room for than the contract allows.

use core::fmt::Write;

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;
const DIGEST_LENGTH: usize = 16;

/// The key as it is where it has at most `limit` characters; else as much of it as fits before a digest of the whole
/// (FNV-1a, 64 bits: it tells keys of one hub apart, and is no defence against anyone who makes keys up).
#[must_use]
pub fn within(limit: usize, key: &str) -> String {
    if key.chars().count() <= limit {
        return key.to_owned();
    }
    let digest = key.bytes().fold(FNV_OFFSET, |digest, byte| (digest ^ u64::from(byte)).wrapping_mul(FNV_PRIME));
    let mut short: String = key.chars().take(limit.saturating_sub(DIGEST_LENGTH)).collect();
    // Writing to a `String` can't fail.
    let _ = write!(short, "{digest:016x}");
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_key_stays() {
        assert_eq!(within(50, "abc"), "abc");
        assert_eq!(within(50, &"a".repeat(50)), "a".repeat(50));
    }

    #[test]
    fn long_keys_stay_apart() {
        let (one, other) = (format!("{}1", "a".repeat(63)), format!("{}2", "a".repeat(63)));
        assert_eq!(within(50, &one).len(), 50);
        assert_ne!(within(50, &one), within(50, &other));
        assert_eq!(within(50, &one), within(50, &one));
    }
}
