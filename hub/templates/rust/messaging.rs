//! An adapter of the world `messaging-adapter`, made by `hub plugin new`.
//!
//! It speaks a small REST API that nobody has: put your product's requests in the place of these. The rules by which an
//! answer becomes a disposition are in `outside`, and hold for any product.

mod outside;

mod bindings {
    #![allow(missing_docs, unsafe_code, clippy::all, clippy::pedantic)]
    wit_bindgen::generate!({ path: "wit", world: "messaging-adapter" });
}

use serde_json::{Map, Value, json};

use bindings::backoffice::adapter::http::Method;
use bindings::backoffice::adapter::types::{
    Description, Disposition, FunctionDescription, Health, Receipt, Reject, RepeatSafety,
};
use bindings::exports::backoffice::adapter::messaging::{Channel, Guest, Message, Template, Value as Variable};
use outside::{Outside, text};

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
                function("send", RepeatSafety::Safe),
            ],
        }
    }

    fn check_health() -> Result<Health, Disposition> {
        Outside::default().get("/health", &[]).map(|_| Health { ok: true, detail: None })
    }

    /// This API knows the key, so that a repeat is safe. Where yours knows none, `describe` has to say `unsafe`.
    fn send(message: Message, key: String) -> Result<Receipt, Disposition> {
        let (email, phone) = (message.to.email.as_ref(), message.to.phone.as_ref());
        let preferred = if message.prefer == Channel::Sms { phone.or(email) } else { email.or(phone) };
        let Some(to) = preferred else {
            let why = "there is neither an e-mail address nor a phone number".to_owned();
            return Err(Disposition::Reject(Reject { why, field: Some("/to".to_owned()) }));
        };
        let variables: Map<String, Value> =
            message.variables.iter().map(|variable| (variable.name.clone(), value(&variable.value))).collect();
        let body = json!({
            "template": name(message.template),
            "language": message.language,
            "to": to,
            "name": message.to.name,
            "variables": variables,
        });
        let mut outside = Outside::default();
        let sent = outside.write(Method::Post, "/messages", Some(&key), &body)?;
        let id = text(&sent, "id").ok_or_else(|| outside.nonsense())?;
        Ok(Receipt { external_id: id, note: None })
    }
}

/// As the contract writes it.
fn name(template: Template) -> &'static str {
    match template {
        Template::Welcome => "welcome",
        Template::ProfileUpdated => "profile-updated",
        Template::Deactivated => "deactivated",
        Template::DeviceLocked => "device-locked",
        Template::DeviceUnlocked => "device-unlocked",
        Template::DeviceActivated => "device-activated",
        Template::DeviceDeactivated => "device-deactivated",
        Template::DeviceTransferred => "device-transferred",
        Template::PinReset => "pin-reset",
    }
}

fn value(value: &Variable) -> Value {
    match value {
        Variable::Name(text) | Variable::Reference(text) | Variable::Moment(text) | Variable::DeviceType(text) => {
            json!(text)
        }
        Variable::Number(number) => json!(number),
    }
}

#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code)]
mod component {
    use super::Adapter;
    super::bindings::export!(Adapter with_types_in super::bindings);
}
