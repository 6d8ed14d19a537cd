//! Request bodies: counted while they are read, whatever `Content-Length` says.
//!
//! A body over its limit is read on and dropped, up to a second limit, so that the answer reaches a caller that is
//! still sending. Reading has a deadline: a caller that dribbles does not hold a connection for ever.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::Stream;
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Body as _;

use super::problem::{Code, Problem};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body that has not been read.
pub type Unread = UnsyncBoxBody<Bytes, BoxError>;

/// The most that a JSON body may have, bytes.
pub const JSON_LIMIT: usize = 1 << 20;
/// The most that is read and dropped of a body that nobody wants, bytes; the largest document fits in.
pub const DROP_LIMIT: usize = 24 << 20;
/// For how long a JSON body may be sent.
const READ_TIME: Duration = Duration::from_secs(30);
/// For how long a body that nobody wants is read.
const DROP_TIME: Duration = Duration::from_secs(5);

/// The whole body, at most `limit` bytes.
///
/// # Errors
/// It is larger (413), it does not come to its end (400), or it takes too long (400).
pub async fn read(body: Unread, limit: usize) -> Result<Bytes, Problem> {
    let broken = |why: &str| Problem::new(Code::MalformedJson, format!("the body {why}")).closing();
    tokio::time::timeout(READ_TIME, collect(body, limit)).await.map_err(|_| broken("did not come in time"))?
}

async fn collect(mut body: Unread, limit: usize) -> Result<Bytes, Problem> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            Problem::new(Code::MalformedJson, "the body broke off").because(error.to_string()).closing()
        })?;
        let Ok(data) = frame.into_data() else { continue };
        if read.len() + data.len() > limit {
            let left = DROP_LIMIT.saturating_sub(read.len() + data.len());
            discard(body, left).await;
            return Err(too_large(limit));
        }
        read.extend_from_slice(&data);
    }
    Ok(read.freeze())
}

/// The answer to a body over its limit; it ends the connection.
#[must_use]
pub fn too_large(limit: usize) -> Problem {
    Problem::new(Code::BodyTooLarge, format!("the body has more than {limit} bytes")).closing()
}

/// Reads at most `limit` bytes and drops them; tells whether that was all of it.
pub async fn discard(mut body: Unread, limit: usize) -> bool {
    let dropping = async {
        let mut left = limit;
        while let Some(Ok(frame)) = body.frame().await {
            let size = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(size) {
                Some(less) => left = less,
                None => return false,
            }
        }
        true
    };
    tokio::time::timeout(DROP_TIME, dropping).await.unwrap_or(false)
}

/// The body as a stream of its data, for a reader that counts by itself. It fails when nothing comes for so long.
pub fn stream(body: &mut Unread, patience: Duration) -> impl Stream<Item = Result<Bytes, BoxError>> + Send {
    futures::stream::unfold(body, move |body| async move {
        loop {
            let data = match tokio::time::timeout(patience, body.frame()).await {
                Ok(None) => return None,
                Ok(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => Ok(data),
                    Err(_trailers) => continue,
                },
                Ok(Some(Err(broken))) => Err(broken),
                Err(_) => Err(format!("nothing came for {patience:?}").into()),
            };
            return Some((data, body));
        }
    })
}

/// Whether nothing is to come.
#[must_use]
pub fn is_empty(body: &Unread) -> bool {
    body.is_end_stream()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures::StreamExt as _;
    use http_body_util::{Full, StreamBody};
    use hyper::body::Frame;

    use super::*;

    fn whole(size: usize) -> Unread {
        Full::new(Bytes::from(vec![b'x'; size])).map_err(|never| match never {}).boxed_unsync()
    }

    #[tokio::test]
    async fn counts_what_it_reads() {
        assert_eq!(read(whole(10), 10).await.unwrap().len(), 10);
        assert_eq!(read(whole(11), 10).await.unwrap_err().code(), Code::BodyTooLarge);
    }

    #[tokio::test]
    async fn an_endless_body_is_not_read_for_ever() {
        let endless = futures::stream::repeat_with(|| Ok(Frame::data(Bytes::from_static(&[0; 16_384]))));
        let body: Unread = StreamBody::new(endless).boxed_unsync();
        assert_eq!(read(body, JSON_LIMIT).await.unwrap_err().code(), Code::BodyTooLarge);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_waits_for_its_sender_and_not_for_ever() {
        let slow = futures::stream::iter([Ok(Frame::data(Bytes::from_static(b"x")))]).chain(futures::stream::pending());
        let mut body: Unread = StreamBody::new(slow).boxed_unsync();
        let mut stream = std::pin::pin!(stream(&mut body, Duration::from_secs(10)));
        assert_eq!(stream.next().await.unwrap().unwrap(), "x");
        assert!(stream.next().await.unwrap().unwrap_err().to_string().contains("10s"));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_refused() {
        let broken = futures::stream::iter([Ok(Frame::data(Bytes::from_static(b"{"))), Err("reset".into())]);
        let body: Unread = StreamBody::new(broken).boxed_unsync();
        assert_eq!(read(body, JSON_LIMIT).await.unwrap_err().code(), Code::MalformedJson);
    }
}
