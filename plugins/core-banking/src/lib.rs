//! The adapter for Apache Fineract: clients, found by their external id, and their accounts.
//!
//! The endpoint `api` is the instance's API root, in real life `https://HOST/fineract-provider/api/v1`, with the
//! credential as Basic authentication. Every request carries `Fineract-Platform-TenantId`, every command
//! `Idempotency-Key` (which Fineract knows since 1.8; at most 50 characters).
//!
//! | function | requests |
//! | --- | --- |
//! | `check-health` | `GET /offices?fields=id` |
//! | `upsert-customer` | `GET /clients?externalId={reference}&limit=2` → `{"pageItems": [{"id", "externalId", "status": {"id"}, "timeline": {"submittedOnDate": [y, m, d]}}]}`; absent: `POST /clients` → `{"clientId", "resourceId"}`; there: `PUT /clients/{id}`, and `POST /clients/{id}?command=activate` where it is pending and should not be |
//! | `close-customer` | `GET /clients/{id}`; open: `POST /clients/{id}?command=close` `{"closureDate", "closureReasonId", "dateFormat", "locale"}` |
//! | `list-accounts` | `GET /clients/{id}/accounts` → `{"savingsAccounts": […], "loanAccounts": […]}`, each list left out when empty |
//!
//! A client's body: `externalId` (the hub's reference; on create only), `officeId` and `active` (on create only),
//! `legalFormId` (1 person, 2 entity), `fullname` (entity) or `firstname` and `lastname` (person), `dateOfBirth` (of an
//! entity its incorporation, as Fineract has it), `mobileNo`, `emailAddress`, `clientNonPersonDetails` (entity, where
//! `constitution-id` is set), with `dateFormat` `yyyy-MM-dd` and `locale`.
//!
//! | setting | default | what |
//! | --- | --- | --- |
//! | `tenant` | `default` | the tenant's identifier |
//! | `office-id` | 1 | the office of new clients |
//! | `locale` | `en` | of dates and numbers |
//! | `utc-offset-minutes` | 0 | of the tenant's business date from UTC: Fineract refuses dates in its future |
//! | `closure-reason-id` | 1 | code value of `ClientClosureReason` |
//! | `constitution-id` | none | code value of `Constitution`; without it no registration number is sent |
//!
//! Fineract has no suspension of a client: a suspended client stays active there. Lost answers: a repeat finds the client
//! by its reference, and a repeated command is answered from Fineract's own memory of the key.

mod accounts;
mod body;
mod customers;
mod fineract;

mod bindings {
    #![allow(missing_docs, unsafe_code, clippy::all, clippy::pedantic)]
    wit_bindgen::generate!({
        path: "../../wit",
        world: "core-banking-adapter",
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

pub use bindings::exports::backoffice::adapter::core_banking::{Account, Guest};

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
            name: "fineract".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            vendor: "Clients Hub".to_owned(),
            product: "Apache Fineract".to_owned(),
            endpoints: adapter_kit::texts(&["api"]),
            settings: adapter_kit::texts(&fineract::SETTINGS),
            functions: adapter_kit::functions(&[
                ("upsert-customer", RepeatSafety::LookUp),
                ("close-customer", RepeatSafety::LookUp),
                ("list-accounts", RepeatSafety::Safe),
            ]),
        }
    }

    fn check_health() -> Result<Health, Disposition> {
        fineract::check_health(&Session::new(&Imports))
    }

    fn upsert_customer(profile: Profile, key: String) -> Result<Receipt, Disposition> {
        customers::upsert(&Session::new(&Imports), &profile, &key)
    }

    fn close_customer(external_id: String, _reason: String, key: String) -> Result<Receipt, Disposition> {
        customers::close(&Session::new(&Imports), &external_id, &key)
    }

    fn list_accounts(external_id: String) -> Result<Vec<Account>, Disposition> {
        accounts::list(&Session::new(&Imports), &external_id)
    }
}
