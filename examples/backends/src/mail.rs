//! E-mail: the SendGrid v3 mail API (base `/mail`, in real life `https://api.sendgrid.com`).
//!
//! What it does as the product does: Bearer authentication, `POST /v3/mail/send` answered 202 with an empty body and
//! `X-Message-Id`, its validation errors with their field and help. There is neither an idempotency key nor a look-up:
//! every accepted request is one more message.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::StatusCode;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};

use crate::call::{Answer, Call};
use crate::effects::{Effect, Effects};
use crate::stored::{Each, Snapshot, Stored};
use crate::{System, chance, stored};

const HELP: &str = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html#";
const MAX_PERSONALIZATIONS: usize = 1000;

/// The system and its state.
pub struct Mail {
    seed: u64,
    effects: Arc<Effects>,
    accepted: Mutex<Vec<Message>>,
}

/// An accepted message, and whom it went to.
struct Message {
    to: Vec<String>,
    json: Stored,
}

impl Mail {
    pub(crate) fn new(seed: u64, effects: Arc<Effects>) -> Self {
        Mail { seed, effects, accepted: Mutex::default() }
    }

    /// Answers a call below `/mail`.
    #[must_use]
    pub fn answer(&self, call: &Call) -> Answer {
        if call.credential("bearer").is_none() {
            let message = "The provided authorization grant is invalid, expired, or revoked";
            return refused(StatusCode::UNAUTHORIZED, vec![error(message, None, None)]);
        }
        let (method, path) = call.route();
        match (method, path.as_slice()) {
            ("POST", ["v3", "mail", "send"]) => self.send(call),
            ("GET", ["v3", "scopes"]) => {
                Answer::json(StatusCode::OK, &json!({"scopes": ["mail.send", "mail.batch.read"]}))
            }
            (_, ["v3", "mail", "send"] | ["v3", "scopes"]) => {
                refused(StatusCode::METHOD_NOT_ALLOWED, vec![error("method not allowed", None, None)])
            }
            _ => refused(StatusCode::NOT_FOUND, vec![error("resource not found", None, None)]),
        }
    }

    fn send(&self, call: &Call) -> Answer {
        let media_type = call.header("content-type").unwrap_or_default();
        if !media_type.starts_with("application/json") {
            let message = "Content-Type should be application/json.";
            return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, vec![error(message, None, None)]);
        }
        let Some(body) = call.object() else {
            return refused(StatusCode::BAD_REQUEST, vec![error("Bad Request", None, None)]);
        };
        let errors = mistakes(&body);
        if !errors.is_empty() {
            return refused(StatusCode::BAD_REQUEST, errors);
        }
        let id = self.accept(&body);
        Answer::empty(StatusCode::ACCEPTED).with("x-message-id", &id)
    }

    fn accept(&self, body: &Map<String, Value>) -> String {
        let mut accepted = self.accepted.lock();
        let id = chance::hex_id(self.seed, "mail.message", &accepted.len().to_string(), 22);
        let personalizations: Vec<&Value> = list(body.get("personalizations")).collect();
        let first = personalizations.first().copied().unwrap_or(&Value::Null);
        let arguments = first.get("custom_args").or_else(|| body.get("custom_args"));
        let recipient = first.pointer("/to/0/email").and_then(Value::as_str).unwrap_or_default();
        let effect = Effect::new(System::Mail, "mail.accepted", recipient, &id);
        self.effects.record(effect.key(key_among(arguments)));
        let to: Vec<&Value> = personalizations.iter().flat_map(|to| list(to.get("to"))).collect();
        let json = json!({
            "id": id, "to": to,
            "from": body.get("from"), "subject": first.get("subject").or_else(|| body.get("subject")),
            "templateId": body.get("template_id"), "categories": body.get("categories"),
            "content": body.get("content"), "customArgs": arguments,
            "dynamicTemplateData": first.get("dynamic_template_data"),
        });
        let to = to.iter().filter_map(|to| to.get("email")?.as_str()).map(str::to_owned).collect();
        accepted.push(Message { to, json: Stored::keep(&json) });
        id
    }

    /// Every accepted message, or those to one address.
    pub(crate) fn snapshot(&self, reference: Option<&str>) -> Snapshot {
        let accepted = self.accepted.lock();
        let wanted = |message: &&Message| reference.is_none_or(|to| message.to.iter().any(|address| address == to));
        let messages = Each(|| accepted.iter().filter(wanted).map(|message| &message.json));
        stored::snapshot(&BTreeMap::from([("messages", messages)]))
    }
}

