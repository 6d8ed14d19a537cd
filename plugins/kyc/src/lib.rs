//! The adapter for OpenSanctions: screening against sanctions and PEP lists, and a check of documents.
//!
//! The endpoint `api` is the service's root, in real life `https://api.opensanctions.org` (with `Authorization: ApiKey …`)
//! or a yente of one's own.
//!
//! | function | requests |
//! | --- | --- |
//! | `check-health` | `GET /healthz` |
//! | `verify` | `POST /match/{dataset}?threshold=…&limit=5[&algorithm=…]` `{"queries": {"{reference}": {"schema": "Person"\|"Company", "properties": {…}}}}` → `{"responses": {"{reference}": {"status": 200, "results": [{"id", "caption", "schema", "score", "datasets", "properties": {"topics"}}]}}}` |
//! | `case-status` | none: OpenSanctions keeps no cases, and no verdict names one |
//! | `submit-document` | none: type, media type and first bytes are checked here |
//!
//! Properties of a person: `name`, `firstName`, `lastName`, `birthDate`, `nationality`, `idNumber`, `country`; of a company:
//! `name`, `registrationNumber`, `taxNumber`, `leiCode`, `incorporationDate`, `jurisdiction`.
//!
//! A score at or above the threshold makes the client `pending` with the reasons, best first; it is never rejected here.
//! Else documents that are required and not there make it `needs-documents`; else it is approved until `validity-days`
//! after the service's own `Date`. Asking changes nothing there, so that no failure is ever `unknown`.
//!
//! | setting | default | what |
//! | --- | --- | --- |
//! | `dataset` | `default` | the collection to screen against |
//! | `threshold` | 0.7 | 0 to 1 |
//! | `algorithm` | the service's | for example `logic-v1` |
//! | `validity-days` | 365 | 1 to 3650 |
//! | `required-documents-individual`, `required-documents-corporate` | none | list of document types |
//! | `allowed-documents` | any | list of document types that are accepted |

mod documents;
mod opensanctions;
mod query;
mod screening;

mod bindings {
    #![allow(missing_docs, unsafe_code, clippy::all, clippy::pedantic)]
    wit_bindgen::generate!({
        path: "../../wit",
        world: "kyc-adapter",
        with: {
            "backoffice:adapter/types@1.0.0": adapter_kit::types,
            "backoffice:adapter/http@1.0.0": adapter_kit::http,
            "backoffice:adapter/settings@1.0.0": adapter_kit::setting_imports,
            "backoffice:adapter/log@1.0.0": adapter_kit::log,
            "backoffice:adapter/store@1.0.0": adapter_kit::store,
        },
        additional_derives: [PartialEq],
    });
}

use adapter_kit::types::{Description, Disposition, Health, Profile, RepeatSafety};
use adapter_kit::{Imports, Session, reject};

pub use bindings::exports::backoffice::adapter::kyc::{Approval, Case, Document, DocumentVerdict, Guest, Verdict};

/// The component.
#[derive(Debug)]
pub struct Adapter;

#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code)]
mod component {
    use super::Adapter;
    super::bindings::export!(Adapter with_types_in super::bindings);
}

impl Guest for Adapter {
    fn describe() -> Description {
        Description {
            name: "opensanctions".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            vendor: "Clients Hub".to_owned(),
            product: "OpenSanctions".to_owned(),
            endpoints: adapter_kit::texts(&["api"]),
            settings: adapter_kit::texts(&opensanctions::SETTINGS),
            functions: adapter_kit::functions(&[
                ("verify", RepeatSafety::Safe),
                ("case-status", RepeatSafety::Safe),
                ("submit-document", RepeatSafety::Safe),
            ]),
        }
    }

    fn check_health() -> Result<Health, Disposition> {
        opensanctions::check_health(&Session::new(&Imports))
    }

    fn verify(profile: Profile, documents: Vec<Document>, _key: String) -> Result<Verdict, Disposition> {
        screening::verify(&Session::new(&Imports), &profile, &documents)
    }

    fn case_status(_id: String) -> Result<Verdict, Disposition> {
        Err(reject("OpenSanctions keeps no cases, so there is none to ask for; screen the client again"))
    }

    fn submit_document(
        _profile: Profile,
        document: Document,
        content: Vec<u8>,
        _key: String,
    ) -> Result<DocumentVerdict, Disposition> {
        documents::check(&Session::new(&Imports), &document, &content)
    }
}
