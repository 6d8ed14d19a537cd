//! A document out of a multipart body (RFC 7578): a part `type` and a part `file`, told apart by content, not by name.

use bytes::{Bytes, BytesMut};
use multer::{Field, Multipart};

use super::body::{self, Unread};
use super::problem::{Code, Problem};
use crate::domain::validate::FieldError;
use crate::domain::validate::formats;

/// The most that a document may have, bytes.
pub const DOCUMENT_LIMIT: usize = 20 << 20;
/// What the frame around it may take, bytes.
const FRAME_LIMIT: usize = 64 << 10;
/// The longest document type, characters.
const LONGEST_TYPE: usize = 60;
/// For how long a document may be sent.
const UPLOAD_TIME: std::time::Duration = std::time::Duration::from_secs(120);

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
pub async fn read(unread: Unread, boundary: String) -> Result<Document, Problem> {
    let parts = Multipart::new(body::stream(unread), boundary);
    let reading = tokio::time::timeout(UPLOAD_TIME, read_parts(parts));
    let (document_type, content) = reading.await.map_err(|_| broken("did not come in time"))??;
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
    let mut read = 0;
    while let Some(part) = parts.next_field().await.map_err(unreadable)? {
        let name = part.name().unwrap_or_default().to_owned();
        let bytes = whole(part, &mut read).await?;
        let seen = match name.as_str() {
            "type" => document_type.replace(String::from_utf8_lossy(&bytes).into_owned()).is_some(),
            "file" => content.replace(bytes).is_some(),
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

/// One part; `read` counts over all of them.
async fn whole(mut part: Field<'_>, read: &mut usize) -> Result<Bytes, Problem> {
    let mut content = BytesMut::new();
    while let Some(chunk) = part.chunk().await.map_err(unreadable)? {
        *read += chunk.len();
        if *read > DOCUMENT_LIMIT + FRAME_LIMIT || content.len() + chunk.len() > DOCUMENT_LIMIT {
            return Err(body::too_large(DOCUMENT_LIMIT));
        }
        content.extend_from_slice(&chunk);
    }
    Ok(content.freeze())
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
    broken("is no multipart body").because(error.to_string())
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
