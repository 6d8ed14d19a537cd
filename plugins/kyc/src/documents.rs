//! The check of a document: is it of a type that is accepted, and is its content what it says it is?

use adapter_kit::Session;
use adapter_kit::types::Disposition;

use crate::opensanctions::allowed_documents;
use crate::{Document, DocumentVerdict};

/// A media type and how its content begins.
const MEDIA_TYPES: [(&str, &[u8]); 3] = [
    ("application/pdf", b"%PDF-"),
    ("image/jpeg", &[0xff, 0xd8, 0xff]),
    ("image/png", &[0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n']),
];

/// What comes of a document. It asks nobody, so it is decided at once.
pub fn check(session: &Session<'_>, document: &Document, content: &[u8]) -> Result<DocumentVerdict, Disposition> {
    let allowed = allowed_documents(session.settings())?;
    let found = mistake(document, content, allowed.as_deref());
    Ok(found.map_or(DocumentVerdict::Verified, DocumentVerdict::Refused))
}

fn mistake(document: &Document, content: &[u8], allowed: Option<&[String]>) -> Option<String> {
    if let Some(allowed) = allowed.filter(|allowed| !allowed.iter().any(|kind| kind == &document.document_type)) {
        return Some(format!("the type of document is not accepted; accepted are {}", allowed.join(", ")));
    }
    let Some((media_type, beginning)) = MEDIA_TYPES.iter().find(|(media_type, _)| *media_type == document.media_type)
    else {
        return Some("the media type is not accepted; accepted are application/pdf, image/jpeg, image/png".to_owned());
    };
    if content.is_empty() {
        return Some("the document is empty".to_owned());
    }
    if u64::try_from(content.len()).ok() != Some(document.size) {
        return Some(format!("the document has {} bytes in place of {}", content.len(), document.size));
    }
    (!content.starts_with(beginning)).then(|| format!("the content is no {media_type}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use adapter_kit::testing::Script;

    use super::*;

    const PDF: &[u8] = b"%PDF-1.7 and so on";

    fn document(kind: &str, media_type: &str, content: &[u8]) -> Document {
        Document {
            id: "d".into(),
            document_type: kind.into(),
            media_type: media_type.into(),
            digest: String::new(),
            size: content.len() as u64,
            submitted_at: String::new(),
        }
    }

    fn checked(script: &Script, document: &Document, content: &[u8]) -> DocumentVerdict {
        check(&Session::new(script), document, content).unwrap()
    }

    #[test]
    fn a_document_that_is_what_it_says_is_verified() {
        let png = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', 0];
        for (media_type, content) in
            [("application/pdf", PDF), ("image/jpeg", &[0xff, 0xd8, 0xff, 0xe0]), ("image/png", &png)]
        {
            let verdict = checked(&Script::new(), &document("passport", media_type, content), content);
            assert_eq!(verdict, DocumentVerdict::Verified);
        }
    }

    #[test]
    fn a_document_that_is_something_else_is_refused() {
        let script = Script::new();
        for (media_type, content) in [("image/png", PDF), ("text/plain", PDF), ("application/pdf", b"" as &[u8])] {
            let verdict = checked(&script, &document("passport", media_type, content), content);
            assert!(matches!(verdict, DocumentVerdict::Refused(_)));
        }
        let cut = Document { size: 99, ..document("passport", "application/pdf", PDF) };
        assert!(matches!(checked(&script, &cut, PDF), DocumentVerdict::Refused(why) if why.contains("99")));
    }

    #[test]
    fn types_are_restricted_by_the_settings() {
        let script = Script::new().setting("allowed-documents", r#"["passport"]"#);
        assert_eq!(checked(&script, &document("passport", "application/pdf", PDF), PDF), DocumentVerdict::Verified);
        let verdict = checked(&script, &document("library-card", "application/pdf", PDF), PDF);
        assert!(matches!(verdict, DocumentVerdict::Refused(why) if why.ends_with("passport")));
    }
}
