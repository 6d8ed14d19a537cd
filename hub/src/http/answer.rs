//! What goes well: an answer with its status, media type and headers.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use warp::reply::Response;

use super::idempotency::REPLAYED;
use super::media::JSON;
use super::{etag, problem::Problem};

/// An answer on its way out.
pub struct Answer(Response);

impl Answer {
    /// 200 with a body of this type.
    #[must_use]
    pub fn bytes(media: &'static str, body: impl Into<Bytes>) -> Self {
        let mut response = Response::new(body.into().into());
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
        Self(response)
    }

    /// 200 with JSON that is written already.
    #[must_use]
    pub fn json(body: impl Into<Bytes>) -> Self {
        Self::bytes(JSON, body)
    }

    /// 200 with a value as JSON.
    ///
    /// # Errors
    /// The value can't be written as JSON, which is a defect: 500.
    pub fn of<T: Serialize>(value: &T) -> Result<Self, Problem> {
        serde_json::to_vec(value).map(Self::json).map_err(|error| Problem::internal(error.to_string()))
    }

    /// Another status.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        *self.0.status_mut() = status;
        self
    }

    /// The version of what is in the body.
    #[must_use]
    pub fn version(self, version: u64) -> Self {
        self.header(ETAG, &etag::tag(version))
    }

    /// Where to find what was made.
    #[must_use]
    pub fn location(self, path: &str) -> Self {
        self.header(LOCATION, path)
    }

    /// Marks an answer that was given before.
    #[must_use]
    pub fn replayed(self, replayed: bool) -> Self {
        if replayed { self.header(REPLAYED, "true") } else { self }
    }

    /// Another header. A value that is not one is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers_mut().insert(name, value);
        }
        self
    }

    /// The answer as warp sends it.
    #[must_use]
    pub fn into_response(self) -> Response {
        self.0
    }
}
