//! The adapter for SCIM 2.0 (RFC 7643, 7644): a user for each client, and devices as a resource type of its own.
//!
//! The endpoint `api` is the service provider's root, in real life `https://HOST/scim/v2`, with a bearer token. SCIM has no
//! idempotency key: every function looks before it acts or is the same done twice, but for `reset-pin`, which is neither.
//!
//! | function | requests (`application/scim+json`) |
//! | --- | --- |
//! | `check-health` | `GET /ServiceProviderConfig` |
//! | `provision` | `GET /Users?filter=externalId eq "{reference}"&count=2`; absent: `POST /Users` (409 `uniqueness`: looked for once more); there: as `update`, unless it carries a newer version |
//! | `update` | `PATCH /Users/{id}`, one `replace` without a path, whose value holds every attribute that the hub owns |
//! | `disable` | `PATCH /Users/{id}` `{"active": false}` |
//! | `list-devices` | `GET /Devices?filter=owner.value eq "{user id}"&startIndex=…&count=100`, until all are there (at most 10 pages) |
//! | `set-device-state` | `PATCH /Devices/{id}` `{"active", "locked", "lockReason"}` |
//! | `transfer-device` | `GET /Devices/{id}`; still with the old owner: `PATCH /Devices/{id}` `{"owner": {"value": …}, "active": false}` |
//! | `reset-pin` | `POST /Devices/{id}/pinReset` `{}` → `{"id", "expiresAt"}` |
//!
//! A user: `externalId` and `userName` (the hub's reference: stable and unique, which an e-mail address is not),
//! `displayName`, `name`, `emails`, `phoneNumbers`, `preferredLanguage`, `userType` (`corporate` or `individual`), `active`
//! (true for an active client only), and the extension `urn:backoffice:params:scim:schemas:extension:2.0:Client` with
//! `version`. No secret is ever sent or read.
//!
//! A device, `urn:backoffice:params:scim:schemas:2.0:Device`: `id`, `deviceType` (`mobile`, `token`, `card-reader`, `pos`,
//! `browser`; one of another type is left out), `owner.value`, `model`, `label`, `active`, `locked`, `lockReason`,
//! `enrolledAt` (else `meta.created`).
//!
//! There are no settings.

mod devices;
mod scim;
mod user;
mod users;

mod bindings {
    #![allow(missing_docs, unsafe_code, clippy::all, clippy::pedantic)]
    wit_bindgen::generate!({
        path: "../../wit",
        world: "identity-adapter",
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

pub use bindings::exports::backoffice::adapter::identity::{Device, DeviceState, DeviceType, Guest, PinReset};

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
            name: "scim".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            vendor: "Clients Hub".to_owned(),
            product: "SCIM 2.0".to_owned(),
            endpoints: adapter_kit::texts(&["api"]),
            settings: Vec::new(),
            functions: adapter_kit::functions(&[
                ("provision", RepeatSafety::LookUp),
                ("update", RepeatSafety::Safe),
                ("disable", RepeatSafety::Safe),
                ("list-devices", RepeatSafety::Safe),
                ("set-device-state", RepeatSafety::Safe),
                ("transfer-device", RepeatSafety::LookUp),
                ("reset-pin", RepeatSafety::Unsafe),
            ]),
        }
    }

    fn check_health() -> Result<Health, Disposition> {
        scim::check_health(&Session::new(&Imports))
    }

    fn provision(profile: Profile, _key: String) -> Result<Receipt, Disposition> {
        users::provision(&Session::new(&Imports), &profile)
    }

    fn update(external_id: String, profile: Profile, _key: String) -> Result<Receipt, Disposition> {
        users::update(&Session::new(&Imports), &external_id, &profile)
    }

    fn disable(external_id: String, _reason: String, _key: String) -> Result<Receipt, Disposition> {
        users::disable(&Session::new(&Imports), &external_id)
    }

    fn list_devices(external_id: String) -> Result<Vec<Device>, Disposition> {
        devices::list(&Session::new(&Imports), &external_id)
    }

    fn set_device_state(device_id: String, state: DeviceState, _key: String) -> Result<Receipt, Disposition> {
        devices::set_state(&Session::new(&Imports), &device_id, &state)
    }

    fn transfer_device(device_id: String, from: String, to: String, _key: String) -> Result<Receipt, Disposition> {
        devices::transfer(&Session::new(&Imports), &device_id, (&from, &to))
    }

    fn reset_pin(device_id: String, _key: String) -> Result<PinReset, Disposition> {
        devices::reset_pin(&Session::new(&Imports), &device_id)
    }
}
