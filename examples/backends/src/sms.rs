//! Text messages: the Twilio messages API (base `/sms`, in real life `https://api.twilio.com`).
//!
//! What it does as the product does: Basic authentication, a form as request, 201 with the message as JSON and status
//! `queued`, its error codes. There is neither an idempotency key nor a look-up by one: every accepted request is one
//! more message.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Utc;
use http::StatusCode;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::effects::{Effect, Effects};
use crate::stored::{Each, Snapshot, Stored};
use crate::{System, chance, stored};

const VERSION: &str = "2010-04-01";
const MAX_BODY_CHARS: usize = 1600;

/// The system and its state.
pub struct Sms {
    seed: u64,
    effects: Arc<Effects>,
    accepted: Mutex<Vec<Accepted>>,
}

/// An accepted message, and whom it went to.
struct Accepted {
    to: String,
    json: Stored,
}

impl Sms {
    pub(crate) fn new(seed: u64, effects: Arc<Effects>) -> Self {
        Sms { seed, effects, accepted: Mutex::default() }
    }

    /// Answers a call below `/sms`.
    #[must_use]
    pub fn answer(&self, call: &Call) -> Answer {
        if call.credential("basic").is_none() {
            return refused(StatusCode::UNAUTHORIZED, 20003, "Authenticate")
                .with("www-authenticate", "Basic realm=\"Twilio API\"");
        }
        let (method, path) = call.route();
        match (method, path.as_slice()) {
            ("POST", [VERSION, "Accounts", account, "Messages.json"]) => self.send(call, account),
            ("GET", [VERSION, "Accounts", account]) if account.ends_with(".json") => {
                Answer::json(StatusCode::OK, &account_json(account.trim_end_matches(".json")))
            }
            (_, path) => {
                let message = format!("The requested resource /{} was not found", path.join("/"));
                refused(StatusCode::NOT_FOUND, 20404, &message)
            }
        }
    }

    fn send(&self, call: &Call, account: &str) -> Answer {
        let form = call.form();
        let field = |name: &str| {
            let found = form.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim());
            found.filter(|value| !value.is_empty())
        };
        let Some(to) = field("To") else {
            return refused(StatusCode::BAD_REQUEST, 21604, "A 'To' phone number is required.");
        };
        if field("From").or(field("MessagingServiceSid")).is_none() {
            return refused(StatusCode::BAD_REQUEST, 21603, "A 'From' phone number is required.");
        }
        if field("Body").or(field("ContentSid")).is_none() {
            return refused(StatusCode::BAD_REQUEST, 21602, "Message body is required.");
        }
        if !is_e164(to) {
            return refused(StatusCode::BAD_REQUEST, 21211, &format!("Invalid 'To' Phone Number: {to}"));
        }
        let body = field("Body").unwrap_or_default();
        if body.chars().count() > MAX_BODY_CHARS {
            return refused(
                StatusCode::BAD_REQUEST,
                21617,
                "The concatenated message body exceeds the 1600 character limit",
            );
        }
        let message = Message { account, to, from: field("From"), service: field("MessagingServiceSid"), body };
        Answer::json(StatusCode::CREATED, &self.accept(&message))
    }

    fn accept(&self, message: &Message<'_>) -> Value {
        let mut accepted = self.accepted.lock();
        let sid = format!("SM{}", chance::hex_id(self.seed, "sms.message", &accepted.len().to_string(), 32));
        self.effects.record(Effect::new(System::Sms, "message.queued", message.to, &sid));
        let json = message.json(&sid);
        accepted.push(Accepted { to: message.to.to_owned(), json: Stored::keep(&json) });
        json
    }

    /// Every accepted message, or those to one number.
    pub(crate) fn snapshot(&self, reference: Option<&str>) -> Snapshot {
        let accepted = self.accepted.lock();
        let wanted = |message: &&Accepted| reference.is_none_or(|to| message.to == to);
        let messages = Each(|| accepted.iter().filter(wanted).map(|message| &message.json));
        stored::snapshot(&BTreeMap::from([("messages", messages)]))
    }
}

struct Message<'a> {
    account: &'a str,
    to: &'a str,
    from: Option<&'a str>,
    service: Option<&'a str>,
    body: &'a str,
}

impl Message<'_> {
    fn json(&self, sid: &str) -> Value {
        let now = Utc::now().to_rfc2822();
        let uri = format!("/{VERSION}/Accounts/{}/Messages/{sid}", self.account);
        json!({
            "account_sid": self.account, "api_version": VERSION, "body": self.body, "date_created": now,
            "date_sent": null, "date_updated": now, "direction": "outbound-api", "error_code": null,
            "error_message": null, "from": self.from, "messaging_service_sid": self.service, "num_media": "0",
            "num_segments": "1", "price": null, "price_unit": "USD", "sid": sid, "status": "queued",
            "subresource_uris": {"media": format!("{uri}/Media.json")}, "to": self.to, "uri": format!("{uri}.json"),
        })
    }
}

fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit()) && !digits.starts_with('0')
    })
}

fn account_json(sid: &str) -> Value {
    json!({"sid": sid, "friendly_name": "Clients Hub", "status": "active", "type": "Full",
           "uri": format!("/{VERSION}/Accounts/{sid}.json")})
}

fn refused(status: StatusCode, code: u32, message: &str) -> Answer {
    let more = format!("https://www.twilio.com/docs/errors/{code}");
    Answer::json(status, &json!({"code": code, "message": message, "more_info": more, "status": status.as_u16()}))
}
