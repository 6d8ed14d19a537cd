//! What a disturbed request is answered.

use bytes::Bytes;
use futures::stream;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use warp::reply::{Reply, Response};

use super::spec::Form;

/// A huge answer is made of pieces of this size, so that it is never in memory as a whole.
const PIECE_BYTES: usize = 64 << 10;

/// What stands in place of the system's own answer.
#[derive(Clone, Debug)]
pub enum Break {
    /// No answer: the connection is reset.
    Reset,
    /// Another answer.
    Answer(BrokenAnswer),
}

/// An answer that no system gave.
#[derive(Clone, Debug)]
pub enum BrokenAnswer {
    /// As a proxy or an overloaded server answers.
    Status {
        /// The status.
        status: StatusCode,
        /// Seconds for `Retry-After`.
        retry_after: Option<u32>,
    },
    /// Success that makes no sense.
    Nonsense {
        /// Of which form.
        form: Form,
        /// How large, where it is huge.
        bytes: u64,
    },
}

impl BrokenAnswer {
    /// The answer as it goes out.
    #[must_use]
    pub fn response(&self) -> Response {
        match self {
            BrokenAnswer::Status { status, retry_after } => {
                let mut response = Response::new(Bytes::from_static(b"upstream failure").into());
                *response.status_mut() = *status;
                if let Some(seconds) = retry_after {
                    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(*seconds));
                }
                response
            }
            BrokenAnswer::Nonsense { form: Form::NotJson, .. } => {
                fixed("text/html", b"<html><body>Please sign in</body></html>")
            }
            BrokenAnswer::Nonsense { form: Form::WrongShape, .. } => {
                fixed("application/json", br#"{"unexpected":[1,"two",null]}"#)
            }
            BrokenAnswer::Nonsense { form: Form::Huge, bytes } => typed("application/json", huge(*bytes)),
        }
    }
}

fn fixed(media_type: &'static str, body: &'static [u8]) -> Response {
    typed(media_type, Response::new(Bytes::from_static(body).into()))
}

fn typed(media_type: &'static str, mut response: Response) -> Response {
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

fn huge(bytes: u64) -> Response {
    let piece = Bytes::from(vec![b'x'; PIECE_BYTES]);
    let pieces = bytes.div_ceil(PIECE_BYTES as u64);
    let middle = (0..pieces).map(move |_| piece.clone());
    let whole = std::iter::once(Bytes::from_static(b"{\"filler\":\""))
        .chain(middle)
        .chain(std::iter::once(Bytes::from_static(b"\"}")));
    warp::reply::stream(stream::iter(whole.map(Ok::<_, std::io::Error>))).into_response()
}
