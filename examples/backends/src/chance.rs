//! Made-up data that is the same in every run: decided by the seed and what it is about, never by the order of requests.

use rand::SeedableRng;
use rand::rngs::StdRng;
use sha2::{Digest, Sha256};

/// A source of choices about one thing, for example `("fineract.accounts", "CL-…")`.
pub(crate) fn about(seed: u64, topic: &str, reference: &str) -> StdRng {
    StdRng::from_seed(digest(seed, topic, reference))
}

/// An id in hexadecimal, `length` characters of at most 64.
pub(crate) fn hex_id(seed: u64, topic: &str, reference: &str, length: usize) -> String {
    let mut id = hex::encode(digest(seed, topic, reference));
    id.truncate(length);
    id
}

/// An id in the form of a UUID.
pub(crate) fn uuid(seed: u64, topic: &str, reference: &str) -> String {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(digest(seed, topic, reference)) {
        *to = from;
    }
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

fn digest(seed: u64, topic: &str, reference: &str) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(seed.to_be_bytes());
    hasher.update(topic);
    // A separator that neither text holds, so that no two pairs run into each other.
    hasher.update([0xff]);
    hasher.update(reference);
    hasher.finalize().into()
}
