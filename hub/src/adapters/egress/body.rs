//! Reads an answer's body, and no more of it than is allowed.

use super::super::bindings::http::HttpFailure;
use super::failure;

/// The whole body, where it fits.
///
/// # Errors
/// [`HttpFailure::TooLarge`] as soon as it is known; [`HttpFailure::Interrupted`] where the connection breaks.
pub async fn read(mut answer: reqwest::Response, limit: usize) -> Result<Vec<u8>, HttpFailure> {
    let announced = answer.content_length().unwrap_or(0);
    if usize::try_from(announced).map_or(true, |length| length > limit) {
        return Err(HttpFailure::TooLarge);
    }
    let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or(0));
    loop {
        match answer.chunk().await {
            Ok(None) => return Ok(body),
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => return Err(HttpFailure::TooLarge),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Err(error) => return Err(HttpFailure::Interrupted(failure::innermost(&error))),
        }
    }
}
