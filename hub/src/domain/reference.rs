//! The references that the hub gives out: a prefix and a UUIDv7 as 26 characters of Crockford's base 32.
//!
//! They sort by the time at which they were made, hold no letter that is mistaken for a digit, and mean nothing to
//! anyone else: a reference that comes in is opaque text and is never parsed.

use uuid::Uuid;

/// Of a client.
pub const CLIENT: &str = "CL";
/// Of a device.
pub const DEVICE: &str = "DV";
/// Of a KYC document.
pub const DOCUMENT: &str = "DC";
/// Of a PIN reset.
pub const PIN_RESET: &str = "PR";
/// Of a job.
pub const JOB: &str = "JB";

/// Crockford's alphabet: no I, L, O and U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 26 digits of 5 bits hold the 128 bits of a UUID.
const DIGITS: u32 = 26;

/// `CL-01JD3Z8M5Q4T7N2V9XKB6R0WYE` from a prefix and a UUIDv7 that the caller made.
#[must_use]
pub fn reference(prefix: &str, uuid: Uuid) -> String {
    let bits = uuid.as_u128();
    let digits = (0..DIGITS).rev().map(|place| {
        let digit = ((bits >> (5 * place)) & 31) as usize;
        char::from(ALPHABET.get(digit).copied().unwrap_or(b'0'))
    });
    let mut reference = String::with_capacity(prefix.len() + 1 + DIGITS as usize);
    reference.push_str(prefix);
    reference.push('-');
    reference.extend(digits);
    reference
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_all_bits_most_significant_first() {
        assert_eq!(reference(CLIENT, Uuid::from_u128(0)), "CL-00000000000000000000000000");
        assert_eq!(reference(DEVICE, Uuid::from_u128(33)), "DV-00000000000000000000000011");
        assert_eq!(reference(DOCUMENT, Uuid::from_u128(u128::MAX)), "DC-7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
    }

    #[test]
    fn sorts_as_the_uuids_do() {
        let (early, late) = (Uuid::from_u128(7 << 80), Uuid::from_u128(8 << 80));
        assert!(reference(PIN_RESET, early) < reference(PIN_RESET, late));
    }
}