/// The delivery's key, where the sender put one among the custom arguments; SendGrid itself makes nothing of it.
fn key_among(arguments: Option<&Value>) -> Option<&str> {
    let arguments = arguments?.as_object()?;
    arguments.iter().find(|(name, _)| name.contains("key")).and_then(|(_, value)| value.as_str())
}

fn mistakes(body: &Map<String, Value>) -> Vec<Value> {
    let mut errors = Vec::new();
    let personalizations: Vec<&Value> = list(body.get("personalizations")).collect();
    if personalizations.is_empty() || personalizations.len() > MAX_PERSONALIZATIONS {
        let message = "The personalizations field is required and must have at least one personalization.";
        errors.push(error(message, Some("personalizations"), Some("-Personalizations-Errors")));
    }
    for (at, personalization) in personalizations.iter().enumerate() {
        errors.extend(recipient_mistakes(at, personalization));
    }
    if !body.get("from").is_some_and(has_address) {
        let message = "The from object must be provided for every email send. It is an object that requires the email parameter, \
                       but may also contain a name parameter.";
        errors.push(error(message, Some("from.email"), Some("message.from")));
    }
    let has_template = text(body.get("template_id"));
    let everyone_has_subject =
        !personalizations.is_empty() && personalizations.iter().all(|one| text(one.get("subject")));
    if !(has_template || text(body.get("subject")) || everyone_has_subject) {
        let message = "The subject is required. You can get around this requirement if you use a template with a subject defined or \
                       if every personalization has a subject defined.";
        errors.push(error(message, Some("subject"), Some("message.subject")));
    }
    let complete = |content: &Value| text(content.get("type")) && text(content.get("value"));
    if !has_template && (list(body.get("content")).count() == 0 || !list(body.get("content")).all(complete)) {
        let message = "Unless a valid template_id is provided, the content parameter is required. There must be at least one defined \
                       content block.";
        errors.push(error(message, Some("content"), Some("message.content")));
    }
    errors
}

fn recipient_mistakes(at: usize, personalization: &Value) -> Vec<Value> {
    let recipients: Vec<&Value> = list(personalization.get("to")).collect();
    if recipients.is_empty() {
        let message = "The to array is required for all personalization objects, and must have at least one email object with a \
                       valid email address.";
        return vec![error(message, Some(&format!("personalizations.{at}.to")), Some("message.personalizations.to"))];
    }
    let wrong = recipients.iter().enumerate().filter(|(_, to)| !has_address(to));
    wrong
        .map(|(n, _)| {
            let field = format!("personalizations.{at}.to.{n}.email");
            error("Does not contain a valid address.", Some(&field), Some("message.personalizations.to"))
        })
        .collect()
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn text(value: Option<&Value>) -> bool {
    value.and_then(Value::as_str).is_some_and(|text| !text.is_empty())
}

fn has_address(value: &Value) -> bool {
    let address = value.get("email").and_then(Value::as_str).unwrap_or_default();
    address
        .split_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains(['@', ' ']))
}

fn error(message: &str, field: Option<&str>, help: Option<&str>) -> Value {
    json!({"message": message, "field": field, "help": help.map(|help| format!("{HELP}{help}"))})
}

fn refused(status: StatusCode, errors: Vec<Value>) -> Answer {
    Answer::json(status, &json!({"errors": errors}))
}
