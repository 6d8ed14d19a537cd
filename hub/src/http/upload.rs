//! A document out of a multipart body (RFC 7578): a part `type` and a part `file`, told apart by content, not by name.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use multer::{Constraints, Multipart, SizeLimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::body::{self, Unread};
use super::problem::{Code, Problem};
use super::shares::{Share, Shares};
use crate::domain::validate::FieldError;
use crate::domain::validate::formats;

/// The most that a document may have, bytes.
pub const DOCUMENT_LIMIT: usize = 20 << 20;
/// What all around it may take, bytes.
const FRAME_LIMIT: usize = 64 << 10;
/// The longest document type, characters.
const LONGEST_TYPE: usize = 60;
/// For how long a document may be sent.
const UPLOAD_TIME: Duration = Duration::from_secs(120);
/// For how long nothing of it may come: others wait for their turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many documents may be read at once, each up to 20 MiB of memory.
const TURNS: usize = 4;
/// How many of them one organisation may hand in.
const TURNS_OF_ONE: u32 = 2;

/// Turns for reading documents.
pub struct Uploads {
    turns: Arc<Semaphore>,
    shares: Shares<String>,
}

/// A turn, until it is dropped.
pub struct Turn {
    _turn: OwnedSemaphorePermit,
    _share: Share<String>,
}

impl Uploads {
    /// A turn for an organisation; `None` where it has its share, or all are taken.
    pub fn turn(&self, org: &str) -> Option<Turn> {
        let share = self.shares.take(org.to_owned(), TURNS_OF_ONE)?;
        let turn = self.turns.clone().try_acquire_owned().ok()?;
        Some(Turn { _turn: turn, _share: share })
    }
}

impl Default for Uploads {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(TURNS)), shares: Shares::default() }
    }
}

/// What was sent.
#[derive(Debug)]
pub struct Document {
    /// For example `passport`.
    pub document_type: String,
    /// By content: PDF, JPEG or PNG.
    pub media_type: &'static str,
    /// The document itself.
    pub content: Bytes,
}

/// Reads a multipart body.
///
/// # Errors
/// Too large (413); a part that is missing, unknown, twice or not right (422).
pub async fn read(mut unread: Unread, boundary: String) -> Result<Document, Problem> {
    let size = (DOCUMENT_LIMIT + FRAME_LIMIT) as u64;
    let limits = SizeLimit::new().whole_stream(size).per_field(FRAME_LIMIT as u64);
    let limits = Constraints::new().size_limit(limits.for_field("file", DOCUMENT_LIMIT as u64));
    let parts = Multipart::with_constraints(body::stream(&mut unread, PATIENCE), boundary, limits);
    let read = tokio::time::timeout(UPLOAD_TIME, read_parts(parts)).await;
    let read = read.map_err(|_| broken("did not come in time"))?;
    if read.is_err() {
        body::discard(unread, body::DROP_LIMIT).await;
    }
    let (document_type, content) = read?;
    let mut errors = Vec::new();
    let document_type = checked("/type", document_type, &mut errors, |text| {
        formats::text(LONGEST_TYPE)(&text).map_err(|flaw| fault("/type", flaw.code, &flaw.detail))
    });
    let content = checked("/file", content, &mut errors, |content| {
        sniff(&content)
            .map(|media_type| (media_type, content))
            .ok_or_else(|| fault("/file", "unknown-content", "expected a PDF, JPEG or PNG by its content"))
    });
    match (document_type, content) {
        (Some(document_type), Some((media_type, content))) if errors.is_empty() => {
            Ok(Document { document_type, media_type, content })
        }
        _ => Err(Problem::fields(errors)),
    }
}

async fn read_parts(mut parts: Multipart<'_>) -> Result<(Option<String>, Option<Bytes>), Problem> {
    let (mut document_type, mut content) = (None, None);
    while let Some(part) = parts.next_field().await.map_err(unreadable)? {
        let name = part.name().unwrap_or_default().to_owned();
        let seen = match name.as_str() {
            "type" => {
                let text = part.bytes().await.map_err(unreadable)?;
                document_type.replace(String::from_utf8_lossy(&text).into_owned()).is_some()
            }
            "file" => content.replace(part.bytes().await.map_err(unreadable)?).is_some(),
            unknown => {
                let pointer = format!("/{}", unknown.replace('~', "~0").replace('/', "~1"));
                return Err(Problem::fields(vec![fault(&pointer, "unknown-field", "accepted parts: type, file")]));
            }
        };
        if seen {
            return Err(Problem::fields(vec![fault(&format!("/{name}"), "duplicate", "the part may come once")]));
        }
    }
    Ok((document_type, content))
}

