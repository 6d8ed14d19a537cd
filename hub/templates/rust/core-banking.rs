//! An adapter of the world `core-banking-adapter`, made by `hub plugin new`.
//!
//! It speaks a small REST API that nobody has: put your product's requests in the place of these. The rules by which an
//! answer becomes a disposition are in `outside`, and hold for any product.

mod outside;

mod bindings {
    #![allow(missing_docs, unsafe_code, clippy::all, clippy::pedantic)]
    wit_bindgen::generate!({ path: "wit", world: "core-banking-adapter" });
}

use serde_json::{Value, json};

use bindings::backoffice::adapter::http::Method;
use bindings::backoffice::adapter::types::{
    Description, Disposition, FunctionDescription, Health, Profile, Receipt, RepeatSafety,
};
use bindings::exports::backoffice::adapter::core_banking::{Account, Guest};
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
                function("upsert-customer", RepeatSafety::LookUp),
                function("close-customer", RepeatSafety::Safe),
                function("list-accounts", RepeatSafety::Safe),
            ],
        }
    }

    fn check_health() -> Result<Health, Disposition> {
        Outside::default().get("/health", &[]).map(|_| Health { ok: true, detail: None })
    }

    fn upsert_customer(profile: Profile, _key: String) -> Result<Receipt, Disposition> {
        upsert(&profile)
    }

    fn close_customer(external_id: String, reason: String, _key: String) -> Result<Receipt, Disposition> {
        let path = format!("/customers/{}/closed", segment(&external_id));
        put(path, external_id, &json!({"closed": true, "reason": reason}))
    }

    fn list_accounts(external_id: String) -> Result<Vec<Account>, Disposition> {
        let mut outside = Outside::default();
        let found = outside.get(&format!("/customers/{}/accounts", segment(&external_id)), &[])?;
        let items = found.get("items").and_then(Value::as_array).ok_or_else(|| outside.nonsense())?;
        items.iter().map(|item| account(item).ok_or_else(|| outside.nonsense())).collect()
    }
}

fn account(item: &Value) -> Option<Account> {
    Some(Account {
        id: text(item, "id")?,
        account_type: text(item, "type")?,
        currency: text(item, "currency")?,
        balance: text(item, "balance")?,
        available: text(item, "available"),
        status: text(item, "status")?,
        iban: text(item, "iban"),
        opened_on: text(item, "openedOn"),
    })
}

/// The id of the record that carries the client's reference, where there is one: looked for before anything is created,
/// so that a repeated delivery has one effect.
fn find(outside: &mut Outside, reference: &str) -> Result<Option<String>, Disposition> {
    let found = outside.get("/customers", &[("reference", reference)])?;
    let items = found.get("items").and_then(Value::as_array).ok_or_else(|| outside.nonsense())?;
    let right = items.iter().find(|item| item["reference"] == reference);
    Ok(right.and_then(|item| text(item, "id")))
}

fn upsert(profile: &Profile) -> Result<Receipt, Disposition> {
    let mut outside = Outside::default();
    let body = json!({
        "reference": profile.reference,
        "version": profile.version,
        "name": profile.name,
        "email": profile.email,
        "phone": profile.phone,
    });
    if let Some(id) = find(&mut outside, &profile.reference)? {
        outside.write(Method::Put, &format!("/customers/{}", segment(&id)), None, &body)?;
        return Ok(Receipt { external_id: id, note: Some("existed already".to_owned()) });
    }
    let created = outside.write(Method::Post, "/customers", None, &body)?;
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
