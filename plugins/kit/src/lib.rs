//! What adapters written in Rust share: the contract's types, a request builder, and the rules by which an answer, or
//! the lack of one, becomes a disposition.
//!
//! An adapter is a set of functions over a [`Session`]: it never touches the generated imports itself, so that its whole
//! conversation with the outside system runs natively in tests against a scripted hub ([`testing`]).
//!
//! What holds here: nothing panics on any input; no text of an outside system, and nothing of a profile, gets into a
//! disposition except what an adapter picks out as a machine-readable code.

mod answer;
mod bindings;
mod call;
mod disposition;
mod hub;
mod idempotency;
mod path;
mod session;
mod settings;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod time;

pub use answer::Answer;
pub use bindings::backoffice::adapter::{http, log, settings as setting_imports, store, types};
pub use call::Call;
pub use disposition::{Effect, Refusal, of_failure, of_status, reject, unavailable};
pub use hub::{Hub, Imports};
pub use idempotency::within;
pub use path::below;
pub use session::Session;
pub use settings::Settings;
pub use time::{date_of, parse_http_date, retry_after_ms, rfc3339};

use types::{FunctionDescription, RepeatSafety};

/// The functions of a description.
#[must_use]
pub fn functions(functions: &[(&str, RepeatSafety)]) -> Vec<FunctionDescription> {
    let describe =
        |(name, repeat): &(&str, RepeatSafety)| FunctionDescription { name: (*name).to_owned(), repeat: *repeat };
    functions.iter().map(describe).collect()
}

/// Texts as the contract wants its lists.
#[must_use]
pub fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
