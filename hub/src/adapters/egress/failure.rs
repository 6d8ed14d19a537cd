//! What went wrong with a request, in the words of the contract (`http-failure`).

use super::super::bindings::http::HttpFailure;

/// The longest text that is handed on, in bytes.
const MAX_TEXT_BYTES: usize = 300;

/// The text of the innermost cause: the outer ones repeat the URL, which an adapter has no need to know.
pub fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let mut text = cause.to_string();
    if text.len() > MAX_TEXT_BYTES {
        text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
    }
    text
}

/// Whether the request surely never left: there was no connection to send it over.
pub fn never_left(error: &reqwest::Error) -> bool {
    error.is_connect() || error.is_builder()
}

/// The failure of a request that got no answer.
pub fn of(error: &reqwest::Error) -> HttpFailure {
    if never_left(error) {
        HttpFailure::Connect(innermost(error))
    } else if error.is_timeout() {
        HttpFailure::TimedOut
    } else {
        HttpFailure::Interrupted(innermost(error))
    }
}
