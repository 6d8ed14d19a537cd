//! The adapter for SendGrid (e-mail) and Twilio (text messages).
//!
//! The endpoint `mail` is SendGrid's root, in real life `https://api.sendgrid.com`, with a bearer token; `sms` is Twilio's,
//! `https://api.twilio.com`, with Basic authentication. A channel is in use where its settings are there. Neither API has an
//! idempotency key or a look-up: `send` is not to be repeated after an unknown outcome.
//!
//! | function | requests |
//! | --- | --- |
//! | `check-health` | `GET /v3/scopes` of `mail`, `GET /2010-04-01/Accounts/{sid}.json` of `sms`: each one in use |
//! | `send`, by e-mail | `POST /v3/mail/send` `{"from", "personalizations": [{"to": [{"email", "name"}], "dynamic_template_data", "custom_args": {"delivery_key"}}], "template_id" or "subject" and "content", "categories"}` → 202 with `X-Message-Id` |
//! | `send`, by text | `POST /2010-04-01/Accounts/{sid}/Messages.json`, a form: `To`, `From` or `MessagingServiceSid`, `Body` or `ContentSid` and `ContentVariables` → 201 `{"sid"}` |
//!
//! The channel is the preferred one where the recipient has it and it is in use, else the other. The delivery's key goes
//! along in `custom_args`, so that a person can find the message; SendGrid makes nothing of it.
//!
//! | setting | default | what |
//! | --- | --- | --- |
//! | `mail-from` | none: no e-mail | the sender's address, verified at SendGrid |
//! | `mail-from-name` | none | the sender's name |
//! | `mail-templates` | `{}` | table of dynamic template ids, by template or by template and language: `{"welcome": "d-…", "welcome.de": "d-…"}` |
//! | `sms-account-sid` | none: no texts | the account, `AC…` |
//! | `sms-from` | none: no texts | the sender's number, or a messaging service, `MG…` |
//! | `sms-templates` | `{}` | table of content ids, `HX…`, as `mail-templates` |
//!
//! A template that no table names is sent with the adapter's own short English text. Template data are the message's
//! variables by their names, and `name`, `language` and `template`.

mod mail;
mod route;
mod sms;
mod template;

mod bindings {
    #![allow(missing_docs, unsafe_code, clippy::all, clippy::pedantic)]
    wit_bindgen::generate!({
        path: "../../wit",
        world: "messaging-adapter",
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

use adapter_kit::types::{Description, Disposition, Health, Receipt, RepeatSafety};
use adapter_kit::{Imports, Session};

pub use bindings::exports::backoffice::adapter::messaging::{
    Channel, Guest, Message, Recipient, Template, Value, Variable,
};

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
            name: "sendgrid-twilio".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            vendor: "Clients Hub".to_owned(),
            product: "SendGrid and Twilio".to_owned(),
            endpoints: adapter_kit::texts(&["mail", "sms"]),
            settings: adapter_kit::texts(&route::SETTINGS),
            functions: adapter_kit::functions(&[("send", RepeatSafety::Unsafe)]),
        }
    }

    fn check_health() -> Result<Health, Disposition> {
        route::check_health(&Session::new(&Imports))
    }

    fn send(message: Message, key: String) -> Result<Receipt, Disposition> {
        route::send(&Session::new(&Imports), &message, &key)
    }
}
