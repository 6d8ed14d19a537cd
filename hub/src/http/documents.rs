//! `/clients/documents`: CX002 and CX003, KYC documents.
//!
//! The policy is asked before the document is read: nobody may fill the memory who may not hand anything in.

use std::sync::Arc;

use http::StatusCode;
use sha2::{Digest, Sha256};
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::answer::Answer;
use super::call::Endpoint;
use super::context::HttpContext;
use super::path::Reference;
use super::problem::{Code, Problem};
use super::request::{Request, first_of, not_found, request, served};
use super::schema_in::DocumentForm;
use super::statuses::{DocumentList, DocumentUpload};
use super::upload;
use super::views::Items;
use crate::access::Action;
use crate::actors::command::Upload;
use crate::domain::kyc::Document;

/// CX002.
pub static LIST: Endpoint = Endpoint::json("/clients/documents/{reference}", "CX002");
/// CX003.
pub static SUBMIT: Endpoint = Endpoint::json("/clients/documents/{reference}", "CX003");

/// The routes below `/clients/documents`.
pub fn routes(hub: &Arc<HttpContext>) -> BoxedFilter<(Response,)> {
    let one = warp::path::param::<Reference>().and(warp::path::end());
    let list = one.and(warp::get()).and(request(hub, &LIST)).then(|r, request| served(request, |q| list(q, r)));
    let submit = one.and(warp::post()).and(request(hub, &SUBMIT)).then(|r, request| served(request, |q| submit(q, r)));
    first_of!(list, submit).boxed()
}

/// KYC documents of a client
#[utoipa::path(get, path = "/clients/documents/{reference}", operation_id = "CX002", tag = "kyc",
    params(super::parameters::ReferenceParameter),
    responses((status = 200, description = "What was handed in", body = Items<Document>), DocumentList))]
async fn list(request: Request, reference: Reference) -> Result<Answer, Problem> {
    request.query(&[])?;
    let client = request.hub.state.client(request.caller.org(), &reference.0);
    request.permit_on(Action::CX002, &reference.0, client.as_deref())?;
    let client = client.ok_or_else(|| not_found(Code::ClientNotFound))?;
    Answer::of(&Items { items: client.client.kyc.documents.iter().collect() })
}

/// Hand in a KYC document
///
/// PDF, JPEG or PNG by its content, 20 MiB at most. It is kept by its digest and handed to the KYC adapter.
#[utoipa::path(post, path = "/clients/documents/{reference}", operation_id = "CX003", tag = "kyc",
    params(super::parameters::ReferenceParameter, super::parameters::IdempotencyKey),
    request_body(content = DocumentForm, content_type = "multipart/form-data"),
    responses((status = 201, description = "The document, not checked yet", body = Document), DocumentUpload))]
async fn submit(request: Request, reference: Reference) -> Result<Answer, Problem> {
    request.query(&[])?;
    let boundary = upload::boundary(&request.call.headers)?;
    // Boundaries differ from one try to the next: a key is bound to the document itself, once that was read.
    request.meta(&[])?;
    let client = request.hub.state.client(request.caller.org(), &reference.0);
    let permit = request.permit_on(Action::CX003, &reference.0, client.as_deref())?;
    client.ok_or_else(|| not_found(Code::ClientNotFound))?;
    let _turn = request.hub.uploads.turn(request.caller.org()).ok_or_else(|| {
        Problem::new(Code::Overloaded, "other documents are being read; come again")
            .retry_after(std::time::Duration::from_secs(1))
    })?;
    let document = upload::read(request.unread()?, boundary).await?;
    let meta = request.meta(
        &Sha256::new()
            .chain_update(&document.document_type)
            .chain_update([0])
            .chain_update(&document.content)
            .finalize(),
    )?;
    let upload::Document { document_type, media_type, content } = document;
    let sent = Upload { document_type, media_type: media_type.to_owned(), content };
    let done = request.hub.commands.submit_document(permit, meta, &reference.0, sent).await?;
    Ok(Answer::of(&done.value)?.status(StatusCode::CREATED).replayed(done.replayed))
}
