//! The adapter for EspoCRM: an `Account` for a corporate client, a `Contact` for an individual one, found by a custom
//! field that holds the hub's reference.
//!
//! The endpoint `api` is the instance's API root, in real life `https://HOST/api/v1`, with the credential in `X-Api-Key`.
//! EspoCRM has no idempotency key: every function looks before it acts, or is the same done twice.
//!
//! | function | requests (`{type}` is `Account` or `Contact`) |
//! | --- | --- |
//! | `check-health` | `GET /App/user` |
//! | `upsert-contact` | `GET /{type}?where[0][type]=equals&where[0][attribute]={reference-field}&where[0][value]={reference}&select=id,{version-field}&maxSize=2` → `{"total", "list": […]}`; absent: `POST /{type}` with `X-Skip-Duplicate-Check: true`, since another client may well have the same name; there: `PUT /{type}/{id}`, unless it carries a newer version |
//! | `archive-contact` | `PUT /{type}/{id}` `{"{status-field}": "archived"}` |
//! | `relationship` | `GET /{type}/{id}?select=assignedUserName`; `GET /{type}/{id}/cases?where[0][type]=notIn&where[0][attribute]=status&where[0][value][]=Closed&…&maxSize=50`; `GET /{type}/{id}/{calls,meetings}?where…status equals Held&orderBy=dateStart&order=desc&maxSize=50`; `GET /{type}/{id}/emails?orderBy=dateSent&order=desc&maxSize=50`; where `feedback-link` is set, `GET /{type}/{id}/{feedback-link}?orderBy=createdAt&order=desc&maxSize=50` → entries with `createdAt`, `score`, `description` |
//!
//! Fields sent: `name`, or `firstName` and `lastName`; `emailAddress`, `phoneNumber`; `billingAddress…` of an account,
//! `address…` of a contact (`Street`, `City`, `State`, `PostalCode`, `Country`); `sicCode` and `type` of an account; and the
//! custom fields below, which an administrator of the CRM adds once to both types. No birth date and no national id: a CRM
//! has no business with them. The external id of a receipt is `{type}/{id}`, since EspoCRM's ids don't say their type.
//!
//! | setting | default | what |
//! | --- | --- | --- |
//! | `reference-field` | `cClientReference` | custom field (text) for the hub's reference |
//! | `version-field` | `cClientVersion` | custom field (integer) for the profile's version |
//! | `status-field` | `cClientStatus` | custom field (text) for the client's status |
//! | `segment-field` | `cClientSegment` | custom field (text) for the client's segment |
//! | `account-type` | `Customer` | the `type` of accounts |
//! | `feedback-link` | none | link of both types to an entity of survey answers |

mod body;
mod contacts;
mod espo;
mod relationship;

mod bindings {
    #![allow(missing_docs, unsafe_code, clippy::all, clippy::pedantic)]
    wit_bindgen::generate!({
        path: "../../wit",
        world: "crm-adapter",
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

use adapter_kit::types::{Description, Disposition, Health, Profile, Receipt, RepeatSafety};
use adapter_kit::{Imports, Session};

pub use bindings::exports::backoffice::adapter::crm::{Communication, Feedback, Guest, RelationshipSummary};

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
            name: "espocrm".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            vendor: "Clients Hub".to_owned(),
            product: "EspoCRM".to_owned(),
            endpoints: adapter_kit::texts(&["api"]),
            settings: adapter_kit::texts(&espo::SETTINGS),
            functions: adapter_kit::functions(&[
                ("upsert-contact", RepeatSafety::LookUp),
                ("archive-contact", RepeatSafety::Safe),
                ("relationship", RepeatSafety::Safe),
            ]),
        }
    }

    fn check_health() -> Result<Health, Disposition> {
        espo::check_health(&Session::new(&Imports))
    }

    fn upsert_contact(profile: Profile, _key: String) -> Result<Receipt, Disposition> {
        contacts::upsert(&Session::new(&Imports), &profile)
    }

    fn archive_contact(external_id: String, _reason: String, _key: String) -> Result<Receipt, Disposition> {
        contacts::archive(&Session::new(&Imports), &external_id)
    }

    fn relationship(external_id: String) -> Result<RelationshipSummary, Disposition> {
        relationship::summary(&Session::new(&Imports), &external_id)
    }
}
