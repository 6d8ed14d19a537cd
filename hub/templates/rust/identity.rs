//! An adapter of the world `identity-adapter`, made by `hub plugin new`.
//!
//! It speaks a small REST API that nobody has: put your product's requests in the place of these. The rules by which an
//! answer becomes a disposition are in `outside`, and hold for any product.

mod outside;

mod bindings {
    #![allow(missing_docs, unsafe_code, clippy::all, clippy::pedantic)]
    wit_bindgen::generate!({ path: "wit", world: "identity-adapter" });
}

use serde_json::{Value, json};

use bindings::backoffice::adapter::http::Method;
use bindings::backoffice::adapter::types::{
    ClientStatus, Description, Disposition, FunctionDescription, Health, Profile, Receipt, RepeatSafety,
};
use bindings::exports::backoffice::adapter::identity::{Device, DeviceState, DeviceType, Guest, PinReset};
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
                function("provision", RepeatSafety::LookUp),
                function("update", RepeatSafety::Safe),
                function("disable", RepeatSafety::Safe),
                function("list-devices", RepeatSafety::Safe),
                function("set-device-state", RepeatSafety::Safe),
                function("transfer-device", RepeatSafety::Safe),
                function("reset-pin", RepeatSafety::Safe),
            ],
        }
    }

    fn check_health() -> Result<Health, Disposition> {
        Outside::default().get("/health", &[]).map(|_| Health { ok: true, detail: None })
    }

    fn provision(profile: Profile, _key: String) -> Result<Receipt, Disposition> {
        upsert(&profile)
    }

    fn update(external_id: String, profile: Profile, _key: String) -> Result<Receipt, Disposition> {
        put(format!("/users/{}", segment(&external_id)), external_id, &body(&profile))
    }

    fn disable(external_id: String, reason: String, _key: String) -> Result<Receipt, Disposition> {
        let path = format!("/users/{}/disabled", segment(&external_id));
        put(path, external_id, &json!({"disabled": true, "reason": reason}))
    }

    fn list_devices(external_id: String) -> Result<Vec<Device>, Disposition> {
        let mut outside = Outside::default();
        let found = outside.get(&format!("/users/{}/devices", segment(&external_id)), &[])?;
        let items = found.get("items").and_then(Value::as_array).ok_or_else(|| outside.nonsense())?;
        items.iter().map(|item| device(item).ok_or_else(|| outside.nonsense())).collect()
    }

    fn set_device_state(device_id: String, state: DeviceState, _key: String) -> Result<Receipt, Disposition> {
        let path = format!("/devices/{}/state", segment(&device_id));
        put(path, device_id, &json!({"active": state.active, "locked": state.locked, "reason": state.reason}))
    }

    fn transfer_device(device_id: String, from: String, to: String, _key: String) -> Result<Receipt, Disposition> {
        let path = format!("/devices/{}/owner", segment(&device_id));
        put(path, device_id, &json!({"from": from, "to": to, "active": false}))
    }

    /// This API knows the key, so that a repeat is safe. Where yours knows none, `describe` has to say `unsafe`.
    fn reset_pin(device_id: String, key: String) -> Result<PinReset, Disposition> {
        let mut outside = Outside::default();
        let path = format!("/devices/{}/pin-resets", segment(&device_id));
        let made = outside.write(Method::Post, &path, Some(&key), &json!({}))?;
        let id = text(&made, "id").ok_or_else(|| outside.nonsense())?;
        Ok(PinReset { id, expires_at: text(&made, "expiresAt") })
    }
}

fn device(item: &Value) -> Option<Device> {
    let device_type = match item["type"].as_str()? {
        "mobile" => DeviceType::Mobile,
        "token" => DeviceType::Token,
        "card-reader" => DeviceType::CardReader,
        "pos" => DeviceType::Pos,
        _ => DeviceType::Browser,
    };
    Some(Device {
        id: text(item, "id")?,
        device_type,
        model: text(item, "model"),
        label: text(item, "label"),
        active: item["active"].as_bool()?,
        locked: item["locked"].as_bool()?,
        enrolled_at: text(item, "enrolledAt"),
    })
}

fn body(profile: &Profile) -> Value {
    json!({
        "reference": profile.reference,
        "version": profile.version,
        "name": profile.name,
        "email": profile.email,
        "phone": profile.phone,
        "active": profile.status == ClientStatus::Active,
    })
}

/// The id of the record that carries the client's reference, where there is one: looked for before anything is created,
/// so that a repeated delivery has one effect.
fn find(outside: &mut Outside, reference: &str) -> Result<Option<String>, Disposition> {
    let found = outside.get("/users", &[("reference", reference)])?;
    let items = found.get("items").and_then(Value::as_array).ok_or_else(|| outside.nonsense())?;
    let right = items.iter().find(|item| item["reference"] == reference);
    Ok(right.and_then(|item| text(item, "id")))
}

fn upsert(profile: &Profile) -> Result<Receipt, Disposition> {
    let mut outside = Outside::default();
    let body = body(profile);
    if let Some(id) = find(&mut outside, &profile.reference)? {
        outside.write(Method::Put, &format!("/users/{}", segment(&id)), None, &body)?;
        return Ok(Receipt { external_id: id, note: Some("existed already".to_owned()) });
    }
    let created = outside.write(Method::Post, "/users", None, &body)?;
    let id = text(&created, "id").ok_or_else(|| outside.nonsense())?;
    Ok(Receipt { external_id: id, note: None })
}

/// Puts a part of a record into a state; doing it twice is doing it once.
fn put(path: String, id: String, body: &Value) -> Result<Receipt, Disposition> {
    Outside::default().write(Method::Put, &path, None, body)?;
    Ok(Receipt { external_id: id, note: None })
}

#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code)]
mod component {
    use super::Adapter;
    super::bindings::export!(Adapter with_types_in super::bindings);
}