/// The media type by the first bytes of the content, which no caller chooses as freely as a header.
fn sniff(content: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 3] =
        [(b"%PDF-", "application/pdf"), (b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png")];
    MAGIC.iter().find(|(magic, _)| content.starts_with(magic)).map(|(_, media_type)| *media_type)
}

fn checked<T, U>(
    pointer: &str,
    value: Option<T>,
    errors: &mut Vec<FieldError>,
    check: impl FnOnce(T) -> Result<U, FieldError>,
) -> Option<U> {
    let required = || fault(pointer, "required", "the part is missing");
    value.ok_or_else(required).and_then(check).map_err(|error| errors.push(error)).ok()
}

fn fault(pointer: &str, code: &'static str, detail: &str) -> FieldError {
    FieldError { pointer: pointer.to_owned(), code, detail: detail.to_owned() }
}

fn unreadable(error: multer::Error) -> Problem {
    match error {
        multer::Error::StreamSizeExceeded { .. } => body::too_large(DOCUMENT_LIMIT),
        multer::Error::FieldSizeExceeded { field_name: Some(name), .. } if name == "file" => {
            body::too_large(DOCUMENT_LIMIT)
        }
        multer::Error::FieldSizeExceeded { .. } => {
            Problem::fields(vec![fault("/type", "too-long", &format!("at most {LONGEST_TYPE} characters"))])
        }
        multer::Error::StreamReadFailed(why) => broken("did not come to its end").because(why.to_string()),
        other => broken("is no multipart body").because(other.to_string()),
    }
}

fn broken(why: &str) -> Problem {
    Problem::fields(vec![fault("", "malformed-multipart", &format!("the body {why}"))]).closing()
}

/// The boundary that `Content-Type` names.
///
/// # Errors
/// It is not multipart/form-data: 415.
pub fn boundary(headers: &http::HeaderMap) -> Result<String, Problem> {
    let sent = headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    multer::parse_boundary(sent).map_err(|_| {
        Problem::new(Code::UnsupportedMediaType, "Content-Type has to be multipart/form-data with a boundary")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use http_body_util::{BodyExt, Full};

    use super::*;

    async fn send(parts: &[(&str, &[u8])]) -> Result<Document, Problem> {
        let mut text = Vec::new();
        for (name, content) in parts {
            text.extend_from_slice(
                format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").as_bytes(),
            );
            text.extend_from_slice(content);
            text.extend_from_slice(b"\r\n");
        }
        text.extend_from_slice(b"--B--\r\n");
        read(Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync(), "B".into()).await
    }

    #[tokio::test]
    async fn the_type_is_told_by_content() {
        let document = send(&[("type", b"passport"), ("file", b"%PDF-1.7 ...")]).await.unwrap();
        assert_eq!((document.media_type, document.document_type.as_str()), ("application/pdf", "passport"));
        let png = send(&[("file", b"\x89PNG\r\n\x1a\n.."), ("type", b"id")]).await.unwrap();
        assert_eq!(png.media_type, "image/png");
    }

    #[tokio::test]
    async fn what_is_missing_unknown_or_twice_is_refused() {
        let wrong: [&[(&str, &[u8])]; 6] = [
            &[],
            &[("type", b"x")],
            &[("file", b"%PDF-")],
            &[("type", b"x"), ("file", b"MZ")],
            &[("type", b"x"), ("type", b"y"), ("file", b"%PDF-")],
            &[("type", b"x"), ("file", b"%PDF-"), ("z", b"")],
        ];
        for parts in wrong {
            assert_eq!(send(parts).await.unwrap_err().code(), Code::ValidationFailed);
        }
    }

    #[tokio::test]
    async fn a_document_over_the_limit_is_too_large() {
        let large = vec![0; DOCUMENT_LIMIT + 1];
        assert_eq!(send(&[("file", &large)]).await.unwrap_err().code(), Code::BodyTooLarge);
    }

    #[tokio::test]
    async fn what_is_no_multipart_is_refused() {
        let unread = Full::new(Bytes::from_static(b"{}")).map_err(|never| match never {}).boxed_unsync();
        assert_eq!(read(unread, "B".into()).await.unwrap_err().code(), Code::ValidationFailed);
    }
}
