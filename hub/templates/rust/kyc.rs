//! An adapter of the world `kyc-adapter`, made by `hub plugin new`.
//!
//! It speaks a small REST API that nobody has: put your product's requests in the place of these. The rules by which an
//! answer becomes a disposition are in `outside`, and hold for any product.

mod outside;

mod bindings {
    #![allow(missing_docs, unsafe_code, clippy::all, clippy::pedantic)]
    wit_bindgen::generate!({ path: "wit", world: "kyc-adapter" });
}

use serde_json::{Value, json};

use bindings::backoffice::adapter::http::Method;
use bindings::backoffice::adapter::types::{
    Description, Disposition, FunctionDescription, Health, Profile, RepeatSafety,
};
use bindings::exports::backoffice::adapter::kyc::{Approval, Case, Document, DocumentVerdict, Guest, Verdict};
use outside::{Outside, segment, text};

/// The component.
pub struct Adapter;

impl Guest for Adapter {
    fn describe() -> Description {
        let function = |name: &str, repeat| FunctionDescription { name: name.to_owned(), repeat };
        Description {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            vendor: "your company".to_owned(),
            product: "your product".to_owned(),
            endpoints: vec!["api".to_owned()],
            settings: Vec::new(),
            functions: vec![
                function("verify", RepeatSafety::Safe),
                function("case-status", RepeatSafety::Safe),
                function("submit-document", RepeatSafety::Safe),
            ],
        }
    }

    fn check_health() -> Result<Health, Disposition> {
        Outside::default().get("/health", &[]).map(|_| Health { ok: true, detail: None })
    }

    /// This API knows the key, so that a repeat is safe. Where yours knows none, look first or say `unsafe`.
    fn verify(profile: Profile, documents: Vec<Document>, key: String) -> Result<Verdict, Disposition> {
        let mut outside = Outside::default();
        let documents: Vec<&str> = documents.iter().map(|document| document.document_type.as_str()).collect();
        let body = json!({"reference": profile.reference, "name": profile.name, "documents": documents});
        let screening = outside.write(Method::Post, "/screenings", Some(&key), &body)?;
        verdict(&screening).ok_or_else(|| outside.nonsense())
    }

    fn case_status(id: String) -> Result<Verdict, Disposition> {
        let mut outside = Outside::default();
        let screening = outside.get(&format!("/screenings/{}", segment(&id)), &[])?;
        verdict(&screening).ok_or_else(|| outside.nonsense())
    }

    fn submit_document(
        profile: Profile,
        document: Document,
        content: Vec<u8>,
        key: String,
    ) -> Result<DocumentVerdict, Disposition> {
        let mut outside = Outside::default();
        let body = json!({
            "reference": profile.reference,
            "type": document.document_type,
            "sha256": document.digest,
            "size": content.len(),
        });
        let taken = outside.write(Method::Post, "/documents", Some(&key), &body)?;
        match taken["status"].as_str() {
            Some("verified") => Ok(DocumentVerdict::Verified),
            Some("pending") => Ok(DocumentVerdict::Pending),
            Some("refused") => Ok(DocumentVerdict::Refused(text(&taken, "reason").unwrap_or_default())),
            _ => Err(outside.nonsense()),
        }
    }
}

fn verdict(screening: &Value) -> Option<Verdict> {
    let reasons = || {
        let reasons = screening["reasons"].as_array().into_iter().flatten();
        reasons.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    match screening["status"].as_str()? {
        "approved" => Some(Verdict::Approved(Approval { expires_at: text(screening, "expiresAt") })),
        "rejected" => Some(Verdict::Rejected(reasons())),
        "review" => Some(Verdict::Pending(Case { id: text(screening, "id"), reasons: reasons() })),
        _ => None,
    }
}

#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code)]
mod component {
    use super::Adapter;
    super::bindings::export!(Adapter with_types_in super::bindings);
}
